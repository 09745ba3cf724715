"""How much may be sold from stock without the server. Pure; loaded by its name, by who asks: the
till before each such sale, and the product's page, which shows what is left. The flow gives it
back.
"""

from firmware.sales.away import away_s
from firmware.sales.state import INTENT_OFFLINE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.sales.catalogue import Catalogue
    from firmware.sales.journal import Journal
    from firmware.sales.product import Product


def offline_refusal(
    catalogue: "Catalogue", product: "Product", journal: "Journal", now: int
) -> tuple[str, int] | None:
    """None if one more `product` may be sold from stock, else (code, the limit that forbids it)."""
    if product.amount_minor > catalogue.max_amount_minor:
        return "offline_amount", catalogue.max_amount_minor
    limit = _limit(product, "max_count", catalogue.max_count)
    count, total_minor, left_s = offline_left(catalogue, product, journal, now)
    if count <= 0:
        return "offline_count", limit
    limit = _limit(product, "max_total_minor", catalogue.max_total_minor)
    if product.amount_minor > total_minor:
        return "offline_total", limit
    limit = _limit(product, "max_age_s", catalogue.max_age_s)
    if left_s < 0:
        return "offline_age", limit
    return None


def offline_left(
    catalogue: "Catalogue", product: "Product", journal: "Journal", now: int
) -> tuple[int, int, int]:
    """(sales, minor units, seconds) that may still be sold of `product`, by the limits of all and
    by its own, whichever is less. Negative seconds: too long without the server.
    """
    state = journal.state
    count = catalogue.max_count - state.offline_count
    total_minor = catalogue.max_total_minor - state.offline_total_minor
    own = product.offline
    if "max_count" in own or "max_total_minor" in own:
        sold, sold_minor = _sold(product, journal)
        count = min(count, own.get("max_count", count + sold) - sold)
        most_minor = own.get("max_total_minor", total_minor + sold_minor)
        total_minor = min(total_minor, most_minor - sold_minor)
    left_s = _limit(product, "max_age_s", catalogue.max_age_s) - away_s(state, now)
    return count, total_minor, left_s if state.settled_at else -1


def _limit(product: "Product", name: str, of_all: int) -> int:
    """What counts of a limit: the product's own, but never more than that of all."""
    return min(product.offline.get(name, of_all), of_all)


def _sold(product: "Product", journal: "Journal") -> tuple[int, int]:
    """(how many, minor units) of it went from stock since the server knows. A record that flash
    lost may have been one.
    """
    state = journal.state
    count = total_minor = 0
    if state.offline_count:
        for _, kind, _, body, _ in journal.records(state.acknowledged + 1):
            if not body:
                count += 1
                total_minor += product.amount_minor
            elif kind == INTENT_OFFLINE and body[0] == product.id:
                count += 1
                total_minor += body[1]
    return min(count, state.offline_count), min(total_minor, state.offline_total_minor)
