"""A past that was made on SQLite (`past`), moved row by row into an empty PostgreSQL database. For
the benchmarks: guards are off meanwhile, and `check` looks at what came of it.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
from psycopg.sql import SQL, Identifier
from sqlalchemy import Boolean, Table

from updater_server.store.copies import count_on
from updater_server.store.tables import metadata

_NOT_MOVED = ("number", "server_mark")
_PLAIN_INDEXES = """SELECT c.relname, pg_get_indexdef(i.indexrelid) FROM pg_index i
  JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_class t ON t.oid = i.indrelid
  WHERE t.relnamespace = current_schema()::regnamespace AND t.relname = ANY(%s)
  AND NOT EXISTS (SELECT FROM pg_constraint o WHERE o.conindid = i.indexrelid)"""


def move(source: Path, target: psycopg.Connection[Any]) -> None:
    """`target` is a superuser's, its path that of the tables.

    All in one transaction that empties the tables first: under `wal_level = minimal` nothing of it
    is written twice. Indexes that hold no constraint are built at the end.
    """
    tables = [table for table in metadata.sorted_tables if table.name not in _NOT_MOVED]
    with target.transaction():
        target.execute("SET LOCAL session_replication_role = replica")
        target.execute("SET LOCAL maintenance_work_mem = '1GB'")
        target.execute(
            SQL("TRUNCATE {}").format(SQL(", ").join(Identifier(table.name) for table in tables))
        )
        dropped = target.execute(_PLAIN_INDEXES, [[table.name for table in tables]]).fetchall()
        for name, _ in dropped:
            target.execute(SQL("DROP INDEX {}").format(Identifier(name)))
        with closing(sqlite3.connect(source)) as rows:
            for table in tables:
                _copy(table, rows, target)
        for _, definition in dropped:
            target.execute(definition)
    count_on(target)
    target.execute("VACUUM ANALYZE")


def _copy(table: Table, rows: sqlite3.Connection, target: psycopg.Connection[Any]) -> None:
    names = [column.name for column in table.columns]
    flags = [n for n, column in enumerate(table.columns) if isinstance(column.type, Boolean)]
    listed = ", ".join(f'"{name}"' for name in names)
    into = SQL("COPY {} ({}) FROM STDIN").format(
        Identifier(table.name), SQL(", ").join(map(Identifier, names))
    )
    with target.cursor().copy(into) as copy:
        for row in rows.execute(f"SELECT {listed} FROM {table.name} ORDER BY rowid"):
            if flags:
                row = list(row)
                for n in flags:
                    row[n] = None if row[n] is None else bool(row[n])
            copy.write_row(row)
