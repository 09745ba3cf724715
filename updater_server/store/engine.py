"""The database, whichever it is: transactions that read, that write, and migrations.

For every module of the server. It is one SQLite file (`sqlite`) or a PostgreSQL database
(`postgresql`). A writing transaction goes alone: it takes the write lock at its start, so that what
it read is still true when it commits. On PostgreSQL terminals' messages go beside each other
(`writing`, `beside`); there, what two of them share is decided under a lock of the database's. A
reading transaction sees one consistent state.

SQLite has one writer, and who waits for its lock sleeps and tries again, without an order: with
many threads somebody is always unlucky. So the threads of one process stand in line for it here
(`WriteLine`), first come, first served, and whom nobody can serve in time is told so at once.
PostgreSQL lets some write at once; the rest stands in the same line.
"""

from __future__ import annotations

import sqlite3
import threading
import weakref
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, CursorResult, Engine, inspect
from sqlalchemy.exc import DBAPIError

from updater_server.errors import BusyError, StateError
from updater_server.store import postgresql, rights, sqlite

MOVED, MOVING = "moved", "moving"
"""In the place of a schema's version (`updater_server.moving`): nobody's books any more, or yet."""
LINE_LIMIT = 64
PATIENCE_S = 8.0
"""A terminal gives up on an answer after about 20 s; the network has its share of them."""
T = TypeVar("T")
_MIGRATIONS = Path(__file__).parent / "migrations"


class WriteLine:
    """The line of threads that want to write: `width` at a time, in the order in which they
    came.
    """

    def __init__(self, limit: int = LINE_LIMIT, width: int = 1) -> None:
        self._limit = limit
        self._guard = threading.Lock()
        self._free = width
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
        mine: threading.Event | None = None
        with self._guard:
            if self._free:
                self._free -= 1
            elif len(self._waiting) >= self._limit:
                raise BusyError("too much is to be written at once: try again in a few seconds")
            else:
                mine = threading.Event()
                self._waiting.append(mine)
        if mine is not None and not mine.wait(patience_s):
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
                    self._free += 1


_LINES: weakref.WeakKeyDictionary[Engine, WriteLine] = weakref.WeakKeyDictionary()


def write_line(engine: Engine) -> WriteLine:
    """The line in which this process's threads wait to write to `engine`."""
    known = _LINES.get(engine)
    if known is not None:
        return known
    return _LINES.setdefault(engine, WriteLine(width=1 if is_sqlite(engine) else postgresql.WIDTH))


def open_engine(place: Path | str, as_owner: bool = False) -> Engine:
    """An engine on an SQLite file, or on the PostgreSQL database at a URL (`postgresql`): every
    commit is on the disk before it returns.

    Raises:
        StateError: no such URL can be.
    """
    if isinstance(place, Path):
        return sqlite.open_engine(place)
    return postgresql.open_engine(place, as_owner)


def is_sqlite(on: Engine | Connection) -> bool:
    """Whether this is SQLite; else it is PostgreSQL."""
    return on.dialect.name == "sqlite"


def as_sqlalchemys(connection: Connection, statement: str, error: Exception) -> BaseException:
    """A driver's error as SQLAlchemy would raise it: what is caught elsewhere."""
    return DBAPIError.instance(
        statement, None, error, connection.dialect.loaded_dbapi.Error, dialect=connection.dialect
    )


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
def writing(engine: Engine, beside: bool = False) -> Iterator[Connection]:
    """A transaction that may write: committed at the end, rolled back by any exception.

    `beside`: other such transactions may write meanwhile, where the database can; it is for what
    begins by updating the row of the one terminal that it is about, and for what writes where no
    message does, `one_at_a_time`.

    Raises:
        BusyError: others of this process write and wait (`WriteLine`); nothing was begun.
        sqlalchemy.exc.OperationalError: another process held the lock for 5 s.
    """
    with write_line(engine).turn(PATIENCE_S), engine.connect() as connection:
        calls: list[Callable[[], object]] = []
        connection.info[_AFTER] = calls  # of the driver's connection, which others had before
        with _soon(connection, beside), connection.begin():
            if is_sqlite(engine):
                sqlite.begin(connection, writes=True)
            else:
                postgresql.take_place(connection, alone=not beside)
            yield connection
        for call in calls:
            call()


def one_at_a_time(connection: Connection, about: str) -> None:
    """Let transactions that decide something about `about` (any text) follow each other from here
    to their ends; on SQLite they do.
    """
    if not is_sqlite(connection):
        postgresql.one_at_a_time(connection, about)


def again_if_it_collides(engine: Engine, work: Callable[[], T]) -> T:
    """`work()`, which is one whole transaction `beside` others: again if they collide with it, some
    times at most. One writer collides with nobody.
    """
    return work() if is_sqlite(engine) else postgresql.again_if_it_collides(engine, work)


def is_the_databases_fault(error: BaseException) -> bool:
    """Whether the same request may well succeed later: the lock, the disk or the file was at fault,
    not what was asked.
    """
    orig = (error.orig or error) if isinstance(error, DBAPIError) else error
    if isinstance(orig, sqlite3.Error):
        return sqlite.is_its_fault(orig)
    return isinstance(error, DBAPIError) and postgresql.is_its_fault(error)


def _soon(connection: Connection, is_meant: bool) -> AbstractContextManager[None]:
    """A bound for what somebody waits for, on a database that may hang (`postgresql.soon`)."""
    is_bound = is_meant and not is_sqlite(connection)
    return postgresql.soon(connection) if is_bound else nullcontext()


@contextmanager
def reading(engine: Engine, still: bool = False, soon: bool = False) -> Iterator[Connection]:
    """A transaction that reads one consistent state. `still`: of a moment in which nobody wrote, so
    that no row comes later under a number that was given before. `soon`: somebody waits for it, so
    it is given up like a message on a database that hangs.
    """
    options: dict[str, Any] = {}
    if not is_sqlite(engine):
        options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    with (
        engine.connect().execution_options(**options) as connection,
        _soon(connection, soon),
        connection.begin(),
    ):
        if is_sqlite(engine):
            sqlite.begin(connection, writes=False)
        elif still:
            postgresql.begin_still(connection, engine)
        yield connection


def driver_connection(connection: Connection) -> Any:
    """The driver's own connection under SQLAlchemy's."""
    # Neither driver is an asynchronous one, which would have another one under it.
    return connection.connection.dbapi_connection


def damage(connection: Connection, quick: bool = False) -> str | None:
    """The first thing that is wrong with a database's own structure, None if it is whole, or
    PostgreSQL's, which looks after that itself.

    `quick` leaves out whether each index fits its table, which takes most of the time.
    """
    return sqlite.damage(sqlite.raw(connection), quick) if is_sqlite(connection) else None


def why_not_durable(connection: Connection) -> str | None:
    """What about the database would let an answered sale be lost; None if nothing."""
    return None if is_sqlite(connection) else postgresql.why_not_durable(connection)


def standbys(connection: Connection) -> int | None:
    """How many other machines copy what is written, now; None: the engine has no such thing."""
    return None if is_sqlite(connection) else postgresql.standbys(connection)


def migrate(engine: Engine, version: str = "head") -> None:
    """Bring the schema to the newest version (or to an older one, for a test), in one transaction.

    Raises:
        StateError: a newer server wrote it.
    """
    with writing(engine) as connection:
        upgrade(connection, version)


def upgrade(connection: Connection, version: str = "head") -> None:
    """As `migrate`, in a transaction of the caller's."""
    from alembic import command  # a fifth of a command's start, and only `init` needs it
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.attributes["connection"] = connection
    try:
        if not is_sqlite(connection):
            rights.begin(connection)
            if not inspect(connection).has_table("alembic_version"):
                command.stamp(config, postgresql.BEGINNING)
        command.upgrade(config, version)
    except CommandError as error:
        raise StateError("the database was written by a newer server: use that one") from error
    if not is_sqlite(connection):
        rights.give(connection)


def count_on_from(connection: Connection, table: str, number: int) -> None:
    """Let the next row of a table get a number above this one; SQLite goes by its highest row."""
    if not is_sqlite(connection):
        connection.exec_driver_sql(
            "SELECT setval(pg_get_serial_sequence(%s, 'id'), %s)", (table, number)
        )


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
    if found == MOVED:
        raise StateError("these books have moved to PostgreSQL, and are old: put no server on them")
    if found == MOVING:
        raise StateError("the database is being filled by `migrate-store`: end that first")
    raise StateError("the database was written by a newer server: use that one")
