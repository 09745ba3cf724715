"""The operator's commands about what a person must look at: `alarm`."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Column, Table

from updater_server import words
from updater_server.cli.shared import By, Data, Number, acting, out, refusals, say
from updater_server.errors import InputError
from updater_server.fleet import alarms, operators
from updater_server.service import Service
from updater_server.store.engine import reading

alarm_cli = typer.Typer(no_args_is_help=True, help="What a person must look at.")


@alarm_cli.command("close")
def close_alarm(number: Number, data: Data, by: By) -> None:
    """Mark an alarm as dealt with."""
    with acting(data, by) as act:
        if not alarms.close_alarm(act.connection, number, act.now):
            raise InputError(f"no open alarm {number}: see `report`")
        subject = f"alarm {number}"
        operators.note(act.connection, act.operator, "alarm close", subject, "", act.now)


@alarm_cli.command("list")
def list_alarms(
    data: Data,
    code: Annotated[str, typer.Option(help="Of this kind only.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=10000)] = 50,
) -> None:
    """Open alarms, the worst first: since when, how often, and who has taken them on."""
    with refusals():
        service = Service.open(data)
        with reading(service.engine) as connection:
            found = alarms.open_alarms(connection, limit, code=code or None)
    names = ("no", "what", "whose", "first", "last", "times", "taken on by", "text")
    table = Table(*(Column(name, overflow="fold") for name in names))  # nothing is left out
    for item in found:
        table.add_row(
            str(item["id"]),
            item["code"],
            item["terminal_id"].hex() if item["terminal_id"] else "server",
            words.minute(item["first_at"]),
            words.minute(item["last_at"]),
            str(item["count"]),
            escape(item["owner"] or item["acknowledged_by"] or "–"),
            escape(item["text"]),
        )
    out.print(table)


@alarm_cli.command("acknowledge")
def acknowledge_alarm(
    number: Number,
    data: Data,
    by: By,
    owner: Annotated[str, typer.Option(help="Who looks after it; nothing: you.")] = "",
) -> None:
    """Say that somebody looks after an alarm: nobody is reminded of it any more."""
    with acting(data, by) as act:
        whose = operators.name(owner) if owner else act.operator
        if not alarms.acknowledge(act.connection, number, act.operator, whose, act.now):
            raise InputError(f"no open alarm {number}: see `alarm list`")
        subject = f"alarm {number}"
        operators.note(act.connection, act.operator, "alarm taken on", subject, whose, act.now)
    say(f"alarm {number} is looked after by {whose}")
