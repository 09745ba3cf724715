"""The last sales, found in the journal by going back through its sectors from the newest.

Loaded by its name for as long as they are looked at. Kept of a sale is only where its records lie
and how it stands; what was sold is read from flash when it is shown.
"""

from bootloader.shared.compat import const, sleep_ms
from firmware.sales.sale import Sale
from firmware.sales.state import (
    ANSWERED,
    CARRIED,
    DELIVERED,
    INTENT_OFFLINE,
    INTENT_ONLINE,
    PENDING,
    PRINTED,
    REFUSED,
    REPRINT,
    SalesState,
    restated,
)
from firmware.sales.stock import StockError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from firmware.sales.till import Till

MOST = const(20)
# Of a sale that was found: [its number, record of its voucher or 0, how it stands, first record
# that is needed or 0]: what the journal's state keeps of an open one, and read the same way.
_NUMBER = const(0)
_HELD_AT = const(1)
_STANDS = const(2)  # the bits below; negative: refused, by the record of that number
_KEPT_FROM = const(3)
_MOST_OF_BEFORE = const(40)  # open ones, and copies of those that were listed: fewer
_OUT = const(1)
_IN_DOUBT = const(2)


class Recent:
    """The last sales of a till's journal, the newest first: `look_back`, then ask by its place."""

    def __init__(self, till: "Till") -> None:
        self._till = till
        self._journal = till.journal
        self._known: list[list[int]] = []
        # those whose intent has left the ring: of most only the end is there, some were restated
        self._before: list[list[int]] = []
        self._oldest = self._journal.oldest
        self._fold = SalesState()
        self.sectors_read = 0

    # --- finding them ---

    async def look_back(self) -> None:
        """Find the last `MOST` sales; a sector at a time, the newest first, and no further back
        than they lie. Cancelled it leaves what was found so far, which are the newest ones.
        """
        ring = self._journal.ring
        behind = ring.next_sequence
        for sector in range(ring.newest, max(-1, ring.newest - ring.sectors), -1):
            first = ring.first[sector % ring.sectors]
            if not 0 < first < behind:
                continue  # nothing in it, or its head is lost: found from the one before
            self.sectors_read += 1
            for sequence, kind, _, body, _ in self._journal.records(first):
                if sequence >= behind:
                    break
                if body:
                    self._take(sequence, kind, body)
            behind = first
            if len(self._known) == MOST and self._known[-1][_NUMBER] >= first:
                break
            await sleep_ms(0)

    def _take(self, sequence: int, kind: int, body: "list[Any]") -> None:
        is_intent = kind in (INTENT_OFFLINE, INTENT_ONLINE)
        if not is_intent and not DELIVERED <= kind <= REPRINT and kind not in (CARRIED, PENDING):
            return
        known = self._entry(sequence if is_intent else body[0])
        if not known:
            return
        if is_intent:
            if not known[_KEPT_FROM]:
                known[_KEPT_FROM] = sequence
                if kind == INTENT_OFFLINE:
                    known[_HELD_AT] = sequence
        elif kind == CARRIED:
            held_at = known[_HELD_AT]
            if sequence > known[_KEPT_FROM]:
                self._fold.last_sale = known
                self._fold.apply(sequence, kind, 0, body)
            # sectors come backwards: a later answer was met before
            known[_HELD_AT] = max(held_at, known[_HELD_AT])
        elif kind == DELIVERED:
            if sequence > max(known[_HELD_AT], known[_KEPT_FROM]):
                known[_HELD_AT] = sequence
        elif kind == REFUSED:
            known[_STANDS] = -sequence
        elif kind == PRINTED and known[_STANDS] >= 0:
            known[_STANDS] |= _IN_DOUBT if body[1] else _OUT

    def _entry(self, number: int) -> list[int] | None:
        """What is known of a sale, None if there are `MOST` newer ones."""
        found = self._known if number >= self._oldest else self._before
        at = len(found)
        while at and found[at - 1][_NUMBER] <= number:
            at -= 1
            if found[at][_NUMBER] == number:
                return found[at]
        most = MOST if number >= self._oldest else _MOST_OF_BEFORE
        if at >= most:
            return None
        found.insert(at, [number, 0, 0, 0])
        if len(found) > most:
            found.pop()
        return found[at]

    def sift(self) -> int:
        """Leave out those of which nothing but their end is in the ring; how many there are."""
        everything = self._known + self._before
        self._before = []
        self._known = [known for known in everything if known[_KEPT_FROM]][:MOST]
        return len(self._known)

    # --- asking ---

    def number(self, at: int) -> int:
        """The number of a sale."""
        return self._known[at][_NUMBER]

    def where(self, number: int) -> int | None:
        """The place of the sale with that number, None if it is none of these."""
        for at in range(len(self._known)):
            if self.number(at) == number:
                return at
        return None

    def is_open(self, at: int) -> bool:
        """Whether the sale has no end yet."""
        return self._till.journal.state.entry(self.number(at)) is not None

    def sale(self, at: int) -> Sale | None:
        """The sale, None if flash does not give it now. What has its end is only ever copied."""
        if self.is_open(at):
            for sale in self._till.unfinished():
                if sale.sequence == self.number(at):
                    return sale
            return None
        said = self._said(at)
        return Sale(self._known[at], said, True) if said else None

    def _said(self, at: int) -> "list[Any] | None":
        kept = self._journal.state.kept(self.number(at))
        return restated(self._journal.read, kept[0] if kept else self._known[at])

    def stands(self, at: int, sale: Sale) -> str:
        """The key of the words for how the sale stands."""
        stands = self._known[at][_STANDS]
        if stands < 0:
            return "st_refused" if sale.online and self.reason(at) != "lost" else "st_back"
        if stands & _OUT:
            return "st_out"
        if stands & _IN_DOUBT:
            return "st_doubt"
        if not sale.has_voucher:
            return "st_waits"
        return "st_doubt" if sale.may_be_out else "st_ready"

    def reason(self, at: int) -> str:
        """The code with which the sale was refused, "" if it was not or flash does not say."""
        stands = self._known[at][_STANDS]
        found = self._journal.read(-stands) if stands < 0 else None
        if not found:
            return ""
        _, _, body = found
        return str(body[1])

    def serial(self, at: int, sale: Sale) -> str:
        """The serial of its voucher, "" if that is not here."""
        if not sale.online:
            try:
                serial, _ = self._till.stock.entry(*sale.place)
            except StockError:
                return ""
            return str(serial)
        said = self._said(at)
        return str(said[ANSWERED - 2]) if said and len(said) >= ANSWERED else ""
