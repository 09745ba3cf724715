"""Frozen in the place of MicroPython's own `_boot`, which would format the flash for littlefs.

Mounts the ROMFS of the boot partition, if there is one; the frozen `main` then runs it.
"""

import sys

import norflash
import vfs

_BOOT_BYTES = 0x40000


def start() -> None:
    """Mount the boot image, if there is one."""
    try:
        rom = vfs.VfsRom  # type: ignore[attr-defined]  # the stubs lack it
        vfs.mount(rom(norflash.Flash().mapped(0, _BOOT_BYTES)), "/rom")
        sys.path.insert(0, "/rom")
    except OSError:
        pass  # a blank board: MicroPython's prompt, for the technician


start()
