"""The operator's commands about releases on trial: `verdict list`, `show`, `replay`, `close`."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from updater_server import words
from updater_server.cli.shared import By, Data, Number, Reason, acting, out, refusals, say
from updater_server.errors import InputError
from updater_server.fleet import operators
from updater_server.service import Service
from updater_server.store.engine import reading

verdict_cli = typer.Typer(no_args_is_help=True, help="Releases on trial, and what was found.")
Channel = Annotated[str, typer.Argument(help="ci, alpha, beta or stable.")]


@verdict_cli.command("list")
def list_trials(data: Data) -> None:
    """The newest wave of each release on each channel, and how it stands."""
    from updater_server.waves import book  # numpy is loaded where it is needed

    with refusals():
        service = Service.open(data)
        table = Table("trial", "channel", "release", "wave", "began", "beta", "control", "verdict")
        with reading(service.engine) as connection:
            for kept in book.newest(connection).values():
                last = book.last(connection, kept.id)
                done = ", ".join(book.events(connection, kept.id))
                stands = f"{last.ruling} ({last.number})" if last else "none yet"
                table.add_row(
                    *(str(kept.id), kept.channel, str(kept.release), str(kept.wave)),
                    *(words.minute(kept.began_s), str(kept.in_beta), str(kept.in_control)),
                    f"{stands} {done}".strip(),
                )
    out.print(table)


@verdict_cli.command("show")
def show(
    data: Data,
    trial: Number,
    number: Annotated[int, typer.Option(help="Of the verdict; 0: the newest.", min=0)] = 0,
) -> None:
    """One verdict with everything that it was made from."""
    from updater_server.verdict.ruling import Verdict  # as above
    from updater_server.waves import book

    with refusals():
        service = Service.open(data)
        with reading(service.engine) as connection:
            kept = book.find(connection, trial)
            found = {one.number: one for one in book.verdicts(connection, trial)}
        if kept is None:
            raise InputError(f"there is no trial {trial}: see `verdict list`")
        if not found:
            raise InputError(f"{kept.name} has no verdict yet")
        if number and number not in found:
            raise InputError(f"{kept.name} has verdicts 1 to {max(found)}")
        verdict = Verdict.decode(found[number or max(found)].content)
    say(f"{kept.name}, verdict {verdict.number} of {words.minute(verdict.at_s)} UTC")
    say(f"{verdict.ruling}: {'; '.join(verdict.reasons)}".rstrip(": "))
    say(f"{kept.in_beta} install, {kept.in_control} restart, of {kept.counting} that might")
    if verdict.findings:
        table = Table("guard", "beta", "expected", "control", "ratio", "score", "still lacks")
        for one in verdict.findings:
            ratio = f"{one.ratio:.2f} ({one.lower:.2f}–{one.upper:.2f})" if one.ratio else ""
            table.add_row(
                *(one.guard, str(one.in_beta), f"{one.expected:.1f}", str(one.in_control)),
                *(ratio, f"{one.score:.2f}", escape(one.lacks)),
            )
        out.print(table)
    for reason, count in verdict.set_aside.items():
        say(f"set aside: {count} windows, {reason}")
    say(f"inputs {verdict.inputs[:16]}, policy {verdict.policy[:16]}, before {verdict.before[:16]}")


@verdict_cli.command("replay")
def replay(data: Data, trial: Number) -> None:
    """Make all verdicts of a trial again from what was known then; exit status 1 if one differs."""
    from updater_server.telemetry.store import Told
    from updater_server.waves import book, replaying

    with refusals():
        service = Service.open(data)
        with reading(service.engine) as connection:
            if book.find(connection, trial) is None:
                raise InputError(f"there is no trial {trial}: see `verdict list`")
        told = Told(service.engine, service.folder.telemetry)
        same, different = replaying.replay(service.engine, told, trial)
    say(f"{same} verdicts come to the same bytes")
    for number, why in different:
        say(f"verdict {number} does NOT: {why}")
    if different:
        raise typer.Exit(1)


@verdict_cli.command("close")
def close(
    data: Data,
    by: By,
    channel: Channel,
    release: Annotated[int, typer.Argument(min=1)],
    reason: Reason,
) -> None:
    """Let a release go on to the next channel though its verdict is open; it stays as it is."""
    from updater_server.waves import book, looking

    with acting(data, by) as act:
        book.alone(act.connection)
        kept = book.newest(act.connection).get((channel, release))
        if kept is None:
            raise InputError(f"release {release} is not on trial on {channel}: see `verdict list`")
        last = book.last(act.connection, kept.id)
        event = book.Event(
            book.CLOSED, act.now, last.number if last else None, act.operator, reason
        )
        if not book.note(act.connection, kept.id, event):
            raise InputError(f"the verdict on {kept.name} is closed already")
        operators.note(
            act.connection, act.operator, "verdict close", f"{channel} {release}", reason, act.now
        )
    looking.show(act.service)
    say(f"{kept.name}: its verdict no longer stands before the next channel")
