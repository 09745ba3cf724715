// What MicroPython has on this board: as much as on the real ones, no more.
#include <alloca.h>
#include <stdint.h>

#define MICROPY_HW_BOARD_NAME       "Duka on MPS2 AN385"
#define MICROPY_HW_MCU_NAME         "Cortex-M3"
#define MICROPY_PY_SYS_PLATFORM     "duka-qemu"

#define MICROPY_CONFIG_ROM_LEVEL    (MICROPY_CONFIG_ROM_LEVEL_EXTRA_FEATURES)
#define MICROPY_ENABLE_GC           (1)
#define MICROPY_ENABLE_EMERGENCY_EXCEPTION_BUF (1)
#define MICROPY_LONGINT_IMPL        (MICROPY_LONGINT_IMPL_MPZ)
#define MICROPY_FLOAT_IMPL          (MICROPY_FLOAT_IMPL_FLOAT)
// for machine code that is frozen in: patch_1
#define MICROPY_EMIT_THUMB          (1)
#define MICROPY_PERSISTENT_CODE_LOAD (1)
#define MICROPY_READER_VFS          (1)
#define MICROPY_VFS                 (1)
#define MICROPY_VFS_ROM             (1)
#define MICROPY_VFS_ROM_IOCTL       (0)
#define MICROPY_PY_TIME_GMTIME_LOCALTIME_MKTIME (0)
#define MICROPY_PY_TIME_TIME_TIME_NS (0)
#define MICROPY_PY_SYS_STDIO_BUFFER (1)
#define MICROPY_PY_MICROPYTHON_MEM_INFO (1)

#define MICROPY_PY_MACHINE          (1)
#define MICROPY_PY_MACHINE_INCLUDEFILE "machine_chip.c"
#define MICROPY_PY_MACHINE_RESET    (1)
#define MICROPY_PY_MACHINE_UART     (1)
#define MICROPY_PY_MACHINE_UART_INCLUDEFILE "machine_uart_chip.c"

#define MICROPY_MAKE_POINTER_CALLABLE(p) ((void *)((mp_uint_t)(p) | 1))
#define MP_SSIZE_MAX                (0x7fffffff)
#define UINT_FMT                    "%lu"
#define INT_FMT                     "%ld"
typedef int32_t mp_int_t;
typedef uint32_t mp_uint_t;
typedef long mp_off_t;
#define MP_NEED_LOG2                (1)
#define MP_STATE_PORT               MP_STATE_VM

void chip_wait(void);
#define MICROPY_INTERNAL_WFE(timeout_ms) chip_wait()
