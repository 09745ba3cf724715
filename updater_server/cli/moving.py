"""The operator's command `migrate-store`: from SQLite to PostgreSQL while terminals sell."""

from __future__ import annotations

import dataclasses
from typing import Annotated

import typer
from rich.table import Table
from sqlalchemy import Connection, Engine, select

from updater_server.cli.shared import Data, OwnerUrl, out, refusals, say
from updater_server.errors import StateError
from updater_server.faces.messages import sale_reply
from updater_server.moving import Compared, Move
from updater_server.sales import checks, online
from updater_server.service import DataFolder, Service
from updater_server.store import engine as database
from updater_server.store.engine import reading
from updater_server.store.tables import sale
from updater_server.wire import cbor

ASKED_AGAIN = 1000
"""The newest sales, for each of which the reply of both databases is made."""


def migrate_store(
    data: Data,
    url: Annotated[
        str,
        typer.Option(
            "--database", envvar="DUKA_DATABASE", help="postgresql://user@host/name: an empty one."
        ),
    ],
    owner: OwnerUrl = "",
    cut: Annotated[
        bool, typer.Option(help="--no-cut: copy, follow and compare; decide another time.")
    ] = True,
    abort: Annotated[
        bool, typer.Option("--abort", help="Take back what is not decided: stay on SQLite.")
    ] = False,
) -> None:
    """Move the books to PostgreSQL while the server sells; killed, it goes on from there."""
    with refusals():
        folder = DataFolder(data)
        folder.check_restored()
        if not folder.database.exists():
            raise StateError(f"{data} has no SQLite database that could be moved")
        move = Move(folder, url, owner, say)
        if abort:
            move.abort()
            return
        _show(move.run(lambda: _differences(folder, owner or url), cut))
        if not cut:
            say("not cut over: run this again to go on, or with --abort to take it back")


def _show(found: list[Compared]) -> None:
    table = Table("table", "rows", "digest of both")
    for each in found:
        if each.rows:
            table.add_row(each.name, str(each.rows), each.digest)
    if found:
        out.print(table)


def _differences(folder: DataFolder, owner: str) -> list[str]:
    """What is wrong with the copy as books, and where terminals would be told something else."""
    service = Service.open(folder.path)
    copy = database.open_engine(owner, as_owner=True)
    try:
        with reading(copy) as connection:
            found = checks.problems(connection)
        there = dataclasses.replace(service, engine=copy)
        found += _replies_that_differ(service.engine, there)
    finally:
        copy.dispose()
        service.engine.dispose()
    return found


def _replies_that_differ(here: Engine, there: Service) -> list[str]:
    """The newest sales that are in both, asked for again."""
    newest = select(sale.c.terminal_id, sale.c.sequence).where(sale.c.state != "reserved")
    found = []
    with reading(there.engine) as copy, reading(here) as books:
        for row in copy.execute(newest.order_by(sale.c.created_at.desc()).limit(ASKED_AGAIN)).all():
            replies = [_reply(there, each, row.terminal_id, row.sequence) for each in (books, copy)]
            if replies[0] != replies[1]:
                found.append(f"sale {row.sequence} of {row.terminal_id.hex()} is told otherwise")
    return found


def _reply(service: Service, connection: Connection, terminal_id: bytes, sequence: int) -> bytes:
    answer = online.stored(connection, service.key, terminal_id, sequence, 0)
    return cbor.dumps(sale_reply(answer))
