"""The operator's commands about telephones that may ask by USSD: `telephone`."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table

from updater_server.cli.shared import By, Data, acting, out, refusals, say
from updater_server.parties import telephones, tree
from updater_server.service import Service
from updater_server.store.engine import reading

telephone_cli = typer.Typer(no_args_is_help=True, help="Telephones that may ask by USSD.")
Number = Annotated[str, typer.Argument(help="Like +254712345678.")]


@telephone_cli.command("add")
def add_telephone(
    number: Number,
    party: Annotated[str, typer.Argument(help="Whose: a party's code.")],
    data: Data,
    by: By,
) -> None:
    """Let a telephone ask for a party, or give it a new PIN. Shows the PIN, once."""
    with acting(data, by) as act:
        whose = tree.find(act.connection, party)
        pin = telephones.add(act.connection, number, whose, act.operator, act.now)
    say(f"PIN: {pin}")


@telephone_cli.command("withdraw")
def withdraw_telephone(number: Number, data: Data, by: By) -> None:
    """A telephone may ask no more."""
    with acting(data, by) as act:
        telephones.withdraw(act.connection, number, act.operator, act.now)
    say(f"{number} is told nothing any more")


@telephone_cli.command("list")
def list_telephones(data: Data) -> None:
    """Every telephone, and whose it is."""
    with refusals(), reading(Service.open(data).engine) as connection:
        rows = telephones.listing(connection)
    table = Table("number", "whose", "state")
    for row in rows:
        state = "withdrawn" if row["withdrawn_at"] is not None else "may ask"
        if row["withdrawn_at"] is None and row["wrong_pins"] >= telephones.PINS:
            state = "locked"
        table.add_row(row["number"], row["code"], state)
    out.print(table)
