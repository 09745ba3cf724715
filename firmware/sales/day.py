"""One day's sales, added up from the journal; loaded by the till for as long as it takes."""

from firmware.sales.state import DELIVERED, INTENT_OFFLINE, INTENT_ONLINE, REFUSED, REPRINT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from firmware.sales.journal import Journal
    from firmware.sales.ring import Ring

_DAY_S = 86400


class DayReport:
    """`products`: [(product id, count, total_minor)]; totals; number of reprints."""

    def __init__(self) -> None:
        self.products: list[tuple[str, int, int]] = []
        self.count = 0
        self.total_minor = 0
        self.commission_minor = 0
        self.reprints = 0

    def add(self, intent: "list[Any]", count: int) -> None:
        """Add the sale that the body of an intent is, `count` times."""
        product_id, amount_minor, commission_minor = intent[:3]
        self.count += count
        self.total_minor += count * amount_minor
        self.commission_minor += count * commission_minor
        for i, (found, sold, total_minor) in enumerate(self.products):
            if found == product_id:
                self.products[i] = (found, sold + count, total_minor + count * amount_minor)
                return
        self.products.append((product_id, count, count * amount_minor))


def add_up(journal: "Journal", now: int, utc_offset_s: int) -> DayReport:
    """The `DayReport` of the local day that `now` (Unix seconds) is in.

    An online sale counts when its answer came, one from stock when it was begun; one from stock
    that was taken back at once does not count.
    """
    start = now - (now + utc_offset_s) % _DAY_S
    report = DayReport()
    online: dict[int, list[Any]] = {}
    last_offline = 0
    from_stock: list[Any] = []
    for sequence, kind, time, body, _ in journal.records(_first_since(journal.ring, start)):
        if not body:
            continue
        if kind == INTENT_OFFLINE and time >= start:
            report.add(body, 1)
            last_offline = sequence
            from_stock = body
        elif kind == INTENT_ONLINE and time >= start:
            online[sequence] = body
        elif kind == DELIVERED and body[0] in online:
            report.add(online.pop(body[0]), 1)
        elif kind == REFUSED:
            online.pop(body[0], None)
            if body[0] == last_offline:
                report.add(from_stock, -1)
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
