"""The operator's commands about what works beside the server: `worker`, `notices`."""

from __future__ import annotations

import fcntl
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.markup import escape
from rich.table import Table
from sqlalchemy.exc import SQLAlchemyError

from updater_server import quiet_log, words
from updater_server.cli.shared import Data, out, refusals, say
from updater_server.errors import InputError, ServerError, StateError
from updater_server.notices import outbox, receivers
from updater_server.notices.message import Example, Group, Message
from updater_server.sales import forecast
from updater_server.service import Service
from updater_server.store.engine import reading, writing
from updater_server.views import fold, keeping

JOBS = (
    "notices",
    "stock",
    "hooks",
    "fleet",
    "telemetry",
    "history",
    "waves",
    "reconcile",
    "views",
    "robots",
    "canaries",
    "sms",
)
_STOCK_EVERY_S = 3600.0
_LOOK_S = 0.5
_VIEWS_EVERY_S = 30.0


def worker(
    data: Data,
    only: Annotated[str, typer.Option(help=f"One job: {', '.join(JOBS)}.")] = "",
) -> None:
    """What is done beside the server until interrupted: telling people of alarms and partners'
    programs of what was posted, watching how long the vault lasts, counting the fleet and looking
    whether the books agree, taking in what terminals tell and keeping its history, judging releases
    on trial, holding each day against the terminals and the suppliers, keeping the log of sales,
    sending robots round and canaries
    through every queue, answering short messages.
    """
    from updater_server.lookout import worker as lookout  # not at each command's start
    from updater_server.matching import nights
    from updater_server.notices import hooks
    from updater_server.notices import worker as notices
    from updater_server.robots import canaries
    from updater_server.robots import worker as robots
    from updater_server.sms import worker as sms
    from updater_server.waves import worker as waves

    quiet_log.begin()
    jobs: dict[str, Callable[[Service, str, threading.Event], None]] = {
        "notices": notices.run,
        "stock": _watch_stock,
        "hooks": hooks.run,
        "fleet": lookout.run,
        "telemetry": waves.keep_taking_in,
        "history": waves.keep_history,
        "waves": waves.keep_looking,
        "reconcile": nights.watch,
        "views": _fold_views,
        "robots": robots.run,
        "canaries": canaries.run,
        "sms": sms.run,
    }
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with refusals():
        if only and only not in jobs:
            raise InputError(f"--only {only[:20]!r}: one of {', '.join(JOBS)}")
        service = Service.open(data)
        with _the_only_worker(data):
            sys.stdout.write("working\n")
            sys.stdout.flush()
            wanted = [only] if only else list(jobs)
            threads = [
                threading.Thread(target=jobs[name], args=(service, socket.gethostname(), stop))
                for name in wanted
            ]
            for thread in threads:
                thread.start()
            while any(thread.is_alive() for thread in threads):
                if service.is_left_behind:
                    stop.set()
                for thread in threads:
                    thread.join(_LOOK_S)
        if service.is_left_behind:
            _begin_anew(service, data, only)


def _begin_anew(service: Service, data: Path, only: str) -> NoReturn:
    """Become the same worker, where the books are now."""
    service.engine.dispose()
    again = ["--data", str(data), *(["--only", only] if only else [])]
    os.execv(sys.executable, [sys.executable, "-m", "updater_server", "worker", *again])  # noqa: S606


def _watch_stock(service: Service, _server: str, stop: threading.Event) -> None:
    while not stop.is_set():
        try:
            with writing(service.engine) as connection:
                forecast.watch(connection, service.now())
        except (ServerError, SQLAlchemyError):  # busy, full, or away for a moment
            logging.getLogger("duka.worker").exception("the vault was not looked at")
        stop.wait(_STOCK_EVERY_S)


def _fold_views(service: Service, _server: str, stop: threading.Event) -> None:
    while not stop.is_set():
        try:
            fold.fold(service.engine, service.now(), stop)
            keeping.drop_old(service.engine, service.now(), stop)
        except (ServerError, SQLAlchemyError):  # busy, full, or away for a moment
            logging.getLogger("duka.worker").exception("the log of sales was not kept")
        stop.wait(_VIEWS_EVERY_S)


@contextmanager
def _the_only_worker(folder: Path) -> Iterator[None]:
    with (folder / ".working").open("w") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise StateError(f"another worker runs on {folder}: stop it first") from error
        yield


notices_cli = typer.Typer(no_args_is_help=True, help="Who is told of alarms: notices.toml.")


@notices_cli.command("list")
def list_notices(data: Data, limit: Annotated[int, typer.Option(min=1, max=10000)] = 50) -> None:
    """What was sent to whom, or waits and why; newest first."""
    with refusals():
        service = Service.open(data)
        with reading(service.engine) as connection:
            found = outbox.newest(connection, limit)
    table = Table("when", "to", "what", "state", "tries", "why not")
    for row in found:
        table.add_row(
            words.minute(row["created_at"]),
            row["receiver"],
            escape(Message.from_json(row["content"]).subject),
            row["state"].replace("_", " "),
            str(row["attempts"]),
            escape(row["error"]),
        )
    out.print(table)


@notices_cli.command("test")
def send_test(
    data: Data,
    name: Annotated[str, typer.Argument(help="A receiver; nothing: all of them.")] = "",
) -> None:
    """Send everybody in notices.toml a message now, and say what came of it."""
    from updater_server.notices.send import NotSent, send  # not at each command's start

    with refusals():
        service = Service.open(data)
        known = receivers.read(data / receivers.FILE)
        wanted = [one for one in known if not name or one.name == name]
        if not wanted:
            raise InputError(f"{receivers.FILE} has no receiver {name}".rstrip())
        now = service.now()
        example = Example(0, "server", "This is a test. Nothing is wrong.", 1, now)
        message = Message("firing", (Group("test", 3, 1, 1, now, now, 0, (example,)),), now)
        lost = 0
        for one in wanted:
            try:
                send(one, message, now, socket.gethostname())
                say(f"{one.name}: sent by {one.kind}")
            except NotSent as error:
                lost += 1
                say(f"{one.name}: NOT sent: {error}")
    if lost:
        raise typer.Exit(1)
