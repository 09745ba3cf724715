"""The operator's commands about technicians: `technician`. Each says who decided it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from rich.markup import escape
from rich.table import Table
from sqlalchemy import Connection

from updater_server.command_line import By, Data, out, refusals, say, who
from updater_server.database import reading, writing
from updater_server.fleet import technicians
from updater_server.sales import currency
from updater_server.service import Service

technician_cli = typer.Typer(no_args_is_help=True, help="Who may enrol terminals.")
T = TypeVar("T")


@technician_cli.command("add")
def add_technician(
    name: str,
    data: Data,
    by: By,
    role: Annotated[
        str, typer.Option(help="bench: enrols and repairs; office: reads the fleet as well.")
    ] = technicians.BENCH,
) -> None:
    """A token for one more technician, shown once."""
    token = _decide(data, by, lambda *how: technicians.add(how[0], name, role, *how[1:]))
    say(f"technician token: {token}")


@technician_cli.command("list")
def list_technicians(data: Data) -> None:
    """Every technician, what the token opens, and what may still be handed out as float."""
    with refusals():
        service = Service.open(data)
        with reading(service.engine) as connection:
            known = technicians.listing(connection)
            money = currency.shown(connection, service.prices)
    table = Table("technician", "role", "state", "allowance", "a day", title="Technicians")
    for item in known:
        table.add_row(
            escape(item["name"]),
            item["role"],
            "withdrawn" if item["withdrawn_at"] is not None else "in force",
            money.show(item["allowance_minor"]),
            str(item["daily_limit"]),
        )
    out.print(table)


@technician_cli.command("withdraw")
def withdraw_technician(name: str, data: Data, by: By) -> None:
    """Take a token back, at once: it was lost or stolen, or its holder has left."""
    _decide(data, by, lambda *how: technicians.withdraw(how[0], name, *how[1:]))
    say(f"the token of {name} opens nothing any more")


@technician_cli.command("renew")
def renew_technician(name: str, data: Data, by: By) -> None:
    """Another token for a technician, shown once; the old one opens nothing any more."""
    token = _decide(data, by, lambda *how: technicians.renew(how[0], name, *how[1:]))
    say(f"technician token: {token}")


@technician_cli.command("role")
def technician_role(name: str, role: str, data: Data, by: By) -> None:
    """Change what a technician's token opens: bench or office."""
    _decide(data, by, lambda *how: technicians.set_role(how[0], name, role, *how[1:]))
    say(f"{name} has the role {role}")


@technician_cli.command("allow")
def allow_float(
    name: str,
    amount: Annotated[str, typer.Argument(help='In all, with its currency: "50000.50 KES"; or 0.')],
    data: Data,
    by: By,
) -> None:
    """Set what a technician may still hand out as opening floats. Said twice, it counts once."""
    with refusals():
        service = Service.open(data)
        with reading(service.engine) as connection:
            money = currency.shown(connection, service.prices)
        amount_minor = 0 if amount.strip() == "0" else money.parse(amount)
    _decide(data, by, lambda *how: technicians.allow_float(how[0], name, amount_minor, *how[1:]))
    say(f"{name} may hand out {money.show(amount_minor)} more as opening floats")


@technician_cli.command("limit")
def limit_technician(
    name: str,
    a_day: Annotated[int, typer.Argument(help="Enrolments, and permits, within a day.")],
    data: Data,
    by: By,
) -> None:
    """Set how many enrolments and permits a token may ask for within a day."""
    _decide(data, by, lambda *how: technicians.set_daily_limit(how[0], name, a_day, *how[1:]))
    say(f"{name} may ask for {a_day} enrolments and permits a day")


def _decide(data: Path, by: str, change: Callable[[Connection, str, int], T]) -> T:
    """Carry out an operator's decision about a technician, with their name."""
    with refusals():
        operator = who(by)
        service = Service.open(data)
        with writing(service.engine) as connection:
            return change(connection, operator, service.now())
    raise AssertionError("refusals() ends the program")
