"""What the page shows, asked of the database in one reading: a handful of questions, whose cost
does not grow with the fleet. For `page`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Integer, cast, func, select

from updater_server.fleet import alarms, listing
from updater_server.fleet.alarms import Kind
from updater_server.sales import currency, ledger, vault
from updater_server.sales.currency import Currency
from updater_server.service import Service
from updater_server.store.engine import reading
from updater_server.store.tables import ledger_transaction, sale, stock_outcome

TERMINALS = 50
"""Shown at once."""
_DAY_S = 86400


@dataclass(frozen=True)
class SalesOfDay:
    """Since midnight UTC."""

    online: int
    online_minor: int
    """Their face values."""
    refused: int
    offline: int
    hours: list[int]
    """Sales of each hour, online and from stock, as they were posted."""


@dataclass(frozen=True)
class Figures:
    """One page's worth."""

    now: int
    wanted: listing.Wanted
    number: int
    """Of the page, from 1."""
    total: int
    on_trial: int
    matching: int
    terminals: list[dict[str, Any]]
    day: SalesOfDay
    alarms: list[dict[str, Any]]
    alarm_kinds: list[Kind]
    free: dict[str, int]
    """Vouchers in the vault, by product."""
    money: Currency


def look(service: Service, wanted: listing.Wanted, number: int) -> Figures:
    """What the page with the `number`th part of the terminals wanted shows now.

    Raises:
        InputError: nothing like that can be shown.
    """
    now = service.now()
    with reading(service.engine) as connection:
        total, on_trial = listing.counted(connection, listing.EVERY)
        matching = total
        if wanted != listing.EVERY:
            matching, _ = listing.counted(connection, wanted)
        skipped = (number - 1) * TERMINALS
        seen = listing.last_seen(connection, wanted, skipped, TERMINALS)
        return Figures(
            now=now,
            wanted=wanted,
            number=number,
            total=total,
            on_trial=on_trial,
            matching=matching,
            terminals=ledger.with_floats(connection, seen),
            day=_sales_of_day(connection, now),
            alarms=alarms.open_alarms(connection),
            alarm_kinds=alarms.kinds(connection),
            free=vault.free_counts(connection, now),
            money=currency.shown(connection, service.prices),
        )


def _sales_of_day(connection: Connection, now: int) -> SalesOfDay:
    start = now - now % _DAY_S
    online = connection.execute(
        select(
            sale.c.state, func.count().label("count"), func.sum(sale.c.amount_minor).label("sum")
        )
        .where(sale.c.created_at >= start)
        .group_by(sale.c.state)
    ).all()
    by_state = {state: (count, int(total or 0)) for state, count, total in online}
    offline = connection.scalar(
        select(func.count()).where(
            stock_outcome.c.created_at >= start, stock_outcome.c.outcome == "sold"
        )
    )
    hour = (ledger_transaction.c.created_at - start) / 3600  # `cast` cuts to whole ones
    posted = connection.execute(
        select(cast(hour, Integer), func.count())
        .where(
            ledger_transaction.c.created_at >= start,
            ledger_transaction.c.kind.in_(["sale", "stock_sale"]),
        )
        .group_by(cast(hour, Integer))
    )
    hours = [0] * 24
    for number, count in posted:
        hours[number % 24] += count
    online_count, online_minor = by_state.get("delivered", (0, 0))
    refused, _ = by_state.get("refused", (0, 0))
    return SalesOfDay(online_count, online_minor, refused, offline or 0, hours)
