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
from sqlalchemy import Boolean

from updater_server.store.copies import count_on
from updater_server.store.tables import metadata

_NOT_MOVED = ("number", "server_mark")


def move(source: Path, target: psycopg.Connection[Any]) -> None:
    """`target` is a superuser's, its path that of the tables."""
    target.execute("SET session_replication_role = replica")
    with closing(sqlite3.connect(source)) as rows:
        for table in metadata.sorted_tables:
            if table.name in _NOT_MOVED:
                continue
            target.execute(SQL("DELETE FROM {}").format(Identifier(table.name)))
            names = [column.name for column in table.columns]
            flags = [isinstance(column.type, Boolean) for column in table.columns]
            listed = ", ".join(f'"{name}"' for name in names)
            into = SQL("COPY {} ({}) FROM STDIN").format(
                Identifier(table.name), SQL(", ").join(map(Identifier, names))
            )
            with target.cursor().copy(into) as copy:
                for row in rows.execute(f"SELECT {listed} FROM {table.name} ORDER BY rowid"):
                    copy.write_row(
                        [
                            bool(value) if flag and value is not None else value
                            for value, flag in zip(row, flags, strict=True)
                        ]
                    )
    target.execute("SET session_replication_role = origin")
    count_on(target)
    target.execute("VACUUM ANALYZE")
