// Module `norflash`: the board's `flash` object (docs/architecture.md, "The board object"). The
// PSRAM is the flash: a file of the host, so it keeps what it holds when the emulator is killed. NOR's
// rules are kept here, for RAM has none: programming only clears bits, erase sets a whole sector.
#include <string.h>

#include "py/mperrno.h"
#include "py/objarray.h"
#include "py/runtime.h"

#define FLASH ((uint8_t *)0x21000000)
#define FLASH_BYTES (16 * 1024 * 1024)
#define SECTOR_BYTES (4096)
#define PAGE_BYTES (256)

static uint32_t locked_end;

static void check_range(uint32_t address, uint32_t size) {
    if (address > FLASH_BYTES || size > FLASH_BYTES - address) {
        mp_raise_OSError(MP_EINVAL);
    }
}

static void check_unlocked(uint32_t address) {
    if (address < locked_end) {
        mp_raise_OSError(MP_EROFS);
    }
}

static mp_obj_t norflash_read_into(mp_obj_t address_in, mp_obj_t buffer_in) {
    uint32_t address = mp_obj_get_int_truncated(address_in);
    mp_buffer_info_t buffer;
    mp_get_buffer_raise(buffer_in, &buffer, MP_BUFFER_WRITE);
    check_range(address, buffer.len);
    memcpy(buffer.buf, FLASH + address, buffer.len);
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_2(norflash_read_into_obj, norflash_read_into);

static mp_obj_t norflash_program(mp_obj_t address_in, mp_obj_t data_in) {
    uint32_t address = mp_obj_get_int_truncated(address_in);
    mp_buffer_info_t data;
    mp_get_buffer_raise(data_in, &data, MP_BUFFER_READ);
    check_range(address, data.len);
    if (address % PAGE_BYTES + data.len > PAGE_BYTES) {
        mp_raise_OSError(MP_EINVAL); // a real part would wrap to the start of the page
    }
    check_unlocked(address);
    volatile uint8_t *cells = FLASH + address;
    for (size_t i = 0; i < data.len; i++) {
        cells[i] &= ((const uint8_t *)data.buf)[i];
    }
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_2(norflash_program_obj, norflash_program);

static mp_obj_t norflash_erase(mp_obj_t address_in) {
    uint32_t address = mp_obj_get_int_truncated(address_in);
    check_range(address, SECTOR_BYTES);
    if (address % SECTOR_BYTES) {
        mp_raise_OSError(MP_EINVAL);
    }
    check_unlocked(address);
    memset(FLASH + address, 0xff, SECTOR_BYTES);
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(norflash_erase_obj, norflash_erase);

static mp_obj_t norflash_mapped(mp_obj_t address_in, mp_obj_t size_in) {
    uint32_t address = mp_obj_get_int_truncated(address_in);
    uint32_t size = mp_obj_get_int_truncated(size_in);
    check_range(address, size);
    return mp_obj_new_memoryview('B', size, FLASH + address);
}
static MP_DEFINE_CONST_FUN_OBJ_2(norflash_mapped_obj, norflash_mapped);

static mp_obj_t norflash_lock(mp_obj_t end_in) {
    uint32_t end = mp_obj_get_int_truncated(end_in);
    check_range(end, 0);
    if (end % SECTOR_BYTES) {
        mp_raise_OSError(MP_EINVAL);
    }
    if (end > locked_end) {
        locked_end = end;
    }
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(norflash_lock_obj, norflash_lock);

static const mp_rom_map_elem_t norflash_globals_table[] = {
    { MP_ROM_QSTR(MP_QSTR___name__), MP_ROM_QSTR(MP_QSTR_norflash) },
    { MP_ROM_QSTR(MP_QSTR_size_bytes), MP_ROM_INT(FLASH_BYTES) },
    { MP_ROM_QSTR(MP_QSTR_read_into), MP_ROM_PTR(&norflash_read_into_obj) },
    { MP_ROM_QSTR(MP_QSTR_program), MP_ROM_PTR(&norflash_program_obj) },
    { MP_ROM_QSTR(MP_QSTR_erase), MP_ROM_PTR(&norflash_erase_obj) },
    { MP_ROM_QSTR(MP_QSTR_mapped), MP_ROM_PTR(&norflash_mapped_obj) },
    { MP_ROM_QSTR(MP_QSTR_lock), MP_ROM_PTR(&norflash_lock_obj) },
};
static MP_DEFINE_CONST_DICT(norflash_globals, norflash_globals_table);

const mp_obj_module_t norflash_module = {
    .base = { &mp_type_module },
    .globals = (mp_obj_dict_t *)&norflash_globals,
};
MP_REGISTER_MODULE(MP_QSTR_norflash, norflash_module);
