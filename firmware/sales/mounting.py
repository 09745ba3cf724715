"""The journal at a start: the newest record is found, the state folded, the end made firm.

`firmware.sales.journal` loads it by its name for one start and lets it go. Every step and the cut
that it answers: docs/formats/journal.md.
"""

import struct

from bootloader.shared import cbor
from firmware.sales.ring import HEAD_BYTES, SECTOR_BYTES, JournalDamaged, Walk, tag
from firmware.sales.state import SalesState, body_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.sales.ring import Ring


class Mount:
    """Brings a new `ring` to the end of what flash holds; `state` is then the fold of all of it."""

    def __init__(self, ring: "Ring") -> None:
        self.state = SalesState()
        self._ring = ring
        self._walk = Walk(ring, 0, 1)  # the last one that went to the end
        # (offset, bytes) of the newest sector's head and checkpoint
        self._opened: tuple[int, bytearray] | None = None

    def run(self) -> bool:
        """False if the flash is blank, so that the journal has to be begun.

        Raises:
            JournalDamaged: not blank and no journal, or no checkpoint left to begin from.
        """
        ring = self._ring
        newest = self._heads()
        if newest < 0:
            return self._begun_without_head()
        newest = self._without_ghost(newest)
        ring.newest = newest
        sector = newest
        while not self._load_checkpoint(sector):
            sector -= 1
            if sector < 0 or sector <= newest - ring.sectors:
                if ring.first[0] != 1 or newest >= ring.sectors:
                    raise JournalDamaged("no checkpoint can be read")
                self.state = SalesState()
                ring.next_sequence = 1
                sector = 0
                break
        self._fold(sector)
        self._adopt()
        self._strengthen()
        return True

    def _heads(self) -> int:
        """Note the first sequence of each sector; returns the number of the newest, -1: none."""
        ring = self._ring
        newest = -1
        for index in range(ring.sectors):
            head = ring.head(index)
            if head:
                number, _, _, _, _ = head
                newest = max(newest, number)
        for index in range(ring.sectors):
            head = ring.head(index)
            if head:
                number, first, _, _, _ = head
                if number == newest - (newest - index) % ring.sectors:
                    ring.first[index] = first
        while newest >= 0 and not ring.first[newest % ring.sectors]:
            newest -= 1  # its head read well once, and then no more: it was cut while being opened
        return newest

    def _begun_without_head(self) -> bool:
        """Whether records lie in the first sector, whose head alone cannot be read."""
        ring = self._ring
        for offset in range(SECTOR_BYTES, ring.partition.size_bytes, SECTOR_BYTES):
            if not ring.partition.is_blank(offset, SECTOR_BYTES):
                raise JournalDamaged("no sector head can be read")
        self._adopt()
        if ring.newest < 0:
            return False
        self._strengthen()
        return True

    def _without_ghost(self, newest: int) -> int:
        """The newest sector that was really opened: a head seen as torn once was written past."""
        ring = self._ring
        index = newest % ring.sectors
        before = (newest - 1) % ring.sectors
        ring.newest = newest
        for raw in Walk(ring, newest, ring.first[index]).records():
            if raw:
                return newest
        if newest and ring.first[before]:
            ring.newest = newest - 1
            for raw in Walk(ring, newest - 1, ring.first[before]).records():
                if raw and struct.unpack(">I", memoryview(raw)[2:6])[0] >= ring.first[index]:
                    ring.first[index] = 0
                    return newest - 1
        return newest

    def _load_checkpoint(self, sector: int) -> bool:
        ring = self._ring
        head = ring.head(sector % ring.sectors)
        if not head:
            return False
        number, first, _, chain, length = head
        if number != sector:
            return False
        whole = ring.partition.read(ring.base(sector), HEAD_BYTES + length + 8)
        if tag(memoryview(whole)[:-8]) != whole[-8:]:
            return False
        try:
            self.state.load(cbor.loads(memoryview(whole)[HEAD_BYTES:-8]))
        except ValueError:
            return False
        ring.next_sequence = first
        ring.chain = chain
        if sector == ring.newest:
            self._opened = (ring.base(sector), whole)
        return True

    def _fold(self, sector: int) -> None:
        """Fold the records from `sector` on into the state."""
        ring = self._ring
        self._walk = Walk(ring, sector, ring.next_sequence, ring.chain)
        spoiled = 0
        for raw in self._walk.records():
            if raw is None:
                spoiled = 1
                continue
            sequence, time = struct.unpack(">II", memoryview(raw)[2:10])
            missing = max(sequence - ring.next_sequence, spoiled)
            if missing:
                self.state.skip(missing)
            spoiled = 0
            try:
                self.state.apply(sequence, raw[0], time, body_of(raw))
            except (ValueError, TypeError, IndexError):
                spoiled = 1  # whole, but not as this release writes it
            ring.next_sequence = sequence + 1
            ring.chain = raw[-8:]
        if spoiled:
            self.state.skip(1)
        ring.at = self._walk.end

    def _adopt(self) -> None:
        """Take over the sector behind the newest if it holds what follows under a spoiled head.

        The head may read well now and not when it was looked for: that changes nothing.
        """
        ring = self._ring
        sector = ring.newest + 1
        index = sector % ring.sectors
        head = ring.head(index)
        if head:
            number, _, _, _, _ = head
            if number != sector:
                return
        first = ring.next_sequence
        if Walk(ring, sector, first, ring.chain).find(ring.base(sector), 0) < 0:
            return
        ring.newest = sector
        self._fold(sector)
        ring.first[index] = first

    def _strengthen(self) -> None:
        """Leave no cell at the end of the journal that reads as it likes after a cut.

        The newest record is programmed once more with the bytes that checked out (not with what a
        second reading gives), a spoiled place behind it with zeros, so that it is never a record. A
        head whose checkpoint did not check out, with nothing behind it, was never opened.
        """
        ring = self._ring
        newest = self._walk.last or self._opened
        if newest:
            ring.partition.program(*newest)
        spoiled = ring.base(ring.newest) + ring.at - self._walk.void_at
        if spoiled > 0:
            ring.partition.program(self._walk.void_at, bytes(spoiled))
        elif not newest:
            ring.first[ring.newest % ring.sectors] = 0
            ring.newest -= 1
            ring.at = SECTOR_BYTES
