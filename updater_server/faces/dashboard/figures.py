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
from updater_server.store.tables import ledger_transaction, sale, stock_outcome, terminal

TERMINALS = 50
"""Shown at once."""
_DAY_S = 86400


@dataclass(frozen=True)
class SalesOfDay:
    """Since midnight UTC."""

    online: int
    online_minor: dict[str, int]
    """Their face values, by currency."""
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
    """Of what has no currency of its own."""
    kept: dict[str, Currency]
    """What the books are kept in, by code."""


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
            kept=currency.all_of(connection),
        )


def _sales_of_day(connection: Connection, now: int) -> SalesOfDay:
    start = now - now % _DAY_S
    online = connection.execute(
        select(
            sale.c.state,
            terminal.c.currency,
            func.count().label("count"),
            func.sum(sale.c.amount_minor).label("sum"),
        )
        .join(terminal, terminal.c.id == sale.c.terminal_id)
        .where(sale.c.created_at >= start)
        .group_by(sale.c.state, terminal.c.currency)
        .order_by(terminal.c.currency)
    ).all()
    delivered = [row for row in online if row.state == "delivered"]
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
    return SalesOfDay(
        sum(row[2] for row in delivered),
        {row.currency: int(row.sum) for row in delivered},
        sum(row[2] for row in online if row.state == "refused"),
        offline or 0,
        hours,
    )
