// Part of MicroPython's `machine` module; extmod/modmachine.c includes it.
#include "chip.h"

#define MICROPY_PY_MACHINE_EXTRA_GLOBALS \
    { MP_ROM_QSTR(MP_QSTR_UART), MP_ROM_PTR(&machine_uart_type) }, \
    { MP_ROM_QSTR(MP_QSTR_busy_us), MP_ROM_PTR(&machine_busy_us_obj) }, \
    { MP_ROM_QSTR(MP_QSTR_heap_peak), MP_ROM_PTR(&machine_heap_peak_obj) }, \
    { MP_ROM_QSTR(MP_QSTR_heap_piece), MP_ROM_PTR(&machine_heap_piece_obj) }, \

static mp_obj_t machine_busy_us(void) {
    return mp_obj_new_int_from_ull(chip_busy_microseconds());
}
static MP_DEFINE_CONST_FUN_OBJ_0(machine_busy_us_obj, machine_busy_us);

static mp_obj_t machine_heap_peak(void) {
    return mp_obj_new_int_from_uint(chip_heap_peak_bytes());
}
static MP_DEFINE_CONST_FUN_OBJ_0(machine_heap_peak_obj, machine_heap_peak);

static mp_obj_t machine_heap_piece(void) {
    return mp_obj_new_int_from_uint(chip_heap_piece_bytes());
}
static MP_DEFINE_CONST_FUN_OBJ_0(machine_heap_piece_obj, machine_heap_piece);

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
