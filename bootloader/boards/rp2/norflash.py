"""The flash of an RP2 board as docs/architecture.md's `Flash`; frozen into its interpreter.

The board file and, on a blank board, the technician's tool use it. Addresses count from the start
of MicroPython's storage area, 1 MiB into the chip.
"""

import rp2
import uctypes

_SECTOR_BYTES = 4096
_PAGE_BYTES = 256
_XIP_BASE = 0x10000000
_STORAGE = 0x100000  # the board's MICROPY_HW_FLASH_STORAGE_BASE
_STORAGE_BYTES = 0x300000
_EINVAL = 22
_EROFS = 30


class Flash:
    """`rp2.Flash` by address. The lock is this object's, not the chip's: docs/boards.md."""

    size_bytes = _STORAGE_BYTES

    def __init__(self) -> None:
        self._device = rp2.Flash()
        self._locked_bytes = 0

    def read_into(self, address: int, buf: bytearray | memoryview) -> None:
        """Fill `buf` from `address` on. Raises OSError 22 outside the storage."""
        self._check(address, len(buf))
        buf[:] = uctypes.bytearray_at(_XIP_BASE + _STORAGE + address, len(buf))

    def program(self, address: int, data: bytes | bytearray | memoryview) -> None:
        """Clear bits of one page. Raises OSError 30 in the locked range, 22 across a page."""
        size = len(data)
        self._check(address, size)
        self._check_lock(address)
        start = address % _PAGE_BYTES
        if start + size > _PAGE_BYTES:
            raise OSError(_EINVAL)
        # the driver programs whole pages; ones leave what is there
        page = bytearray(b"\xff" * _PAGE_BYTES)
        page[start : start + size] = data
        at = address - start
        self._device.writeblocks(at // _SECTOR_BYTES, page, at % _SECTOR_BYTES)

    def erase(self, address: int) -> None:
        """Erase one sector. Raises OSError 30 in the locked range, 22 if it is not aligned."""
        self._check(address, _SECTOR_BYTES)
        self._check_lock(address)
        if address % _SECTOR_BYTES:
            raise OSError(_EINVAL)
        self._device.ioctl(6, address // _SECTOR_BYTES)

    def mapped(self, address: int, size: int) -> memoryview:
        """A view of `size` bytes where the chip reads them in place."""
        self._check(address, size)
        return memoryview(uctypes.bytearray_at(_XIP_BASE + _STORAGE + address, size))

    def lock(self, end_address: int) -> None:
        """Refuse all changes below `end_address`, until the next start."""
        self._locked_bytes = max(self._locked_bytes, end_address)

    def _check(self, address: int, size: int) -> None:
        if address < 0 or address + size > _STORAGE_BYTES:
            raise OSError(_EINVAL)

    def _check_lock(self, address: int) -> None:
        if address < self._locked_bytes:
            raise OSError(_EROFS)
