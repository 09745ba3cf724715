"""The operator's commands about what a person must look at: `alarm`."""

from __future__ import annotations

import typer

from updater_server.cli.shared import By, Data, Number, refusals, who
from updater_server.errors import InputError
from updater_server.fleet import alarms, operators
from updater_server.service import Service
from updater_server.store.engine import writing

alarm_cli = typer.Typer(no_args_is_help=True, help="What a person must look at.")


@alarm_cli.command("close")
def close_alarm(number: Number, data: Data, by: By) -> None:
    """Mark an alarm as dealt with."""
    with refusals():
        service, operator = Service.open(data), who(by)
        with writing(service.engine) as connection:
            if not alarms.close_alarm(connection, number, service.now()):
                raise InputError(f"no open alarm {number}: see `report`")
            operators.note(
                connection, operator, "alarm close", f"alarm {number}", "", service.now()
            )
