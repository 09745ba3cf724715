"""One question to PostgreSQL and its answer, over the driver's own connection. For `prepared`.

The driver's cursor may wait in many ways, and adapts each value anew: some 60 µs of Python for each
exchange, eight times a sale. Here a statement is prepared once on each connection and asked in
one call of libpq, which lets other threads go on; rows are read as the driver reads them. Only
within a transaction that was begun: the driver begins one as the engine wants it.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from updater_server.store.engine import as_sqlalchemys

_NAMES = "duka_prepared"
_NUMBERS = itertools.count()
_BINARY = (bytes, bytearray, memoryview)
_NAMED = re.compile(r"%\((\w+)\)s|%%")


class Answer:
    """What came back, as a cursor would have it."""

    def __init__(self, rows: list[Any], names: Sequence[str], rowcount: int) -> None:
        self.description = [(name,) for name in names]
        self.rowcount = rowcount
        self._rows = rows

    def fetchall(self) -> list[Any]:
        """Every row."""
        return self._rows


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
        known: set[bytes] = connection.info.setdefault(_NAMES, set())
        if self._name not in known:
            _checked(connection, raw, self.text, libpq.prepare(self._name, self._told))
            known.add(self._name)
        given = [_dumped(values[name]) for name in self.names]
        formats = [isinstance(values[name], _BINARY) for name in self.names]
        answer = libpq.exec_prepared(self._name, given, formats)
        _checked(connection, raw, self.text, answer)
        read = driver.adapt.Transformer(raw)
        read.set_pgresult(answer)
        rows = read.load_rows(0, answer.ntuples, tuple)
        names = [answer.fname(at).decode() for at in range(answer.nfields)]
        return Answer(rows, names, answer.command_tuples or 0)


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
    if type(value) is int:
        return b"%d" % value
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
