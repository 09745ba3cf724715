"""The journal: hash-chained records in raw flash of what was sold, before and after it happened.

`firmware.sales.till` writes the sales, `firmware.office.sync` reads them for the server. Bytes and
reasons: docs/formats/journal.md. Where records lie is in `firmware.sales.ring`, what they mean in
`firmware.sales.state`.
"""

import struct

from bootloader.shared import cbor
from bootloader.shared.compat import const
from firmware.lent import give_back, load
from firmware.sales.ring import (
    MAX_BODY_BYTES,
    RECORD_BYTES,
    SECTOR_BYTES,
    JournalDamaged,
    Ring,
    Walk,
)
from firmware.sales.state import (
    ANSWERED,
    BOOT,
    CANCEL,
    CARRIED,
    DETAILS,
    INTENT_OFFLINE,
    INTENT_ONLINE,
    REPRINT,
    SETTING,
    SETTLED,
    STOCK,
    SalesState,
    body_of,
    pieces_of,
    restated,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from bootloader.shared.partitions import Partition

_TRIES = const(4)
_ALIGNED = const(4)  # a record may take that much more
_SETTLED_BYTES = const(80)  # more than any settlement has
# An unchanged settlement is written again no sooner: it costs airtime.
_SETTLE_AGAIN_S = const(6 * 3600)

# Sectors that must stay free behind a record of this kind, so that what was begun can be finished.
# Later kinds (shifts, Z reports) finish no sale: two.
_RESERVE = {
    BOOT: 2,
    INTENT_OFFLINE: 2,
    INTENT_ONLINE: 2,
    STOCK: 2,
    SETTING: 2,
    REPRINT: 1,
    CANCEL: 1,
}
_RESERVE_OF_A_SALE = const(2)


class JournalFull(Exception):
    """No room until the server has acknowledged more: wait for the network. Nothing was written."""


class Journal:
    """The journal in `partition`; `now()` gives Unix seconds, 0 if unknown. Call `mount` first,
    once.

    `state` is the fold of all records (`SalesState`), `ring` where they lie (`Ring`).
    """

    def __init__(self, partition: "Partition", now: "Callable[[], int]") -> None:
        self.ring = Ring(partition)
        self.state = SalesState()
        self._put_down_at = 0  # `settled_at` as flash has it
        self._now = now
        self._unsent = (-1, 0, 0)  # since which record, through which one, so many sales

    def mount(self) -> None:
        """Find the newest record and fold the state. A blank partition becomes an empty journal.

        Raises:
            JournalDamaged: not blank and no journal, or no checkpoint left to begin from.
        """
        mounting = load("firmware.sales.mounting")
        mount = mounting.Mount(self.ring)
        is_begun = mount.run()
        self.state = mount.state
        self._put_down_at = mount.state.settled_at
        give_back(("firmware.sales.mounting",))
        if not is_begun:
            self._open()

    # --- reading ---

    @property
    def next_sequence(self) -> int:
        """What `append` gives next."""
        return self.ring.next_sequence

    @property
    def oldest(self) -> int:
        """The oldest sequence that is still in the ring."""
        return self.ring.oldest()

    @property
    def unreadable(self) -> int:
        """How often a spoiled place was met since `mount`."""
        return self.ring.unreadable

    def records(self, from_sequence: int) -> "Iterator[tuple[int, int, int, Any, bytes]]":
        """Yield (sequence, kind, time, body, raw) from a sequence (or the oldest) to the newest.

        A record that flash lost, or that left the ring meanwhile, comes as (sequence, 0, 0, None,
        b""). May be left unfinished, and goes on over what is appended meanwhile.
        """
        ring = self.ring
        expected = max(from_sequence, ring.oldest())
        sector = ring.sector_of(expected)
        if sector < 0:
            return
        for raw in Walk(ring, sector, ring.first[sector % ring.sectors]).records():
            if raw is None:
                continue
            sequence, time = struct.unpack(">II", memoryview(raw)[2:10])
            if sequence < expected:
                continue
            while expected < sequence:
                yield expected, 0, 0, None, b""
                expected += 1
            try:
                body = body_of(raw)
            except ValueError:
                body = None
            yield sequence, raw[0], time, body, raw
            expected = sequence + 1
        while expected < ring.next_sequence:
            yield expected, 0, 0, None, b""
            expected += 1

    def unsent_sales(self) -> int:
        """How many sales the server does not have; each record is looked at once."""
        state = self.state
        if state.last_money <= state.acknowledged:
            return 0
        since, through, count = self._unsent
        if since != state.acknowledged:
            through, count = state.acknowledged, 0
        if through + 1 < self.next_sequence:
            for sequence, kind, _, _, _ in self.records(through + 1):
                count += kind in (INTENT_OFFLINE, INTENT_ONLINE)
                through = sequence
        self._unsent = (state.acknowledged, through, count)
        return count

    def read(self, sequence: int) -> "tuple[int, int, Any] | None":
        """(kind, time, body) of one record, or None if it is not in the ring or unreadable."""
        if self.ring.oldest() <= sequence < self.ring.next_sequence:
            for _, kind, time, body, _ in self.records(sequence):
                return (kind, time, body) if kind and body is not None else None
        return None

    def copies(self, sale: int) -> int:
        """How many copies of a sale were begun, as far as the ring goes back."""
        count = 0
        for _, kind, _, body, _ in self.records(sale):
            if kind == REPRINT and body and body[0] == sale:
                count += 1
        return count

    # --- writing ---

    def free_sectors(self) -> int:
        """Sectors that may be erased: blank, or acknowledged and without an unfinished sale."""
        ring = self.ring
        kept = max(ring.sector_of(self.state.keep_from), 0)
        return max(0, ring.sectors - 1 - (ring.newest - kept))

    def _fits(self, size: int, reserve: int) -> bool:
        return self.free_sectors() - (self.ring.at + size > SECTOR_BYTES) >= reserve

    def make_room(self, size: int) -> None:
        """Restate what must be restated before `size` bytes of records that belong together."""
        self._carry(size)

    def room_for_sale(self) -> bool:
        """True if an intent of any size can be appended; restates open sales to make it so."""
        self._carry(RECORD_BYTES + MAX_BODY_BYTES)
        return self._fits(RECORD_BYTES + MAX_BODY_BYTES, _RESERVE_OF_A_SALE)

    def _open(self) -> None:
        """Erase the next sector and give it a head with the state so far."""
        checkpoint = cbor.dumps(self.state.dump())
        for _ in range(_TRIES):
            if self.ring.newest >= 0 and not self.free_sectors():
                raise JournalFull("every sector holds sales that the server does not have yet")
            if self.ring.open(self._now(), checkpoint):
                return
        raise JournalDamaged("flash does not keep what is written to it")

    def append(self, kind: int, body: "list[Any]") -> int:
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
        if not self._fits(RECORD_BYTES + len(data), _RESERVE.get(kind, 2 * (kind > CANCEL))):
            raise JournalFull("the journal is full until the server has taken its records")
        return self._write(kind, body, data)

    def _carry(self, size: int) -> None:
        """Before a record of `size` takes up the reserve: restate the sales that alone keep sectors
        from being used again, the one that lies first first.
        """
        state = self.state
        sector_of = self.ring.sector_of
        while not self._fits(size, _RESERVE_OF_A_SALE):
            known = state.first_kept()
            if not known:
                return
            sale, *_, kept_from = known
            if sector_of(kept_from) >= sector_of(state.acknowledged + 1):
                return
            if not self._restate(sale, restated(self.read, known) or []):
                return

    def _restate(self, sale: int, said: "list[Any]") -> bool:
        """Write a sale once more, what belongs to its answer first; False if there is no room."""
        pieces: list[list[Any]] = []
        if len(said) > ANSWERED:
            pieces = pieces_of(self.read, sale, said.pop())
        body = [sale] + [item for item in said if item is not None]
        size = sum([RECORD_BYTES + _ALIGNED + len(cbor.dumps(piece)) for piece in pieces])
        body.append([self.ring.next_sequence] * len(pieces))  # as long as it will be
        if not self._fits(size + RECORD_BYTES + len(cbor.dumps(body)), 0):
            return False
        places = body.pop()
        for n, piece in enumerate(pieces):
            places[n] = self._write(DETAILS, piece, cbor.dumps(piece))
        if places:
            body.append(places)
        self._write(CARRIED, body, cbor.dumps(body))
        return True

    def _write(self, kind: int, body: "list[Any]", data: bytes) -> int:
        ring = self.ring
        sequence = ring.next_sequence
        time = self._now()
        for _ in range(_TRIES):
            if ring.at + RECORD_BYTES + len(data) > SECTOR_BYTES:
                self._open()
            if ring.write(kind, data, time):
                self.state.apply(sequence, kind, time, body)
                return sequence
        raise JournalDamaged("flash does not keep what is written to it")

    # --- settling ---

    def acknowledge(self, through: int, ledger_minor: int, server_time: int = 0) -> None:
        """The server has everything up to `through` and its ledger stands at `ledger_minor`.

        Writes a `settled` record unless it would say nothing new: of settlements alone it says
        nothing, or each would have to be acknowledged in its turn, for ever.

        Raises:
            ValueError: a sequence that was acknowledged before or does not exist yet.
            JournalFull, JournalDamaged: as `append`.
        """
        state = self.state
        if not state.acknowledged <= through < self.ring.next_sequence:
            raise ValueError("acknowledged through a record that is not waiting")
        now = server_time or max(self._now(), state.time_seen)
        if not self.has_news(state.acknowledged, through):
            is_known = (
                ledger_minor == state.ledger_minor
                and not state.blind_starts
                and abs(now - self._put_down_at) < _SETTLE_AGAIN_S
                and abs(now - state.time_seen) < _SETTLE_AGAIN_S
            )
            if not is_known:  # what acknowledges nothing leaves room for what does
                self._carry(_SETTLED_BYTES)
            if is_known or not self._fits(_SETTLED_BYTES, 1):
                # Lost at power-off, which makes the last settlement look older than it is:
                # harmless. In a full ring, where nothing can be sold, so is a float told again.
                state.acknowledged = through
                state.ledger_minor = ledger_minor
                state.settled_at = state.time_seen = now
                return
        count, total_minor, debit_minor = self._offline_behind(through)
        body = [through, ledger_minor, server_time, count, total_minor, debit_minor]
        self.append(SETTLED, body)
        self._put_down_at = state.settled_at

    def has_news(self, behind: int, through: int) -> bool:
        """Whether a record behind number `behind`, up to `through`, is more than a settlement."""
        if behind >= through:
            return False
        for sequence, kind, _, _, _ in self.records(behind + 1):
            if sequence > through:
                break
            if kind != SETTLED:
                return True
        return False

    def _offline_behind(self, through: int) -> tuple[int, int, int]:
        """(count, face total, debit) of intents from stock that stay unacknowledged behind it."""
        state = self.state
        if through >= state.last_money:
            return 0, 0, 0
        count = state.offline_count
        total_minor = state.offline_total_minor
        debit_minor = state.offline_debit_minor
        for sequence, kind, _, body, _ in self.records(state.acknowledged + 1):
            if sequence > through:
                break
            if kind == INTENT_OFFLINE:
                _, amount_minor, commission_minor = body[:3]
                count -= 1
                total_minor -= amount_minor
                debit_minor -= amount_minor - commission_minor
        return count, total_minor, debit_minor
