"""The ring of hash-chained records in raw flash: what was sold, before and after it happened.

`firmware.till` writes the sales, `firmware.sync` reads them for the server. Bytes and reasons:
docs/formats/journal.md. What records mean is in `firmware.sales_state`.
"""

import struct
from array import array
from binascii import crc32
from hashlib import sha256

from bootloader.shared import cbor
from bootloader.shared.compat import const
from firmware.sales_state import (
    BOOT,
    CARRIED,
    OFFLINE,
    ONLINE,
    REPRINT,
    SETTING,
    SETTLED,
    STOCK,
    SalesState,
    restated,
)

SECTOR_BYTES = const(4096)
PAGE_BYTES = const(256)
HEAD_BYTES = const(32)
RECORD_BYTES = const(22)  # without its body
MAX_BODY_BYTES = const(240)

_MAGIC = b"DKJ\x01"
_HEAD = ">4sIII8sH"
_ERASED = b"\xff" * PAGE_BYTES
_MAX_CHECKPOINT_BYTES = const(2048)
_WINDOW = const(1 << 16)  # more records than the ring can hold
_TRIES = const(4)
_SETTLED_BYTES = const(80)  # more than any settlement has
# An unchanged settlement is written again no sooner: it costs airtime.
_SETTLE_AGAIN_S = const(6 * 3600)

# Sectors that must stay free behind a record of this kind, so that what was begun can be finished.
_RESERVE = {BOOT: 2, OFFLINE: 2, ONLINE: 2, STOCK: 2, SETTING: 2, REPRINT: 1}


class JournalFull(Exception):
    """No room until the server has acknowledged more: wait for the network. Nothing was written."""


class JournalDamaged(Exception):
    """The flash holds no journal, or does not hold what is written to it: for a technician."""


def _page_after(at):
    return (at + PAGE_BYTES - 1) // PAGE_BYTES * PAGE_BYTES


def _after(at):
    return (at + 3) // 4 * 4


def _tag(*parts):
    digest = sha256()
    for part in parts:
        digest.update(part)
    return digest.digest()[:8]


class Journal:
    """The journal in `partition`; `now()` gives Unix seconds, 0 if unknown. Call `mount` first.

    `state` is the fold of all records (`SalesState`), `next_sequence` what `append` gives next,
    `unreadable` how often a spoiled place was met since `mount`.
    """

    def __init__(self, partition, now, state=None):
        self._partition = partition
        self._now = now
        self._sectors = partition.size_bytes // SECTOR_BYTES
        self._first = array("I", [0] * self._sectors)  # first sequence of each sector, 0: no head
        self._record = bytearray(RECORD_BYTES + MAX_BODY_BYTES)
        self._page = bytearray(PAGE_BYTES)
        self._reset(state or SalesState())

    def _reset(self, state):
        self.state = state
        self.next_sequence = 1
        self.unreadable = 0
        self._chain = bytes(8)
        self._sector = -1  # number of the newest sector
        self._at = SECTOR_BYTES  # where in it the next record goes
        self._last = None  # (offset, bytes) of the newest record of the last walk's last sector
        self._opened = None  # (offset, bytes) of the newest sector's head and checkpoint
        self._void_at = 0  # offset where the last walk's trailing spoiled place begins
        for index in range(self._sectors):
            self._first[index] = 0

    # --- reading ---

    def _base(self, sector):
        return sector % self._sectors * SECTOR_BYTES

    def _head(self, index):
        """(sector number, first sequence, time, chain, checkpoint length) at an index, or None."""
        view = memoryview(self._page)[:HEAD_BYTES]
        self._partition.read_into(index * SECTOR_BYTES, view)
        magic, number, first, time, chain, length = struct.unpack(_HEAD, view[:26])
        if magic != _MAGIC or number % self._sectors != index or length > _MAX_CHECKPOINT_BYTES:
            return None
        if _tag(view[:26])[:6] != view[26:]:
            return None
        return number, first, time, chain, length

    def _parse(self, base, at, chain):
        """True if a whole record that may come next is at `at`; it is then in `_record`.

        `chain`: [sequence of the newest record accepted or the first wanted, tag before it, its
        tag], tags None where unknown; moved on to the record found. The CRC does not cover the
        tag: behind a known record a tag that does not fit is a record cut in its last bytes.
        """
        if at + RECORD_BYTES > SECTOR_BYTES:
            return False
        view = memoryview(self._record)
        self._partition.read_into(base + at, view[:10])
        size = RECORD_BYTES + view[1]
        if not 0 < view[0] < 128 or view[1] > MAX_BODY_BYTES or at + size > SECTOR_BYTES:
            return False
        sequence = struct.unpack(">I", view[2:6])[0]
        low, before, latest = chain
        if not low <= sequence < low + _WINDOW:
            return False
        self._partition.read_into(base + at + 10, view[10:size])
        if crc32(view[: size - 12]) != struct.unpack(">I", view[size - 12 : size - 8])[0]:
            return False
        if sequence > low:
            before = latest if sequence == low + 1 else None
        if before and _tag(before, view[: size - 12]) != view[size - 8 : size]:
            return False
        chain[:] = [sequence, before, bytes(view[size - 8 : size])]
        self._size = size
        return True

    def _find(self, base, at, chain):
        """Where the next whole record is, or -1. `_spoiled` is then the end of what was unreadable
        before it (0: nothing was)."""
        self._spoiled = 0
        if self._parse(base, at, chain):
            return at
        page = self._page
        while at < SECTOR_BYTES:
            size = PAGE_BYTES - at % PAGE_BYTES
            view = memoryview(page)[:size]
            self._partition.read_into(base + at, view)
            if view != _ERASED[:size]:
                for i in range(0, size, 4):
                    if page[i] != 0xFF and self._parse(base, at + i, chain):
                        return at + i
                    if view[i : i + 4] != b"\xff\xff\xff\xff":
                        # A record that was cut off may have weak cells up to its whole length.
                        if not self._spoiled and page[i] < 128 and page[i + 1] <= MAX_BODY_BYTES:
                            self._spoiled = at + i + RECORD_BYTES + page[i + 1]
                        self._spoiled = max(self._spoiled, at + i + 4)
            at += size
        return -1

    def _walk(self, sector, low, tag=None):
        """Whole records from `sector` to the newest, as bytes; None for each spoiled place.

        Of several with one sequence the last counts: the others were cut and not seen as whole
        when it was written. Ends with `_at` behind the last byte used in the newest sector.
        """
        held = None
        held_sequence = 0
        chain = [low, tag, None]
        while sector <= self._sector:
            base = self._base(sector)
            index = sector % self._sectors
            head = self._head(index) if self._first[index] else None
            at = 0
            if head:
                at = _after(HEAD_BYTES + head[4] + 8)
                if not held and head[1] == low:
                    chain[1] = head[3]
            self._last = None
            while True:
                found = self._find(base, at, chain)
                spoiled = self._spoiled
                if found < 0:
                    break
                size = self._size
                if held and chain[0] > held_sequence:
                    yield held
                if spoiled:
                    self.unreadable += 1
                    yield None
                held = bytes(memoryview(self._record)[:size])
                held_sequence = chain[0]
                self._last = (base + found, held)
                at = _after(found + size)
            self._void_at = base + at
            if spoiled:
                self.unreadable += 1
                if held:
                    yield held
                    held = None
                yield None
                at = min(_page_after(spoiled), SECTOR_BYTES)
            self._walked_to = at
            sector += 1
        if held:
            yield held

    def _load_checkpoint(self, sector):
        head = self._head(sector % self._sectors)
        if not head or head[0] != sector:
            return False
        whole = self._partition.read(self._base(sector), HEAD_BYTES + head[4] + 8)
        if _tag(memoryview(whole)[:-8]) != whole[-8:]:
            return False
        try:
            self.state.load(cbor.loads(memoryview(whole)[HEAD_BYTES:-8]))
        except ValueError:
            return False
        self.next_sequence = head[1]
        self._chain = head[3]
        if sector == self._sector:
            self._opened = (self._base(sector), whole)
        return True

    def _fold(self, sector):
        """Fold the records from `sector` on into the state."""
        spoiled = 0
        for raw in self._walk(sector, self.next_sequence, self._chain):
            if raw is None:
                spoiled = 1
                continue
            sequence, time = struct.unpack(">II", memoryview(raw)[2:10])
            missing = max(sequence - self.next_sequence, spoiled)
            if missing:
                self.state.skip(missing)
            spoiled = 0
            try:
                self.state.apply(sequence, raw[0], time, cbor.loads(memoryview(raw)[10:-12]))
            except (ValueError, TypeError, IndexError):
                spoiled = 1  # whole, but not as this release writes it
            self.next_sequence = sequence + 1
            self._chain = raw[-8:]
        if spoiled:
            self.state.skip(1)
        self._at = self._walked_to

    def mount(self):
        """Find the newest record and fold the state. A blank partition becomes an empty journal.

        Raises:
            JournalDamaged: not blank and no journal, or no checkpoint left to begin from.
        """
        self._reset(SalesState())
        newest = -1
        for index in range(self._sectors):
            head = self._head(index)
            if head:
                newest = max(newest, head[0])
        for index in range(self._sectors):
            head = self._head(index)
            if head and head[0] == newest - (newest - index) % self._sectors:
                self._first[index] = head[1]
        while newest >= 0 and not self._first[newest % self._sectors]:
            newest -= 1  # its head read well once, and then no more: it was cut while being opened
        if newest < 0:
            self._begin()
            return
        newest = self._without_ghost(newest)
        self._sector = newest
        sector = newest
        while not self._load_checkpoint(sector):
            sector -= 1
            if sector < 0 or sector <= newest - self._sectors:
                if self._first[0] != 1 or newest >= self._sectors:
                    raise JournalDamaged("no checkpoint can be read")
                self.state = SalesState()
                self.next_sequence = 1
                sector = 0
                break
        self._fold(sector)
        self._adopt()
        self._strengthen()

    def _without_ghost(self, newest):
        """The newest sector that was really opened: a head seen as torn once was written past."""
        index = newest % self._sectors
        before = (newest - 1) % self._sectors
        self._sector = newest
        for raw in self._walk(newest, self._first[index]):
            if raw:
                return newest
        if newest and self._first[before]:
            self._sector = newest - 1
            for raw in self._walk(newest - 1, self._first[before]):
                if raw and struct.unpack(">I", memoryview(raw)[2:6])[0] >= self._first[index]:
                    self._first[index] = 0
                    return newest - 1
        return newest

    def _adopt(self):
        """Take over the sector behind the newest if it holds what follows under a spoiled head.

        The head may read well now and not when it was looked for: that changes nothing.
        """
        sector = self._sector + 1
        index = sector % self._sectors
        head = self._head(index)
        if head and head[0] != sector:
            return
        if self._find(self._base(sector), 0, [self.next_sequence, self._chain, None]) < 0:
            return
        self._sector = sector
        first = self.next_sequence
        self._fold(sector)
        self._first[index] = first

    def _strengthen(self):
        """Leave no cell at the end of the journal that reads as it likes after a cut.

        The newest record is programmed once more with the bytes that checked out (not with what a
        second reading gives), a spoiled place behind it with zeros, so that it is never a record. A
        head whose checkpoint did not check out, with nothing behind it, was never opened.
        """
        newest = self._last or self._opened
        if newest:
            self._partition.program(*newest)
        spoiled = self._base(self._sector) + self._at - self._void_at
        if spoiled > 0:
            self._partition.program(self._void_at, bytes(spoiled))
        elif not newest:
            self._first[self._sector % self._sectors] = 0
            self._sector -= 1
            self._at = SECTOR_BYTES
        self._last = self._opened = None

    def _begin(self):
        for offset in range(SECTOR_BYTES, self._partition.size_bytes, SECTOR_BYTES):
            if not self._partition.is_blank(offset, SECTOR_BYTES):
                raise JournalDamaged("no sector head can be read")
        self._adopt()
        if self._sector < 0:
            self._open()
        else:
            self._strengthen()

    def format(self):
        """Erase everything and begin at record 1: only together with a new device key."""
        self._reset(SalesState())
        for offset in range(0, self._partition.size_bytes, SECTOR_BYTES):
            self._partition.erase_sector(offset)
        self._open()

    @property
    def oldest(self):
        """The oldest sequence that is still in the ring."""
        for sector in range(max(0, self._sector - self._sectors + 1), self._sector + 1):
            first = self._first[sector % self._sectors]
            if first:
                return first
        return self.next_sequence

    def records(self, from_sequence):
        """Yield (sequence, kind, time, body, raw) from a sequence (or the oldest) to the newest.

        A record that flash lost, or that left the ring meanwhile, comes as (sequence, 0, 0, None,
        b""). May be left unfinished, and goes on over what is appended meanwhile.
        """
        expected = max(from_sequence, self.oldest)
        sector = self._sector_of(expected)
        if sector < 0 or sector <= self._sector - self._sectors:
            return
        for raw in self._walk(sector, self._first[sector % self._sectors]):
            if raw is None:
                continue
            sequence, time = struct.unpack(">II", memoryview(raw)[2:10])
            if sequence < expected:
                continue
            while expected < sequence:
                yield expected, 0, 0, None, b""
                expected += 1
            try:
                body = cbor.loads(memoryview(raw)[10:-12])
            except ValueError:
                body = None
            yield sequence, raw[0], time, body, raw
            expected = sequence + 1
        while expected < self.next_sequence:
            yield expected, 0, 0, None, b""
            expected += 1

    def read(self, sequence):
        """(kind, time, body) of one record, or None if it is not in the ring or unreadable."""
        if self.oldest <= sequence < self.next_sequence:
            for _, kind, time, body, _ in self.records(sequence):
                return (kind, time, body) if kind and body is not None else None
        return None

    def first_since(self, time):
        """A sequence from which on all records of `time` or later are found."""
        sector = self._sector
        while sector >= 0 and sector > self._sector - self._sectors:
            head = self._head(sector % self._sectors)
            if head and head[0] == sector and 0 < head[2] < time:
                return head[1]
            sector -= 1
        return self.oldest

    # --- writing ---

    def _sector_of(self, sequence):
        sector = self._sector
        while sector >= 0 and sector > self._sector - self._sectors:
            if 0 < self._first[sector % self._sectors] <= sequence:
                break
            sector -= 1
        return sector

    def free_sectors(self):
        """Sectors that may be erased: blank, or acknowledged and without an unfinished sale."""
        kept = max(self._sector_of(self.state.keep_from), 0)
        return max(0, self._sectors - 1 - (self._sector - kept))

    def _fits(self, size, reserve):
        return self.free_sectors() - (self._at + size > SECTOR_BYTES) >= reserve

    def room_for_sale(self):
        """True if an intent of any size can be appended."""
        self._carry(RECORD_BYTES + MAX_BODY_BYTES)
        return self._fits(RECORD_BYTES + MAX_BODY_BYTES, _RESERVE[OFFLINE])

    def _room_for_settlement(self):
        """Whether a settlement that acknowledges nothing leaves room for one that does."""
        self._carry(_SETTLED_BYTES)
        return self._fits(_SETTLED_BYTES, 1)

    def _program(self, offset, data):
        """Program and read back; True if flash holds it."""
        self._partition.program(offset, data)
        data = memoryview(data)
        for at in range(0, len(data), PAGE_BYTES):
            piece = data[at : at + PAGE_BYTES]
            view = memoryview(self._page)[: len(piece)]
            self._partition.read_into(offset + at, view)
            if view != piece:
                return False
        return True

    def _open(self):
        """Erase the next sector and give it a head with the state so far."""
        checkpoint = cbor.dumps(self.state.dump())
        for _ in range(_TRIES):
            sector = self._sector + 1
            if self._sector >= 0 and not self.free_sectors():
                raise JournalFull("every sector holds sales that the server does not have yet")
            self._sector = sector
            index = sector % self._sectors
            self._first[index] = 0
            self._partition.erase_sector(index * SECTOR_BYTES)
            whole = bytearray(
                struct.pack(
                    _HEAD,
                    _MAGIC,
                    sector,
                    self.next_sequence,
                    self._now(),
                    self._chain,
                    len(checkpoint),
                )
            )
            whole.extend(_tag(whole)[:6])
            whole.extend(checkpoint)
            whole.extend(_tag(whole))
            if self._program(index * SECTOR_BYTES, whole):
                self._first[index] = self.next_sequence
                self._at = _after(len(whole))
                return
            self.unreadable += 1
        raise JournalDamaged("flash does not keep what is written to it")

    def append(self, kind, body):
        """Write one record; return its sequence once flash holds it and it was read back.

        `body` is a list that CBOR can carry, at most 240 bytes encoded.

        Raises:
            JournalFull: no room for this kind; nothing was written.
            JournalDamaged: flash did not take it at several places.
            ValueError: kind or body out of bounds; nothing was written.
        """
        data = cbor.dumps(body)
        if not 0 < kind < 128 or len(data) > MAX_BODY_BYTES:
            raise ValueError("record out of bounds")
        self._carry(RECORD_BYTES + len(data))
        if not self._fits(RECORD_BYTES + len(data), _RESERVE.get(kind, 0)):
            raise JournalFull("the journal is full until the server has taken its records")
        return self._write(kind, body, data)

    def _carry(self, size):
        """Before a record of `size` takes up the reserve: restate the sales that alone keep sectors
        from being used again, the one that lies first first.
        """
        state = self.state
        while not self._fits(size, _RESERVE[OFFLINE]):
            known = state.first_kept()
            if not known or self._sector_of(known[-1]) >= self._sector_of(state.acknowledged + 1):
                return
            body = [known[0]] + (restated(self.read, known) or [])
            data = cbor.dumps(body)
            if not self._fits(RECORD_BYTES + len(data), 0):
                return
            self._write(CARRIED, body, data)

    def _write(self, kind, body, data):
        size = RECORD_BYTES + len(data)
        sequence = self.next_sequence
        time = self._now()
        for _ in range(_TRIES):
            if self._at + size > SECTOR_BYTES:
                self._open()
            record = memoryview(self._record)[:size]
            struct.pack_into(">BBII", record, 0, kind, len(data), sequence, time)
            record[10 : 10 + len(data)] = data
            struct.pack_into(">I", record, size - 12, crc32(record[: size - 12]))
            chain = _tag(self._chain, record[: size - 12])
            record[size - 8 :] = chain
            at = self._at
            if self._program(self._base(self._sector) + at, record):
                self._at = _after(at + size)
                self._chain = chain
                self.next_sequence = sequence + 1
                self.state.apply(sequence, kind, time, body)
                return sequence
            self.unreadable += 1
            self._at = _page_after(at + size)
        raise JournalDamaged("flash does not keep what is written to it")

    def acknowledge(self, through, ledger_minor, server_time=0):
        """The server has everything up to `through` and its ledger stands at `ledger_minor`.

        Writes a `settled` record unless it would say nothing new.

        Raises:
            ValueError: a sequence that was acknowledged before or does not exist yet.
            JournalFull, JournalDamaged: as `append`.
        """
        state = self.state
        if not state.acknowledged <= through < self.next_sequence:
            raise ValueError("acknowledged through a record that is not waiting")
        left = [0, 0, 0]
        if through < state.last_money:
            left = [state.offline_count, state.offline_total_minor, state.offline_debit_minor]
            for sequence, kind, _, body, _ in self.records(state.acknowledged + 1):
                if sequence > through:
                    break
                if kind == OFFLINE:
                    left[0] -= 1
                    left[1] -= body[1]
                    left[2] -= body[1] - body[2]
        now = server_time or max(self._now(), state.time_seen)
        if through == state.acknowledged and (
            (
                ledger_minor == state.ledger_minor
                and not state.blind_starts
                and abs(now - state.settled_at) < _SETTLE_AGAIN_S
                and abs(now - state.time_seen) < _SETTLE_AGAIN_S
            )
            or not self._room_for_settlement()
        ):
            # Lost at power-off, which makes the last settlement look older than it is: harmless. In
            # a full ring, where nothing can be sold, so is a float that is told again.
            state.ledger_minor = ledger_minor
            state.settled_at = state.time_seen = now
            return
        self.append(SETTLED, [through, ledger_minor, server_time] + left)
