"""A PostgreSQL database as files, a table each, and back. For `backup`.

The files are what `COPY` writes, in text: any later version of PostgreSQL reads them, and no
program beside the server is needed. Source: https://www.postgresql.org/docs/current/sql-copy.html.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import Connection, inspect

from updater_server.store.engine import driver_connection, upgrade
from updater_server.store.postgresql import SCHEMA
from updater_server.store.tables import metadata

_SUFFIX = ".copy"
_VERSION = "alembic_version"


def write(connection: Connection, folder: Path) -> None:
    """Write every table as this reading transaction sees it."""
    folder.mkdir(mode=0o700)
    raw = driver_connection(connection)
    for table in inspect(connection).get_table_names():
        with (
            (folder / f"{table}{_SUFFIX}").open("wb") as file,
            raw.cursor().copy(f"COPY {_name(raw, table)} TO STDOUT") as rows,
        ):
            for part in rows:
                file.write(part)


def read(connection: Connection, folder: Path, aside: str) -> bool:
    """Put a copy in the place of what is there, which keeps the schema `aside`, and bring it to
    this program's version: all within the owner's transaction, or nothing. False if nothing was
    there.
    """
    was_there = bool(inspect(connection).get_table_names())
    if was_there:
        connection.exec_driver_sql(f"ALTER SCHEMA {SCHEMA} RENAME TO {aside}")
    version = (folder / f"{_VERSION}{_SUFFIX}").read_text().strip()
    upgrade(connection, version)
    raw = driver_connection(connection)
    order = [table.name for table in metadata.sorted_tables]  # each behind what it names
    names = {file.stem for file in folder.glob(f"*{_SUFFIX}")} - {_VERSION}
    known = [name for name in order if name in names] + sorted(names - set(order))
    for table in known:
        raw.execute(f"ALTER TABLE {_name(raw, table)} DISABLE TRIGGER USER")  # history is not made
    for table in known:
        with (
            (folder / f"{table}{_SUFFIX}").open("rb") as file,
            raw.cursor().copy(f"COPY {_name(raw, table)} FROM STDIN") as rows,
        ):
            while part := file.read(1 << 16):
                rows.write(part)
    raw.execute("SET CONSTRAINTS ALL IMMEDIATE")
    for table in known:
        raw.execute(f"ALTER TABLE {_name(raw, table)} ENABLE TRIGGER USER")
    count_on(raw)
    upgrade(connection)
    return was_there


def count_on(raw: Any) -> None:
    """Let every number that is given be above those that are there. `raw` is the driver's."""
    found = raw.execute(
        "SELECT table_name, column_name FROM information_schema.columns"
        " WHERE table_schema = current_schema()"
        " AND (is_identity = 'YES' OR column_default LIKE 'nextval(%')"
    ).fetchall()
    for table, column in found:
        raw.execute(
            f"SELECT setval(pg_get_serial_sequence('{table}', '{column}'), MAX({column}))"  # noqa: S608
            f" FROM {_name(raw, table)}"
        )
    raw.execute("SELECT setval('ledger_transaction_number', MAX(id)) FROM ledger_transaction")


def _name(raw: Any, table: str) -> str:
    from psycopg.sql import Identifier

    return Identifier(table).as_string(raw)
