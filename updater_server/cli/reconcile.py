"""The operator's commands about days held against the terminals and the suppliers: `reconcile`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from updater_server.cli.shared import By, Data, Number, Reason, acting, out, refusals, say, who
from updater_server.errors import InputError
from updater_server.matching import findings, page, runs
from updater_server.service import Service
from updater_server.store.engine import reading

reconcile_cli = typer.Typer(no_args_is_help=True, help="Who says the same of a day, and who not.")
Day = Annotated[str, typer.Argument(help="Like 2026-12-01.")]


@reconcile_cli.command("day")
def hold_day(
    data: Data,
    by: By,
    day: Annotated[str, typer.Argument(help="Nothing: all that are over.")] = "",
) -> None:
    """Hold a day against the terminals' journals and the suppliers' files. Cut short, it goes on;
    again after a file came, it looks again.
    """
    with refusals():
        operator = who(by)
        service = Service.open(data)
        following = day or _next(service)
        while following is not None:
            found = runs.run(service.engine, service.key, following, operator, service.now())
            with reading(service.engine) as connection:
                say(page.summary(connection, found))
            following = None if day else _next(service)
        with reading(service.engine) as connection:
            left = len(findings.open_ones(connection))
    say(f"{left} to decide: `reconcile list`" if left else "nothing to decide")
    if left:
        raise typer.Exit(1)


def _next(service: Service) -> str | None:
    with reading(service.engine) as connection:
        return runs.next_day(connection, service.now())


@reconcile_cli.command("list")
def list_open(data: Data) -> None:
    """What nobody has decided yet."""
    with refusals(), reading(Service.open(data).engine) as connection:
        rows = findings.open_ones(connection)
    table = Table("finding", "day", "what", "says", "proposed", "would post")
    for row in rows:
        posts = ", ".join(f"{name} {minor}" for name, minor in json.loads(row.entries).items())
        table.add_row(
            str(row.id),
            row.day,
            findings.WORDS[row.kind],
            escape(row.text),
            row.proposal.replace("_", " "),
            escape(posts),
        )
    out.print(table)
    say(f"{len(rows)} open")


@reconcile_cli.command("accept")
def accept(
    finding: Number,
    data: Data,
    by: By,
    reason: Reason,
    only_note: Annotated[bool, typer.Option(help="Post nothing; it is dealt with.")] = False,
) -> None:
    """Do what a finding proposes. It is posted once for ever, under your name."""
    with acting(data, by) as act:
        decision = findings.NOTE if only_note else ""
        done = findings.decide(
            act.connection, finding, decision, reason, act.operator, act.now
        )  # fmt: skip
    say(f"finding {finding}: {done.replace('_', ' ')}")


@reconcile_cli.command("page")
def show_page(day: Day, data: Data) -> None:
    """The signed page of a day, to the byte."""
    with refusals(), reading(Service.open(data).engine) as connection:
        typer.echo(page.signed(connection, runs.of_day(connection, day).id), nl=False)


@reconcile_cli.command("key")
def show_key(data: Data) -> None:
    """What pages are checked with: hand it to whoever is to check them."""
    with refusals():
        say(page.public_key(Service.open(data).key))


@reconcile_cli.command("verify")
def verify(
    file: Annotated[Path, typer.Argument(help="A page as `reconcile page` printed it.")],
    key: Annotated[str, typer.Argument(help="As `reconcile key` printed it.")],
) -> None:
    """Whether a page is as the server signed it."""
    with refusals():
        try:
            text = file.read_bytes().decode()
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"{file} cannot be read: {error}") from error
        say(page.verify(text, key))


@reconcile_cli.command("export")
def export_day(
    day: Day, data: Data, folder: Annotated[Path, typer.Argument(help="Where to put it.")]
) -> None:
    """A day's sales as Parquet, and its hash beside it."""
    from updater_server.matching import export  # DuckDB: not at each command's start

    with refusals():
        service = Service.open(data)
        with reading(service.engine) as connection:
            made = export.write(connection, runs.of_day(connection, day), folder)
        say(f"{made.path}: {made.rows} rows, sha256 {made.sha256}")
