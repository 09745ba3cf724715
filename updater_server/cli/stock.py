"""The operator's commands about stock for selling offline: `stock`. A batch carries a reference
that counts once for ever.
"""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table

from updater_server import words
from updater_server.cli.shared import By, Data, Reference, Terminal, acting, out, refusals, say
from updater_server.fleet import operators, terminals
from updater_server.sales import batches, returns, stock
from updater_server.service import Service
from updater_server.store.engine import reading

stock_cli = typer.Typer(no_args_is_help=True, help="Stock for selling offline.")


@stock_cli.command("assign")
def assign_stock(
    terminal: Terminal, product: str, count: int, reference: Reference, data: Data, by: By
) -> None:
    """Set vouchers aside for a terminal to sell offline; it fetches them at its next check-in."""
    with acting(data, by) as act:
        key, service = operators.reference(reference), act.service
        terminal_id = terminals.find(act.connection, terminal)
        batch_id = stock.assign(
            act.connection, service.key, service.prices, terminal_id, product, count, act.now,
            reference=key,
        )  # fmt: skip
        text = f"{key}: batch {batch_id}, {count} of {product}"
        operators.note(
            act.connection, act.operator, "stock assign", terminal_id.hex(), text, act.now
        )
    say(f"batch {batch_id}: {count} of {product} for {terminal_id.hex()}")


@stock_cli.command("recall")
def recall_stock(
    batch: Annotated[int, typer.Argument(help="As `stock show` names it.")], data: Data, by: By
) -> None:
    """Take back a batch: it is offered no more, and a terminal that has it stops selling it."""
    with acting(data, by) as act:
        owner, told = batches.recall(act.connection, batch, act.operator, act.now)
        text = f"batch {batch}; {told}"
        operators.note(act.connection, act.operator, "stock recall", owner.hex(), text, act.now)
    say(f"batch {batch} is recalled; {told}")


@stock_cli.command("show")
def show_stock(terminal: Terminal, data: Data) -> None:
    """What became of the stock of a terminal, and the serials that need a person."""
    with refusals(), reading(Service.open(data).engine) as connection:
        terminal_id = terminals.find(connection, terminal)
        found = returns.places(connection, terminal_id)
    table = Table("batch", "product", "what became of them")
    batches: dict[tuple[int, str], dict[str, int]] = {}
    for place in found:
        counts = batches.setdefault((place.batch_id, place.product_id), {})
        counts[place.state] = counts.get(place.state, 0) + 1
    for (batch_id, product), counts in batches.items():
        states = ", ".join(f"{count} {state}" for state, count in counts.items())
        table.add_row(str(batch_id), product, states)
    out.print(table)
    for place in found:
        if place.state in ("passed", "next", "aside"):
            say(
                f"batch {place.batch_id}, {place.product_id} {place.serial}: {place.state}, "
                f"expires {words.day(place.expires_at)}"
            )


@stock_cli.command("return")
def return_stock(
    terminal: Terminal,
    data: Data,
    by: By,
    wiped: Annotated[
        bool, typer.Option("--wiped", help="Its keys and stock are destroyed (`tech retire`).")
    ] = False,
    unused: Annotated[
        list[str] | None,
        typer.Option(help="A serial that the supplier says nobody loaded (repeatable)."),
    ] = None,
    note: Annotated[str, typer.Option(help="Why, or who said so; it is kept.")] = "",
) -> None:
    """Take unsold vouchers of a terminal back to the vault: batches that it never fetched, and of a
    blocked and wiped one what it never opened.
    """
    with acting(data, by) as act:
        terminal_id = terminals.find(act.connection, terminal)
        came = returns.give_back(
            act.connection, terminal_id, act.operator, note, act.now,
            wiped=wiped, unused=unused or (),
        )  # fmt: skip
        left = [
            place
            for place in returns.places(act.connection, terminal_id)
            if place.state in ("passed", "next", "unopened")
        ]
    say(f"{len(came)} vouchers of {terminal_id.hex()} came back to the vault")
    if left:
        say(f"{len(left)} did not: `stock show {terminal_id.hex()}` says why")
