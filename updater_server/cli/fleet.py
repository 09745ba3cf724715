"""The operator's commands about what the fleet runs: `fleet`. They change nothing, but for
`fleet halt`.
"""

from __future__ import annotations

import json
import re
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.table import Table
from sqlalchemy import Connection

from updater_server import halting, words
from updater_server.channels import CHANNELS, RepositoryError, pipeline, pipeline_table
from updater_server.channels.history import History
from updater_server.cli.shared import By, Data, Terminal, out, refusals, say
from updater_server.errors import InputError, StateError
from updater_server.fleet import as_of as knowledge
from updater_server.fleet import terminals
from updater_server.fleet.as_of import AsOf, Boot, Runs
from updater_server.lookout import counting, picture
from updater_server.lookout.picture import Fleet
from updater_server.service import Service
from updater_server.store.engine import reading

fleet_cli = typer.Typer(no_args_is_help=True, help="What the fleet runs, ran, and is to run.")
Known = Annotated[
    str, typer.Option("--known", help="By what was known then; nothing: by all that is known now.")
]


@fleet_cli.command("as-of")
def as_of(
    terminal: Terminal,
    data: Data,
    time: Annotated[
        str, typer.Argument(help='"2026-11-27 14:05" (UTC) or Unix seconds; nothing: now.')
    ] = "",
    sale: Annotated[int, typer.Option(help="When this sale was made: its journal number.")] = 0,
    known: Known = "",
) -> None:
    """What a terminal ran at a time, as it was, as it was known then, and who let it out."""
    with refusals():
        service = Service.open(data)
        now = service.now()
        known_at = moment(known) if known else now
        history = _history(service)
        with reading(service.engine) as connection:
            terminal_id = terminals.find(connection, terminal)
            hardware = terminals.get(connection, terminal_id).hardware_class
            when, clock = moment(time) if time else now, ""
            if sale:
                when, clock = knowledge.time_of_sale(connection, terminal_id, sale)
            asked = _Asked(connection, terminal_id, hardware, when, sale, history)
            about = f", sale {sale}: {clock}" if sale else ""
            say(f"{terminal_id.hex()} at {_second(when)}{about}")
            _tell(asked, "as it was" if not known else f"as known {_second(known_at)}", known_at)
            if not known and when < now:
                _tell(asked, "as it was known then", when)


@dataclass(frozen=True)
class _Asked:
    connection: Connection
    terminal_id: bytes
    hardware: str
    when: int
    sale: int
    history: History


def _tell(asked: _Asked, title: str, known_at: int) -> None:
    connection, terminal_id = asked.connection, asked.terminal_id
    found = knowledge.as_of(connection, terminal_id, asked.when, known_at)
    if asked.sale:
        boot = knowledge.boot_before(connection, terminal_id, asked.sale, known_at)
    else:
        boot = knowledge.boot_at(connection, terminal_id, asked.when, known_at)
    say(f"{title}:")
    for line in _lines(found, boot, asked):
        say(f"  {line}")


def _lines(found: AsOf, boot: Boot | None, asked: _Asked) -> list[str]:
    if found.was is None and boot is None:
        came = f"; it first told at {_second(found.by.at)}" if found.by else ""
        return [f"it had told of nothing{came}"]
    lines = []
    if found.was is not None:
        lines += _of_report(found.was, asked)
    if found.by is not None and found.was is not None:
        between = (
            f"told at {_second(found.by.at)}, heard before at {_second(found.by.heard_at or 0)}"
        )
        lines.append(f"or already {_in_short(found.by)}: {between}")
    elif found.told_again is None and found.was is not None:
        lines.append(f"not heard between {_second(asked.when)} and {_second(found.known_at)}")
    if boot is not None:
        by_own = _second(boot.time) if boot.time else "an unknown time"
        lines.append(
            f"its journal: release {boot.release} started at {by_own} by its own clock (record "
            f"{boot.sequence}, here since {_second(boot.received_at)})"
        )
        if found.was is None or found.was.release != boot.release:
            lines += _of_release(boot.release, None, None, asked)
    return lines


def _in_short(runs: Runs) -> str:
    return f"release {runs.release}, slot {runs.slot}{', on trial' if runs.trial else ''}"


def _of_report(runs: Runs, asked: _Asked) -> list[str]:
    lines = [f"{_in_short(runs)}, told at {_second(runs.at)}"]
    lines += _of_release(runs.release, runs.image, runs.channel, asked)
    lines.append(
        f"channel {runs.channel or '– (not kept then)'}, price list "
        f"{runs.catalogue or '– (not kept then)'}, settings {runs.settings or '– (not told)'}"
    )
    if runs.failure_release is not None:
        lines.append(f"it had come back from release {runs.failure_release}: {runs.failure_reason}")
    return lines


def _of_release(release: int, image: str | None, channel: str | None, asked: _Asked) -> list[str]:
    entry = asked.history.entries.get((asked.hardware, release))
    if entry is None:
        return [f"commit – (no channel ever listed release {release}), image {image or '–'}"]
    if image is None:
        told = f"image {entry.image.sha256} (as published; it does not tell its own)"
    elif image == entry.image.sha256:
        told = f"image {image}"
    else:
        told = f"image {image}, which is NOT what was published ({entry.image.sha256})"
    lines = [f"commit {entry.commit}, version {entry.version}, {told}"]
    step = channel and asked.history.let_out_by(release, channel, asked.when)
    if step:
        lines.append(f"let out on {channel} by {step.who} at {_second(step.at)} (line {step.line})")
    return lines


@fleet_cli.command("ran")
def ran(
    what: Annotated[
        str, typer.Argument(help="A release's number, or 7 or more digits of a commit.")
    ],
    data: Data,
    limit: Annotated[int, typer.Option(min=1, max=1_000_000)] = 100,
) -> None:
    """Which terminals ever ran a release or a commit, or came back from it."""
    with refusals():
        service = Service.open(data)
        releases = _releases(what, _history(service))
        with reading(service.engine) as connection:
            found = knowledge.ever_ran(connection, releases)
    table = Table("terminal", "first told", "last told", "")
    for item in found[:limit]:
        table.add_row(
            item.terminal_id.hex(),
            words.minute(item.first_at),
            words.minute(item.last_at),
            "came back from it" if item.failed else "",
        )
    numbers = ", ".join(map(str, releases)) or "none"
    say(f"{len(found)} terminals ever ran it (release {numbers})")
    out.print(table)


def _releases(what: str, history: History) -> list[int]:
    """Raises InputError: neither a number nor the beginning of a commit that was published."""
    if re.fullmatch("[0-9]{1,6}", what):
        return [int(what)]
    if not re.fullmatch("[0-9a-f]{7,64}", what):
        raise InputError(f"{what[:20]!r}: a release's number, or 7 or more digits of a commit")
    return sorted({n for (_, n), entry in history.entries.items() if entry.commit.startswith(what)})


@fleet_cli.command("pipeline")
def show_pipeline(
    data: Data,
    form: Annotated[str, typer.Option("--as", help="table, json or csv.")] = "table",
    limit: Annotated[int, typer.Option(min=1, max=100_000)] = 30,
) -> None:
    """Every release on its way: built, ci, alpha, beta, stable, or stopped and by whom."""
    with refusals():
        if form not in ("table", "json", "csv"):
            raise InputError(f"--as {form[:20]!r}: table, json or csv")
        service = Service.open(data)
        found, now = _history(service), service.now()
    if form == "csv":
        sys.stdout.write(pipeline_table.as_csv(found))
    elif form == "json":
        sys.stdout.write(json.dumps(pipeline_table.as_values(found, now)) + "\n")
    else:
        _table(found, now, limit)


def _table(found: History, now: int, limit: int) -> None:
    passages = pipeline.passages(found)
    table = Table("release", "commit", "built", *CHANNELS, "state")
    for passage in passages[:limit]:
        stages = (passage.stages.get(channel) for channel in CHANNELS)
        table.add_row(
            str(passage.release),
            passage.entry.commit[:10],
            words.minute(passage.entry.built)[5:],
            *("–" if stage is None else words.minute(stage.listed_at)[5:] for stage in stages),
            pipeline_table.state_of(found, passage),
        )
    out.print(table)
    counted = pipeline.counted(passages, now)
    leads = ", ".join(f"{name} {seconds / 3600:.1f} h" for name, seconds in counted.lead_s.items())
    say(
        f"in {pipeline.WINDOW_DAYS} days: {counted.a_day:.1f} releases a day, {counted.halted} of "
        f"{counted.let_out} halted; lead time: {leads or '–'}"
    )
    for doubt in found.doubts:
        say(f"not counted: {doubt}")


@fleet_cli.command("halt")
def halt(
    release: Annotated[int, typer.Argument(min=1)],
    channel: Annotated[str, typer.Argument(help=", ".join(CHANNELS))],
    data: Data,
    by: By,
) -> None:
    """Stop a release on a channel, at once, with the keys of the server; nobody asks again."""
    with refusals():
        done = halting.halt(Service.open(data), channel, release, by)
    say(f"release {release} on {channel}: {done.value}")


@fleet_cli.command("status")
def status(data: Data) -> None:
    """What the worker saw last: how far the newest release of each channel has come."""
    with refusals():
        service = Service.open(data)
        with reading(service.engine) as connection:
            fleet, at = picture.kept(connection, Fleet)
        if fleet is None:
            raise StateError("nothing was counted yet: `worker` does it")
    for name, found in fleet.channels.items():
        may = sum(found.states.values())
        wave = f", wave {found.wave} of {found.waves}" if found.wave else ", for nobody yet"
        states = [f"{n:,} {state.replace('_', ' ')}" for state, n in found.states.items() if n]
        say(f"{name}: release {found.release}{wave}: {', '.join(states) or '–'} of {may:,}")
    say(f"counted {words.ago(at, service.now())}: {fleet.terminals:,} terminals")


@fleet_cli.command("runs")
def runs(data: Data) -> None:
    """What the whole fleet says that it runs, as JSON: for `release quote`, before a release."""
    with refusals():
        service = Service.open(data)
        with reading(service.engine) as connection:
            found = [each._asdict() for each in counting.runs(connection)]
    sys.stdout.write(json.dumps(found, indent=1) + "\n")


def _history(service: Service) -> History:
    """Raises StateError: the log was changed."""
    history = History(service.folder.repository)
    try:
        history.follow()
    except RepositoryError as error:
        raise StateError(str(error)) from error
    return history


def moment(text: str) -> int:
    """A time that a person typed, as Unix seconds.

    Raises:
        InputError: it is none.
    """
    if re.fullmatch("[0-9]{9,11}", text):
        return int(text)
    for form in ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d"):
        try:
            return int(datetime.strptime(text.strip(), form).replace(tzinfo=UTC).timestamp())
        except ValueError:
            continue
    raise InputError(f'{text[:30]!r} is no time: "2026-11-27 14:05" (UTC), or Unix seconds')


def _second(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S")
