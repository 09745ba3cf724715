# mypy: ignore-errors
# Device code: MicroPython has no typing.
# Goes into a release as firmware/measure.py. Makes images of the patches that the host left in
# flash, counts instructions (QEMU at 1 ns each) or watches the heap, and prints a line of JSON.
import asyncio
import gc
import json
import struct
import time

import machine

ARCHIVE = 0x800000
FINE_SWEEP_BYTES = 4096
INSTRUCTIONS_A_US = 1000
HEAP = 1
IN_BYTE_CODE = 2
NOTHING = 255


class View:
    """As a Partition that is only read, of something in flash."""

    def __init__(self, view):
        self._view = view

    def read_into(self, offset, buf):
        buf[:] = self._view[offset : offset + len(buf)]


def pairs(flash):
    """(base, patch, size of the image, its SHA-256) for each pair of the archive."""
    at = ARCHIVE
    while True:
        base, patch, size = struct.unpack("<III", flash.mapped(at, 12))
        if base == 0xFFFFFFFF:
            return
        digest = bytes(flash.mapped(at + 12, 32))
        at += 44
        yield flash.mapped(at, base), flash.mapped(at + base, patch), size, digest
        at += base + patch


async def measure(board, what):
    from firmware.update import install, reader

    patch = reader.bring(what == IN_BYTE_CODE)  # before anything is counted
    slot = board.partitions["slot_b"]
    figures = []
    for base, coded, size, digest in pairs(board.flash):
        gc.collect()
        before = gc.mem_alloc()
        machine.heap_peak()
        start = machine.busy_us()
        await install.patched(patch, View(coded), len(coded), slot, size, View(base), len(base))
        busy = (machine.busy_us() - start) * INSTRUCTIONS_A_US
        gc.collect()
        is_right = await install.digest_of(slot, size) == digest
        figures.append([machine.heap_peak() - before if what == HEAP else busy, is_right])
    print("\nBENCH " + json.dumps(figures))


def run(board):
    # Sweeping the heap all the time takes longer than any watchdog allows.
    machine.mem32[0x40008C00] = 0x1ACCE551
    machine.mem32[0x40008008] = 0
    (what,) = struct.unpack("<B", board.flash.mapped(ARCHIVE - 1, 1))
    if what == HEAP:
        gc.threshold(FINE_SWEEP_BYTES)
    if what != NOTHING:
        asyncio.run(measure(board, what))
    while True:
        time.sleep_ms(100)
