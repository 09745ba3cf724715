"""Before anything is sold: is this the only server on its database (or one of several, on
PostgreSQL), and is the database whole and writable? For `serving`, `backup` and `health`.
"""

from __future__ import annotations

import fcntl
import logging
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, insert, select, update
from sqlalchemy.exc import SQLAlchemyError

from updater_server.atomic import write_atomically
from updater_server.errors import InputError, StateError
from updater_server.fleet.alarms import raise_alarm
from updater_server.sales import currency, restoring
from updater_server.sales.prices import PricesUnavailable
from updater_server.service import DataFolder, Service
from updater_server.store import engine as database
from updater_server.store import postgresql
from updater_server.store.engine import reading, writing
from updater_server.store.tables import server_mark

_COUNT = "count"
_MINE = secrets.token_hex(4)
"""Of this process: several may serve one database."""
_RUNNING = b"a server runs, or was cut off\n"
log = logging.getLogger("duka.startup")


@contextmanager
def alone(folder: DataFolder, beside: bool = False) -> Iterator[list[int]]:
    """Hold the locks that a running server holds: of the folder, and of the database wherever a
    link to it leads. Gives the descriptors of the lock files. `beside`: others that hold it so do
    not matter.

    Raises:
        StateError: another process holds one, or the folder cannot be written.
    """
    places = {folder.path.resolve(), folder.database.resolve().parent}
    kind = fcntl.LOCK_SH if beside else fcntl.LOCK_EX
    held: list[int] = []
    try:
        for place in sorted(places):
            try:
                held.append(os.open(place / ".serving", os.O_RDWR | os.O_CREAT, 0o600))
                fcntl.flock(held[-1], kind | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise StateError(f"another server runs on {place}: stop it first") from error
            except OSError as error:
                raise StateError(f"{place} cannot be written: {error.strerror}") from error
        yield held
    finally:
        for descriptor in held:
            os.close(descriptor)


@contextmanager
def the_only_server(folder: DataFolder) -> Iterator[bool]:
    """Be the one server (`alone`). Gives whether the last one was cut off: such a one leaves a word
    in the lock file, or a write-ahead log.

    Raises:
        StateError: another process serves, or the folder cannot be written.
    """
    with alone(folder) as held:
        log_left = Path(f"{folder.database}-wal")
        cut_off = any(os.fstat(descriptor).st_size for descriptor in held)
        cut_off = cut_off or (log_left.exists() and log_left.stat().st_size > 0)
        for descriptor in held:
            os.pwrite(descriptor, _RUNNING, 0)
            os.fsync(descriptor)
        yield cut_off
        for descriptor in held:  # not after an exception: then the next one looks thoroughly, too
            os.ftruncate(descriptor, 0)


@contextmanager
def its_place(service: Service) -> Iterator[bool]:
    """Be the one server of an SQLite file (`the_only_server`), or one of the servers of a
    PostgreSQL database, which sees by itself whether it was cut off. Gives whether the whole
    database is to be looked through.

    Raises:
        StateError: another process is in the way, or the folder cannot be written.
    """
    if database.is_sqlite(service.engine):
        with the_only_server(service.folder) as cut_off:
            yield cut_off
        return
    with alone(service.folder, beside=True), postgresql.presence(service.engine, alone=False):
        yield False


def examine(service: Service, cut_off: bool) -> None:
    """Look at the database before it is used; thoroughly after a process was cut off, when a log
    of another database may have been played into it.

    Raises:
        StateError: it is damaged, or it cannot be written; the text says what to do.
    """
    path = service.folder.place_in_words
    if cut_off:
        log.info("the last server was cut off: the whole database is looked through")
    try:
        with reading(service.engine) as connection:
            found = database.damage(connection, quick=not cut_off)
            careless = database.why_not_durable(connection)
        if found is None and careless is None:
            write_and_read_back(service.engine, "start", service.now())
            notice_restore(service)
            count_on(service)
            _say_currency(service)
    except SQLAlchemyError as error:
        cause = getattr(error, "orig", None) or error
        raise StateError(f"{path} cannot be used: {cause}; nothing is sold from it") from error
    if careless is not None:
        raise StateError(
            f"{path} may lose what was sold: {careless}; nothing is sold from it: turn it on"
        )
    if found is not None:
        raise StateError(
            f"{path} is damaged ({found}); nothing is sold from it: "
            "put a back-up in its place with `restore`, never by copying over it"
        )


def _say_currency(service: Service) -> None:
    try:
        with writing(service.engine) as connection:
            currency.say_unsaid(connection, service.prices)
    except (PricesUnavailable, InputError) as error:
        log.warning("what the books are kept in is not said yet: %s", error)


def write_and_read_back(engine: Engine, name: str, now: int) -> None:
    """Commit something to the disk and read it with another transaction.

    Raises:
        sqlalchemy.exc.SQLAlchemyError: it cannot be written or read.
        StateError: what was read is not what was written.
    """
    value = secrets.token_hex(8)
    if not database.is_sqlite(engine):
        name = f"{name} {_MINE}"
    with writing(engine, beside=True) as connection:
        _mark(connection, name, value, now)
    with reading(engine, soon=True) as connection:
        found = connection.scalar(select(server_mark.c.value).where(server_mark.c.name == name))
    if found != value:
        raise StateError("the database does not give back what was written to it")


# --- a database that somebody put back by hand ---


def count_on(service: Service) -> None:
    """Count one on in the database, then in a file beside it: so a database that is older than the
    folder shows. To be called at the start and every minute.

    Raises:
        sqlalchemy.exc.SQLAlchemyError, OSError: it cannot be written.
    """
    with writing(service.engine) as connection:
        number = max(_counted(connection), counted_in(service.folder)) + 1
        set_count(connection, number, service.now())
    write_atomically(service.folder.counted, f"{number}\n".encode(), 0o600)


def set_count(connection: Connection, number: int, now: int) -> None:
    """Let the database have counted to `number`."""
    _mark(connection, _COUNT, str(number), now)


def _mark(connection: Connection, name: str, value: str, now: int) -> None:
    values = {"value": value, "at": now}
    marked = connection.execute(
        update(server_mark).where(server_mark.c.name == name).values(**values)
    )
    if marked.rowcount == 0:
        connection.execute(insert(server_mark).values(name=name, **values))


def notice_restore(service: Service) -> bool:
    """Whether the database is an older one than this folder has seen, put back without `restore`;
    then it is marked as restored, and an alarm raised.
    """
    with writing(service.engine) as connection:
        number, seen = _counted(connection), counted_in(service.folder)
        if number >= seen:
            return False
        at = connection.scalar(select(server_mark.c.at).where(server_mark.c.name == _COUNT))
        now = service.now()
        restoring.begin(connection, "put back by hand", at or 0, now)
        set_count(connection, seen, now)
        text = "an older database was put back without `restore`: what was sold since is not in it"
        raise_alarm(connection, None, "database_restored", text, now)
    log.error("%s", text)
    return True


def counted_in(folder: DataFolder) -> int:
    """How far the folder's database had counted when a server last looked; 0: never."""
    try:
        return int(folder.counted.read_text())
    except (OSError, ValueError):
        return 0


def _counted(connection: Connection) -> int:
    value = connection.scalar(select(server_mark.c.value).where(server_mark.c.name == _COUNT))
    return int(value or 0)
