"""PostgreSQL: its connections, whom its locks keep apart, and which of its errors are nobody's
question. For `engine`.

Several processes write at once. Terminals' messages go side by side: each begins with the update of
its terminal's row, so those of one terminal wait for each other, and nothing else that they share
is decided without a lock of the database's. The log of sales is made beside them: it is written
where no message writes. Everything else that writes (an operator's command, an enrolment) is rare,
and goes alone, as on SQLite: it waits until no message is under way, and they wait for it. So what
is true of one writer needs no second proof for any of them.

Source: https://www.postgresql.org/docs/current/explicit-locking.html, "Advisory Locks".
"""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
import weakref
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, InternalError, OperationalError

from updater_server.errors import StateError

SCHEMA = "duka"
APP_ROLE = "duka_app"
"""Whose rights the server's connections have, if the database knows it (`rights`)."""
WIDTH = 8
"""Writers of one process at once; more of them only wait within the database."""
BEGINNING = "0014"
"""The step of the history that an empty database stands at."""
LOCK_TIMEOUT_MS = 5000
_IDLE_MS = 60_000
_WRITERS, _SERVERS = 1, 2
_CLASS = 25707
TURNS = 5
"""How often a transaction is tried that others collide with."""
_COLLIDED = frozenset({"40001", "40P01"})

log = logging.getLogger("duka.store")
T = TypeVar("T")
_GONE = {
    "connect_timeout": 2,
    "load_balance_hosts": "random",
    "keepalives": 1,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}
"""A machine that is gone without a word is noticed within some eleven seconds; by what the system
has set itself it may be a quarter of an hour, in which a standby that took over stands idle.
One that hangs takes connections and says nothing: of several not always the same is asked first.
Source: https://www.postgresql.org/docs/current/libpq-connect.html, "Parameter Key Words".
"""
SOON_S = 15.0
"""What is to be done soon (a message, a look at the health) waits for no database longer."""


class _Bounds:
    """Who is to be done soon, in one thread that cuts the line of whoever is not: a database that
    hangs acknowledges every packet, so the network never gives it up.
    """

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._due: dict[int, tuple[float, Any]] = {}
        self._given = 0
        self._watches = False

    def begin(self, raw: Any) -> int:
        """A number for `end`. `raw` is the driver's connection."""
        with self._guard:
            self._given += 1
            self._due[self._given] = (time.monotonic() + SOON_S, raw)
            if not self._watches:
                self._watches = True
                threading.Thread(target=self._watch, name="duka-bounds", daemon=True).start()
            return self._given

    def end(self, number: int) -> None:
        """It is done, or it failed."""
        with self._guard:
            self._due.pop(number, None)

    def _watch(self) -> None:
        while True:
            time.sleep(SOON_S / 15)
            now = time.monotonic()
            with self._guard:
                late = [number for number, (due, _) in self._due.items() if due <= now]
                for number in late:
                    _cut(self._due.pop(number)[1])


def _cut(raw: Any) -> None:
    """End a connection under whoever waits on it: he gets an error, as if its far end were gone."""
    log.error("the database does not answer: a connection to it is cut")
    with suppress(OSError), socket.socket(fileno=os.dup(raw.fileno())) as line:
        line.shutdown(socket.SHUT_RDWR)


_BOUNDS = _Bounds()


@contextmanager
def soon(connection: Connection) -> Iterator[None]:
    """Let what is done on `connection` fail as if the database were gone, if it takes longer than
    `SOON_S`. Once a connection is lost, those that wait for their use are thrown away: they lead to
    the same machine, and each would cost the next one who asks as long.
    """
    raw: Any = connection.connection.driver_connection
    number = _BOUNDS.begin(raw)
    try:
        yield
    finally:
        _BOUNDS.end(number)
        if raw.closed:
            connection.engine.dispose()


class ServersRun(StateError):
    """Somebody serves from a database whose tables were to be changed."""


def open_engine(url: str, as_owner: bool = False) -> Engine:
    """An engine on the database at `url`. Its connections have no more rights than the server needs
    (`APP_ROLE`), unless it is the owner's, for `init` and `restore`.

    Raises:
        StateError: `url` is none of a PostgreSQL database.
    """
    try:
        parsed = make_url(url).set(drivername="postgresql+psycopg")
    except ArgumentError as error:
        raise StateError("--database is no URL like postgresql://user@host/duka") from error
    engine = create_engine(
        parsed,
        isolation_level="READ COMMITTED",
        pool_size=2 * WIDTH,
        pool_reset_on_return=None,  # by `_reset`
        connect_args={"application_name": "duka", **_GONE},
    )

    @event.listens_for(engine, "connect")
    def _connected(raw: Any, _record: Any) -> None:
        from psycopg.types.numeric import IntLoader  # sums of whole numbers are whole numbers

        raw.adapters.register_loader("numeric", IntLoader)
        # Only `exchange` prepares statements: the driver would throw away all that there are.
        raw.prepare_threshold = None
        before, raw.autocommit = raw.autocommit, True
        raw.execute(
            "SELECT set_config('search_path', %s, false), set_config('lock_timeout', %s, false)",
            (SCHEMA, str(LOCK_TIMEOUT_MS)),
        )
        if not as_owner:
            raw.execute(
                "SELECT set_config('role', rolname, false) FROM pg_roles"
                " WHERE rolname = %s AND pg_has_role(rolname, 'MEMBER')",
                (APP_ROLE,),
            )
        raw.autocommit = before

    driver: Any = engine.dialect.loaded_dbapi
    idle = driver.pq.TransactionStatus.IDLE

    @event.listens_for(engine, "reset")
    def _reset(raw: Any, _record: Any, _state: Any) -> None:
        if raw.pgconn.transaction_status != idle:  # to undo nothing costs what a question does
            raw.rollback()

    return engine


_ALONE = "pg_advisory_xact_lock"
_BESIDE = "pg_advisory_xact_lock_shared"
_SETTINGS = {
    "idle_in_transaction_session_timeout": _IDLE_MS,
    # Who writes asks for few rows, by an index, whatever PostgreSQL last knew of its tables' sizes:
    # it keeps a plan that was made for a small one, or by figures of an hour ago.
    "enable_seqscan": "off",
    "enable_bitmapscan": "off",
}
_SET = ", ".join(f"set_config('{name}', '{value}', true)" for name, value in _SETTINGS.items())
# With the beginning itself, in one exchange.
_PLACES = {
    alone: "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; "
    f"SELECT {lock}({_CLASS}, {_WRITERS}), {_SET}"
    for alone, lock in ((True, _ALONE), (False, _BESIDE))
}


def take_place(connection: Connection, alone: bool) -> None:
    """Begin a writing transaction: after all that write and before those that come, or beside the
    other messages. What hangs in it is ended by the database.
    """
    words = _PLACES[alone]
    driver: Any = connection.dialect.loaded_dbapi
    raw: Any = connection.connection.driver_connection
    found = raw.pgconn.exec_(words.encode())
    if found.status != driver.pq.ExecStatus.TUPLES_OK:
        lost = raw.pgconn.status != driver.pq.ConnStatus.OK
        told = found.get_error_message() or "the connection to the database is lost"
        error = driver.OperationalError(told) if lost else driver.errors.error_from_result(found)
        raise DBAPIError.instance(words, None, error, driver.Error, dialect=connection.dialect)


def one_at_a_time(connection: Connection, about: str) -> None:
    """Wait for all transactions that asked this about the same, and keep it to the end of mine."""
    connection.exec_driver_sql(
        "SELECT pg_advisory_xact_lock(%s, hashtext(%s))", (_CLASS + 2, about)
    )


def begin_still(connection: Connection, engine: Engine) -> None:
    """Let a reading transaction see a moment in which nobody was writing: then every number that
    was given so far is of a row that it sees, or of none.
    """
    with engine.connect() as gate, gate.begin():
        gate.exec_driver_sql(f"SELECT {_ALONE}({_CLASS}, {_WRITERS})")
        connection.exec_driver_sql("SELECT 1")  # its state is that of its first question


@contextmanager
def presence(engine: Engine, alone: bool) -> Iterator[None]:
    """Be one of the servers on a database, or the only process that may change its tables.

    Raises:
        ServersRun: to be alone was wanted, and servers run on it.
        StateError: somebody is changing its tables.
    """
    kind = "" if alone else "_shared"
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as held:
        asked = f"SELECT pg_try_advisory_lock{kind}({_CLASS}, {_SERVERS})"
        if not held.exec_driver_sql(asked).scalar():
            if alone:
                raise ServersRun("a server runs on this database: stop all of them first")
            raise StateError("the database is being changed by `init` or `restore`: wait for it")
        try:
            yield
        finally:
            held.invalidate()  # the lock ends with the connection, whatever became of it


def why_not_durable(connection: Connection) -> str | None:
    """What of the database's settings would let an answered sale be lost; None if nothing."""
    for name, bad in (("fsync", "off"), ("full_page_writes", "off"), ("synchronous_commit", "off")):
        if connection.exec_driver_sql(f"SHOW {name}").scalar() == bad:
            return f"{name} is off"
    return None


def standbys(connection: Connection) -> int:
    """How many standbys stream from here, each by a slot of its own, as Patroni makes them: the one
    thing about standbys that a role without special rights may see.
    """
    words = (
        "SELECT count(*) FROM pg_replication_slots"
        " WHERE slot_type = 'physical' AND active AND NOT temporary"
    )
    return int(connection.exec_driver_sql(words).scalar() or 0)


# --- errors ---


def is_its_fault(error: DBAPIError) -> bool:
    """Whether the connection, a lock or the disk was at fault, not what was asked."""
    return isinstance(error, OperationalError | InternalError)


def collided(error: BaseException) -> bool:
    """Whether another transaction was in the way, so that the same one will go through."""
    orig = error.orig if isinstance(error, DBAPIError) else None
    return getattr(orig, "sqlstate", None) in _COLLIDED


_COLLISIONS: weakref.WeakKeyDictionary[Engine, Counter[str]] = weakref.WeakKeyDictionary()
_GUARD = threading.Lock()


def collisions(engine: Engine) -> Counter[str]:
    """How often transactions of this process collided, by SQLSTATE, and how many were given up."""
    return _COLLISIONS.setdefault(engine, Counter())


def again_if_it_collides(engine: Engine, work: Callable[[], T]) -> T:
    """`work()`, a whole transaction, again if others collide with it (a deadlock, say), `TURNS`
    times at most; what it wrote in vain is undone.
    """
    for turn in range(1, TURNS + 1):
        try:
            return work()
        except DBAPIError as error:
            if not collided(error):
                raise
            with _GUARD:
                counts = collisions(engine)
                counts[str(getattr(error.orig, "sqlstate", ""))] += 1
                counts["given up"] += turn == TURNS
            log.info("a transaction collided with another, so far: %s", dict(counts))
            if turn == TURNS:
                raise
            time.sleep(0.005 * 2**turn)
    raise AssertionError("unreachable")
