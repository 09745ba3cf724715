"""The operator's commands about who owns what: `party`. Each says who decided it, and what moves
money carries a reference that counts once for ever.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table
from sqlalchemy import Connection

from updater_server.cli.shared import (
    By,
    Data,
    Reason,
    Reference,
    Terminal,
    acting,
    out,
    refusals,
    say,
)
from updater_server.errors import InputError
from updater_server.fleet import operators, terminals
from updater_server.parties import days, movements, rates, statements, tree
from updater_server.parties.movements import Order
from updater_server.sales import currency, ledger
from updater_server.sales.currency import Currency
from updater_server.service import Service
from updater_server.store.engine import reading

party_cli = typer.Typer(
    no_args_is_help=True, help="Distributors, agents and merchants: floats, rates, statements."
)

Code = Annotated[str, typer.Argument(help="The party's code.")]
Amount = Annotated[str, typer.Argument(help='With its currency: "50000.50 KES".')]
Day = Annotated[str, typer.Argument(help="Like 2026-12-01.")]


@party_cli.command("add")
def add_party(
    code: Code,
    name: Annotated[str, typer.Argument(help="As people know it.")],
    data: Data,
    by: By,
    kind: Annotated[str, typer.Option(help="distributor, agent or merchant.")] = "merchant",
    under: Annotated[str, typer.Option(help="The code of its parent; nothing: ourselves.")] = "",
) -> None:
    """Take on a distributor, an agent or a merchant. It stays where it was put."""
    with acting(data, by) as act:
        made = tree.add(act.connection, code, name, kind, under, act.operator, act.now)
    say(f"{made.code}: {made.kind} {made.name}")


@party_cli.command("list")
def list_parties(data: Data) -> None:
    """Who stands under whom, with their floats and credits."""
    with refusals():
        service = Service.open(data)
        with reading(service.engine) as connection:
            kept = list(currency.all_of(connection).values())
            kept = kept or [currency.shown(connection, service.prices)]
            known = tree.all_parties(connection)
            held = {one.id: _figures(connection, one, kept, service.now()) for one in known}
    table = Table("party", "name", "float", "credit")

    def show(parent_id: int | None, depth: int) -> None:
        for one in known:
            if one.parent_id == parent_id:
                table.add_row(
                    f"{'  ' * depth}{one.code} ({one.kind})",
                    escape(one.name),
                    *held[one.id],
                )
                show(one.id, depth + 1)

    show(None, 0)
    out.print(table)


def _figures(
    connection: Connection, one: tree.Party, kept: list[Currency], now: int
) -> tuple[str, str]:
    """Its floats and its credits, a line for each currency."""
    floats, credits = [], []
    for money in kept:
        float_minor = ledger.balance_of_float(connection, one.account, money.code)
        credit = movements.credit_minor(connection, one.id, now, money.code)
        if float_minor or credit or money is kept[0]:
            floats.append(money.figures(float_minor) if len(kept) == 1 else money.show(float_minor))
            credits.append(money.figures(credit) if credit else "")
    return "\n".join(floats), "\n".join(credits)


@party_cli.command("region")
def set_region(
    code: Code, region: Annotated[str, typer.Argument(help="Its name.")], data: Data, by: By
) -> None:
    """Where a party is, and all under it that say nothing else; sales are counted by it."""
    with acting(data, by) as act:
        tree.set_region(
            act.connection, tree.find(act.connection, code), region, act.operator, act.now
        )
    say(f"{code}: {region.strip()}")


@party_cli.command("own")
def own_terminal(terminal: Terminal, code: Code, data: Data, by: By) -> None:
    """From now on this terminal is that merchant's."""
    with acting(data, by) as act:
        terminal_id = terminals.find(act.connection, terminal)
        owner = tree.find(act.connection, code)
        tree.give_terminal(act.connection, terminal_id, owner, act.operator, act.now)
    say(f"{terminal_id.hex()} is {owner.code}'s")


@party_cli.command("rate")
def set_rate(
    code: Code,
    rate: Annotated[str, typer.Argument(help='Of the face value: "0.5%".')],
    data: Data,
    by: By,
    first_day: Annotated[str, typer.Option("--from", help="The first day, like 2026-12-01.")],
    product: Annotated[str, typer.Option(help="This product only.")] = "",
) -> None:
    """What a party earns on what is sold under it, paid when a day is closed."""
    with acting(data, by) as act:
        who = tree.find(act.connection, code)
        rate_ppm = rates.parse(rate)
        rates.add(act.connection, who, product or None, rate_ppm, first_day, act.operator, act.now)
    say(f"{who.code} earns {rates.show(rate_ppm)} of {product or 'everything'} from {first_day} on")


@party_cli.command("credit")
def set_credit(
    code: Code,
    amount: Annotated[str, typer.Argument(help='With its currency: "50000.50 KES"; or 0.')],
    data: Data,
    by: By,
    until: Annotated[str, typer.Option(help="The last day on which it may be used.")],
    reason: Reason = "",
) -> None:
    """How far below zero a float may go, and until when; it replaces what was allowed before."""
    with acting(data, by) as act:
        who = tree.find(act.connection, code)
        code = "" if amount.strip() == "0" else amount.strip()[-3:]
        money = currency.of_holder(act.connection, act.service.prices, who.account, code)
        minor = 0 if amount.strip() == "0" else money.parse(amount)
        zone = days.zone(act.connection) or statements.UTC_ZONE
        _, ends = days.bounds(until, zone)
        order = Order(amount, "", act.operator, act.now)
        movements.set_credit(act.connection, who, minor, ends, reason, order, money.code)
    say(f"the float of {who.code} may go to {money.show(-minor)} until the end of {until}")


def _say(data: Path, row: dict[str, Any], name: str, account: str) -> None:
    with refusals():
        service = Service.open(data)
        with reading(service.engine) as connection:
            money = currency.named(connection, row["currency"])
            after = ledger.balance_of_float(connection, account, money.code)
    say(
        f"{row['reference']}: {row['kind']} of {money.show(row['amount_minor'])}, "
        f"by {row['posted_by']}; float of {name}: {money.show(after)}"
    )


@party_cli.command("deposit")
def deposit(
    code: Code,
    amount: Amount,
    reference: Reference,
    data: Data,
    by: By,
    bank_line: Annotated[str, typer.Option(help="The line of the bank's statement.")] = "",
) -> None:
    """A party paid in. The reference is that of the slip."""
    with acting(data, by) as act:
        who = tree.find(act.connection, code)
        key = operators.reference(reference)
        order = Order(amount, key, act.operator, act.now, bank_line)
        row = movements.deposit(act.connection, act.service.prices, who, order)
    _say(data, row, who.code, who.account)


@party_cli.command("payback")
def payback(code: Code, amount: Amount, reference: Reference, data: Data, by: By) -> None:
    """A party takes some of its float back."""
    with acting(data, by) as act:
        who = tree.find(act.connection, code)
        order = Order(amount, operators.reference(reference), act.operator, act.now)
        row = movements.payback(act.connection, act.service.prices, who, order)
    _say(data, row, who.code, who.account)


@party_cli.command("transfer")
def transfer(
    giver: Annotated[str, typer.Argument(help="A party's code, or a terminal.")],
    taker: Annotated[str, typer.Argument(help="A party's code, or a terminal.")],
    amount: Amount,
    reference: Reference,
    data: Data,
    by: By,
) -> None:
    """Move float one step down the tree, or back up."""
    with acting(data, by) as act:
        source = movements.holder(act.connection, giver)
        order = Order(amount, operators.reference(reference), act.operator, act.now)
        row = movements.transfer(
            act.connection,
            act.service.prices,
            source,
            movements.holder(act.connection, taker),
            order,
        )
    _say(data, row, source.name, source.account)


@party_cli.command("reverse")
def reverse(
    reference: Annotated[str, typer.Argument(help="Of the movement that was wrong.")],
    data: Data,
    by: By,
    reason: Reason = "",
) -> None:
    """Undo a deposit, payback or transfer, by an entry of its own."""
    with acting(data, by) as act:
        order = Order("", "", act.operator, act.now)
        key = operators.reference(reference)
        row = movements.reverse(act.connection, key, reason, order)
    _say(data, row, row["from_account"].removeprefix("float:"), row["from_account"])


@party_cli.command("statement")
def statement(
    holder: Annotated[str, typer.Argument(help="A party's code, or a terminal.")],
    data: Data,
    first_day: Annotated[str, typer.Option("--from", help="The first day.")],
    last_day: Annotated[str, typer.Option("--to", help="The last; nothing: today.")] = "",
    code: Annotated[str, typer.Option("--currency", help="If it has floats in several.")] = "",
    csv: Annotated[
        Path | None, typer.Option(help="Write it into this file, for a spreadsheet.")
    ] = None,
    pdf: Annotated[Path | None, typer.Option(help="Write it into this file, for paper.")] = None,
) -> None:
    """What came into a float and what went, so that it adds up to the ledger."""
    with refusals():
        service = Service.open(data)
        with reading(service.engine) as connection:
            who = movements.holder(connection, holder)
            money = currency.of_holder(connection, service.prices, who.account, code)
            zone = days.zone(connection) or statements.UTC_ZONE
            last = last_day or days.day_of(service.now(), zone)
            found = statements.of_account(connection, who.name, who.account, money, first_day, last)
        try:
            if csv is not None:
                csv.write_text(statements.as_csv(found), encoding="utf-8", newline="")
            if pdf is not None:
                from updater_server.parties import statement_pdf  # half of a command's start

                pdf.write_bytes(statement_pdf.as_pdf(found))
        except OSError as error:
            raise InputError(f"it cannot be written: {error}") from error
    for file in (csv, pdf):
        if file is not None:
            say(f"written: {file}")
    if csv is None and pdf is None:
        _print(found)


def _print(found: statements.Statement) -> None:
    money = found.money
    say(f"{found.holder}, {found.first_day} to {found.last_day} ({found.zone.key})")
    say(f"balance before: {money.show(found.opening_minor)}")
    table = Table("time", "what", "reference", "amount", "balance")
    for cells in statements.rows(found):
        table.add_row(*(escape(cell) for cell in cells))
    out.print(table)
    say(f"balance after: {money.show(found.closing_minor)}")
