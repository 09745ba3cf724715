"""The ring of flash sectors that the journal's records lie in: what is where, and what is whole.

For `firmware.sales.journal` and its mounting alone. Bytes, not meanings: what a record says is in
`firmware.sales.state`. Layout and reasons: docs/formats/journal.md.
"""

import struct
from array import array
from binascii import crc32
from hashlib import sha256

from bootloader.shared.compat import const

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from bootloader.shared.partitions import Partition

SECTOR_BYTES = const(4096)
HEAD_BYTES = const(32)  # without the checkpoint behind it and its tag
RECORD_BYTES = const(22)  # without its body
MAX_BODY_BYTES = const(240)

_PAGE_BYTES = const(256)
_MAGIC = b"DKJ\x01"
_HEAD = ">4sIII8sH"
# A page of it, said in full: so it stays in flash.
_ERASED = (
    b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"
    b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"
    b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"
    b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"
    b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"
    b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"
    b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"
    b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"
    b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"
    b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"
    b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"
    b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"
)
_ERASED_WORD = b"\xff\xff\xff\xff"
_MAX_CHECKPOINT_BYTES = const(2048)
_WINDOW = const(1 << 16)  # more records than the ring can hold


class JournalDamaged(Exception):
    """The flash holds no journal, or does not hold what is written to it: for a technician."""


def _page_after(at: int) -> int:
    return (at + _PAGE_BYTES - 1) // _PAGE_BYTES * _PAGE_BYTES


def _after(at: int) -> int:
    return (at + 3) // 4 * 4


def tag(*parts: bytes | bytearray | memoryview) -> bytes:
    """The first 8 bytes of SHA-256 over all parts."""
    digest = sha256()
    for part in parts:
        digest.update(part)
    whole: bytes = digest.digest()
    return whole[:8]


class Ring:
    """Which sector lies where, and the place behind the newest record.

    `newest` is the number of the newest sector (-1: none), `at` where in it the next record goes,
    `chain` the tag of the newest record, `next_sequence` what the next one gets; `first` holds the
    first sequence of each sector by its index, 0: no head that counts; `unreadable` counts spoiled
    places met so far. `record` holds the record that was written or parsed last.
    """

    def __init__(self, partition: "Partition") -> None:
        self.partition = partition
        self.sectors: int = partition.size_bytes // SECTOR_BYTES
        self.first = array("I", [0] * self.sectors)
        self.record = bytearray(RECORD_BYTES + MAX_BODY_BYTES)
        self.page = bytearray(_PAGE_BYTES)
        self.next_sequence = 1
        self.unreadable = 0
        self.chain = bytes(8)
        self.newest = -1
        self.at = SECTOR_BYTES

    # --- what is where ---

    def base(self, sector: int) -> int:
        """Offset of a sector in the partition."""
        return sector % self.sectors * SECTOR_BYTES

    def head(self, index: int) -> tuple[int, int, int, bytes, int] | None:
        """(sector number, first sequence, time, chain, checkpoint length) at an index, or None."""
        view = memoryview(self.page)[:HEAD_BYTES]
        self.partition.read_into(index * SECTOR_BYTES, view)
        magic, number, first, time, chain, length = struct.unpack(_HEAD, view[:26])
        if magic != _MAGIC or number % self.sectors != index or length > _MAX_CHECKPOINT_BYTES:
            return None
        if tag(view[:26])[:6] != view[26:]:
            return None
        return number, first, time, chain, length

    def sector_of(self, sequence: int) -> int:
        """The sector that a record lies in, -1 if it has left the ring."""
        for sector in range(self.newest, max(-1, self.newest - self.sectors), -1):
            if 0 < self.first[sector % self.sectors] <= sequence:
                return sector
        return -1

    def oldest(self) -> int:
        """The oldest sequence that is still in the ring."""
        for sector in range(max(0, self.newest - self.sectors + 1), self.newest + 1):
            first: int = self.first[sector % self.sectors]
            if first:
                return first
        return self.next_sequence

    # --- writing ---

    def program(self, offset: int, data: bytes | bytearray | memoryview) -> bool:
        """Program and read back; True if flash holds it."""
        self.partition.program(offset, data)
        data = memoryview(data)
        for at in range(0, len(data), _PAGE_BYTES):
            piece = data[at : at + _PAGE_BYTES]
            view = memoryview(self.page)[: len(piece)]
            self.partition.read_into(offset + at, view)
            if view != piece:
                return False
        return True

    def open(self, time: int, checkpoint: bytes) -> bool:
        """Erase the next sector and give it a head; whatever was in it is gone.

        False if flash does not hold it: that sector is left behind, try again.
        """
        self.newest += 1
        index = self.newest % self.sectors
        self.first[index] = 0
        self.partition.erase_sector(index * SECTOR_BYTES)
        length = len(checkpoint)
        head = (_MAGIC, self.newest, self.next_sequence, time, self.chain, length)
        whole = bytearray(struct.pack(_HEAD, *head))
        whole.extend(tag(whole)[:6])
        whole.extend(checkpoint)
        whole.extend(tag(whole))
        if not self.program(index * SECTOR_BYTES, whole):
            self.unreadable += 1
            return False
        self.first[index] = self.next_sequence
        self.at = _after(len(whole))
        return True

    def write(self, kind: int, data: bytes, time: int) -> bool:
        """Write the next record where the newest sector has room for it.

        False if flash does not hold it: that place is left behind, try again.
        """
        size = RECORD_BYTES + len(data)
        record = memoryview(self.record)[:size]
        struct.pack_into(">BBII", record, 0, kind, len(data), self.next_sequence, time)
        record[10 : 10 + len(data)] = data
        struct.pack_into(">I", record, size - 12, crc32(record[: size - 12]))
        chain = tag(self.chain, record[: size - 12])
        record[size - 8 :] = chain
        at = self.at
        if not self.program(self.base(self.newest) + at, record):
            self.unreadable += 1
            self.at = _page_after(at + size)
            return False
        self.at = _after(at + size)
        self.chain = chain
        self.next_sequence += 1
        return True


class Walk:
    """One pass over the whole records from a sector to the newest.

    `sequence` is that of the newest record accepted, at first the lowest that is wanted, and `tag`
    the chain tag of the record before it, if known. Afterwards `last` is (offset, bytes) of the
    newest record in the last sector or None, `end` where in that sector the next record may go, and
    `void_at` the offset in the partition where its trailing spoiled place begins.
    """

    def __init__(self, ring: Ring, sector: int, sequence: int, tag: bytes | None = None) -> None:
        self._ring = ring
        self._sector = sector
        self.sequence = sequence
        self._before = tag
        self._tag: bytes | None = None  # of the record `sequence`
        self.last: tuple[int, bytes] | None = None
        self.end = self.void_at = 0
        self._size = 0
        self._spoiled = 0  # end of what was unreadable before the record found, 0: nothing was

    def _parse(self, base: int, at: int) -> bool:
        """True if a whole record that may come next is at `at`; it is then in `Ring.record`.

        The CRC does not cover the tag: behind a known record a tag that does not fit is a record
        cut in its last bytes.
        """
        if at + RECORD_BYTES > SECTOR_BYTES:
            return False
        read_into = self._ring.partition.read_into
        view = memoryview(self._ring.record)
        read_into(base + at, view[:10])
        size = RECORD_BYTES + view[1]
        if not 0 < view[0] < 128 or view[1] > MAX_BODY_BYTES or at + size > SECTOR_BYTES:
            return False
        sequence = struct.unpack(">I", view[2:6])[0]
        if not self.sequence <= sequence < self.sequence + _WINDOW:
            return False
        read_into(base + at + 10, view[10:size])
        if crc32(view[: size - 12]) != struct.unpack(">I", view[size - 12 : size - 8])[0]:
            return False
        before = self._before
        if sequence > self.sequence:
            before = self._tag if sequence == self.sequence + 1 else None
        if before and tag(before, view[: size - 12]) != view[size - 8 : size]:
            return False
        self.sequence = sequence
        self._before = before
        self._tag = bytes(view[size - 8 : size])
        self._size = size
        return True

    def find(self, base: int, at: int) -> int:
        """Where in the sector at `base` the next whole record is, from `at` on, or -1."""
        self._spoiled = 0
        if self._parse(base, at):
            return at
        page = self._ring.page
        while at < SECTOR_BYTES:
            size = _PAGE_BYTES - at % _PAGE_BYTES
            view = memoryview(page)[:size]
            self._ring.partition.read_into(base + at, view)
            if view != memoryview(_ERASED)[:size]:
                for i in range(0, size, 4):
                    if page[i] != 0xFF and self._parse(base, at + i):
                        return at + i
                    if view[i : i + 4] != _ERASED_WORD:
                        # A record that was cut off may have weak cells up to its whole length.
                        if not self._spoiled and page[i] < 128 and page[i + 1] <= MAX_BODY_BYTES:
                            self._spoiled = at + i + RECORD_BYTES + page[i + 1]
                        self._spoiled = max(self._spoiled, at + i + 4)
            at += size
        return -1

    def records(self) -> "Iterator[bytes | None]":
        """Yield each record as bytes, and None for each spoiled place.

        Of several with one sequence the last counts: the others were cut and not seen as whole
        when it was written. Goes on over what is appended meanwhile.
        """
        ring = self._ring
        wanted = self.sequence
        held = None
        held_sequence = 0
        while self._sector <= ring.newest:
            base = ring.base(self._sector)
            index = self._sector % ring.sectors
            head = ring.head(index) if ring.first[index] else None
            at = 0
            if head:
                _, first, _, chain, length = head
                at = _after(HEAD_BYTES + length + 8)
                if not held and first == wanted:
                    self._before = chain
            self.last = None
            while True:
                found = self.find(base, at)
                spoiled = self._spoiled
                if found < 0:
                    break
                size = self._size
                # before it is left: whoever reads or appends meanwhile uses the buffer, too
                record = bytes(memoryview(ring.record)[:size])
                if held and self.sequence > held_sequence:
                    yield held
                if spoiled:
                    ring.unreadable += 1
                    yield None
                held = record
                held_sequence = self.sequence
                self.last = (base + found, held)
                at = _after(found + size)
            self.void_at = base + at
            if spoiled:
                ring.unreadable += 1
                if held:
                    yield held
                    held = None
                yield None
                at = min(_page_after(spoiled), SECTOR_BYTES)
            self.end = at
            self._sector += 1
        if held:
            yield held
