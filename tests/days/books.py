"""What stands in the books of those above the counters: the model's own, with the shares of a day
taken from the ledger's sales and the model's rates: none of the product's sums.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.days.town import Town

DAY_S = 86_400
ZONE, ZONE_S = "Africa/Nairobi", 3 * 3600
ABOVE = {"LAKE": "", "SHORE": "LAKE", "ASHA": "SHORE", "JOY": "SHORE"}
_SOLD = """
    SELECT t.reference, t.terminal_id, t.created_at, a.currency, e.amount_minor
    FROM ledger_transaction t JOIN ledger_entry e ON e.transaction_id = t.id
    JOIN account a ON a.id = e.account_id AND a.name = 'voucher_sales'"""


@dataclass
class Rate:
    """What a party earns from a day on; `product` "": on all that have no rate of their own."""

    who: str
    product: str
    ppm: int
    first_day: str


@dataclass
class Moved:
    """A movement that was posted. Who is no party is a terminal's name."""

    giver: str
    taker: str
    minor: int
    code: str
    undone: bool = False


@dataclass
class Books:
    """What the model knows."""

    floats: dict[tuple[str, str], int] = field(default_factory=dict)
    credits: dict[tuple[str, str], tuple[int, int]] = field(default_factory=dict)
    moved: dict[str, Moved] = field(default_factory=dict)
    rates: list[Rate] = field(default_factory=list)
    owners: list[tuple[int, bytes, str]] = field(default_factory=list)
    closed: list[str] = field(default_factory=list)

    def owner(self, terminal_id: bytes, at: int) -> str:
        """Who had a terminal at that time."""
        known = [who for since, one, who in self.owners if one == terminal_id and since <= at]
        return known[-1] if known else ""

    def ppm(self, who: str, product: str, day: str) -> int:
        """What a party earns of a product on a day: by the newest rate that names it, or else by
        the newest for all.
        """
        for wanted in (product, ""):
            known = [
                (rate.first_day, place, rate.ppm)
                for place, rate in enumerate(self.rates)
                if rate.who == who and rate.product == wanted and rate.first_day <= day
            ]
            if known:
                return max(known)[2]
        return 0

    def shares(self, town: Town, day: str) -> dict[tuple[str, str, str], int]:
        """What each party earned on a day by product and currency."""
        sold: dict[tuple[str, str, str], int] = {}
        for reference, terminal_id, at, code, minor in town.shop.sql(_SOLD):
            if day_of(at) != day:
                continue
            product = _product(town, bytes(terminal_id), int(reference.split(":")[2]))
            who = self.owner(bytes(terminal_id), at)
            while who:
                key = (who, product, code)
                sold[key] = sold.get(key, 0) + int(minor)
                who = ABOVE[who]
        return {key: minor * self.ppm(key[0], key[1], day) // 10**6 for key, minor in sold.items()}


def _product(town: Town, terminal_id: bytes, sequence: int) -> str:
    (keeper,) = [one for one in town.keepers if one.device.terminal_id == terminal_id]
    ordered = [one.content[2] for one in keeper.orders if one.content[1] == sequence]
    return ordered[0] if ordered else "air50"


def day_of(at: int) -> str:
    """The day in that zone, from the number of days since 1970."""
    return (date(1970, 1, 1) + timedelta(days=(at + ZONE_S) // DAY_S)).isoformat()
