"""The operator's commands about programs that use the API: `token`."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from updater_server.cli.shared import By, Data, acting, out, refusals, say
from updater_server.faces.requests import hexadecimal
from updater_server.parties import tokens, tree
from updater_server.service import Service
from updater_server.store.engine import reading

token_cli = typer.Typer(no_args_is_help=True, help="Tokens of programs that use the API.")


@token_cli.command("add")
def add_token(
    name: Annotated[str, typer.Argument(help="Which program it is.")],
    data: Data,
    by: By,
    party: Annotated[str, typer.Option(help="Whose: a party's code; nothing: ours.")] = "",
    move: Annotated[bool, typer.Option("--move", help="It may move money.")] = False,
    till: Annotated[
        str, typer.Option(help="By which till it sells: a terminal of the class `program`.")
    ] = "",
) -> None:
    """A token for a program, shown once. It reaches a party and all that stands under it."""
    with acting(data, by) as act:
        whose = tree.find(act.connection, party) if party else None
        token = tokens.add(
            act.connection, name, whose, move, act.operator, act.now,
            hexadecimal(till, "--till") if till else None,
        )  # fmt: skip
    say(f"token: {token}")


@token_cli.command("withdraw")
def withdraw_token(name: str, data: Data, by: By) -> None:
    """Take a program's token back, at once."""
    with acting(data, by) as act:
        tokens.withdraw(act.connection, name, act.operator, act.now)
    say(f"the token of {name} opens nothing any more")


@token_cli.command("list")
def list_tokens(data: Data) -> None:
    """Every token, whose it is and what it may do."""
    with refusals():
        service = Service.open(data)
        with reading(service.engine) as connection:
            found = tokens.listing(connection)
    table = Table("token", "whose", "may", "state")
    for item in found:
        table.add_row(
            escape(item["name"]),
            item["code"] or "ours",
            "read and move" if item["may_move"] else "read",
            "withdrawn" if item["withdrawn_at"] is not None else "in force",
        )
    out.print(table)
