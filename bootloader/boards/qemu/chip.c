// Vectors, clock and UARTs of the emulated chip.
#include "chip.h"
#include "py/mphal.h"
#include "py/mpconfig.h"
#include "py/runtime.h"
#include "py/stream.h"

#define REGISTER(address) (*(volatile uint32_t *)(address))

#define SYSTICK_CONTROL REGISTER(0xe000e010)
#define SYSTICK_RELOAD REGISTER(0xe000e014)
#define NVIC_ENABLE REGISTER(0xe000e100)
#define RESET_CONTROL REGISTER(0xe000ed0c)
#define SYSTEM_HZ (25000000)

#define FPGA_COUNTER REGISTER(0x40028018)
#define FPGA_PRESCALE REGISTER(0x4002801c)
#define FPGA_HZ (20000000)

#define WATCHDOG_LOAD REGISTER(0x40008000)
#define WATCHDOG_LOCK REGISTER(0x40008c00)
#define WATCHDOG_KEY (0x1acce551)

typedef struct {
    volatile uint32_t data, state, control, interrupt, divider;
} uart_registers_t;

#define STATE_TX_FULL (1)
#define STATE_RX_FULL (2)
#define CONTROL_TX (1)
#define CONTROL_RX (2)
#define CONTROL_RX_INTERRUPT (8)
#define INTERRUPT_RX (2)

static uart_registers_t *const uarts[CHIP_UARTS] = {
    (uart_registers_t *)0x40004000,
    (uart_registers_t *)0x40005000,
    (uart_registers_t *)0x40006000,
    (uart_registers_t *)0x40007000,
};
static const uint8_t receive_interrupts[CHIP_UARTS] = {0, 2, 4, 18};

static struct {
    volatile uint16_t head, tail;
    uint8_t bytes[CHIP_FIFO_BYTES];
} fifos[CHIP_UARTS];

// A FIFO that is full takes nothing more: the emulator then holds the sender back. A real line
// would run over, but on a real line bytes do not come faster than its bit rate.
static void receive(unsigned uart) {
    uart_registers_t *registers = uarts[uart];
    while (registers->state & STATE_RX_FULL) {
        uint16_t next = (fifos[uart].head + 1) % CHIP_FIFO_BYTES;
        if (next == fifos[uart].tail) {
            registers->control &= ~CONTROL_RX_INTERRUPT;
            registers->interrupt = INTERRUPT_RX;
            return;
        }
        registers->interrupt = INTERRUPT_RX;
        uint8_t byte = registers->data;
        if (uart == 0 && byte == mp_interrupt_char) {
            mp_sched_keyboard_interrupt();
            continue;
        }
        fifos[uart].bytes[fifos[uart].head] = byte;
        fifos[uart].head = next;
    }
}

static void uart0_received(void) {
    receive(0);
}

static void uart1_received(void) {
    receive(1);
}

static void uart2_received(void) {
    receive(2);
}

static void uart3_received(void) {
    receive(3);
}

size_t chip_uart_waiting(unsigned uart) {
    return (fifos[uart].head - fifos[uart].tail + CHIP_FIFO_BYTES) % CHIP_FIFO_BYTES;
}

int chip_uart_read(unsigned uart) {
    if (fifos[uart].head == fifos[uart].tail) {
        return -1;
    }
    uint8_t byte = fifos[uart].bytes[fifos[uart].tail];
    fifos[uart].tail = (fifos[uart].tail + 1) % CHIP_FIFO_BYTES;
    if (!(uarts[uart]->control & CONTROL_RX_INTERRUPT)) {
        __asm volatile ("cpsid i");
        uarts[uart]->control |= CONTROL_RX_INTERRUPT;
        receive(uart);
        __asm volatile ("cpsie i");
    }
    return byte;
}

void chip_uart_write(unsigned uart, uint8_t byte) {
    while (uarts[uart]->state & STATE_TX_FULL) {
    }
    uarts[uart]->data = byte;
}

uint64_t chip_microseconds(void) {
    static uint32_t last, wraps;
    __asm volatile ("cpsid i");
    uint32_t now = FPGA_COUNTER;
    if (now < last) {
        wraps++;
    }
    last = now;
    uint64_t microseconds = (uint64_t)wraps << 32 | now;
    __asm volatile ("cpsie i");
    return microseconds;
}

static uint64_t waited_us;

void chip_wait(void) {
    uint64_t from = chip_microseconds();
    __asm volatile ("wfi");
    waited_us += chip_microseconds() - from;
}

uint64_t chip_busy_microseconds(void) {
    return chip_microseconds() - waited_us;
}

void chip_reset(void) {
    RESET_CONTROL = 0x05fa0004;
    for (;;) {
    }
}

void chip_start(void) {
    FPGA_PRESCALE = FPGA_HZ / 1000000 - 1;
    FPGA_COUNTER = 0;
    for (unsigned uart = 0; uart < CHIP_UARTS; uart++) {
        uarts[uart]->divider = 217; // 115200 baud; the emulator's lines carry bytes as they come
        uarts[uart]->control = CONTROL_TX | CONTROL_RX | CONTROL_RX_INTERRUPT;
        NVIC_ENABLE = 1u << receive_interrupts[uart];
    }
    SYSTICK_RELOAD = SYSTEM_HZ / 1000 - 1;
    SYSTICK_CONTROL = 7;
}

// Each millisecond: wakes a sleeping CPU, and keeps count of the counter's wraps.
static void tick(void) {
    chip_microseconds();
}

// The watchdog warns by this interrupt and bites when it runs out a second time; a warning is too
// late here, so the second time is at once.
static void watchdog_warned(void) {
    WATCHDOG_LOCK = WATCHDOG_KEY;
    WATCHDOG_LOAD = 1;
    for (;;) {
    }
}

static void halt(void) {
    static const char said[] = "\r\nfault: the CPU stands still\r\n";
    for (const char *c = said; *c; c++) {
        chip_uart_write(0, *c);
    }
    for (;;) {
    }
}

extern uint32_t _estack, _data_in_code, _data_start, _data_end, _bss_start, _bss_end;
int main(void);

static void start(void) {
    for (uint32_t *from = &_data_in_code, *to = &_data_start; to < &_data_end;) {
        *to++ = *from++;
    }
    for (uint32_t *to = &_bss_start; to < &_bss_end;) {
        *to++ = 0;
    }
    main();
    chip_reset();
}

typedef void (*vector_t)(void);
__attribute__((section(".vectors"), used)) static const vector_t vectors[16 + 20] = {
    (vector_t)&_estack, start, watchdog_warned, halt, halt, halt, halt,
    [11] = halt,
    [12] = halt,
    [14] = halt,
    [15] = tick,
    [16 + 0] = uart0_received,
    [16 + 2] = uart1_received,
    [16 + 4] = uart2_received,
    [16 + 18] = uart3_received,
};

// What MicroPython asks of a board

mp_uint_t mp_hal_ticks_ms(void) {
    return chip_microseconds() / 1000;
}

mp_uint_t mp_hal_ticks_us(void) {
    return chip_microseconds();
}

mp_uint_t mp_hal_ticks_cpu(void) {
    return chip_microseconds();
}

// Littlefs dates files with it; nobody reads those dates.
uint64_t mp_hal_time_ns(void) {
    return chip_microseconds() * 1000;
}

void mp_hal_delay_us(mp_uint_t delay_us) {
    uint64_t end = chip_microseconds() + delay_us;
    while (chip_microseconds() < end) {
    }
}

void mp_hal_delay_ms(mp_uint_t delay_ms) {
    uint64_t end = chip_microseconds() + (uint64_t)delay_ms * 1000;
    while (chip_microseconds() < end) {
        mp_event_wait_ms(1);
    }
}

uintptr_t mp_hal_stdio_poll(uintptr_t wanted) {
    uintptr_t ready = wanted & MP_STREAM_POLL_WR;
    if (chip_uart_waiting(0)) {
        ready |= wanted & MP_STREAM_POLL_RD;
    }
    return ready;
}

int mp_hal_stdin_rx_chr(void) {
    for (;;) {
        int byte = chip_uart_read(0);
        if (byte >= 0) {
            return byte;
        }
        mp_event_wait_indefinite();
    }
}

mp_uint_t mp_hal_stdout_tx_strn(const char *text, size_t size) {
    for (size_t i = 0; i < size; i++) {
        chip_uart_write(0, text[i]);
    }
    return size;
}
