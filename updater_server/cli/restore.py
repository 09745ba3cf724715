"""The operator's commands about copies of the database: `backup`, `restore`, and what follows a
restore, `restored`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from updater_server import backup as backups
from updater_server import words
from updater_server.cli.shared import By, Data, OwnerUrl, Terminal, acting, err, out, refusals, say
from updater_server.fleet import terminals
from updater_server.sales import restoring
from updater_server.sales.restore_state import open_restore
from updater_server.service import DataFolder, Service, unix_time
from updater_server.store.engine import reading

restored_cli = typer.Typer(no_args_is_help=True, help="What a restored server still has to hear.")


def backup(
    destination: Annotated[Path, typer.Argument(help="A folder; the back-up is a new one in it.")],
    data: Data,
) -> None:
    """Copy database and channels while the server runs, and verify the copy. Not the server key."""
    with refusals():
        made = backups.make(Service.open(data), destination)
    say(f"back-up: {made.path}")
    for problem in made.problems:
        err.print(f"[red]✗[/red] in its books: {problem}", highlight=False)
    if made.problems:
        raise typer.Exit(1)
    out.print("every file of it was read again; keep server.key apart from it")


def restore(
    source: Annotated[Path, typer.Argument(help="A folder that `backup` made.")],
    data: Data,
    owner: OwnerUrl = "",
) -> None:
    """Put a back-up in the place of the database. The server must be stopped."""
    with refusals():
        folder = DataFolder(data)
        restored, aside = backups.restore(folder, source, unix_time(), owner)
    say(f"restored: {restored.backup_id}, the state of {words.minute(restored.made_at)} UTC")
    if aside:
        say(f"the database that was there is in {aside}")
    out.print("What was sold since is asked of the terminals: `restored status` says how far.")


@restored_cli.command("status")
def status(data: Data) -> None:
    """Which terminals have told again what they did since the back-up, and which have not."""
    with refusals(), reading(Service.open(data).engine) as connection:
        if open_restore(connection) is None:
            out.print("no restore is open")
            return
        found = restoring.status(connection)
    waits = 0
    for item in found:
        waits += item["agreed_at"] is None and item["given_up_by"] is None
        say(f"{item['terminal_id'].hex()}  {item['state']}")
    say(f"{len(found) - waits} of {len(found)} terminals are done")
    if not waits:
        say("now end it: restored finish")


@restored_cli.command("give-up")
def give_up(terminal: Terminal, data: Data, by: By) -> None:
    """Go on without what this terminal has not told; it may sell online again."""
    with acting(data, by) as act:
        terminal_id = terminals.find(act.connection, terminal)
        restoring.give_up(act.connection, terminal_id, act.operator, act.now)
    say(f"{terminal_id.hex()} is given up")


@restored_cli.command("finish")
def finish(
    data: Data,
    by: By,
    free_vouchers: Annotated[
        bool, typer.Option(help="Sell the back-up's vouchers though terminals were given up.")
    ] = False,
) -> None:
    """End the restore: all terminals have told everything, or were given up."""
    with acting(data, by) as act:
        held = restoring.settle(act.connection, free_vouchers, act.operator, act.now)
    say("the restore is settled")
    if held:
        say(
            f"{held} vouchers of the back-up stay set aside: a terminal that was given up, or a "
            "batch that nobody has any more, may have sold them"
        )
