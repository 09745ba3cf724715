"""The operator's commands about suppliers: who makes what the vault does not hold. `supplier`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from updater_server import words
from updater_server.cli.shared import By, Data, acting, out, refusals, say
from updater_server.errors import InputError
from updater_server.fleet import operators
from updater_server.matching import files
from updater_server.sales import supplier_setup, vend_rows
from updater_server.sales.currency import Currency
from updater_server.service import Service
from updater_server.store.engine import reading

supplier_cli = typer.Typer(no_args_is_help=True, help="Who makes what is sold to a number.")
Name = Annotated[str, typer.Argument(help="Of the supplier: letters a-z, digits, dashes.")]


def _settings(pairs: list[str]) -> dict[str, Any]:
    settings = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not (name and equals):
            raise InputError(f"{pair!r}: settings are of the form name=value")
        settings[name] = value
    return settings


@supplier_cli.command("set")
def set_supplier(
    name: Name,
    kind: Annotated[str, typer.Option(help="How it is spoken to: airtime, iso8583, xmlvend.")],
    key_file: Annotated[Path, typer.Option(help="A file with the key that it gave us.")],
    data: Data,
    by: By,
    setting: Annotated[
        list[str] | None,
        typer.Option(help="url=…, username=…, country=254, deadline_s=20 (repeatable)."),
    ] = None,
) -> None:
    """Make a supplier known, or change how it is spoken to. Says where its call-backs must go."""
    with acting(data, by) as act:
        try:
            api_key = key_file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"{key_file} cannot be read: {error}") from error
        kept = supplier_setup.put(
            act.connection, act.service.key, name, kind, _settings(setting or []),
            {"api_key": api_key}, act.operator, act.now,
        )  # fmt: skip
        operators.note(act.connection, act.operator, "supplier set", name, kind, act.now)
    say(f"call-backs: /v1/suppliers/{name}/reports/{kept.report_secret}")
    say("The path is a secret: give it to the supplier alone.")


@supplier_cli.command("route")
def route_product(
    product: Annotated[str, typer.Argument(help="Its id in the price list.")],
    data: Data,
    by: By,
    supplier: Annotated[str, typer.Option(help="Who makes it; without: nobody.")] = "",
    code: Annotated[str, typer.Option(help="What the supplier calls it.")] = "",
) -> None:
    """Say who makes a product."""
    with acting(data, by) as act:
        supplier_setup.set_route(
            act.connection, product, supplier or None, code, act.operator, act.now
        )
        text = f"{supplier or 'nobody'} {code}"
        operators.note(act.connection, act.operator, "supplier route", product, text, act.now)
    say(f"{product}: {supplier or 'nobody'}")


def _stop(name: str, data: Path, by: str, stopped: bool) -> None:
    action = "stop" if stopped else "resume"
    with acting(data, by) as act:
        supplier_setup.stop(act.connection, name, stopped, act.operator, act.now)
        operators.note(act.connection, act.operator, f"supplier {action}", name, "", act.now)
    say(f"{name}: {'sells nothing new' if stopped else 'sells again'}")


@supplier_cli.command("stop")
def stop_supplier(name: Name, data: Data, by: By) -> None:
    """Sell nothing new of a supplier's; what is open goes on."""
    _stop(name, data, by, True)


@supplier_cli.command("resume")
def resume_supplier(name: Name, data: Data, by: By) -> None:
    """Sell again what a supplier makes."""
    _stop(name, data, by, False)


@supplier_cli.command("list")
def list_suppliers(data: Data) -> None:
    """Every supplier and what it makes."""
    with refusals(), reading(Service.open(data).engine) as connection:
        rows = supplier_setup.listed(connection)
    table = Table("supplier", "kind", "product", "code", "")
    for row in rows:
        state = "stopped" if row.stopped else ""
        table.add_row(row.name, row.kind, row.product_id or "", row.code or "", state)
    out.print(table)


@supplier_cli.command("open")
def open_sales(data: Data) -> None:
    """Sales that a supplier has not decided, the oldest first."""
    with refusals():
        service = Service.open(data)
        with reading(service.engine) as connection:
            rows = vend_rows.open_ones(connection)
    table = Table("since", "supplier", "our reference", "its reference", "to", "amount", "state")
    for row in rows:
        money = Currency(row["currency"], row["minor_digits"])
        table.add_row(
            words.minute(row["created_at"]),
            row["supplier"],
            row["reference"],
            row["supplier_reference"] or "",
            row["recipient"],
            money.show(row["amount_minor"]),
            row["state"],
        )
    out.print(table)
    say(f"{len(rows)} open")


@supplier_cli.command("statement")
def take_statement(
    name: Name,
    file: Annotated[Path, typer.Argument(help="The supplier's own list of a day, whole.")],
    data: Data,
    by: By,
) -> None:
    """Hold a supplier's statement against our books: decides what is open, names what differs."""
    with acting(data, by) as act:
        try:
            content = file.read_bytes()
        except OSError as error:
            raise InputError(f"{file} cannot be read: {error.strerror}") from error
        found = files.take(
            act.connection, act.service.key, name, content, file.name, act.operator, act.now
        )
        text = f"{file.name}: {found.summary()}"
        operators.note(act.connection, act.operator, "supplier statement", name, text, act.now)
    say(found.summary())
    for line in found.differences:
        say(line)
    if found.differences:
        raise typer.Exit(1)
