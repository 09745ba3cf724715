"""One NOR flash part: erase sets a sector's bits, programming only clears bits, power can go.

Behaviour after the Winbond W25Q32 datasheet: 4096-byte sector erase (20h), 256-byte page program
(02h), volatile block protection (status register written after 50h).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final, get_args

from hw_sim.flash.cells import SECTOR_BYTES, Cells, Operation
from hw_sim.flash.cuts import CutMoment, Fault, partly_erased, partly_programmed
from hw_sim.flash.errors import FlashAddressError, FlashLockedError, FlashPageError, PowerCut

PAGE_BYTES: Final = 256
ERASED: Final = 0xFF


class NorFlash:
    """One flash part, kept in a file or (with `path=None`) in memory.

    A file is mapped shared, so what was programmed is in the file at once, and killing this
    process leaves it there. One board at a time: the file is locked while open.

    `cells` is what it is made of. Counters, for tests and measurements: `operations` (erases and
    programs begun since opening, the first is number 1), `bytes_programmed`, `erases` (list, one
    count a sector: its wear), `violations` (programs that asked for a 0 to become a 1; the part
    leaves such a bit 0 and says nothing, and so does this).
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
        self.violated: list[int] = []
        """Addresses of the programs that `violations` counts."""
        self.erases = [0] * (size_bytes // SECTOR_BYTES)
        self.locked_end_address = 0
        self.on_damage: Callable[[], None] | None = None
        """Called after `damage`."""
        self.on_operation: Callable[[int, str, int, int], None] | None = None
        """Called before each operation takes effect: (number, "program" | "erase", address,
        size)."""
        self.endurance_cycles: int | None = None
        """A sector that was erased so often is worn out (None: none ever is)."""
        self.log: list[Operation] | None = None
        """If a list, every erase and program that took effect is appended to it."""
        self.fault_fired = False
        """Whether a fault asked for by `fail_at` has happened."""
        self._cut: tuple[int, CutMoment] | None = None
        self._fault: tuple[int, Fault] | None = None
        self._marked_violations: list[int] = []
        self.cells = Cells(self.path, size_bytes)

    def close(self) -> None:
        """Give the file back. Harmless when done twice or in memory."""
        self.cells.close()

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
        if address < 0 or address + size > self.size_bytes:
            self._check_range(address, size)
        self.cells.read_into(address, buf)

    def read(self, address: int, size_bytes: int) -> bytes:
        """`size_bytes` bytes from `address` on. Raises `FlashAddressError` as `read_into`."""
        end = address + size_bytes
        if address < 0 or size_bytes < 0 or end > self.size_bytes:
            self._check_range(address, size_bytes)
        if not self.cells.weak:
            return bytes(self.cells.memory[address:end])
        buf = bytearray(size_bytes)
        self.read_into(address, buf)
        return bytes(buf)

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
        how, fault = self._begin("program", address, size)
        if fault is not None:
            if fault == "silent":
                return
            self.wear_out(address // SECTOR_BYTES * SECTOR_BYTES)
        cells = self.cells
        new = cells.cleared(address, wanted)
        if new != wanted and not cells.explain(address, new, wanted):
            self.violations += 1
            self.violated.append(address)
        if how is not None:
            if how == "before":
                raise PowerCut(self.operations, how)
            old = bytes(cells.memory[address : address + size])
            new = partly_programmed(old, new, how, cells.chance)
            if how == "weak":
                cells.weaken(address, old, new)
        else:
            cells.firm(address, wanted)
        cells.change(address, new)
        self.bytes_programmed += size
        if self.log is not None:
            self.log.append((address, wanted))
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
        how, fault = self._begin("erase", address, SECTOR_BYTES)
        if fault == "silent":
            return
        if how == "before":
            raise PowerCut(self.operations, how)
        sector = address // SECTOR_BYTES
        self.erases[sector] += 1
        worn = self.endurance_cycles is not None and self.erases[sector] >= self.endurance_cycles
        if fault == "worn" or worn:
            self.wear_out(address)
        cells = self.cells
        cells.forget_weak(address)
        new = b"\xff" * SECTOR_BYTES
        if how is not None and how != "after":
            old = bytes(cells.memory[address : address + SECTOR_BYTES])
            new = partly_erased(old, how, cells.chance)
            if how == "weak":
                cells.weaken(address, old, new)
        cells.set_sector(address, new)
        if self.log is not None:
            self.log.append((address, None))
        if how is not None:
            raise PowerCut(self.operations, how)

    def mapped(self, address: int, size_bytes: int) -> memoryview:
        """A read-only view of the flash itself: it shows what is programmed later.

        Let go of it before `close`. Raises `FlashAddressError` as `read_into`.
        """
        self._check_range(address, size_bytes)
        return memoryview(self.cells.memory).toreadonly()[address : address + size_bytes]

    def lock(self, end_address: int) -> None:
        """Refuse changes of [0, end_address) until power-off; a lock only ever grows.

        Raises:
            FlashAddressError: `end_address` is outside the part or not a sector's start.
        """
        if not 0 <= end_address <= self.size_bytes or end_address % SECTOR_BYTES:
            raise FlashAddressError(f"cannot lock up to 0x{end_address:06x}")
        self.locked_end_address = max(self.locked_end_address, end_address)

    # what tests can do to it

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
        if how not in get_args(CutMoment):
            raise ValueError(f"no such moment of a cut: {how!r}")
        self._cut = (operation, how)

    def fail_at(self, operation: int, fault: Fault) -> None:
        """Let operation number `operation` go wrong without a cut; `fault_fired` tells.

        Raises:
            ValueError: that operation has begun already, or `fault` is none.
        """
        if operation <= self.operations:
            raise ValueError(f"operation {operation} is past: {self.operations} were done")
        if fault not in get_args(Fault):
            raise ValueError(f"no such fault: {fault!r}")
        self.fault_fired = False
        self._fault = (operation, fault)

    def wear_out(self, address: int) -> None:
        """From now on the sector at `address` keeps a few bits at 0, whatever erases it."""
        self.cells.wear_out(address)

    @property
    def cut_pending(self) -> bool:
        """Whether a cut was asked for and has not fired."""
        return self._cut is not None

    def cancel_cut(self) -> None:
        """Forget the cut asked for, if any."""
        self._cut = None

    def mark(self) -> None:
        """Remember this instant; `rewind` comes back to it. Marks nest."""
        self.cells.mark()
        self._marked_violations.append(self.violations)

    def rewind(self) -> None:
        """Come back to the newest mark, at the cost of the sectors changed since, and drop it.

        Counters other than `violations` stay. Raises ValueError if there is no mark.
        """
        self.cells.rewind()
        self.violations = self._marked_violations.pop()
        del self.violated[self.violations :]
        self._cut = self._fault = None

    def snapshot(self) -> bytes:
        """All cells."""
        return bytes(self.cells.memory[:])

    def restore(self, cells: bytes) -> None:
        """Set all cells, as by desoldering the part; counters stay. ValueError on a wrong size."""
        if len(cells) != self.size_bytes:
            raise ValueError(f"{len(cells)} bytes do not fill a part of {self.size_bytes}")
        self.cells.restore(cells)

    def damage(self, address: int, data: bytes) -> None:
        """Overwrite cells whatever they hold: decay, or a stranger's programmer."""
        self._check_range(address, len(data))
        self.cells.change(address, data)
        if self.on_damage is not None:
            self.on_damage()

    def is_weak(self, address: int, size_bytes: int) -> bool:
        """Whether bits in there read as they like."""
        return any(address <= at < address + size_bytes for at in self.cells.weak)

    def _begin(self, what: str, address: int, size: int) -> tuple[CutMoment | None, Fault | None]:
        self.operations += 1
        if self.on_operation is not None:
            self.on_operation(self.operations, what, address, size)
        how = fault = None
        if self._cut is not None and self._cut[0] == self.operations:
            how = self._cut[1]
            self._cut = None
        if self._fault is not None and self._fault[0] == self.operations:
            fault = self._fault[1]
            self._fault = None
            self.fault_fired = True
        return how, fault

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
