"""The operator's commands about what a person must look at: `alarm`."""

from __future__ import annotations

import typer

from updater_server.cli.shared import By, Data, Number, acting
from updater_server.errors import InputError
from updater_server.fleet import alarms, operators

alarm_cli = typer.Typer(no_args_is_help=True, help="What a person must look at.")


@alarm_cli.command("close")
def close_alarm(number: Number, data: Data, by: By) -> None:
    """Mark an alarm as dealt with."""
    with acting(data, by) as act:
        if not alarms.close_alarm(act.connection, number, act.now):
            raise InputError(f"no open alarm {number}: see `report`")
        subject = f"alarm {number}"
        operators.note(act.connection, act.operator, "alarm close", subject, "", act.now)
