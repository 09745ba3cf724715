"""Statements that a message asks again and again: compiled once, then handed to the driver as they
are. For every module on the way of a sale, a sync or a check-in.

SQLAlchemy builds, caches and adapts a statement each time it is executed: some 130 µs of Python,
where SQLite needs 5. A `Prepared` is written in SQLAlchemy like any other, and runs on the same
connection in the same transaction; only what lies between is left out. Rows come as the driver
gives them: true and false are 1 and 0.
"""

from __future__ import annotations

import sqlite3
from collections import namedtuple
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.sql.expression import Executable

from updater_server.store.engine import as_sqlalchemys, calls_when_committed, driver_connection


class Prepared:
    """One statement. Its named values (`bindparam`) are given when it runs; of an `insert` also
    the columns that are named here.

    Every call raises what SQLAlchemy raises (`sqlalchemy.exc.IntegrityError`, …).
    """

    def __init__(self, statement: Executable, columns: Sequence[str] = ()) -> None:
        self._statement = statement
        self._columns = list(columns)
        self._text = ""
        self._names: tuple[str, ...] = ()
        self._fixed: dict[str, Any] = {}
        self._row: Any = None

    def _compile(self, connection: Connection) -> None:
        compiled: Any = self._statement.compile(  # type: ignore[attr-defined]
            dialect=connection.dialect,
            column_keys=self._columns or None,
            compile_kwargs={"render_postcompile": True},
        )
        self._names = tuple(compiled.positiontup)
        given = {name for name, bind in compiled.binds.items() if bind.required}
        self._fixed = {name: compiled.params[name] for name in self._names if name not in given}
        self._text = str(compiled)

    def _run(self, connection: Connection, values: dict[str, Any]) -> sqlite3.Cursor:
        if not self._text:
            self._compile(connection)
        every = [values[name] if name in values else self._fixed[name] for name in self._names]
        try:
            return driver_connection(connection).execute(self._text, every)
        except sqlite3.Error as error:
            raise as_sqlalchemys(self._text, error) from error

    def all(self, connection: Connection, **values: Any) -> list[Any]:
        """Every row, with its columns' names."""
        cursor = self._run(connection, values)
        try:
            found = cursor.fetchall()
        except sqlite3.Error as error:
            raise as_sqlalchemys(self._text, error) from error
        if not found:
            return []
        if self._row is None:
            self._row = _row_type([column[0] for column in cursor.description])
        return [self._row._make(row) for row in found]

    def first(self, connection: Connection, **values: Any) -> Any:
        """The first row; None if there is none."""
        found = self.all(connection, **values)
        return found[0] if found else None

    def scalar(self, connection: Connection, **values: Any) -> Any:
        """The first column of the first row; None if there is none."""
        cursor = self._run(connection, values)
        try:
            found = cursor.fetchall()
        except sqlite3.Error as error:
            raise as_sqlalchemys(self._text, error) from error
        return found[0][0] if found else None

    def scalars(self, connection: Connection, **values: Any) -> list[Any]:
        """The first column of every row."""
        return [row[0] for row in self.all(connection, **values)]

    def run(self, connection: Connection, **values: Any) -> int:
        """How many rows it changed."""
        return self._run(connection, values).rowcount


def _row_type(names: list[str]) -> Any:
    return namedtuple("Row", names, rename=True)


_SAVE, _RELEASE, _BACK = "SAVEPOINT ours", "RELEASE ours", "ROLLBACK TO ours"


@contextmanager
def undone_if_it_fails(connection: Connection) -> Iterator[None]:
    """A part of a transaction: an exception undoes what it wrote, and nothing else."""
    raw = driver_connection(connection)
    calls = calls_when_committed(connection)
    before = len(calls)
    raw.execute(_SAVE)
    try:
        yield
    except BaseException:
        del calls[before:]  # what they would tell of is undone
        if raw.in_transaction:  # else SQLite has given up the whole: a full disk, say
            raw.execute(_BACK)
            raw.execute(_RELEASE)
        raise
    raw.execute(_RELEASE)
