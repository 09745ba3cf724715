"""What was sold, added up from the journal: for some days, a shift, a Z report. Loaded by name for
as long as it takes. What counts when: docs/formats/journal.md, "What a report counts".
"""

from bootloader.shared.compat import sleep_ms
from firmware.sales.seller import person_of
from firmware.sales.state import (
    CARRIED,
    DELIVERED,
    INTENT_OFFLINE,
    INTENT_ONLINE,
    REFUSED,
    REPRINT,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from firmware.sales.journal import Journal
    from firmware.sales.ring import Ring

    Said = tuple[int, int, list[Any]]  # kind, time and body of an intent

DAY_S = 86400


class Tally:
    """`products`: [(product id, count, total_minor)]; `people`: [(person, count, total_minor)];
    totals; number of reprints; `unread`: sales whose figures flash does not give any more.

    Counts the records from `first` up to, and without, `end` (0: the newest), and of these, if
    `until` is given, sales begun from `since` up to, and without, `until` (Unix seconds). `only`:
    the one person whose sales count, None: everybody's.
    """

    def __init__(
        self,
        journal: "Journal",
        first: int,
        end: int = 0,
        since: int = 0,
        until: int = 0,
        only: int | None = None,
    ) -> None:
        self._journal = journal
        self.first = max(first, journal.oldest)
        self._at = self.first
        self._end = end
        self.since = since
        self.until = until
        self._only = only
        self._unanswered: dict[int, Said] = {}
        self._late: dict[int, Said] = {}  # counted here, and begun before `first`
        self.products: list[tuple[str, int, int]] = []
        self.people: list[tuple[int, int, int]] = []
        self.count = self.total_minor = self.commission_minor = 0
        self.reprints = self.unread = 0

    async def run(self) -> None:
        """Look through all of it, a sector at a time, so that others go on meanwhile."""
        while self._go_on():
            await sleep_ms(0)

    def finish(self) -> None:
        """Look through what is left and what was written meanwhile; nothing comes between."""
        while self._go_on():
            pass

    def _go_on(self) -> bool:
        """Count the next sector's records; False if there was none left."""
        ring = self._journal.ring
        newest: int = self._end or ring.next_sequence
        if self._at >= newest:
            return False
        behind = ring.first[(ring.sector_of(self._at) + 1) % ring.sectors]
        behind = min(behind, newest) if behind > self._at else newest
        for sequence, kind, time, body, _ in self._journal.records(self._at):
            if sequence >= behind:
                break
            if body:
                self._take(sequence, kind, time, body)
        self._at = behind
        return True

    def _take(self, sequence: int, kind: int, time: int, body: "list[Any]") -> None:
        if kind == INTENT_OFFLINE:
            self._add((kind, time, body), 1)
        elif kind == INTENT_ONLINE:
            self._unanswered[sequence] = (kind, time, body)
        elif kind == DELIVERED:
            sale = body[0]
            said = self._unanswered.pop(sale, None)
            if not said and sale < self.first and not self.until and sale not in self._late:
                said, was_sold = self._of_before(sale)
                if was_sold:
                    return
                if said:
                    self._late[sale] = said
                else:
                    self.unread += 1
            if said:
                self._add(said, 1)
        elif kind == REFUSED:
            if not self._unanswered.pop(body[0], None):
                self._take_back(body[0])
        elif kind == REPRINT and (not self.until or self.since <= time < self.until):
            self.reprints += 1

    def _take_back(self, sale: int) -> None:
        """A sale was refused: it may have been counted, here or in a report before."""
        said: Said | None = self._late.pop(sale, None)
        if said:
            pass
        elif sale >= self.first:
            found = self._journal.read(sale)
            said = found if found and found[0] in (INTENT_OFFLINE, INTENT_ONLINE) else None
        elif self.until:
            return  # begun before, so it is of another day
        else:
            said, was_sold = self._of_before(sale)
            if not was_sold:
                return
            self.unread += not said
        if said:
            self._add(said, -1)

    def _of_before(self, sale: int) -> "tuple[Said | None, bool]":
        """What a sale begun before `first` says, and whether it was sold by then."""
        said: Said | None = None
        was_sold = False
        for sequence, kind, time, body, _ in self._journal.records(sale):
            if not body or (said and sequence >= self.first):
                continue
            if sequence == sale and kind in (INTENT_OFFLINE, INTENT_ONLINE):
                said = (kind, time, body)
                was_sold = kind == INTENT_OFFLINE
            elif kind == CARRIED and body[0] == sale and len(body) > 1 and not said:
                _, intent, begun = body[:3]
                said = (intent, begun, body[3:])
                if sequence < self.first:  # with a voucher, if it was sold
                    was_sold = intent == INTENT_OFFLINE or bool(
                        [item for item in body if isinstance(item, bytes)]
                    )
            elif kind == DELIVERED and body[0] == sale and sequence < self.first:
                was_sold = True
        return said, was_sold

    def _add(self, said: "Said", count: int) -> None:
        kind, time, intent = said
        person = person_of(kind, intent)
        if self._only not in (None, person):
            return
        if self.until and not self.since <= time < self.until:
            return
        product_id, amount_minor, commission_minor = intent[:3]
        self.count += count
        self.total_minor += count * amount_minor
        self.commission_minor += count * commission_minor
        _add(self.products, product_id, count, amount_minor)
        _add(self.people, person, count, amount_minor)


def _add(lines: "list[tuple[Any, int, int]]", what: "Any", count: int, amount_minor: int) -> None:
    for i, (found, sold, total_minor) in enumerate(lines):
        if found == what:
            lines[i] = (found, sold + count, total_minor + count * amount_minor)
            return
    lines.append((what, count, count * amount_minor))


def of_days(
    journal: "Journal",
    now: int,
    utc_offset_s: int,
    only: int | None = None,
    back: int = 0,
    days: int = 1,
) -> Tally:
    """The `Tally`, not yet run, of `days` local days, the first of them `back` days before the one
    that `now` (Unix seconds, 0 unknown) is in.
    """
    now = now or journal.state.time_seen
    start = now - (now + utc_offset_s) % DAY_S
    start -= back * DAY_S
    first = _first_since(journal.ring, start)
    return Tally(journal, first, 0, start, start + days * DAY_S, only)


def since_monday(now: int, utc_offset_s: int) -> int:
    """How many days ago the Monday of the week that `now` is in was."""
    return ((now + utc_offset_s) // DAY_S + 3) % 7


def _first_since(ring: "Ring", time: int) -> int:
    """A sequence from which on all records of `time` (Unix seconds) or later are found."""
    for sector in range(ring.newest, max(-1, ring.newest - ring.sectors), -1):
        head = ring.head(sector % ring.sectors)
        if head:
            number, first, opened, _, _ = head
            if number == sector and 0 < opened < time:
                return first
    return ring.oldest()
