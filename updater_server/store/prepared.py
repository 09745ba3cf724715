"""Statements that a message asks again and again: compiled once, then handed to the driver as they
are. For every module on the way of a sale, a sync or a check-in.

SQLAlchemy builds, caches and adapts a statement each time it is executed: some 130 µs of Python,
where SQLite needs 5. A `Prepared` is written in SQLAlchemy like any other, and runs on the same
connection in the same transaction; only what lies between is left out. Rows come as the driver
gives them: true and false are 1 and 0 on SQLite.

PostgreSQL prepares it on each connection, and must know the type of every value: where none follows
from what a `bindparam` stands beside (in a list of columns, say), it is given a `type_`.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.sql.expression import Executable

from updater_server.store.engine import (
    as_sqlalchemys,
    calls_when_committed,
    driver_connection,
    is_sqlite,
)
from updater_server.store.exchange import Question, tell


class Prepared:
    """One statement. Its named values (`bindparam`) are given when it runs; of an `insert` also
    the columns that are named here.

    Every call raises what SQLAlchemy raises (`sqlalchemy.exc.IntegrityError`, …).
    """

    def __init__(
        self,
        statement: Executable,
        columns: Sequence[str] = (),
        on_postgresql: Executable | None = None,
    ) -> None:
        self._statement = statement
        self._columns = list(columns)
        self._on_postgresql = statement if on_postgresql is None else on_postgresql
        self._forms: dict[str, _Form] = {}

    def _form(self, connection: Connection) -> _Form:
        name = connection.dialect.name
        statement = self._statement if name == "sqlite" else self._on_postgresql
        return self._forms.setdefault(name, _Form(statement, self._columns, connection))

    def _asked(
        self, connection: Connection, values: dict[str, Any], rows: bool = True
    ) -> tuple[_Form, Any, list[Any]]:
        """(what was asked, the cursor, its rows if there may be any)."""
        form = self._forms.get(connection.dialect.name) or self._form(connection)
        try:
            cursor = form.run(connection, driver_connection(connection), values)
            return form, cursor, cursor.fetchall() if rows else []
        except connection.dialect.loaded_dbapi.Error as error:
            raise as_sqlalchemys(connection, form.text, error) from error

    def all(self, connection: Connection, **values: Any) -> list[Any]:
        """Every row, with its columns' names."""
        form, cursor, found = self._asked(connection, values)
        if not found:
            return []
        if form.named is None:
            form.named = _naming([column[0] for column in cursor.description])
        return [form.named(row) for row in found]

    def first(self, connection: Connection, **values: Any) -> Any:
        """The first row; None if there is none."""
        found = self.all(connection, **values)
        return found[0] if found else None

    def scalar(self, connection: Connection, **values: Any) -> Any:
        """The first column of the first row; None if there is none."""
        _, _, found = self._asked(connection, values)
        return found[0][0] if found else None

    def scalars(self, connection: Connection, **values: Any) -> list[Any]:
        """The first column of every row."""
        _, _, found = self._asked(connection, values)
        return [row[0] for row in found]

    def run(self, connection: Connection, **values: Any) -> int:
        """How many rows it changed."""
        _, cursor, _ = self._asked(connection, values, rows=False)
        return int(cursor.rowcount)


class _Form:
    """A statement in the words of one database."""

    def __init__(self, statement: Executable, columns: list[str], connection: Connection) -> None:
        compiled: Any = statement.compile(  # type: ignore[attr-defined]
            dialect=connection.dialect,
            column_keys=columns or None,
            compile_kwargs={"render_postcompile": True},
        )
        given = {name for name, bind in compiled.binds.items() if bind.required}
        self.text = str(compiled)
        self.named: Callable[[Sequence[Any]], Any] | None = None
        self._fixed = {name: value for name, value in compiled.params.items() if name not in given}
        self._names: Sequence[str] | None = compiled.positiontup
        self._question = Question(self.text)

    def run(self, connection: Connection, raw: Any, values: dict[str, Any]) -> Any:
        """The driver's cursor, or something like it."""
        if self._names is None:  # PostgreSQL goes by the names
            return self._question.ask(connection, raw, {**self._fixed, **values})
        fixed = self._fixed
        return raw.execute(
            self.text, [values[name] if name in values else fixed[name] for name in self._names]
        )


def _naming(names: list[str]) -> Callable[[Sequence[Any]], Any]:
    """What gives a row these names."""
    return partial(tuple.__new__, namedtuple("Row", names, rename=True))


_SAVE, _RELEASE, _BACK = "SAVEPOINT ours", "RELEASE ours", "ROLLBACK TO ours"


@contextmanager
def undone_if_it_fails(connection: Connection) -> Iterator[None]:
    """A part of a transaction: an exception undoes what it wrote, and nothing else."""
    calls = calls_when_committed(connection)
    before = len(calls)
    _do(connection, _SAVE)
    try:
        yield
    except BaseException:
        del calls[before:]  # what they would tell of is undone
        if _goes_on(connection):
            _do(connection, _BACK)
            _do(connection, _RELEASE)
        raise
    _do(connection, _RELEASE)


def _do(connection: Connection, words: str) -> None:
    if not is_sqlite(connection):
        tell(connection, driver_connection(connection), words)
        return
    try:
        driver_connection(connection).execute(words)
    except connection.dialect.loaded_dbapi.Error as error:
        raise as_sqlalchemys(connection, words, error) from error


def _goes_on(connection: Connection) -> bool:
    """Whether there is a transaction yet: SQLite gives up the whole for a full disk, say, and
    PostgreSQL's connection may be lost.
    """
    if connection.invalidated:
        return False
    raw = driver_connection(connection)
    return bool(raw.in_transaction) if is_sqlite(connection) else not raw.closed
