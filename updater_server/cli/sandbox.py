"""The operator's commands about the sandbox, where programs are tried: `sandbox`."""

from __future__ import annotations

from typing import Annotated

import typer

from updater_server import sandbox
from updater_server.cli.server import DatabaseUrl, begin
from updater_server.cli.shared import By, Data, OwnerUrl, acting, refusals, say, who
from updater_server.fleet.terminals import DEFAULT_CATALOGUE
from updater_server.service import Service

sandbox_cli = typer.Typer(no_args_is_help=True, help="Where programs are tried: nothing is real.")


@sandbox_cli.command("make")
def make_sandbox(data: Data, by: By, database_url: DatabaseUrl = "", owner: OwnerUrl = "") -> None:
    """Make a sandbox beside a server's books, or bring it up to date with the price lists. The
    server has it from its next start on.
    """
    with refusals():
        operator, folder = who(by), Service.open(data).folder
        inside = sandbox.place_of(folder)
        begin(inside, database_url, owner)[0].dispose()
        sandbox.share_prices(folder)
        made = sandbox.furnish(Service.open(inside.path), operator)
    say(f"sandbox: {inside.path}; sells {', '.join(made) or 'nothing: no price list has top-ups'}")


@sandbox_cli.command("program")
def add_program(
    name: Annotated[str, typer.Argument(help="Which program it is: letters, digits, dashes.")],
    data: Data,
    by: By,
    prices: Annotated[str, typer.Option(help="The price list of its till.")] = DEFAULT_CATALOGUE,
) -> None:
    """A program that may try everything in the sandbox: its till, its float, its token (shown
    once).
    """
    with refusals():
        inside = sandbox.place_of(Service.open(data).folder).path
    with acting(inside, by) as act:
        token = sandbox.add_program(
            act.service, act.connection, name, prices, act.operator, act.now
        )
    say(f"token: {token}")
