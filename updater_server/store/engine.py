"""One SQLite file: connections with the right pragmas, transactions that write, and migrations.

For every module of the server. A writing transaction takes the write lock at its start (BEGIN
IMMEDIATE), so that what it read is still true when it commits; a reading one sees one consistent
state.

SQLite has one writer, and who waits for its lock sleeps and tries again, without an order: with
many threads somebody is always unlucky. So the threads of one process stand in line for it here
(`WriteLine`), first come, first served, and whom nobody can serve in time is told so at once.
"""

from __future__ import annotations

import sqlite3
import threading
import weakref
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, CursorResult, Engine, create_engine, event, inspect
from sqlalchemy.exc import DBAPIError

from updater_server.errors import BusyError, StateError

BUSY_TIMEOUT_MS = 5000
"""How long another process (an operator's command) may hold the write lock."""
LINE_LIMIT = 64
PATIENCE_S = 8.0
"""A terminal gives up on an answer after about 20 s; the network has its share of them."""
_MIGRATIONS = Path(__file__).parent / "migrations"


class WriteLine:
    """The line of threads that want to write: one at a time, in the order in which they came."""

    def __init__(self, limit: int = LINE_LIMIT) -> None:
        self._limit = limit
        self._guard = threading.Lock()
        self._taken = False
        self._waiting: deque[threading.Event] = deque()

    @property
    def waiting(self) -> int:
        """How many stand in line now."""
        return len(self._waiting)

    @contextmanager
    def turn(self, patience_s: float) -> Iterator[None]:
        """Wait for one's turn and have it.

        Raises:
            BusyError: the line is full, or it did not come to this thread within `patience_s`.
        """
        mine = threading.Event()
        with self._guard:
            if not self._taken:
                self._taken = True
                mine.set()
            elif len(self._waiting) >= self._limit:
                raise BusyError("too much is to be written at once: try again in a few seconds")
            else:
                self._waiting.append(mine)
        if not mine.wait(patience_s):
            with self._guard:
                if not mine.is_set():
                    self._waiting.remove(mine)
                    raise BusyError("it took too long to begin writing: try again in a few seconds")
        try:
            yield
        finally:
            with self._guard:
                if self._waiting:
                    self._waiting.popleft().set()
                else:
                    self._taken = False


_LINES: weakref.WeakKeyDictionary[Engine, WriteLine] = weakref.WeakKeyDictionary()


def write_line(engine: Engine) -> WriteLine:
    """The line in which this process's threads wait to write to `engine`."""
    return _LINES.setdefault(engine, WriteLine())


def open_engine(path: Path) -> Engine:
    """An engine on the SQLite file `path`: WAL, foreign keys, every commit on the disk before it
    returns.
    """
    engine = create_engine(
        f"sqlite:///{path}", connect_args={"timeout": BUSY_TIMEOUT_MS / 1000}, pool_size=8
    )

    @event.listens_for(engine, "connect")
    def _connected(connection: sqlite3.Connection, _record: Any) -> None:
        connection.isolation_level = None  # transactions are begun below, not by the driver
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")  # a sale that was answered is on the disk
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
        connection.execute("PRAGMA trusted_schema = OFF")

    @event.listens_for(engine, "begin")
    def _begun(connection: Connection) -> None:
        writes = connection.get_execution_options().get("duka_writes", False)
        words = "BEGIN IMMEDIATE" if writes else "BEGIN"
        try:
            driver_connection(connection).execute(words)
        except sqlite3.Error as error:
            raise as_sqlalchemys(words, error) from error

    return engine


def as_sqlalchemys(statement: str, error: sqlite3.Error) -> BaseException:
    """A driver's error as SQLAlchemy would raise it: what is caught elsewhere."""
    return DBAPIError.instance(statement, None, error, sqlite3.Error)


def new_id(made: CursorResult[Any]) -> int:
    """The id that a table gave the row just inserted."""
    assert made.inserted_primary_key is not None
    return int(made.inserted_primary_key[0])


_AFTER = "duka_when_committed"


def when_committed(connection: Connection, call: Callable[[], object]) -> None:
    """Let `call` happen once this transaction of `writing` is on the disk, and not if it is rolled
    back.
    """
    connection.info.setdefault(_AFTER, []).append(call)


def calls_when_committed(connection: Connection) -> list[Callable[[], object]]:
    """What is to happen then, in order; who undoes a part takes out what it brought."""
    found: list[Callable[[], object]] = connection.info.setdefault(_AFTER, [])
    return found


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A transaction that may write: committed at the end, rolled back by any exception.

    Raises:
        BusyError: others of this process write and wait (`WriteLine`); nothing was begun.
        sqlalchemy.exc.OperationalError: another process held the lock for `BUSY_TIMEOUT_MS`.
    """
    with (
        write_line(engine).turn(PATIENCE_S),
        engine.connect().execution_options(duka_writes=True) as connection,
    ):
        calls: list[Callable[[], object]] = []
        connection.info[_AFTER] = calls  # of the driver's connection, which others had before
        with connection.begin():
            yield connection
        for call in calls:
            call()


_OF_THE_DATABASE = frozenset(
    {
        sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_INTERRUPT, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PROTOCOL, sqlite3.SQLITE_NOTADB,
        sqlite3.SQLITE_PERM,
    }
)  # fmt: skip


def is_the_databases_fault(error: BaseException) -> bool:
    """Whether the same request may well succeed later: the lock, the disk or the file was at fault,
    not what was asked.
    """
    if isinstance(error, DBAPIError):
        error = error.orig or error
    if not isinstance(error, sqlite3.Error):
        return False
    code = getattr(error, "sqlite_errorcode", None)  # none: the driver refused what it was given
    return code is not None and (code & 0xFF) in _OF_THE_DATABASE


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A transaction that reads one consistent state."""
    with engine.connect() as connection, connection.begin():
        yield connection


def driver_connection(connection: Connection) -> sqlite3.Connection:
    """SQLite's own connection under SQLAlchemy's."""
    raw = connection.connection.driver_connection
    assert isinstance(raw, sqlite3.Connection)
    return raw


def damage(connection: sqlite3.Connection, quick: bool = False) -> str | None:
    """The first thing that is wrong with a database's own structure, None if it is whole.

    `quick` leaves out whether each index fits its table, which takes most of the time.
    """
    try:
        check = "quick_check(1)" if quick else "integrity_check(1)"
        first = str(connection.execute(f"PRAGMA {check}").fetchone()[0])
        if first != "ok":
            return " ".join(first.split())
        stray = connection.execute("PRAGMA foreign_key_check").fetchone() if not quick else None
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            raise
        return str(error)
    return None if stray is None else f"a row of {stray[0]} belongs to no {stray[2]}"


def migrate(engine: Engine, version: str = "head") -> None:
    """Bring the schema to the newest version (or to an older one, for a test), in one transaction.

    Raises:
        StateError: a newer server wrote it.
    """
    from alembic import command  # a fifth of a command's start, and only `init` needs it
    from alembic.config import Config
    from alembic.util import CommandError

    with writing(engine) as connection:
        config = Config()
        config.set_main_option("script_location", str(_MIGRATIONS))
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, version)
        except CommandError as error:
            raise StateError("the database was written by a newer server: use that one") from error


def check_schema(engine: Engine) -> None:
    """Refuse to work on a schema that this program was not written for.

    Raises:
        StateError: older (run `init` again to migrate) or newer (a newer server wrote it).
    """
    known = sorted(file.name.partition("_")[0] for file in _MIGRATIONS.glob("versions/[0-9]*.py"))
    with reading(engine) as connection:
        found = None
        if inspect(connection).has_table("alembic_version"):
            found = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    if found == known[-1]:
        return
    if found in known or found is None:
        raise StateError(
            "the database is of an older version: run `init` on this folder to migrate"
        )
    raise StateError("the database was written by a newer server: use that one")
