"""The operator's commands that move money between a merchant and us: of `terminal`, what changes
its float. Each says who did it, and carries a reference that counts once for ever.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from updater_server import words
from updater_server.cli.shared import (
    WRONG_INPUT,
    By,
    Data,
    Reason,
    Reference,
    Terminal,
    acting,
    out,
    refusals,
    refuse,
    say,
)
from updater_server.fleet import operators, terminals
from updater_server.sales import currency, deposits, ledger
from updater_server.service import Service
from updater_server.store.engine import reading

terminal_cli = typer.Typer(no_args_is_help=True, help="Terminals and their float.")

Amount = Annotated[str, typer.Argument(help='With its currency: "50000.50 KES".')]


def _booked(service: Service, row: dict[str, object]) -> None:
    with refusals(), reading(service.engine) as connection:
        terminal_id = row["terminal_id"]
        assert isinstance(terminal_id, bytes)
        money = currency.named(connection, str(row["currency"]))
        amount_minor, float_minor = row["amount_minor"], ledger.float_minor(connection, terminal_id)
    assert isinstance(amount_minor, int)
    say(
        f"{row['reference']}: {money.show(amount_minor)} for {terminal_id.hex()}, "
        f"by {row['posted_by']}, {words.minute(int(str(row['created_at'])))} UTC; "
        f"its float: {money.show(float_minor)}"
    )


def _deposit(
    terminal: str, amount: str, reference: str, data: Path, by: str, payback: bool
) -> None:
    with acting(data, by) as act:
        row = deposits.post(
            act.connection,
            act.service.prices,
            terminals.find(act.connection, terminal),
            amount,
            operators.reference(reference),
            act.operator,
            act.now,
            payback=payback,
        )
    _booked(act.service, row)


@terminal_cli.command("deposit")
def add_deposit(
    terminal: Terminal,
    amount: Amount,
    reference: Reference,
    data: Data,
    by: By,
) -> None:
    """A merchant brought money: his float grows. The reference is that of the slip."""
    _deposit(terminal, amount, reference, data, by, False)


@terminal_cli.command("payback")
def pay_back(
    terminal: Terminal,
    amount: Amount,
    reference: Reference,
    data: Data,
    by: By,
) -> None:
    """A merchant takes some of his float back."""
    _deposit(terminal, amount, reference, data, by, True)


@terminal_cli.command("undo")
def undo_deposit(
    reference: Annotated[str, typer.Argument(help="Of the deposit or payback that was wrong.")],
    data: Data,
    by: By,
    reason: Reason = "",
    below_zero: Annotated[
        bool, typer.Option("--below-zero", help="Even if the merchant has sold with it.")
    ] = False,
) -> None:
    """Take a deposit or payback back, by an entry of its own."""
    with acting(data, by) as act:
        key = operators.reference(reference)
        row = deposits.undo(
            act.connection, key, act.operator, reason, act.now, below_zero=below_zero
        )
    _booked(act.service, row)


@terminal_cli.command(
    "float",
    hidden=True,
    context_settings={
        "ignore_unknown_options": True,
        "allow_extra_args": True,
    },
)
def old_float(data: Annotated[Path | None, typer.Option("--data")] = None) -> None:
    """What `terminal deposit` and `terminal payback` were called."""
    refuse(
        'say `terminal deposit TERMINAL "50000.50 KES" --reference SLIP`, '
        "or `terminal payback` to pay out; see --help"
    )
    raise typer.Exit(WRONG_INPUT)


@terminal_cli.command("statement")
def show_statement(
    terminal: Terminal,
    data: Data,
    limit: Annotated[int, typer.Option(min=1, max=10000, help="How many, newest first.")] = 50,
) -> None:
    """A terminal's float, and its deposits, paybacks and undos with who posted them."""
    with refusals():
        service = Service.open(data)
        with reading(service.engine) as connection:
            terminal_id = terminals.find(connection, terminal)
            account = ledger.float_account(terminal_id)
            money = currency.of_holder(connection, service.prices, account)
            rows = deposits.statement(connection, terminal_id, limit)
            float_minor = ledger.float_minor(connection, terminal_id)
    say(f"float of {terminal_id.hex()}: {money.show(float_minor)}")
    table = Table("day", "reference", "amount", "float after", "by", "reason")
    for row in rows:
        table.add_row(
            words.day(row["created_at"]),
            escape(row["reference"]),
            money.figures(row["amount_minor"]),
            money.figures(row["float_after_minor"]),
            escape(row["posted_by"]),
            escape(row["reason"]),
        )
    out.print(table)
