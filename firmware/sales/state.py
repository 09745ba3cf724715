"""What the journal's records add up to: float, offline counters, stock, unfinished sales. Pure.

`firmware.sales.journal` folds every record through it and stores it as the checkpoint of each
sector; `firmware.sales.till` decides by it. Rules: docs/formats/journal.md, "Folded state".
"""

from bootloader.shared import cbor
from bootloader.shared.compat import const

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

# Kinds of records
BOOT = const(1)
INTENT_OFFLINE = const(2)
INTENT_ONLINE = const(3)
DELIVERED = const(4)
REFUSED = const(5)
PRINTED = const(6)
REPRINT = const(7)
SETTLED = const(8)
STOCK = const(9)
SETTING = const(10)
CARRIED = const(11)
DETAILS = const(12)
PENDING = const(13)
CANCEL = const(14)

_IS_BLIND = const(3)  # in the body of a boot record, which may end before it
_FLOAT_AFTER = const(4)  # in that of a delivered one
_PIECES = const(5)  # there: the sequences of the records that hold its details

MAX_BATCHES = const(8)
MAX_OPEN = const(4)

# What is known of a sale, in `unfinished` and as `last_sale`
_SALE = const(0)  # sequence of its intent, which is its number
_HELD_AT = const(1)  # sequence of the record that holds its voucher, 0: none does
_DEBIT = const(2)  # of an unfinished one: what it keeps of the float while it has no answer
_KEPT_FROM = const(-1)  # from this sequence on its records must stay in the ring

# A sale as `restated`: kind, time, product id, amount, commission; what follows depends on the kind
_FIGURES = const(5)
# of an online one: recipient or None; then, if its voucher is here, sealed PIN, serial, expiry
ANSWERED = const(9)
# and, if there are any, the sequences of its details

# Of a batch in `batches`
_NEXT_INDEX = const(0)
_COUNT = const(1)


def body_of(raw: bytes) -> "list[Any]":
    """What a whole record says. Raises ValueError if that is no list in CBOR."""
    body = cbor.loads(memoryview(raw)[10:-12])
    if not isinstance(body, list):
        raise ValueError("no list")
    return body


class SalesState:
    """Fields as in the table "Folded state"; changed by `apply` and `skip` alone."""

    def __init__(self) -> None:
        self.acknowledged = 0
        self.ledger_minor = 0
        self.settled_at = 0
        self.time_seen = 0
        self.offline_count = 0
        self.offline_total_minor = 0
        self.offline_debit_minor = 0
        self.last_money = 0
        self.forgotten_batch = 0
        self.batches: dict[int, list[int]] = {}
        self.unfinished: list[list[int]] = []
        self.last_sale: list[int] | None = None
        self.blind_starts = 0

    def dump(self) -> "list[Any]":
        """The checkpoint, as a list for CBOR."""
        return [
            self.acknowledged,
            self.ledger_minor,
            self.settled_at,
            self.time_seen,
            self.offline_count,
            self.offline_total_minor,
            self.offline_debit_minor,
            self.last_money,
            self.forgotten_batch,
            self.batches,
            self.unfinished,
            self.last_sale,
            self.blind_starts,
        ]

    def load(self, items: "Any") -> None:
        """Take over what `dump` gave. Raises ValueError if it has another shape."""
        (
            self.acknowledged,
            self.ledger_minor,
            self.settled_at,
            self.time_seen,
            self.offline_count,
            self.offline_total_minor,
            self.offline_debit_minor,
            self.last_money,
            self.forgotten_batch,
            self.batches,
            self.unfinished,
            self.last_sale,
            self.blind_starts,
        ) = items

    @property
    def keep_from(self) -> int:
        """Records from this sequence on must stay in the ring."""
        first = self.first_kept()
        behind = self.acknowledged + 1
        return min(behind, first[_KEPT_FROM]) if first else behind

    def first_kept(self) -> list[int] | None:
        """Of the unfinished sales and the last one that whose records lie first, or None."""
        first = self.last_sale
        for entry in self.unfinished:
            if not first or entry[_KEPT_FROM] < first[_KEPT_FROM]:
                first = entry
        return first

    def kept(self, sale: int) -> list[list[int]]:
        """What is known of a sale that is unfinished or the last one: its entries, 0 to 2."""
        found = [e for e in self.unfinished if e[_SALE] == sale]
        if self.last_sale and self.last_sale[_SALE] == sale:
            found.append(self.last_sale)
        return found

    @property
    def float_minor(self) -> int:
        """What the merchant can still sell for: never more than the server would say."""
        held_back = sum([e[_DEBIT] for e in self.unfinished])
        return self.ledger_minor - self.offline_debit_minor - held_back

    def entry(self, sale: int) -> list[int] | None:
        """The unfinished entry of a sale, or None."""
        for entry in self.unfinished:
            if entry[_SALE] == sale:
                return entry
        return None

    def in_the_way(self, is_online: bool) -> int:
        """The number of the open sale that must end before another one begins, 0 if none must: the
        oldest of `MAX_OPEN`; before one that is begun online also one that the server may not have.
        """
        unfinished = self.unfinished
        if len(unfinished) >= MAX_OPEN:
            return unfinished[0][_SALE]
        for entry in unfinished if is_online else ():
            if not entry[_HELD_AT] and entry[_DEBIT]:  # else the server has it, pending
                return entry[_SALE]
        return 0

    def skip(self, count: int) -> None:
        """`count` records cannot be read: each may have used up the next voucher of any batch."""
        for position in self.batches.values():
            position[_NEXT_INDEX] += count

    def spent_batch(self) -> int | None:
        """The lowest batch id that is sold out, or None."""
        spent = [b for b, place in self.batches.items() if place[_NEXT_INDEX] >= place[_COUNT]]
        return min(spent) if spent else None

    def _batch(self, batch: int, count: int) -> list[int]:
        """Its [next index, count]; a batch that is new takes the place of a sold-out one."""
        if batch not in self.batches:
            if len(self.batches) >= MAX_BATCHES:
                spent = self.spent_batch()
                if spent is not None:
                    del self.batches[spent]
                    self.forgotten_batch = max(self.forgotten_batch, spent)
            self.batches[batch] = [0, count]
        return self.batches[batch]

    def apply(self, sequence: int, kind: int, time: int, body: "list[Any]") -> None:
        """Fold one record.

        Raises ValueError, TypeError or IndexError if the body is not as specified.
        """
        if time > self.time_seen:
            self.time_seen = time
        if INTENT_OFFLINE <= kind <= REPRINT:
            self.last_money = sequence
        if kind == BOOT:
            if len(body) > _IS_BLIND:
                self.blind_starts += body[_IS_BLIND]
        elif kind == INTENT_OFFLINE:
            self._sold_from_stock(sequence, body)
        elif kind == INTENT_ONLINE:
            _, amount, commission = body[:3]
            self.unfinished.append([sequence, 0, amount - commission, sequence])
        elif kind in (DELIVERED, PENDING):
            self._answered(sequence, kind, body)
        elif kind in (REFUSED, PRINTED):
            sale = body[0]
            entry = self.entry(sale)
            if entry:
                self.unfinished.remove(entry)
            if kind == REFUSED and self.last_sale and self.last_sale[_SALE] == sale:
                self.last_sale = None
        elif kind == CANCEL:
            for known in self.kept(body[0]):
                known[_HELD_AT] = 0
        elif kind == SETTLED:
            (
                self.acknowledged,
                self.ledger_minor,
                server_time,
                self.offline_count,
                self.offline_total_minor,
                self.offline_debit_minor,
            ) = body[:6]
            if server_time:
                self.time_seen = server_time
            self.settled_at = self.time_seen
            self.blind_starts = 0
        elif kind == CARRIED:
            more = body[1 + _FIGURES :]
            has_voucher = bool(more) and not (len(more) == 1 and isinstance(more[0], str))
            # its details were written again just before it
            pieces = body[-1] if isinstance(body[-1], list) else ()
            for known in self.kept(body[0]):
                known[_HELD_AT] = sequence if has_voucher else 0
                known[_KEPT_FROM] = pieces[0] if pieces else sequence
        elif kind == STOCK:
            batch, count = body[:2]
            self._batch(batch, count)[_COUNT] = count

    def _answered(self, sequence: int, kind: int, body: "list[Any]") -> None:
        sale = body[0]
        entry = self.entry(sale)
        is_first = entry and not entry[_HELD_AT]
        if kind == PENDING:
            if entry and is_first:
                # The ledger has reserved it: what it says from now on is without it.
                self.ledger_minor -= entry[_DEBIT]
                entry[_DEBIT] = 0
            return
        if entry and is_first:
            # A repeated answer carries the float of its first time: the lower figure is safe,
            # the next settlement is exact.
            self.ledger_minor = min(self.ledger_minor - entry[_DEBIT], body[_FLOAT_AFTER])
            entry[_DEBIT] = 0
            self.last_sale = [sale, sequence, entry[_KEPT_FROM]]
        for known in self.kept(sale):
            known[_HELD_AT] = sequence

    def _sold_from_stock(self, sequence: int, body: "list[Any]") -> None:
        _, amount, commission, batch, index = body[:5]
        self.offline_count += 1
        self.offline_total_minor += amount
        self.offline_debit_minor += amount - commission
        # Its `stock` record may be lost: what was sold of it must not be sold again.
        position = self._batch(batch, index + 1)
        position[_NEXT_INDEX] = max(position[_NEXT_INDEX], index + 1)
        self.unfinished.append([sequence, sequence, 0, sequence])
        self.last_sale = [sequence, sequence, sequence]


def restated(read: "Callable[[int], Any]", known: list[int]) -> "list[Any] | None":
    """A sale as its records say, wherever they are now: [kind, time, product id, amount,
    commission], from stock with its batch and index, else with its recipient or None; the sealed
    PIN, serial and expiry follow if they are here, and then the sequences of its details if there
    are any. None if its intent cannot be read.

    `read` is the journal's, `known` one of `SalesState.kept`.
    """
    kept_from, held_at = known[_KEPT_FROM], known[_HELD_AT]
    found = read(kept_from)
    if held_at > kept_from and (not found or found[0] == DETAILS):
        kept_from = held_at  # restated with its details, which lie before it
        found = read(held_at)
        if found and found[0] != CARRIED:
            return None
    if not found:
        return None
    sale: list[Any]
    kind, time, body = found
    if kind == CARRIED:
        if len(body) < 1 + _FIGURES:
            return None
        sale = body[1:]
    elif kind == INTENT_OFFLINE:
        sale = [kind, time] + body[:5]
    elif kind == INTENT_ONLINE:
        sale = [kind, time] + body[:4]
    else:
        return None
    if sale[0] != INTENT_ONLINE:
        return sale
    if len(sale) == _FIGURES or not isinstance(sale[_FIGURES], (str, type(None))):
        sale.insert(_FIGURES, None)
    if held_at != kept_from:
        sale = sale[: _FIGURES + 1]
        answer = read(held_at) if held_at else None
        if answer:
            kind, _, body = answer
            if kind == DELIVERED and body[0] == known[_SALE]:
                sale.extend(body[1:4] + body[_PIECES : _PIECES + 1])
    if len(sale) > ANSWERED and not pieces_of(read, known[_SALE], sale[ANSWERED]):
        sale = sale[: _FIGURES + 1]  # flash lost some of it: the server is asked again
    return sale


def pieces_of(read: "Callable[[int], Any]", sale: int, places: list[int]) -> "list[list[Any]]":
    """The bodies of a sale's details, in order; [] if flash does not give all of them."""
    found = []
    for place in places:
        record = read(place)
        if not record:
            return []
        kind, _, body = record
        if kind != DETAILS or body[0] != sale:
            return []
        found.append(body)
    return found
