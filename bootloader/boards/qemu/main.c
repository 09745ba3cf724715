// The interpreter's start on this board: heap, the frozen bootloader, then the prompt if it allows.
#include "chip.h"
#include "py/compile.h"
#include "py/gc.h"
#include "py/mphal.h"
#include "py/runtime.h"
#include "py/stackctrl.h"
#include "shared/runtime/gchelper.h"
#include "shared/runtime/pyexec.h"

#define HEAP_BYTES (128 * 1024)
#define STACK_BYTES (8 * 1024)

static uint32_t heap[HEAP_BYTES / sizeof(uint32_t)];

int main(void) {
    chip_start();
    mp_stack_ctrl_init();
    mp_stack_set_limit(STACK_BYTES - 512);
    gc_init(heap, (uint8_t *)heap + HEAP_BYTES);
    mp_init();
    pyexec_frozen_module("main.py", false);
    for (;;) {
        int left = pyexec_mode_kind == PYEXEC_MODE_RAW_REPL ? pyexec_raw_repl() : pyexec_friendly_repl();
        if (left) {
            break;
        }
    }
    mp_printf(&mp_plat_print, "MPY: soft reboot\n");
    return 0;
}

static bool heap_watched;
static size_t heap_peak_bytes;

void gc_collect(void) {
    gc_collect_start();
    gc_helper_collect_regs_and_stack();
    gc_collect_end();
    if (heap_watched) {
        gc_info_t info;
        gc_info(&info);
        heap_peak_bytes = MAX(heap_peak_bytes, info.used);
    }
}

size_t chip_heap_peak_bytes(void) {
    size_t peak = heap_peak_bytes;
    heap_watched = true;
    heap_peak_bytes = 0;
    return peak;
}

size_t chip_heap_piece_bytes(void) {
    gc_info_t info;
    gc_info(&info);
    return info.max_free * MICROPY_BYTES_PER_GC_BLOCK;
}

void nlr_jump_fail(void *value) {
    mp_printf(&mp_plat_print, "uncaught exception\n");
    chip_reset();
    for (;;) {
    }
}
