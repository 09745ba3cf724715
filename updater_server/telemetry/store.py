"""Where what terminals told is kept: a table for each day on which it became known, so that a day
is dropped, and not deleted row by row.

On SQLite each day has a file of its own, `<data>/telemetry/told-<day>.db`: its writer keeps nobody
from selling, and a day that is given up gives its room back. On PostgreSQL they are in a schema of
their own, which the server's role may change; of the money's schema it may not.
"""

from __future__ import annotations

import fcntl
import re
import sqlite3
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Connection, Engine, inspect

from updater_server.store import sqlite
from updater_server.store.engine import driver_connection, is_sqlite
from updater_server.store.rights import TOLD_SCHEMA as SCHEMA

WINDOW, RESTART, CONTACT = 0, 1, 2
"""Kinds of rows: a window of counters, "I restart now", and that a terminal was heard."""
_DAY = re.compile(r"^told_(\d{8})$")
_ASKED = 400  # terminals in one question
_LOOKED_AT = 2  # days in which a batch may be already: a worker was killed at midnight
_TYPES = {
    "told": ["bytea", "int2", *["int8"] * 5, "bytea", "int8"],
    "refused": ["bytea", "int8", "varchar", "bytea", "int8"],
    "batch": ["varchar", "int8", "int8", "int8"],
}
"""The tables of a day, and what PostgreSQL's binary COPY is given."""


class Row(NamedTuple):
    """One thing that a terminal told. Times are Unix seconds; `heard_s` by the server's clock.
    `told` is a window as it came; `release` of a restart is what it restarts into.
    """

    terminal: bytes
    kind: int
    heard_s: int
    release: int = 0
    sequence: int = 0
    start_s: int = 0
    length_s: int = 0
    told: bytes = b""


class Refusal(NamedTuple):
    """Something that was not kept, and why (`windows.REASONS`)."""

    terminal: bytes
    heard_s: int
    reason: str
    head: bytes


class Told:
    """Everything told, by day. One worker writes; anybody may read."""

    def __init__(self, money: Engine, folder: Path) -> None:
        """`money` is the books' engine: on PostgreSQL the tables are in the same database. On
        SQLite they are in `folder`.
        """
        self._in_files = is_sqlite(money)
        self._folder = folder
        self._money = money
        self._engines: dict[str, Engine] = {}
        self._prefix = "" if self._in_files else f"{SCHEMA}."
        self._mark = "?" if self._in_files else "%s"

    def close(self) -> None:
        """Let go of the files of the days; they are opened again when they are asked for."""
        for engine in self._engines.values():
            engine.dispose()
        self._engines.clear()

    def _engine(self, day: str) -> Engine:
        if not self._in_files:
            return self._money
        if day not in self._engines:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._engines[day] = sqlite.open_engine(self._file(day))
        return self._engines[day]

    def _file(self, day: str) -> Path:
        return self._folder / f"told-{day}.db"

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Nobody else takes a batch in."""
        if self._in_files:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with (self._folder / ".taking").open("w") as held:
                fcntl.flock(held, fcntl.LOCK_EX)
                yield
            return
        with self._money.connect() as connection, connection.begin():
            asked = "SELECT pg_advisory_xact_lock(hashtext(%s))"
            connection.exec_driver_sql(asked, (f"{SCHEMA} taking",))
            yield

    @contextmanager
    def _writing(self, day: str) -> Iterator[Connection]:
        with self._engine(day).connect() as connection, connection.begin():
            if self._in_files:
                sqlite.begin(connection, writes=True)
            yield connection

    @contextmanager
    def _reading(self, day: str) -> Iterator[Connection]:
        options: dict[str, Any] = {}
        if not self._in_files:
            options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        engine = self._engine(day)
        with engine.connect().execution_options(**options) as connection, connection.begin():
            if self._in_files:
                sqlite.begin(connection, writes=False)
            yield connection

    def take(
        self, name: str, known_s: int, rows: Sequence[Row], refused: Sequence[Refusal] = ()
    ) -> int:
        """Keep a batch whole, under the day of `known_s`, or not at all. A batch of this name that
        is kept already stays as it is. Returns when it counts as known: `known_s`, or later if
        the clock went back since the last batch.

        Raises:
            sqlalchemy.exc.SQLAlchemyError: nothing of it was kept.
        """
        with self._alone():
            newest = 0
            for day in self.days()[-_LOOKED_AT:]:
                with self._reading(day) as connection:
                    batches = f"{self._prefix}batch_{day}"
                    asked = f"SELECT known_s FROM {batches} WHERE name = {self._mark}"  # noqa: S608
                    kept = connection.exec_driver_sql(asked, (name,)).scalar()
                    if kept is not None:
                        return int(kept)
                    asked = f"SELECT max(known_s) FROM {batches}"  # noqa: S608
                    newest = int(connection.exec_driver_sql(asked).scalar() or newest)
            known_s = max(known_s, newest)
            day = day_of(known_s)
            with self._writing(day) as connection:
                self._begin_day(connection, day)
                self._fill(connection, "told", day, [(*row, known_s) for row in rows])
                self._fill(connection, "refused", day, [(*one, known_s) for one in refused])
                batch = (name, known_s, len(rows), len(refused))
                self._fill(connection, "batch", day, [batch])
        return known_s

    def _begin_day(self, connection: Connection, day: str) -> None:
        blob = "BLOB" if self._in_files else "BYTEA"
        for words in (
            f"CREATE TABLE IF NOT EXISTS {self._prefix}batch_{day} (name VARCHAR(64) PRIMARY KEY,"
            " known_s BIGINT NOT NULL, rows BIGINT NOT NULL, refused BIGINT NOT NULL)",
            f"CREATE TABLE IF NOT EXISTS {self._prefix}told_{day} (terminal {blob} NOT NULL,"
            " kind SMALLINT NOT NULL, heard_s BIGINT NOT NULL, release BIGINT NOT NULL,"
            " sequence BIGINT NOT NULL, start_s BIGINT NOT NULL, length_s BIGINT NOT NULL,"
            f" told {blob} NOT NULL, known_s BIGINT NOT NULL)",
            f"CREATE INDEX IF NOT EXISTS told_{day}_terminal ON {self._prefix}told_{day}"
            " (terminal)",
            f"CREATE TABLE IF NOT EXISTS {self._prefix}refused_{day} (terminal {blob} NOT NULL,"
            f" heard_s BIGINT NOT NULL, reason VARCHAR(16) NOT NULL, head {blob} NOT NULL,"
            " known_s BIGINT NOT NULL)",
        ):
            connection.exec_driver_sql(words)

    def _fill(
        self, connection: Connection, table: str, day: str, rows: list[tuple[Any, ...]]
    ) -> None:
        if not rows:
            return
        raw = driver_connection(connection)
        if self._in_files:
            marks = ", ".join("?" * len(rows[0]))
            assert isinstance(raw, sqlite3.Connection)
            raw.executemany(f"INSERT INTO {table}_{day} VALUES ({marks})", rows)  # noqa: S608
            return
        with (
            raw.cursor() as cursor,
            cursor.copy(f"COPY {self._prefix}{table}_{day} FROM STDIN (FORMAT BINARY)") as copy,
        ):
            copy.set_types(_TYPES[table])
            for row in rows:
                copy.write_row(row)

    def days(self) -> list[str]:
        """The days (YYYYMMDD) of which something is kept, oldest first."""
        if self._in_files:
            names = [path.stem.replace("-", "_") for path in self._folder.glob("told-*.db")]
        else:
            names = inspect(self._money).get_table_names(SCHEMA)
        return sorted(found[1] for name in names if (found := _DAY.match(name)))

    def drop_before(self, day: str) -> list[str]:
        """Give up every day before `day`, each at once; returns which."""
        old = [one for one in self.days() if one < day]
        for one in old:
            if self._in_files:
                if one in self._engines:
                    self._engines.pop(one).dispose()
                for end in ("-wal", "-shm", ""):
                    Path(f"{self._file(one)}{end}").unlink(missing_ok=True)
                continue
            with self._writing(one) as connection:
                for table in _TYPES:
                    connection.exec_driver_sql(f"DROP TABLE IF EXISTS {SCHEMA}.{table}_{one}")
        return old

    def rows(
        self, terminals: Collection[bytes], since_s: int, until_s: int
    ) -> Iterator[tuple[int, Row]]:
        """(When it became known, what) of these terminals, of all that became known from `since_s`
        through `until_s`; in no order.
        """
        asked = sorted(terminals)
        for day in self.days():
            if not day_of(since_s) <= day <= day_of(until_s):
                continue
            with self._reading(day) as connection:
                for at in range(0, len(asked), _ASKED):
                    part = asked[at : at + _ASKED]
                    for found in self._of_day(connection, day, part, since_s, until_s):
                        yield int(found[-1]), Row._make((*found[:7], bytes(found[7])))

    def _of_day(
        self, connection: Connection, day: str, asked: list[bytes], since_s: int, until_s: int
    ) -> list[Any]:
        mark = self._mark
        marks = ", ".join([mark] * len(asked))
        return list(
            connection.exec_driver_sql(
                f"SELECT * FROM {self._prefix}told_{day} WHERE terminal IN ({marks})"  # noqa: S608
                f" AND known_s BETWEEN {mark} AND {mark}",
                (*asked, since_s, until_s),
            )
        )

    def whole_day(self, day: str) -> Iterator[tuple[int, Row]]:
        """(When it became known, what) of all terminals on a day, by the length of the
        windows, terminal and time; none of a day that is not kept.
        """
        if day not in self.days():
            return
        with self._reading(day) as connection:
            asked = (
                f"SELECT * FROM {self._prefix}told_{day}"  # noqa: S608
                " ORDER BY length_s, terminal, known_s, kind, start_s, heard_s, sequence, told"
            )
            streamed = connection.execution_options(stream_results=True, max_row_buffer=10_000)
            for found in streamed.exec_driver_sql(asked):
                yield int(found[-1]), Row._make((bytes(found[0]), *found[1:7], bytes(found[7])))

    def refusals(self, day: str) -> list[tuple[str, int]]:
        """(Reason, how often) of what was refused on a day, the commonest first."""
        if day not in self.days():
            return []
        with self._reading(day) as connection:
            found = connection.exec_driver_sql(
                f"SELECT reason, count(*) FROM {self._prefix}refused_{day}"  # noqa: S608
                " GROUP BY reason ORDER BY 2 DESC, 1"
            )
            return [(str(reason), int(count)) for reason, count in found]


def day_of(at_s: int) -> str:
    """The day (YYYYMMDD, UTC) of a time, Unix seconds."""
    return datetime.fromtimestamp(at_s, UTC).strftime("%Y%m%d")
