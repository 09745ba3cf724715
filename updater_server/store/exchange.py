"""One question to PostgreSQL and its answer, over the driver's own connection. For `prepared`.

The driver's cursor may wait in many ways, and adapts each value anew: some 60 µs of Python for each
exchange, eight times a sale. Here a statement is prepared once on each connection and asked in
one call of libpq, which lets other threads go on; rows are read as the driver reads them. Only
within a transaction that was begun: the driver begins one as the engine wants it.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from updater_server.store.engine import as_sqlalchemys

_KNOWN = "duka_prepared"
_NUMBERS = itertools.count()
_BINARY = (bytes, bytearray, memoryview)
_NAMED = re.compile(r"%\((\w+)\)s|%%")


class Answer:
    """What came back, as a cursor would have it; what nobody asks for is not looked up."""

    def __init__(self, rows: list[Any], told: Any) -> None:
        self._rows = rows
        self._told = told

    @property
    def description(self) -> list[tuple[str]]:
        """The columns' names."""
        told = self._told
        return [(told.fname(at).decode(),) for at in range(told.nfields)]

    @property
    def rowcount(self) -> int:
        """How many rows it changed or brought."""
        return self._told.command_tuples or 0

    def fetchall(self) -> list[Any]:
        """Every row."""
        return self._rows


class _Known:
    """What one connection has of us: the statements that it prepared, and what reads its rows."""

    def __init__(self, driver: Any, raw: Any) -> None:
        self.names: set[bytes] = set()
        self.read = driver.adapt.Transformer(raw)


class Question:
    """A statement in the driver's words, with values by name."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.names: list[str] = []
        self._told = _NAMED.sub(self._place, text).encode()
        # Never another's, not of one that is gone either: connections keep what they prepared.
        self._name = b"duka_%d" % next(_NUMBERS)

    def _place(self, found: re.Match[str]) -> str:
        name = found[1]
        if name is None:
            return "%"
        if name not in self.names:
            self.names.append(name)
        return f"${self.names.index(name) + 1}"

    def ask(self, connection: Connection, raw: Any, values: Mapping[str, Any]) -> Any:
        """The driver's cursor, or something like it.

        Raises:
            sqlalchemy.exc.DBAPIError: as SQLAlchemy raises it.
        """
        driver: Any = connection.dialect.loaded_dbapi
        libpq = raw.pgconn
        if libpq.transaction_status != driver.pq.TransactionStatus.INTRANS:
            return raw.execute(self.text, values)
        info = connection.info
        known: _Known = info.get(_KNOWN) or info.setdefault(_KNOWN, _Known(driver, raw))
        if self._name not in known.names:
            _checked(connection, raw, self.text, libpq.prepare(self._name, self._told))
            known.names.add(self._name)
        given, formats = [], []
        for name in self.names:
            value = values[name]
            given.append(b"%d" % value if type(value) is int else _dumped(value))
            formats.append(isinstance(value, _BINARY))
        answer = libpq.exec_prepared(self._name, given, formats)
        _checked(connection, raw, self.text, answer)
        known.read.set_pgresult(answer)
        return Answer(known.read.load_rows(0, answer.ntuples, tuple), answer)


def tell(connection: Connection, raw: Any, words: str) -> None:
    """A statement without values or rows.

    Raises:
        sqlalchemy.exc.DBAPIError: as SQLAlchemy raises it.
    """
    _checked(connection, raw, words, raw.pgconn.exec_(words.encode()))


def _dumped(value: Any) -> bytes | None:
    if value is None or isinstance(value, _BINARY):
        return None if value is None else bytes(value)
    if value is True or value is False:
        return b"t" if value else b"f"
    return str(value).encode()


def _checked(connection: Connection, raw: Any, words: str, answer: Any) -> None:
    driver: Any = connection.dialect.loaded_dbapi
    good = driver.pq.ExecStatus
    if answer.status in (good.TUPLES_OK, good.COMMAND_OK):
        return
    if raw.pgconn.status != driver.pq.ConnStatus.OK:
        lost = answer.get_error_message() or "the connection to the database is lost"
        raise as_sqlalchemys(connection, words, driver.OperationalError(lost))
    raise as_sqlalchemys(connection, words, driver.errors.error_from_result(answer))
