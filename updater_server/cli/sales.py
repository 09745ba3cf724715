"""The operator's commands about past sales: `sales`."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table
from sqlalchemy import Connection

from updater_server import words
from updater_server.cli.shared import By, Data, acting, out, refusals, say
from updater_server.errors import InputError
from updater_server.fleet import terminals
from updater_server.parties import days, statements, tree
from updater_server.sales import currency, ledger, shifts
from updater_server.sales.people import Sellers
from updater_server.service import Service
from updater_server.store.engine import reading
from updater_server.views import counts, fold, keeping, log, sellers

sales_cli = typer.Typer(no_args_is_help=True, help="Past sales, and how many there were.")
_GIVEN = "Of this {}."


@sales_cli.command("log")
def show_log(
    data: Data,
    merchant: Annotated[str, typer.Option(help=_GIVEN.format("party's terminals"))] = "",
    recipient: Annotated[str, typer.Option(help=_GIVEN.format("number"))] = "",
    serial: Annotated[str, typer.Option(help=_GIVEN.format("voucher"))] = "",
    reference: Annotated[str, typer.Option(help=_GIVEN.format("reference of a supplier's"))] = "",
    day: Annotated[str, typer.Option(help="Of this day: like 2026-12-01.")] = "",
    before: Annotated[str, typer.Option(help="Those behind a page: its last line says it.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=log.PAGE_ROWS)] = 50,
) -> None:
    """Sales and what was given back, newest first; a minute behind at most, with a worker."""
    given = {"party_id": merchant, "recipient": recipient, "serial": serial}
    given["supplier_reference"] = reference
    with refusals(), reading(Service.open(data).engine) as connection:
        wanted = _wanted(connection, given, day, before)
        rows = log.page(connection, wanted, limit)
        money = currency.all_of(connection)
    table = Table(
        "when", "what", "terminal", "sale", "by", "product", "face", "serial", "to", "reference"
    )
    for row in rows:
        shown = money.get(row["currency"], currency.UNKNOWN)
        table.add_row(
            words.minute(row["at"]),
            row["kind"].replace("_", " "),
            row["terminal_id"].hex(),
            str(row["sequence"]),
            escape(row["seller"]),
            row["product_id"],
            shown.show(row["face_minor"]),
            *(escape(row[name] or "") for name in ("serial", "recipient", "supplier_reference")),
        )
    out.print(table)
    if len(rows) == limit:
        say(f"more: --before {rows[-1]['at']}-{rows[-1]['id']}")


def _wanted(connection: Connection, given: dict[str, str], day: str, before: str) -> log.Wanted:
    named = {way: value for way, value in given.items() if value}
    if len(named) > 1:
        raise InputError("by one thing at a time")
    way, value = next(iter(named.items()), ("", ""))
    found: dict[str, Any] = {"way": way, "value": value}
    if way == "party_id":
        found["value"] = tree.find(connection, value).id
    if day:
        zone = days.zone(connection) or statements.UTC_ZONE
        found["since"], found["until"] = days.bounds(day, zone)
    if before:
        at, _, row_id = before.partition("-")
        if not (at.isdigit() and row_id.isdigit() and len(before) < 40):
            raise InputError(f"--before {before[:40]!r}: as a page's last line says it")
        found["before"] = (int(at), int(row_id))
    return log.Wanted(**found)


@sales_cli.command("counts")
def show_counts(
    data: Data,
    first_day: Annotated[str, typer.Option("--from", help="The first day.")],
    last_day: Annotated[str, typer.Option("--to", help="The last.")],
    each: Annotated[str, typer.Option(help="hour or day.")] = "day",
    by: Annotated[list[str] | None, typer.Option(help=f"{', '.join(counts.BY)} (repeat).")] = None,
    kind: Annotated[str, typer.Option("--as", help="json or csv.")] = "csv",
) -> None:
    """How much was sold, for a program or a spreadsheet. Money in minor units."""
    with refusals(), reading(Service.open(data).engine) as connection:
        if kind not in ("json", "csv"):
            raise InputError("--as json, or csv")
        found = counts.rows(connection, first_day, last_day, each, by or [])
    typer.echo(counts.as_json(found) if kind == "json" else counts.as_csv(found), nl=False)


@sales_cli.command("people")
def show_people(
    data: Data,
    terminal_id: Annotated[str, typer.Argument(help="Whose people.")],
    first_day: Annotated[str, typer.Option("--from", help="The first day.")],
    last_day: Annotated[str, typer.Option("--to", help="The last.")],
) -> None:
    """What each person at a terminal sold; what was given back is taken off."""
    with refusals(), reading(Service.open(data).engine) as connection:
        asked = terminals.parse_terminal_id(terminal_id)
        zone = days.zone(connection) or statements.UTC_ZONE
        since, until = days.bounds(first_day, zone)[0], days.bounds(last_day, zone)[1]
        rows = sellers.sold(connection, asked, since, until)
        money = currency.all_of(connection)
    table = Table("person", "name", "currency", "sales", "face", "commission")
    for row in rows:
        shown = money.get(row.currency, currency.UNKNOWN)
        amounts = (shown.show(row.face_minor), shown.show(row.commission_minor))
        name = escape(row.name)
        table.add_row(str(row.person or ""), name, row.currency, str(row.number), *amounts)
    out.print(table)


@sales_cli.command("z-reports")
def show_z_reports(
    data: Data,
    terminal_id: Annotated[str, typer.Argument(help="Whose Z reports.")],
    limit: Annotated[int, typer.Option(min=1, max=shifts.MOST)] = 31,
) -> None:
    """Z reports as the terminal printed them, and what differs from journal and ledger."""
    with refusals(), reading(Service.open(data).engine) as connection:
        asked = terminals.find(connection, terminal_id)
        found = shifts.z_reports(connection, asked, limit)
        money = currency.named(connection, ledger.currency_of(connection, asked))
    table = Table("number", "made", "records", "sales", "total", "commission", "digest")
    for one in found:
        table.add_row(
            str(one.number),
            words.minute(one.time),
            f"{one.first} - {one.sequence - 1}",
            str(one.said.sales),
            money.show(one.said.total_minor),
            money.show(one.said.commission_minor),
            one.digest.hex(),
        )
    out.print(table)
    for one in found:
        for differs in one.differs:
            say(f"Z report {one.number}: {differs}")


@sales_cli.command("shifts")
def show_shifts(
    data: Data,
    terminal_id: Annotated[str, typer.Argument(help="Whose shifts.")],
    limit: Annotated[int, typer.Option(min=1, max=shifts.MOST)] = 31,
) -> None:
    """Shifts at a terminal: who, cash counted against expected, and what differs here."""
    with refusals(), reading(Service.open(data).engine) as connection:
        asked = terminals.find(connection, terminal_id)
        found = shifts.shifts(connection, asked, limit)
        called = Sellers(connection).called
        names = [called(asked, one.person, one.number) for one in found]
        money = currency.named(connection, ledger.currency_of(connection, asked))
    table = Table("who", "opened", "closed", "at start", "expected", "counted", "short")
    for one, name in zip(found, names, strict=True):
        end = ["still open", "", "", ""]
        if one.closed_at is not None:
            expected, counted = one.expected_minor or 0, one.counted_minor or 0
            end = [words.minute(one.closed_at)]
            end += [money.show(minor) for minor in (expected, counted, expected - counted)]
        closed, *sums = end
        start = money.show(one.cash_minor)
        table.add_row(escape(name), words.minute(one.opened_at), closed, start, *sums)
    out.print(table)
    for one, name in zip(found, names, strict=True):
        for differs in one.differs:
            say(f"shift of {name}, {words.minute(one.opened_at)}: {differs}")


@sales_cli.command("keep")
def keep(
    data: Data,
    by: By,
    months: Annotated[
        int | None, typer.Argument(help="Whole months before this one; 0: all of them.")
    ] = None,
) -> None:
    """How far back log and counts go, or that they are to go back so far. The ledger is for ever;
    the worker takes the rows away, in pieces.
    """
    with acting(data, by) as act:
        if months is not None:
            keeping.set_months(act.connection, months, act.operator, act.now)
        kept = keeping.kept(act.connection)
        zone = days.zone(act.connection) or statements.UTC_ZONE
    how = "all that was ever sold" if kept.months is None else f"{kept.months} months and this one"
    since = f", from {days.day_of(kept.since, zone)} on" if kept.since else ""
    say(f"log and counts keep {how}{since}")


@sales_cli.command("rebuild")
def rebuild(data: Data) -> None:
    """Make log and counts anew from the ledger, as far back as they are kept; they come out as they
    were.
    """
    with refusals():
        service = Service.open(data)
        say(f"{fold.rebuild(service.engine, service.now())} rows")
