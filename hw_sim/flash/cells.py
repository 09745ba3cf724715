"""The flash's cells: what they hold, which of them are weak or worn, and the way back in time.

They live in memory or in a file; nothing here counts, refuses or cuts.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import random
from hashlib import blake2b
from pathlib import Path
from typing import Final

from hw_sim.flash.errors import FlashFileError

SECTOR_BYTES: Final = 4096
_WEAK_BYTES: Final = 4
_WORN_BYTES: Final = 3

Operation = tuple[int, bytes | None]
"""Address and data of a program; data is None for an erase."""


class _Mark:
    """What is needed to come back to one instant: each sector as it was before its first change."""

    def __init__(self, weak: dict[int, int], stuck: dict[int, int]) -> None:
        self.sectors: dict[int, bytes] = {}
        self.weak = dict(weak)
        self.stuck = dict(stuck)


class Cells:
    """All bits of one part, `memory`; the caller keeps addresses inside.

    `weak` maps an address to the bits that read as they like, `stuck` to the bits that no erase
    sets. `chance` draws what weak bits read.
    """

    def __init__(self, path: Path | None, size_bytes: int) -> None:
        """Open the file, made and erased if there is none.

        Raises:
            FlashFileError: the file's size is not `size_bytes`, or it is in use by another board.
        """
        self.weak: dict[int, int] = {}
        self.stuck: dict[int, int] = {}
        self.chance = random.Random(0)  # noqa: S311  repeatable
        self._size_bytes = size_bytes
        self._marks: list[_Mark] = []
        self._descriptor: int | None = None
        self.memory: bytearray | mmap.mmap
        if path is None:
            self.memory = bytearray(b"\xff") * size_bytes
        else:
            self.memory = self._open_file(path)

    def close(self) -> None:
        """Give the file back. Harmless when done twice or in memory."""
        if self._descriptor is not None:
            assert isinstance(self.memory, mmap.mmap)
            self.memory.flush()
            self.memory.close()
            os.close(self._descriptor)
            self._descriptor = None

    def set_chance(self, seed: int) -> None:
        """What weak bits read, and which bits a torn operation leaves, follows from `seed`."""
        self.chance.seed(seed)

    # reading and changing

    def read_into(self, address: int, buf: bytearray | memoryview) -> None:
        """Fill `buf` with what the cells read as this time."""
        size = len(buf)
        buf[:] = self.memory[address : address + size]
        if self.weak:
            for at, bits in self.weak.items():
                if address <= at < address + size:
                    buf[at - address] ^= bits & self.chance.getrandbits(8)

    def change(self, address: int, data: bytes) -> None:
        """Let the cells hold that, whatever they held."""
        if self._marks:
            before = self._marks[-1].sectors
            end = address + len(data)
            for sector in range(address // SECTOR_BYTES, (end - 1) // SECTOR_BYTES + 1):
                if sector not in before:
                    start = sector * SECTOR_BYTES
                    before[sector] = bytes(self.memory[start : start + SECTOR_BYTES])
        self.memory[address : address + len(data)] = data

    def redo(self, operation: Operation) -> None:
        """Apply an operation out of a part's `log`, without counting or cutting."""
        address, data = operation
        if data is None:
            self.forget_weak(address)
            self.set_sector(address, b"\xff" * SECTOR_BYTES)
            return
        self.firm(address, data)
        self.change(address, self.cleared(address, data))

    def cleared(self, address: int, data: bytes) -> bytes:
        """What programming `data` there makes of the cells: bits are only cleared."""
        old = self.memory[address : address + len(data)]
        bits = int.from_bytes(old, "big") & int.from_bytes(data, "big")
        return bits.to_bytes(len(data), "big")

    def set_sector(self, address: int, data: bytes) -> None:
        """Let a sector hold that, as far as its stuck bits allow."""
        self.change(address, self._with_stuck_bits(address, data))

    # cells that are not as they should be

    def firm(self, address: int, wanted: bytes) -> None:
        """A weak bit that is programmed again to 0 is 0 from then on."""
        for at in [a for a in self.weak if address <= a < address + len(wanted)]:
            self.weak[at] &= wanted[at - address]
            if not self.weak[at]:
                del self.weak[at]

    def weaken(self, address: int, old: bytes, new: bytes) -> None:
        """Up to `_WEAK_BYTES` of the changed bytes read as they like; every other time one bit."""
        changed = {i: n ^ o for i, (o, n) in enumerate(zip(old, new, strict=True)) if n != o}
        if not changed:
            return
        if self.chance.getrandbits(1):
            at, bits = self.chance.choice(list(changed.items()))
            self.weak[address + at] = bits & -bits
            return
        count = self.chance.randint(1, _WEAK_BYTES)
        for at in self.chance.sample(list(changed), min(count, len(changed))):
            self.weak[address + at] = changed[at]

    def forget_weak(self, address: int) -> None:
        """The sector there is erased: none of its bits is weak any more."""
        for at in [a for a in self.weak if address <= a < address + SECTOR_BYTES]:
            del self.weak[at]

    def wear_out(self, address: int) -> None:
        """From now on the sector at `address` keeps a few bits at 0, whatever erases it."""
        if any(address <= at < address + SECTOR_BYTES for at in self.stuck):
            return
        chance = random.Random(address)  # noqa: S311  repeatable
        for _ in range(_WORN_BYTES):
            self.stuck[address + chance.randrange(SECTOR_BYTES // 4)] = 1 << chance.randrange(8)
        self.set_sector(address, bytes(self.memory[address : address + SECTOR_BYTES]))

    def explain(self, address: int, new: bytes, wanted: bytes) -> bool:
        """Whether weak or stuck bits alone keep a program from what it asked for."""
        for i, (is_now, asked) in enumerate(zip(new, wanted, strict=True)):
            excuse = self.weak.get(address + i, 0) | self.stuck.get(address + i, 0)
            if (is_now ^ asked) & ~excuse & 0xFF:
                return False
        return True

    # all of them, and the way back

    def restore(self, cells: bytes) -> None:
        """Set all cells, as by desoldering the part; none is weak or worn."""
        self.memory[:] = cells
        self.weak.clear()
        self.stuck.clear()

    def mark(self) -> None:
        """Remember this instant; `rewind` comes back to it. Marks nest."""
        self._marks.append(_Mark(self.weak, self.stuck))

    def rewind(self) -> None:
        """Come back to the newest mark, at the cost of the sectors changed since, and drop it.

        Raises ValueError if there is no mark.
        """
        if not self._marks:
            raise ValueError("no mark to come back to")
        mark = self._marks.pop()
        for sector, cells in mark.sectors.items():
            self.memory[sector * SECTOR_BYTES : (sector + 1) * SECTOR_BYTES] = cells
        self.weak = mark.weak
        self.stuck = mark.stuck

    def changed_sectors(self) -> set[int]:
        """Numbers of the sectors that changed since the newest mark."""
        return set(self._marks[-1].sectors) if self._marks else set()

    def fingerprint(self, sector: int) -> bytes:
        """A hash of one sector as it physically is, weak bits included."""
        start = sector * SECTOR_BYTES
        end = start + SECTOR_BYTES
        digest = blake2b(self.memory[start:end], digest_size=12)
        for at, bits in self.weak.items():
            if start <= at < end:
                digest.update(b"%d %d," % (at, bits))
        return digest.digest()

    # inside

    def _with_stuck_bits(self, address: int, cells: bytes) -> bytes:
        here = {a: b for a, b in self.stuck.items() if address <= a < address + SECTOR_BYTES}
        if not here:
            return cells
        new = bytearray(cells)
        for at, bits in here.items():
            new[at - address] &= ~bits & 0xFF
        return bytes(new)

    def _open_file(self, path: Path) -> mmap.mmap:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise FlashFileError(f"{path} is in use by another board") from error
            found_bytes = os.fstat(descriptor).st_size
            if found_bytes == 0:
                os.pwrite(descriptor, b"\xff" * self._size_bytes, 0)
            elif found_bytes != self._size_bytes:
                raise FlashFileError(
                    f"{path} holds {found_bytes} bytes, this part has {self._size_bytes}"
                )
            cells = mmap.mmap(descriptor, self._size_bytes, access=mmap.ACCESS_WRITE)
        except BaseException:
            os.close(descriptor)
            raise
        self._descriptor = descriptor
        return cells
