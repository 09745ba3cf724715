"""The engines that a server's books may be kept on, for tests that hold for each of them."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Connection, make_url

from tests.support import postgres
from updater_server.service import DataFolder
from updater_server.store import engine as database
from updater_server.store.engine import writing
from updater_server.store.postgresql import SCHEMA

SQLITE_ALONE = pytest.mark.parametrize("store", ["sqlite"], indirect=True)
"""For what there is on SQLite only: its file, its plans."""
POSTGRESQL_ALONE = pytest.mark.parametrize("store", ["postgresql"], indirect=True)


class Store:
    """Empty databases of one engine, as `init` leaves them."""

    def __init__(self, engine: str) -> None:
        self.engine = engine
        self._given = 0

    @property
    def is_sqlite(self) -> bool:
        """Whether each is a file in the server's folder."""
        return self.engine == "sqlite"

    def new_url(self) -> str:
        """Where a new one is; "" is in the folder."""
        if self.is_sqlite:
            return ""
        server = postgres.server()
        self._given += 1
        return server.url(postgres.empty(server, self._given))


@contextmanager
def as_owner(folder: Path) -> Iterator[Connection]:
    """A transaction of whoever owns the tables: more rights than the server's, the same guards."""
    engine = database.open_engine(DataFolder(folder).place, as_owner=True)
    try:
        with writing(engine) as connection:
            yield connection
    finally:
        engine.dispose()


@contextmanager
def forged(folder: Path, statement: str) -> Iterator[Connection]:
    """A transaction that sees this written without guards, and is undone; on PostgreSQL alone."""
    engine = database.open_engine(DataFolder(folder).place, as_owner=True)
    with engine.connect() as connection:
        connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
        assert connection.exec_driver_sql(_on_postgresql(statement)).rowcount > 0, statement
        yield connection
        connection.rollback()
    engine.dispose()


def _on_postgresql(statement: str) -> str:
    words = re.sub(r"\browid\b", "arrival", statement)
    return re.sub(r"\bx'(\w*)'", r"'\\x\1'::BYTEA", words)


def forge(folder: Path, *statements: str) -> None:
    """Write into a server's database without its guards, each time something. They are written for
    SQLite.
    """
    place = DataFolder(folder).place
    if not isinstance(place, Path):
        name = make_url(place).database
        assert name
        with postgres.server().connect(name) as connection:
            connection.execute(f"SET search_path = {SCHEMA}")
            connection.execute("SET session_replication_role = replica")
            for statement in statements:
                assert connection.execute(_on_postgresql(statement)).rowcount > 0, statement
        return
    with closing(sqlite3.connect(place)) as raw, raw:
        for (name,) in raw.execute(
            "SELECT name FROM sqlite_master WHERE type = 'trigger'"
        ).fetchall():
            raw.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            assert raw.execute(statement).rowcount > 0, statement


def numbers_given_before(place: str) -> list[str]:
    """Columns of a PostgreSQL database whose next number is one that is there already."""
    name = make_url(place).database
    assert name
    found = []
    with postgres.server().connect(name) as connection:
        connection.execute(f"SET search_path = {SCHEMA}")
        columns = connection.execute(
            "SELECT table_name, column_name FROM information_schema.columns c"
            " JOIN information_schema.tables t USING (table_schema, table_name)"
            " WHERE table_schema = current_schema() AND table_type = 'BASE TABLE'"
        ).fetchall()
        for table, column in columns:
            asked = "SELECT pg_get_serial_sequence(%s, %s)"
            ((sequence,),) = connection.execute(asked, (table, column)).fetchall()
            if sequence is None:
                continue
            ((highest,),) = connection.execute(f"SELECT MAX({column}) FROM {table}").fetchall()
            ((following,),) = connection.execute("SELECT nextval(%s)", (sequence,)).fetchall()
            found += [f"{table}.{column}"] * (highest is not None and following <= highest)
    return found
