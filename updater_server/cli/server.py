"""The operator's commands about the server itself: `init`, `serve`."""

from __future__ import annotations

import logging
import os
import sys
from dataclasses import replace
from typing import Annotated

import typer
from sqlalchemy import Engine, select
from sqlalchemy.exc import ProgrammingError

from updater_server import quiet_log, server_key
from updater_server.atomic import sync_folder, write_atomically
from updater_server.cli.shared import Data, OwnerUrl, out, refusals, user
from updater_server.errors import InputError, StateError
from updater_server.fleet import technicians
from updater_server.sales import incoming
from updater_server.server_key import ServerKey
from updater_server.service import DataFolder, Service, open_key, unix_time
from updater_server.sms import gateway
from updater_server.startup import alone
from updater_server.store import engine as database
from updater_server.store import postgresql
from updater_server.store.engine import writing
from updater_server.store.tables import technician

FIRST_TECHNICIAN = "first technician"


DatabaseUrl = Annotated[
    str,
    typer.Option(
        "--database",
        envvar="DUKA_DATABASE",
        help="postgresql://user@host/name: the server's own user; without it an SQLite file.",
    ),
]


def init(data: Data, database_url: DatabaseUrl = "", owner: OwnerUrl = "") -> None:
    """Make a new data folder, or bring an old one's database up to date."""
    with refusals():
        engine, key = begin(DataFolder(data), database_url, owner)
        token = None
        with writing(engine) as connection:
            incoming.mark_old(connection, key, unix_time())
            if connection.scalar(select(technician.c.id).limit(1)) is None:
                token = technicians.add(
                    connection, FIRST_TECHNICIAN, technicians.OFFICE, user(), unix_time()
                )
        engine.dispose()
        sync_folder(data)
        out.print(f"data folder: {data}", highlight=False, soft_wrap=True)
        if token:
            out.print(f"technician token: {token}", highlight=False, soft_wrap=True)
            out.print("It is shown this once. It enrols terminals and opens the dashboard.")
            out.print(f'It hands out no float until you say: technician allow "{FIRST_TECHNICIAN}"')


def begin(folder: DataFolder, database_url: str, owner: str) -> tuple[Engine, ServerKey]:
    """A data folder's key and its database, made if they are not there, and up to date.

    Raises:
        StateError: a server runs on it, or half of it is missing; the text says what to do.
    """
    folder.check_restored()
    if folder.is_begun and not folder.server_key.exists():
        raise StateError(f"{folder.path} has a database but no server.key: restore the key")
    folder.path.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not folder.server_key.exists():
        server_key.create(folder.server_key)
    server_key.load(folder.server_key)
    _choose(folder, database_url)
    engine = database.open_engine(folder.place)
    with alone(folder):  # never under a server that runs
        _migrate(folder, engine, owner)
        return engine, open_key(folder, engine, unix_time())


def _choose(folder: DataFolder, url: str) -> None:
    """Keep where the database is; it is chosen once.

    Raises:
        StateError: the folder has another one.
    """
    if not url or folder.place == url:
        return
    if folder.is_begun:
        raise StateError(
            f"{folder.path} keeps its books in {folder.place_in_words}: a folder's database is "
            "chosen at its first `init`"
        )
    database.open_engine(url).dispose()  # is it one at all?
    write_atomically(folder.database_url, f"{url}\n".encode(), 0o600)


def _migrate(folder: DataFolder, engine: Engine, owner: str) -> None:
    if database.is_sqlite(engine):
        database.migrate(engine)
        folder.database.chmod(0o600)
        return
    owners = database.open_engine(owner or str(folder.place), as_owner=True)
    try:
        with postgresql.presence(owners, alone=True):
            database.migrate(owners)
    except (postgresql.ServersRun, ProgrammingError) as why:
        # One more server beside those that sell, or a user who owns nothing: is anything to do?
        try:
            database.check_schema(engine)
        except StateError:
            raise why from None
    finally:
        owners.dispose()


def serve(
    data: Data,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0: any free one.")] = 8080,
    drain: Annotated[
        float, typer.Option(min=0, max=60, help="Seconds of /health saying no before the end.")
    ] = 0.0,
    coap: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=65535,
            help="Answer terminals' datagrams (CoAP over UDP) there too, and tell them so.",
        ),
    ] = None,
    coap_outside: Annotated[
        int | None,
        typer.Option(min=1, max=65535, help="Where terminals reach it, if a router maps it."),
    ] = None,
) -> None:
    """Serve terminals, technicians and the dashboard until interrupted."""
    from updater_server.faces.serving import Ways  # the web server, only where it is needed
    from updater_server.faces.serving import serve as run

    quiet_log.begin()

    def ready(actual_port: int) -> None:
        try:
            sys.stdout.write(f"serving http://{host}:{actual_port}\n")
            sys.stdout.flush()
        except BrokenPipeError:  # who started the first one is gone; terminals are not
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

    with refusals():
        service = Service.open(data)
        try:
            found = gateway.read(data)
        except InputError as error:  # an alarm of the worker's; sales do not wait for it
            logging.getLogger("duka.sms").error("%s", error)
            found = None
        if found is not None:
            service = replace(service, sms_to=found.number)
        run(service, Ways(host, port, drain, coap, coap_outside), ready)
