// Part of MicroPython's `machine` module; extmod/modmachine.c includes it.
#include "chip.h"

#define MICROPY_PY_MACHINE_EXTRA_GLOBALS \
    { MP_ROM_QSTR(MP_QSTR_UART), MP_ROM_PTR(&machine_uart_type) }, \

static void mp_machine_idle(void) {
    mp_event_wait_ms(1);
}

NORETURN static void mp_machine_reset(void) {
    chip_reset();
    for (;;) {
    }
}

static mp_int_t mp_machine_reset_cause(void) {
    return 0; // only the board's supervisor knows: see board.py
}
