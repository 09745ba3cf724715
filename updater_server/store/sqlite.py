"""One SQLite file: its connections, and which of its errors are nobody's question. For `engine`."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError

from updater_server.errors import BusyError

ELSEWHERE = "database-url"
"""The file beside a database that says where the books are, if not in it (`updater_server.moving`).
"""
_MOVED_TO = "duka_moved_to"
BUSY_TIMEOUT_MS = 5000
"""How long another process (an operator's command) may hold the write lock."""


class BooksMoved(BusyError):
    """Nothing was begun: another database has the books now."""


def open_engine(path: Path) -> Engine:
    """An engine on the SQLite file `path`: WAL, foreign keys, every commit on the disk before it
    returns. Transactions begin by `begin`.
    """
    moved_to = str(path.with_name(ELSEWHERE))
    engine = create_engine(
        f"sqlite:///{path}", connect_args={"timeout": BUSY_TIMEOUT_MS / 1000}, pool_size=8
    )

    @event.listens_for(engine, "connect")
    def _connected(connection: sqlite3.Connection, record: Any) -> None:
        # Transactions are begun by `begin`; whoever goes past it has the driver's, and not none.
        connection.isolation_level = "DEFERRED"
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")  # a sale that was answered is on the disk
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
        connection.execute("PRAGMA trusted_schema = OFF")
        record.info[_MOVED_TO] = moved_to

    return engine


def begin(connection: Connection, writes: bool) -> None:
    """Begin a transaction, which SQLAlchemy has begun by name. One that writes has the lock from
    here on.

    Raises:
        BooksMoved: it writes, and the file's folder says that its books are elsewhere.
        sqlalchemy.exc.OperationalError: another process held the lock for too long.
    """
    words = "BEGIN IMMEDIATE" if writes else "BEGIN"
    own = raw(connection)
    try:
        own.execute(words)
    except sqlite3.Error as error:
        raise DBAPIError.instance(words, None, error, sqlite3.Error) from error
    # Looked at under the lock under which it is decided.
    if writes and os.access(connection.info[_MOVED_TO], os.F_OK):
        own.execute("ROLLBACK")
        raise BooksMoved("the books have moved to PostgreSQL: ask again")


def raw(connection: Connection) -> sqlite3.Connection:
    """SQLite's own connection under SQLAlchemy's."""
    found = connection.connection.dbapi_connection
    assert isinstance(found, sqlite3.Connection)
    return found


_OF_THE_DATABASE = frozenset(
    {
        sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_INTERRUPT, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PROTOCOL, sqlite3.SQLITE_NOTADB,
        sqlite3.SQLITE_PERM,
    }
)  # fmt: skip


def is_its_fault(error: sqlite3.Error) -> bool:
    """Whether the lock, the disk or the file was at fault, not what was asked."""
    code = getattr(error, "sqlite_errorcode", None)  # none: the driver refused what it was given
    return code is not None and (code & 0xFF) in _OF_THE_DATABASE


def damage(connection: sqlite3.Connection, quick: bool) -> str | None:
    """The first thing that is wrong with the file's own structure, None if it is whole."""
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
