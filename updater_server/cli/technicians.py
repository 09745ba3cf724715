"""The operator's commands about technicians: `technician`. Each says who decided it."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from updater_server.cli.shared import By, Data, acting, out, refusals, say
from updater_server.fleet import technicians
from updater_server.sales import currency
from updater_server.service import Service
from updater_server.store.engine import reading

technician_cli = typer.Typer(no_args_is_help=True, help="Who may enrol terminals.")


@technician_cli.command("add")
def add_technician(
    name: str,
    data: Data,
    by: By,
    role: Annotated[
        str,
        typer.Option(
            help="bench: enrols and repairs; office: reads the fleet as well; viewer: sees the "
            "board; release: halts there, too."
        ),
    ] = technicians.BENCH,
) -> None:
    """A token for one more technician, shown once."""
    with acting(data, by) as act:
        token = technicians.add(act.connection, name, role, act.operator, act.now)
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
    with acting(data, by) as act:
        technicians.withdraw(act.connection, name, act.operator, act.now)
    say(f"the token of {name} opens nothing any more")


@technician_cli.command("renew")
def renew_technician(name: str, data: Data, by: By) -> None:
    """Another token for a technician, shown once; the old one opens nothing any more."""
    with acting(data, by) as act:
        token = technicians.renew(act.connection, name, act.operator, act.now)
    say(f"technician token: {token}")


@technician_cli.command("role")
def technician_role(name: str, role: str, data: Data, by: By) -> None:
    """Change what a technician's token opens: bench, office, viewer or release."""
    with acting(data, by) as act:
        technicians.set_role(act.connection, name, role, act.operator, act.now)
    say(f"{name} has the role {role}")


@technician_cli.command("allow")
def allow_float(
    name: str,
    amount: Annotated[str, typer.Argument(help='In all, with its currency: "50000.50 KES"; or 0.')],
    data: Data,
    by: By,
) -> None:
    """Set what a technician may still hand out as opening floats. Said twice, it counts once."""
    with acting(data, by) as act:
        money = currency.shown(act.connection, act.service.prices)
        amount_minor = 0 if amount.strip() == "0" else money.parse(amount)
        technicians.allow_float(act.connection, name, amount_minor, act.operator, act.now)
    say(f"{name} may hand out {money.show(amount_minor)} more as opening floats")


@technician_cli.command("limit")
def limit_technician(
    name: str,
    a_day: Annotated[int, typer.Argument(help="Enrolments, and permits, within a day.")],
    data: Data,
    by: By,
) -> None:
    """Set how many enrolments and permits a token may ask for within a day."""
    with acting(data, by) as act:
        technicians.set_daily_limit(act.connection, name, a_day, act.operator, act.now)
    say(f"{name} may ask for {a_day} enrolments and permits a day")
