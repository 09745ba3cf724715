# Start-up ROM of the simulated chip, run by the interpreter at each reset: what a port's own C code
# does before the first line of anybody's program. Only the board calls it, as
# `micropython -i start.py`, so that the interpreter's REPL follows.
import os

# Where the window is not beside the heap (launcher.py), it is first of all in there, so that it
# lies below everything and the program's share stays in one piece.
_size = int(os.getenv("HW_SIM_WINDOW_BYTES"))
_address = os.getenv("HW_SIM_WINDOW")
if _address:
    import uctypes

    _window = uctypes.bytearray_at(int(_address), _size)
    del uctypes
else:
    _window = bytearray(_size)

import gc  # noqa: E402
import sys  # noqa: E402

import vfs  # noqa: E402


def _romfs_bytes(flash, limit):
    # Whole size of the ROMFS at flash address 0; 0 when there is none that can be.
    # Header (MicroPython's romfs format): magic, then the length of what follows, 7 bits a byte.
    head = bytearray(8)
    flash.read_into(0, head)
    if head[:3] != b"\xd2\xcd\x31":
        return 0
    size = 0
    for i in range(3, 8):
        size = size << 7 | head[i] & 0x7F
        if head[i] < 0x80:
            size += i + 1
            return size if size <= limit else 0
    return 0


def _start():
    import machine  # noqa: F401  while its file can still be reached
    import norflash

    if os.getenv("HW_SIM_TIME") == "simulated":
        sys.path.insert(0, sys.path[0] + "/simulated")
        import select  # noqa: F401
        import time  # noqa: F401

        import tasks

        sys.modules["_asyncio"] = tasks  # that of the interpreter is not found by its path
        if os.getenv("HW_SIM_COSTS"):
            import costs

            costs.know(os.getenv("HW_SIM_COSTS"))
        norflash._window_is_true = True

    norflash._window = _window
    norflash._seen = bytearray(len(_window) // 4096)
    limit = int(os.getenv("HW_SIM_ROMFS_BYTES"))
    interactive = os.getenv("HW_SIM_REPL") == "raw"
    # A chip has no file system of a host computer: neither for imports nor for open().
    sys.path[:] = [".frozen"]
    del sys.argv[:]
    vfs.umount("/")
    flash = norflash.Flash()
    size = _romfs_bytes(flash, limit)
    if size:
        vfs.mount(vfs.VfsRom(flash.mapped(0, size)), "/rom")
        sys.path += ["/rom", "/rom/lib"]
    # As on a board, a soft reset out of the raw REPL leads back there, not into the program.
    return size and not interactive


_run = _start()
del _start, _romfs_bytes, _window, _size, _address, os, vfs, sys
gc.collect()
if _run:
    try:
        import main  # noqa: F401
    except SystemExit:
        # A program that exits is a soft reset, on any port.
        from machine import reset

        print("MPY: soft reboot")
        reset()
