"""What the operator may read of the whole shop: `check`, `report`, `audit`. They change nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import typer
from rich.table import Table
from sqlalchemy import Connection
from sqlalchemy.exc import DatabaseError

from updater_server import words
from updater_server.cli.shared import Data, err, out, refusals, say
from updater_server.errors import BusyError
from updater_server.fleet import alarms, listing, operators, terminals
from updater_server.fleet.alarms import Kind
from updater_server.sales import check_points, checks, currency, ledger, returns, vault
from updater_server.sales.currency import Currency
from updater_server.service import Service
from updater_server.store import engine as database
from updater_server.store.engine import reading, writing


@dataclass(frozen=True)
class _Seen:
    """What `report` shows, of one reading."""

    now: int
    money: Currency
    kept: dict[str, Currency]
    terminals: list[dict[str, Any]]
    matching: int
    alarms: list[dict[str, Any]]
    alarm_kinds: list[Kind]
    free: dict[str, int]
    aside: dict[tuple[str, str], int]
    passed: dict[bytes, int]
    balances: dict[str, list[str]]


def check(
    data: Data,
    full: Annotated[bool, typer.Option("--full", help="From the beginning.")] = False,
) -> None:
    """Ask the database whether the money adds up; exit status 1 if not.

    From where the last check found all of it right, or the whole of it.
    """
    with refusals():
        service = Service.open(data)
        with reading(service.engine, still=True) as connection:
            since, at, why = check_points.newest(connection, service.key)
            if full:
                since, at = checks.BEGINNING, None
            elif why:
                out.print(f"{why}: the whole is checked")
            damage = None
            if at is None:
                damage = database.damage(connection)
            found = (
                [f"the database is damaged: {damage}"]
                if damage
                else checks.problems(connection, since)
            )
            reached = None if found else checks.now(connection, since)
        if reached is not None and reached != since:
            _note(service, reached)
    for problem in found:
        err.print(f"[red]✗[/red] {problem}", highlight=False)
    if found:
        raise typer.Exit(1)
    whence = f" (since {words.day(at)}, when all of it did)" if at is not None else ""
    out.print(f"the ledger, the vault and the journals agree{whence}")


def _note(service: Service, reached: checks.Point) -> None:
    """Close the books at this point; if that cannot be, the next check begins where this did."""
    try:
        with writing(service.engine) as connection:
            check_points.close(connection, service.key, reached, service.now())
    except (BusyError, DatabaseError) as error:
        err.print(f"not noted, the next check begins where this one did: {error}", markup=False)


def report(
    data: Data,
    prefix: Annotated[str, typer.Option(help="Terminals whose id begins so.")] = "",
    only: Annotated[str, typer.Option(help="trial, failed, blocked or silent.")] = "",
    count: Annotated[int, typer.Option(min=1, max=500, help="Terminals shown.")] = 50,
) -> None:
    """Open alarms, terminals last seen, and balances, as tables."""
    with refusals():
        service = Service.open(data)
        with reading(service.engine) as connection:
            seen = _look(connection, service, listing.Wanted(prefix, only), count)
    for item in seen.alarms:
        owner = item["terminal_id"].hex() if item["terminal_id"] else "server"
        out.print(f"alarm {item['id']}: {item['code']} {owner}: {item['text']}", markup=False)
    out.print(_terminals(seen))
    if seen.matching > len(seen.terminals):
        more = seen.matching - len(seen.terminals)
        out.print(f"{more} more: ask for them with --prefix, --only, --count")
    accounts = Table("account", "balance", title="Ledger")
    for name, balances in seen.balances.items():
        accounts.add_row(name, "\n".join(balances))
    out.print(accounts)
    shelf = Table("product", "free", title="Vault")
    for product, free in seen.free.items():
        shelf.add_row(product, str(free))
    out.print(shelf)
    for (product, reason), number in seen.aside.items():
        out.print(f"{number} of {product} are set aside: {reason}", highlight=False)
    for terminal_id, number in seen.passed.items():
        out.print(f"{terminal_id.hex()} passed {number} vouchers over: see `stock show`")
    for kind in seen.alarm_kinds:
        out.print(f"{kind.alarms} open: {kind.code}, raised {kind.raised} times", markup=False)


def _look(connection: Connection, service: Service, wanted: listing.Wanted, count: int) -> _Seen:
    now = service.now()
    kinds = alarms.kinds(connection)
    found = listing.last_seen(connection, wanted, limit=count)
    matching, _ = listing.counted(connection, wanted)
    return _Seen(
        now=now,
        money=currency.shown(connection, service.prices),
        kept=currency.all_of(connection),
        terminals=ledger.with_floats(connection, found),
        matching=matching,
        alarms=alarms.open_alarms(connection, limit=sum(kind.alarms for kind in kinds)),
        alarm_kinds=kinds,
        free=vault.free_counts(connection, now),
        aside=vault.aside_counts(connection),
        passed=returns.passed_counts(connection),
        balances={
            name: [
                money.show(ledger.balance(connection, name, money.code))
                for money in currency.all_of(connection).values() or [currency.UNKNOWN]
            ]
            for name in (ledger.BANK, ledger.VOUCHER_SALES, ledger.COMMISSION)
        },
    )


def _terminals(seen: _Seen) -> Table:
    table = Table("terminal", "release", "slot", "state", "last seen", "float", title="Terminals")
    for item in seen.terminals:
        state = "" if item["trial"] is None else "trial" if item["trial"] else "confirmed"
        table.add_row(
            item["id"].hex(),
            str(item["release"] or "–"),
            item["slot"] or "–",
            state,
            words.ago(item["last_seen_at"], seen.now),
            seen.kept.get(item["currency"], seen.money).show(item["float_minor"])
            if len(seen.kept) > 1
            else seen.money.figures(item["float_minor"]),
        )
    return table


def audit(
    data: Data,
    subject: Annotated[
        str, typer.Argument(help="A terminal, or `import 3`; nothing for all.")
    ] = "",
    limit: Annotated[int, typer.Option(min=1, max=10000)] = 50,
) -> None:
    """Who did what at this command line, newest first."""
    with refusals(), reading(Service.open(data).engine) as connection:
        wanted = subject.strip() or None
        if wanted and not wanted.startswith(("import", "alarm")):
            wanted = terminals.find(connection, wanted).hex()
        found = operators.newest(connection, wanted, limit)
    for item in found:
        say(
            f"{words.minute(item['at'])} {item['operator']}: {item['action']} {item['subject']}"
            + (f" ({item['details']})" if item["details"] else "")
        )
