// The chip's parts that C code drives. Source: Arm Application Note AN385 (DAI 0385), sections 3
// and 4; Cortex-M System Design Kit Technical Reference Manual (DDI 0479), UART and watchdog.
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CHIP_UARTS (4)
#define CHIP_FIFO_BYTES (1024)

void chip_start(void);
void chip_reset(void);
uint64_t chip_microseconds(void);

// Sleep until the next interrupt: a byte that arrives, or the tick of each millisecond.
void chip_wait(void);
// Since the start, without the time slept. When the emulator counts instructions, it is their count.
uint64_t chip_busy_microseconds(void);

// The most that was left in the heap after a sweep, since the last call; the first call begins. With
// sweeps as often as `gc.threshold` can make them, that is what a program really needs.
size_t chip_heap_peak_bytes(void);
// The largest piece of the heap that is free now.
size_t chip_heap_piece_bytes(void);

size_t chip_uart_waiting(unsigned uart);
int chip_uart_read(unsigned uart);
void chip_uart_write(unsigned uart, uint8_t byte);
