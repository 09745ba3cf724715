"""One day's sales, added up from the journal; loaded by name for as long as it takes."""

from firmware.sales.seller import person_of
from firmware.sales.state import DELIVERED, INTENT_OFFLINE, INTENT_ONLINE, REFUSED, REPRINT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from firmware.sales.journal import Journal
    from firmware.sales.ring import Ring
    from firmware.sales.till import Till

_DAY_S = 86400


class DayReport:
    """`products`: [(product id, count, total_minor)]; `people`: [(person, count, total_minor)];
    totals; number of reprints. `only`: the one person whose sales count, None: all.
    """

    def __init__(self, only: int | None = None) -> None:
        self._only = only
        self.products: list[tuple[str, int, int]] = []
        self.people: list[tuple[int, int, int]] = []
        self.count = 0
        self.total_minor = 0
        self.commission_minor = 0
        self.reprints = 0

    def add(self, kind: int, intent: "list[Any]", count: int) -> None:
        """Add the sale that the body of an intent is, `count` times."""
        person = person_of(kind, intent)
        if self._only not in (None, person):
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


def today(till: "Till", now: int, utc_offset_s: int = 0, only: int | None = None) -> DayReport:
    """The `DayReport` of the local day that `now` (Unix seconds, 0 unknown) is in; `only`: of the
    sales of that person.
    """
    journal = till.journal
    return add_up(journal, now or journal.state.time_seen, utc_offset_s, only)


def add_up(journal: "Journal", now: int, utc_offset_s: int, only: int | None = None) -> DayReport:
    """The `DayReport` of the local day that `now` (Unix seconds) is in.

    An online sale counts when its answer came, one from stock when it was begun; one from stock
    that was taken back at once does not count.
    """
    start = now - (now + utc_offset_s) % _DAY_S
    report = DayReport(only)
    online: dict[int, list[Any]] = {}
    last_offline = 0
    from_stock: list[Any] = []
    for sequence, kind, time, body, _ in journal.records(_first_since(journal.ring, start)):
        if not body:
            continue
        if kind == INTENT_OFFLINE and time >= start:
            report.add(kind, body, 1)
            last_offline = sequence
            from_stock = body
        elif kind == INTENT_ONLINE and time >= start:
            online[sequence] = body
        elif kind == DELIVERED and body[0] in online:
            report.add(INTENT_ONLINE, online.pop(body[0]), 1)
        elif kind == REFUSED:
            online.pop(body[0], None)
            if body[0] == last_offline:
                report.add(INTENT_OFFLINE, from_stock, -1)
        elif kind == REPRINT and time >= start:
            report.reprints += 1
    return report


def _first_since(ring: "Ring", time: int) -> int:
    """A sequence from which on all records of `time` (Unix seconds) or later are found."""
    for sector in range(ring.newest, max(-1, ring.newest - ring.sectors), -1):
        head = ring.head(sector % ring.sectors)
        if head:
            number, first, opened, _, _ = head
            if number == sector and 0 < opened < time:
                return first
    return ring.oldest()
