"""Every night: take in the suppliers' files that were laid down, hold the day that is over against
everybody, export it. For the worker.

Files are laid into `inbox/<supplier>/` of the data folder, whole (moved there, not written there).
One that was taken in is moved into `inbox/taken/<supplier>/`; one that cannot be is an alarm, and
stays. Days that are done are in `exports/`, page and Parquet.
"""

from __future__ import annotations

import logging
import threading
from pathlib import Path

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from updater_server.atomic import write_atomically
from updater_server.errors import InputError, ServerError
from updater_server.fleet import alarms
from updater_server.matching import export, files, page, runs
from updater_server.matching.page import Run
from updater_server.service import Service
from updater_server.store.engine import reading, writing

log = logging.getLogger("duka.reconcile")

EVERY_S = 600.0
FILES_COME_S = 3 * 3600
"""A day is held against everybody so long after its end: suppliers need a while for their files."""
LOOKED_BACK = 7
"""So many days are looked at again when a file comes late."""
UNREAD_CODE = "supplier_file"


def watch(service: Service, _server: str, stop: threading.Event) -> None:
    """Look every ten minutes, until `stop`."""
    while not stop.is_set():
        try:
            once(service)
        except (ServerError, SQLAlchemyError, OSError):  # busy, full, or away for a moment
            log.exception("the day was not held against anybody")
        stop.wait(EVERY_S)


def once(service: Service) -> list[str]:
    """Do what is to be done now; the days that were done.

    Raises:
        ServerError: a day cannot be done; the next look tries again.
    """
    take_in(service)
    done = []
    while (day := _due(service)) is not None:
        runs.run(service.engine, service.key, day, runs.BY_ITSELF, service.now())
        done.append(day)
    with reading(service.engine) as connection:
        for found in runs.newest(connection, LOOKED_BACK):
            _lay_down(connection, service.folder.path / "exports", found)
    return done


def _due(service: Service) -> str | None:
    with reading(service.engine) as connection:
        following = runs.next_day(connection, service.now() - FILES_COME_S)
        if following is not None:
            return following
        again = [one for one in runs.newest(connection, LOOKED_BACK) if one.has_news(connection)]
    return again[0].day if again else None


def _lay_down(connection: Connection, folder: Path, found: Run) -> None:
    """Parquet first, then the page: where the page is, all of it is."""
    path = folder / f"{found.day}-{found.round}.txt"
    if not path.exists():
        export.write(connection, found, folder)
        write_atomically(path, page.signed(connection, found.id).encode())


def take_in(service: Service) -> None:
    """Take in what lies in the inbox."""
    inbox = service.folder.path / "inbox"
    wrong = []
    for file in sorted(inbox.glob("*/*")):
        supplier = file.parent.name
        if supplier == "taken" or not file.is_file() or file.name.startswith("."):
            continue
        try:
            _take(service, supplier, file)
        except InputError as error:
            wrong.append(f"{supplier}/{file.name}: {error}")
    with reading(service.engine) as connection:
        if not wrong and not alarms.is_open(connection, UNREAD_CODE):
            return
    with writing(service.engine) as connection:
        alarms.settle(connection, [UNREAD_CODE], wrong, service.now())
        for words in wrong:
            if not alarms.is_open(connection, UNREAD_CODE, words):
                alarms.raise_alarm(connection, None, UNREAD_CODE, words, service.now())


def _take(service: Service, supplier: str, file: Path) -> None:
    if file.stat().st_size > files.SIZE_LIMIT_BYTES:
        raise InputError("too large for a day")
    data = file.read_bytes()
    with writing(service.engine) as connection:
        files.take(
            connection, service.key, supplier, data, file.name, runs.BY_ITSELF, service.now()
        )
    kept = file.parent.parent / "taken" / supplier
    kept.mkdir(parents=True, exist_ok=True)
    file.replace(kept / file.name)
