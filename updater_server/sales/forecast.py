"""How long the vault lasts, product by product, at the pace at which it went. For `cli.worker` and
the command line.
"""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Connection, func, select

from updater_server.fleet.alarms import raise_alarm, settle
from updater_server.sales import vault
from updater_server.store.tables import sale, stock_batch

LOW = "low_stock"
_DAY_S = 86400
LOOK_BACK_DAYS = 7
LOW_DAYS = 3
"""A delivery that is asked for now is here in time."""


class Lasting(NamedTuple):
    """One product: vouchers that can be sold, and how many left the vault in a day."""

    product_id: str
    free: int
    a_day: float

    @property
    def days(self) -> float | None:
        """How long they last; None: nobody wants them."""
        return self.free / self.a_day if self.a_day else None

    @property
    def is_low(self) -> bool:
        """Whether somebody must order."""
        return self.days is not None and self.days < LOW_DAYS


def look(connection: Connection, now: int) -> list[Lasting]:
    """Every product that is in the vault or left it lately, the scarcest first."""
    since = now - LOOK_BACK_DAYS * _DAY_S
    gone: dict[str, int] = {}
    sold = (
        select(sale.c.product_id, func.count())
        .where(sale.c.created_at > since, sale.c.state == "delivered")
        .group_by(sale.c.product_id)
    )
    assigned = (
        select(stock_batch.c.product_id, func.sum(stock_batch.c["count"]))
        .where(stock_batch.c.created_at > since, stock_batch.c.withdrawn_at.is_(None))
        .group_by(stock_batch.c.product_id)
    )
    for query in (sold, assigned):
        for product_id, count in connection.execute(query):
            gone[product_id] = gone.get(product_id, 0) + int(count)
    free = vault.free_counts(connection, now)
    found = [
        Lasting(product_id, free.get(product_id, 0), gone.get(product_id, 0) / LOOK_BACK_DAYS)
        for product_id in sorted(free.keys() | gone.keys())
    ]
    never = float("inf")
    return sorted(found, key=lambda one: never if one.days is None else one.days)


def watch(connection: Connection, now: int) -> None:
    """Raise an alarm for each product that runs low; what was brought in closes it.

    Sold out is another alarm (`no_vouchers`), raised by who asks in vain.
    """
    low = [_words(one) for one in look(connection, now) if one.is_low and one.free]
    settle(connection, [LOW], low, now)
    for text in low:
        raise_alarm(connection, None, LOW, text, now)


def _words(one: Lasting) -> str:
    """The same from look to look while it is so: who was told is not told again."""
    return f"vouchers of {one.product_id} last less than {LOW_DAYS} days: order some"
