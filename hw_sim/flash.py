"""NOR flash: erase sets a sector's bits, programming only clears bits, and power can go in between.

The board keeps one; bulk tests of pure logic use one by itself (`NorFlash(None)`), with the same
calls as the CPU's flash driver. Behaviour after the Winbond W25Q32 datasheet: 4096-byte sector
erase (20h), 256-byte page program (02h), volatile block protection (status register written after
50h).
"""

from __future__ import annotations

import fcntl
import mmap
import os
from collections.abc import Callable
from pathlib import Path
from typing import Final, Literal

SECTOR_BYTES: Final = 4096
PAGE_BYTES: Final = 256
ERASED: Final = 0xFF

CutMoment = Literal["before", "torn", "after"]
"""When the supply fails around one operation: nothing of it done, half of it, all of it."""


class FlashError(OSError):
    """The flash refused an operation; nothing was changed."""


class FlashAddressError(FlashError):
    """The address is outside the part, or an erase is not on a sector's first byte."""


class FlashPageError(FlashError):
    """A program crosses the end of its page; the part would wrap to the page's start."""


class FlashLockedError(FlashError):
    """The address is write-protected until power-off."""


class FlashFileError(FlashError):
    """The backing file cannot be this part: wrong size, or another board has it open."""


class PowerCut(BaseException):
    """The supply failed at a flash operation, as asked by `cut_power_at`.

    Not an `Exception`: no error handling of the code under test may survive a power cut.
    """

    def __init__(self, operation: int, how: CutMoment) -> None:
        super().__init__(f"power cut at flash operation {operation} ({how})")
        self.operation = operation
        self.how = how


class NorFlash:
    """One flash part, kept in a file or (with `path=None`) in memory.

    A file is mapped shared, so what was programmed is in the file at once, and killing this
    process leaves it there. One board at a time: the file is locked while open.

    Counters, for tests and benches: `operations` (erases and programs begun since opening, the
    first is number 1), `bytes_programmed`, `erases` (list, one count a sector: its wear),
    `violations` (programs that asked for a 0 to become a 1; the part leaves such a bit 0 and says
    nothing, and so does this).
    """

    def __init__(
        self, path: Path | str | None = None, *, size_bytes: int = 4 * 1024 * 1024
    ) -> None:
        """Open the part; a file that does not exist is made, erased throughout.

        Raises:
            FlashFileError: the file's size is not `size_bytes`, or it is in use by another board.
            ValueError: `size_bytes` is not a positive number of whole sectors.
        """
        if size_bytes <= 0 or size_bytes % SECTOR_BYTES:
            raise ValueError(f"a flash of {size_bytes} bytes has no whole {SECTOR_BYTES} B sectors")
        self.path = None if path is None else Path(path)
        self.size_bytes = size_bytes
        self.operations = 0
        self.bytes_programmed = 0
        self.violations = 0
        self.erases = [0] * (size_bytes // SECTOR_BYTES)
        self.locked_end_address = 0
        self.on_operation: Callable[[int, str, int, int], None] | None = None
        """Called before each operation takes effect: (number, "program" | "erase", address,
        size)."""
        self._cut: tuple[int, CutMoment] | None = None
        self._descriptor: int | None = None
        self._cells: bytearray | mmap.mmap
        if self.path is None:
            self._cells = bytearray(b"\xff") * size_bytes
        else:
            self._cells = self._open_file(self.path)

    def _open_file(self, path: Path) -> mmap.mmap:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise FlashFileError(f"{path} is in use by another board") from error
            found_bytes = os.fstat(descriptor).st_size
            if found_bytes == 0:
                os.pwrite(descriptor, b"\xff" * self.size_bytes, 0)
            elif found_bytes != self.size_bytes:
                raise FlashFileError(
                    f"{path} holds {found_bytes} bytes, this part has {self.size_bytes}"
                )
            cells = mmap.mmap(descriptor, self.size_bytes, access=mmap.ACCESS_WRITE)
        except BaseException:
            os.close(descriptor)
            raise
        self._descriptor = descriptor
        return cells

    def close(self) -> None:
        """Give the file back. Harmless when done twice or in memory."""
        if self._descriptor is not None:
            assert isinstance(self._cells, mmap.mmap)
            self._cells.flush()
            self._cells.close()
            os.close(self._descriptor)
            self._descriptor = None

    def __enter__(self) -> NorFlash:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    # what the CPU can do

    def read_into(self, address: int, buf: bytearray | memoryview) -> None:
        """Fill `buf` from `address` on.

        Raises:
            FlashAddressError: some of it is outside the part.
        """
        size = len(buf)
        self._check_range(address, size)
        buf[:] = self._cells[address : address + size]

    def read(self, address: int, size_bytes: int) -> bytes:
        """`size_bytes` bytes from `address` on. Raises `FlashAddressError` as `read_into`."""
        self._check_range(address, size_bytes)
        return bytes(self._cells[address : address + size_bytes])

    def program(self, address: int, data: bytes | bytearray | memoryview) -> None:
        """Clear, from `address` on, every bit that is 0 in `data`, within one 256-byte page.

        Raises:
            FlashAddressError, FlashPageError, FlashLockedError: nothing was changed.
            PowerCut: as asked for by `cut_power_at`.
        """
        wanted = bytes(data)
        size = len(wanted)
        self._check_range(address, size)
        if size == 0:
            return
        if address % PAGE_BYTES + size > PAGE_BYTES:
            raise FlashPageError(
                f"{size} bytes at 0x{address:06x} cross the end of a {PAGE_BYTES} B page"
            )
        self._check_unlocked(address)
        how = self._begin("program", address, size)
        old = self._cells[address : address + size]
        bits = int.from_bytes(old, "big") & int.from_bytes(wanted, "big")
        new = bits.to_bytes(size, "big")
        if new != wanted:
            self.violations += 1
        if how == "before":
            raise PowerCut(self.operations, how)
        done_bytes = size // 2 if how == "torn" else size
        self._cells[address : address + done_bytes] = new[:done_bytes]
        self.bytes_programmed += done_bytes
        if how is not None:
            raise PowerCut(self.operations, how)

    def erase(self, address: int) -> None:
        """Set every bit of the sector that starts at `address`.

        Raises:
            FlashAddressError, FlashLockedError: nothing was changed.
            PowerCut: as asked for by `cut_power_at`.
        """
        self._check_range(address, SECTOR_BYTES)
        if address % SECTOR_BYTES:
            raise FlashAddressError(
                f"0x{address:06x} is not the start of a {SECTOR_BYTES} B sector"
            )
        self._check_unlocked(address)
        how = self._begin("erase", address, SECTOR_BYTES)
        if how == "before":
            raise PowerCut(self.operations, how)
        done_bytes = SECTOR_BYTES // 2 if how == "torn" else SECTOR_BYTES
        self._cells[address : address + done_bytes] = b"\xff" * done_bytes
        self.erases[address // SECTOR_BYTES] += 1
        if how is not None:
            raise PowerCut(self.operations, how)

    def mapped(self, address: int, size_bytes: int) -> memoryview:
        """A read-only view of the flash itself: it shows what is programmed later.

        Let go of it before `close`. Raises `FlashAddressError` as `read_into`.
        """
        self._check_range(address, size_bytes)
        return memoryview(self._cells).toreadonly()[address : address + size_bytes]

    def lock(self, end_address: int) -> None:
        """Refuse changes of [0, end_address) until power-off; a lock only ever grows.

        Raises:
            FlashAddressError: `end_address` is outside the part or not a sector's start.
        """
        if not 0 <= end_address <= self.size_bytes or end_address % SECTOR_BYTES:
            raise FlashAddressError(f"cannot lock up to 0x{end_address:06x}")
        self.locked_end_address = max(self.locked_end_address, end_address)

    # what the bench can do

    def power_cycle(self) -> None:
        """The supply went and came: volatile protection is gone, the cells are as they were."""
        self.locked_end_address = 0

    def cut_power_at(self, operation: int, how: CutMoment = "torn") -> None:
        """Raise `PowerCut` at operation number `operation` (counted as `operations`).

        One cut at a time, spent once it fires; `cut_pending` tells whether it has.

        Raises:
            ValueError: that operation has begun already, or `how` is no moment.
        """
        if operation <= self.operations:
            raise ValueError(f"operation {operation} is past: {self.operations} were done")
        if how not in ("before", "torn", "after"):
            raise ValueError(f"no such moment of a cut: {how!r}")
        self._cut = (operation, how)

    @property
    def cut_pending(self) -> bool:
        """Whether a cut was asked for and has not fired."""
        return self._cut is not None

    def cancel_cut(self) -> None:
        """Forget the cut asked for, if any."""
        self._cut = None

    def snapshot(self) -> bytes:
        """All cells."""
        return bytes(self._cells[:])

    def restore(self, cells: bytes) -> None:
        """Set all cells, as by desoldering the part; counters stay. ValueError on a wrong size."""
        if len(cells) != self.size_bytes:
            raise ValueError(f"{len(cells)} bytes do not fill a part of {self.size_bytes}")
        self._cells[:] = cells

    def damage(self, address: int, data: bytes) -> None:
        """Overwrite cells whatever they hold: decay, or a stranger's programmer."""
        self._check_range(address, len(data))
        self._cells[address : address + len(data)] = data

    def _begin(self, what: str, address: int, size: int) -> CutMoment | None:
        self.operations += 1
        if self.on_operation is not None:
            self.on_operation(self.operations, what, address, size)
        if self._cut is not None and self._cut[0] == self.operations:
            how = self._cut[1]
            self._cut = None
            return how
        return None

    def _check_range(self, address: int, size: int) -> None:
        if address < 0 or size < 0 or address + size > self.size_bytes:
            raise FlashAddressError(
                f"{size} bytes at 0x{address:06x} are outside a part of {self.size_bytes} bytes"
            )

    def _check_unlocked(self, address: int) -> None:
        if address < self.locked_end_address:
            raise FlashLockedError(
                f"0x{address:06x} is write-protected up to 0x{self.locked_end_address:06x}"
                " until power-off"
            )
