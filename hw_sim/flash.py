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
import random
from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path
from typing import Final, Literal, get_args

SECTOR_BYTES: Final = 4096
PAGE_BYTES: Final = 256
ERASED: Final = 0xFF

CutMoment = Literal[
    "before", "torn", "high", "first", "almost", "bits", "early", "half", "late", "weak", "after"
]
"""How far one operation came when the supply failed (docs/simulated-parts.md, modelled).

Both: `before` nothing, `after` all of it, `torn` the lower half of the bytes, `weak` all of it, but
one of the changed bits, or those of one to four bytes, read differently from time to time.
A program also: `high` the upper half of the bytes, `first` only the first, `almost` all but the
last, `bits` every byte in part.
An erase also: `early` a part of the old zeros is gone, `half` half of them, `late` all but a few
percent.
"""

Fault = Literal["silent", "worn"]
"""What goes wrong without a cut: `silent` this operation does nothing and says nothing; `worn` from
this operation on the sector keeps some bits at 0 whatever erases it."""

PROGRAM_CUTS: Final[tuple[CutMoment, ...]] = (
    "before", "torn", "high", "first", "almost", "bits", "weak", "after",
)  # fmt: skip
ERASE_CUTS: Final[tuple[CutMoment, ...]] = (
    "before", "torn", "early", "half", "late", "weak", "after",
)  # fmt: skip

# Shares of the old zeros that are still there when an erase is stopped (modelled).
_ZEROS_LEFT: Final = {"early": 0.9, "half": 0.5, "late": 0.03}
_WEAK_BYTES: Final = 4
_WORN_BYTES: Final = 3


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


Operation = tuple[int, bytes | None]
"""Address and data of a program; data is None for an erase."""


class _Mark:
    """What is needed to come back to one instant: each sector as it was before its first change."""

    def __init__(self, weak: dict[int, int], stuck: dict[int, int], violations: int) -> None:
        self.sectors: dict[int, bytes] = {}
        self.weak = dict(weak)
        self.stuck = dict(stuck)
        self.violations = violations


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
        self.violated: list[int] = []
        """Addresses of the programs that `violations` counts."""
        self.erases = [0] * (size_bytes // SECTOR_BYTES)
        self.locked_end_address = 0
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
        self._weak: dict[int, int] = {}  # address: bits that read as they like
        self._stuck: dict[int, int] = {}  # address: bits that no erase sets
        self._chance = random.Random(0)  # noqa: S311  repeatable
        self._marks: list[_Mark] = []
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
        if address < 0 or address + size > self.size_bytes:
            self._check_range(address, size)
        buf[:] = self._cells[address : address + size]
        if self._weak:
            for at, bits in self._weak.items():
                if address <= at < address + size:
                    buf[at - address] ^= bits & self._chance.getrandbits(8)

    def read(self, address: int, size_bytes: int) -> bytes:
        """`size_bytes` bytes from `address` on. Raises `FlashAddressError` as `read_into`."""
        end = address + size_bytes
        if address < 0 or size_bytes < 0 or end > self.size_bytes:
            self._check_range(address, size_bytes)
        if not self._weak:
            return bytes(self._cells[address:end])
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
        old = self._cells[address : address + size]
        bits = int.from_bytes(old, "big") & int.from_bytes(wanted, "big")
        new = bits.to_bytes(size, "big")
        if new != wanted and not self._explained(address, new, wanted):
            self.violations += 1
            self.violated.append(address)
        if how is not None:
            if how == "before":
                raise PowerCut(self.operations, how)
            new = self._partly_programmed(address, bytes(old), new, how)
        else:
            self._firm(address, wanted)
        self._change(address, new)
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
        self._forget(self._weak, address)
        new = b"\xff" * SECTOR_BYTES
        if how is not None and how != "after":
            new = self._partly_erased(address, how)
        self._change(address, self._with_stuck_bits(address, new))
        if self.log is not None:
            self.log.append((address, None))
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
        if any(address <= at < address + SECTOR_BYTES for at in self._stuck):
            return
        chance = random.Random(address)  # noqa: S311  repeatable
        for _ in range(_WORN_BYTES):
            self._stuck[address + chance.randrange(SECTOR_BYTES // 4)] = 1 << chance.randrange(8)
        cells = bytes(self._cells[address : address + SECTOR_BYTES])
        self._change(address, self._with_stuck_bits(address, cells))

    def set_chance(self, seed: int) -> None:
        """What weak bits read, and which bits a torn operation leaves, follows from `seed`."""
        self._chance.seed(seed)

    @property
    def cut_pending(self) -> bool:
        """Whether a cut was asked for and has not fired."""
        return self._cut is not None

    def cancel_cut(self) -> None:
        """Forget the cut asked for, if any."""
        self._cut = None

    def mark(self) -> None:
        """Remember this instant; `rewind` comes back to it. Marks nest."""
        self._marks.append(_Mark(self._weak, self._stuck, self.violations))

    def rewind(self) -> None:
        """Come back to the newest mark, at the cost of the sectors changed since, and drop it.

        Counters other than `violations` stay. Raises ValueError if there is no mark.
        """
        if not self._marks:
            raise ValueError("no mark to come back to")
        mark = self._marks.pop()
        for sector, cells in mark.sectors.items():
            self._cells[sector * SECTOR_BYTES : (sector + 1) * SECTOR_BYTES] = cells
        self._weak = mark.weak
        self._stuck = mark.stuck
        self.violations = mark.violations
        del self.violated[mark.violations :]
        self._cut = self._fault = None

    def changed_sectors(self) -> set[int]:
        """Numbers of the sectors that changed since the newest mark."""
        return set(self._marks[-1].sectors) if self._marks else set()

    def fingerprint(self, sector: int) -> bytes:
        """A hash of one sector as it physically is, weak bits included."""
        start = sector * SECTOR_BYTES
        end = start + SECTOR_BYTES
        digest = blake2b(self._cells[start:end], digest_size=12)
        for at, bits in self._weak.items():
            if start <= at < end:
                digest.update(b"%d %d," % (at, bits))
        return digest.digest()

    def redo(self, operation: Operation) -> None:
        """Apply an operation out of a `log` to the cells, without counting or cutting."""
        address, data = operation
        if data is None:
            self._forget(self._weak, address)
            self._change(address, self._with_stuck_bits(address, b"\xff" * SECTOR_BYTES))
            return
        self._firm(address, data)
        old = self._cells[address : address + len(data)]
        new = int.from_bytes(old, "big") & int.from_bytes(data, "big")
        self._change(address, new.to_bytes(len(data), "big"))

    def snapshot(self) -> bytes:
        """All cells."""
        return bytes(self._cells[:])

    def restore(self, cells: bytes) -> None:
        """Set all cells, as by desoldering the part; counters stay. ValueError on a wrong size."""
        if len(cells) != self.size_bytes:
            raise ValueError(f"{len(cells)} bytes do not fill a part of {self.size_bytes}")
        self._cells[:] = cells
        self._weak.clear()
        self._stuck.clear()

    def damage(self, address: int, data: bytes) -> None:
        """Overwrite cells whatever they hold: decay, or a stranger's programmer."""
        self._check_range(address, len(data))
        self._change(address, data)

    def _change(self, address: int, data: bytes) -> None:
        if self._marks:
            before = self._marks[-1].sectors
            end = address + len(data)
            for sector in range(address // SECTOR_BYTES, (end - 1) // SECTOR_BYTES + 1):
                if sector not in before:
                    start = sector * SECTOR_BYTES
                    before[sector] = bytes(self._cells[start : start + SECTOR_BYTES])
        self._cells[address : address + len(data)] = data

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

    def _partly_programmed(self, address: int, old: bytes, new: bytes, how: CutMoment) -> bytes:
        size = len(new)
        if how == "torn":
            return new[: size // 2] + old[size // 2 :]
        if how == "high":
            return old[: size // 2] + new[size // 2 :]
        if how == "first":
            return new[:1] + old[1:]
        if how == "almost":
            return new[: size - 1] + old[size - 1 :]
        if how == "bits":
            keep = self._chance.randbytes(size)
            return bytes(n | (o & k) for n, o, k in zip(new, old, keep, strict=True))
        if how == "weak":
            changed = [i for i in range(size) if new[i] != old[i]]
            self._weaken(address, {i: new[i] ^ old[i] for i in changed})
            return new
        return new

    def _partly_erased(self, address: int, how: CutMoment) -> bytes:
        old = bytes(self._cells[address : address + SECTOR_BYTES])
        half = SECTOR_BYTES // 2
        if how == "torn":
            return b"\xff" * half + old[half:]
        zeros = [i for i in range(SECTOR_BYTES) if old[i] != 0xFF]
        if how == "weak":
            self._weaken(address, {i: old[i] ^ 0xFF for i in zeros})
            return b"\xff" * SECTOR_BYTES
        new = bytearray(b"\xff" * SECTOR_BYTES)
        share = _ZEROS_LEFT.get(how, 0.0)
        pick = self._chance.random
        for i in zeros:
            left = 0
            for bit in (1, 2, 4, 8, 16, 32, 64, 128):
                if not old[i] & bit and pick() < share:
                    left |= bit
            new[i] = 0xFF ^ left
        return bytes(new)

    def _firm(self, address: int, wanted: bytes) -> None:
        """A weak bit that is programmed again to 0 is 0 from then on."""
        for at in [a for a in self._weak if address <= a < address + len(wanted)]:
            self._weak[at] &= wanted[at - address]
            if not self._weak[at]:
                del self._weak[at]

    def _weaken(self, address: int, changed: dict[int, int]) -> None:
        """Up to `_WEAK_BYTES` of the changed bytes read as they like; every other time one bit."""
        if not changed:
            return
        if self._chance.getrandbits(1):
            at, bits = self._chance.choice(list(changed.items()))
            self._weak[address + at] = bits & -bits
            return
        count = self._chance.randint(1, _WEAK_BYTES)
        for at in self._chance.sample(list(changed), min(count, len(changed))):
            self._weak[address + at] = changed[at]

    def _with_stuck_bits(self, address: int, cells: bytes) -> bytes:
        here = {a: b for a, b in self._stuck.items() if address <= a < address + SECTOR_BYTES}
        if not here:
            return cells
        new = bytearray(cells)
        for at, bits in here.items():
            new[at - address] &= ~bits & 0xFF
        return bytes(new)

    def _explained(self, address: int, new: bytes, wanted: bytes) -> bool:
        """Whether weak or stuck bits alone keep a program from what it asked for."""
        for i, (is_now, asked) in enumerate(zip(new, wanted, strict=True)):
            excuse = self._weak.get(address + i, 0) | self._stuck.get(address + i, 0)
            if (is_now ^ asked) & ~excuse & 0xFF:
                return False
        return True

    @staticmethod
    def _forget(cells: dict[int, int], address: int) -> None:
        for at in [a for a in cells if address <= a < address + SECTOR_BYTES]:
            del cells[at]

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
