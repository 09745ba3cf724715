"""The operator's commands about days: `day`. Closed, a day never changes."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from updater_server.cli.shared import By, Data, acting, out, refusals, say
from updater_server.errors import InputError
from updater_server.parties import days, rates
from updater_server.sales import currency
from updater_server.service import Service
from updater_server.store.engine import reading

day_cli = typer.Typer(no_args_is_help=True, help="Days, closed in your time zone.")


@day_cli.command("zone")
def set_zone(
    name: Annotated[str, typer.Argument(help="Like Africa/Nairobi.")], data: Data, by: By
) -> None:
    """Say once for ever in which time zone days begin."""
    with acting(data, by) as act:
        days.set_zone(act.connection, name, act.operator, act.now)
    say(f"days begin in {name}")


@day_cli.command("close")
def close_day(
    data: Data,
    by: By,
    day: Annotated[str, typer.Argument(help="Like 2026-12-01; nothing: all that are over.")] = "",
) -> None:
    """Post what parties earned on a day that is over. Closed already, it changes nothing."""
    if day:
        try:
            wanted = date.fromisoformat(day).isoformat()
        except ValueError:
            wanted = day
        _close(data, by, wanted)
        return
    closed = False
    while (following := _next_open(data)) is not None:
        _close(data, by, following)
        closed = True
    if not closed:
        say("no day is over that is not closed")


def _next_open(data: Path) -> str | None:
    with refusals():
        service = Service.open(data)
        with reading(service.engine) as connection:
            if days.zone(connection) is None:
                raise InputError("say first in which time zone days begin: day zone Africa/Nairobi")
            return days.next_open(connection, service.now())


def _close(data: Path, by: str, day: str) -> None:
    with acting(data, by) as act:
        found = days.close(act.connection, day, act.operator, act.now)
        known = currency.all_of(act.connection)
    table = Table("party", "product", "sold", "rate", "earned", title=f"{day}, closed")
    for share in found:
        money = known.get(share.currency, currency.UNKNOWN)
        table.add_row(
            share.party.code,
            share.product_id,
            money.show(share.sold_minor),
            rates.show(share.rate_ppm),
            money.show(share.share_minor),
        )
    out.print(table)


@day_cli.command("list")
def list_days(data: Data, limit: Annotated[int, typer.Option(min=1, max=10000)] = 30) -> None:
    """Days that are closed, newest first."""
    with refusals():
        service = Service.open(data)
        with reading(service.engine) as connection:
            known = currency.all_of(connection)
            found = days.newest(connection, limit)
    table = Table("day", "sold", "earned", "closed by")
    for row in found:
        money = known.get(row["currency"], currency.UNKNOWN)
        table.add_row(
            row["day"],
            money.show(row["sold_minor"] or 0),
            money.show(row["earned_minor"] or 0),
            escape(row["closed_by"]),
        )
    out.print(table)
