"""Where what terminals told is kept: a table for each day on which it became known, so that a day
is dropped, and not deleted row by row.

On SQLite the tables are in a file of their own, `<data>/telemetry/told.db`: its writer keeps nobody
from selling. On PostgreSQL they are in a schema of their own, which the server's role may change;
of the money's schema it may not.
"""

from __future__ import annotations

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
        """`money` is the books' engine: on PostgreSQL the tables are in the same database."""
        self._is_file = is_sqlite(money)
        if self._is_file:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.engine = sqlite.open_engine(folder / "told.db")
        else:
            self.engine = money
        self._prefix = "" if self._is_file else f"{SCHEMA}."

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        options = {"duka_writes": True}
        with self.engine.connect().execution_options(**options) as connection, connection.begin():
            if not self._is_file:
                connection.exec_driver_sql(
                    "SELECT pg_advisory_xact_lock(hashtext(%s))", (f"{SCHEMA} writer",)
                )
            yield connection

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        options: dict[str, Any] = {}
        if not self._is_file:
            options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        with self.engine.connect().execution_options(**options) as connection, connection.begin():
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
        with self._writing() as connection:
            do = connection.exec_driver_sql
            self._begin(connection)
            mark = "?" if self._is_file else "%s"
            batch = f"{self._prefix}batch"
            kept = do(f"SELECT known_s FROM {batch} WHERE name = {mark}", (name,)).scalar()  # noqa: S608
            if kept is not None:
                return int(kept)
            newest = do(f"SELECT max(known_s) FROM {batch}").scalar() or 0  # noqa: S608
            known_s = max(known_s, int(newest))
            day = day_of(known_s)
            self._begin_day(connection, day)
            self._fill(connection, f"told_{day}", [(*row, known_s) for row in rows])
            self._fill(connection, f"refused_{day}", [(*one, known_s) for one in refused])
            marks = ", ".join([mark] * 4)
            do(
                f"INSERT INTO {batch} (name, known_s, rows, refused) VALUES ({marks})",  # noqa: S608
                (name, known_s, len(rows), len(refused)),
            )
        return known_s

    def _begin(self, connection: Connection) -> None:
        connection.exec_driver_sql(
            f"CREATE TABLE IF NOT EXISTS {self._prefix}batch (name VARCHAR(64) PRIMARY KEY,"
            " known_s BIGINT NOT NULL, rows BIGINT NOT NULL, refused BIGINT NOT NULL)"
        )

    def _begin_day(self, connection: Connection, day: str) -> None:
        blob = "BLOB" if self._is_file else "BYTEA"
        for words in (
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

    def _fill(self, connection: Connection, table: str, rows: list[tuple[Any, ...]]) -> None:
        if not rows:
            return
        raw = driver_connection(connection)
        if self._is_file:
            marks = ", ".join("?" * len(rows[0]))
            assert isinstance(raw, sqlite3.Connection)
            raw.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)  # noqa: S608
            return
        types = ["bytea", "int2", *["int8"] * 5, "bytea", "int8"]
        if table.startswith("refused"):
            types = ["bytea", "int8", "varchar", "bytea", "int8"]
        with (
            raw.cursor() as cursor,
            cursor.copy(f"COPY {self._prefix}{table} FROM STDIN (FORMAT BINARY)") as copy,
        ):
            copy.set_types(types)
            for row in rows:
                copy.write_row(row)

    def days(self) -> list[str]:
        """The days (YYYYMMDD) of which something is kept, oldest first."""
        schema = None if self._is_file else SCHEMA
        names = inspect(self.engine).get_table_names(schema)
        return sorted(found[1] for name in names if (found := _DAY.match(name)))

    def drop_before(self, day: str) -> list[str]:
        """Give up every day before `day`, each at once; returns which."""
        old = [one for one in self.days() if one < day]
        for one in old:
            with self._writing() as connection:
                connection.exec_driver_sql(f"DROP TABLE {self._prefix}told_{one}")
                connection.exec_driver_sql(f"DROP TABLE IF EXISTS {self._prefix}refused_{one}")
        return old

    def rows(
        self, terminals: Collection[bytes], since_s: int, until_s: int
    ) -> Iterator[tuple[int, Row]]:
        """(When it became known, what) of these terminals, of all that became known from `since_s`
        through `until_s`; in no order.
        """
        asked = sorted(terminals)
        with self._reading() as connection:
            for day in self.days():
                if not day_of(since_s) <= day <= day_of(until_s):
                    continue
                for at in range(0, len(asked), _ASKED):
                    part = asked[at : at + _ASKED]
                    for found in self._of_day(connection, day, part, since_s, until_s):
                        yield int(found[-1]), Row._make((*found[:7], bytes(found[7])))

    def _of_day(
        self, connection: Connection, day: str, asked: list[bytes], since_s: int, until_s: int
    ) -> list[Any]:
        mark = "?" if self._is_file else "%s"
        marks = ", ".join([mark] * len(asked))
        return list(
            connection.exec_driver_sql(
                f"SELECT * FROM {self._prefix}told_{day} WHERE terminal IN ({marks})"  # noqa: S608
                f" AND known_s BETWEEN {mark} AND {mark}",
                (*asked, since_s, until_s),
            )
        )

    def refusals(self, day: str) -> list[tuple[str, int]]:
        """(Reason, how often) of what was refused on a day, the commonest first."""
        if day not in self.days():
            return []
        with self._reading() as connection:
            found = connection.exec_driver_sql(
                f"SELECT reason, count(*) FROM {self._prefix}refused_{day}"  # noqa: S608
                " GROUP BY reason ORDER BY 2 DESC, 1"
            )
            return [(str(reason), int(count)) for reason, count in found]

    def newest_s(self) -> int:
        """When the newest batch became known; 0 if there is none."""
        with self._writing() as connection:
            self._begin(connection)
            asked = f"SELECT max(known_s) FROM {self._prefix}batch"  # noqa: S608
            return int(connection.exec_driver_sql(asked).scalar() or 0)


def day_of(at_s: int) -> str:
    """The day (YYYYMMDD, UTC) of a time, Unix seconds."""
    return datetime.fromtimestamp(at_s, UTC).strftime("%Y%m%d")
