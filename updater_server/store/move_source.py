"""A running server's SQLite file as the beginning of a move (`updater_server.moving`): what it
writes meanwhile is noted by triggers in the same transactions, so that nothing is missed and
nothing is noted that was rolled back.

Rows are known by table and `rowid`. What the server may delete (`rights.DELETED`) is small, and
read whole each time.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from updater_server.errors import StateError
from updater_server.store.engine import MOVED
from updater_server.store.rights import DELETED

LOCK_MS = 10_000
NUMBERS = "number"
"""A table that PostgreSQL has sequences for (`copies.count_on`)."""
_VERSION = "alembic_version"
_LOG, _ID = "move_log", "move_id"
_NOT_MOVED = (_LOG, _ID, _VERSION, "sqlite_sequence", NUMBERS)
_AT_ONCE = 500

Row = tuple[object, ...]


class Source:
    """One SQLite file on connections of its own. Every method raises `sqlite3.Error` where the
    file is at fault or a writer held it for longer than `LOCK_MS`.
    """

    def __init__(self, path: Path) -> None:
        self._raw = sqlite3.connect(path, isolation_level=None, timeout=LOCK_MS / 1000)
        self.tables = [
            name
            for (name,) in self._raw.execute(
                "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name"
            )
            if name not in _NOT_MOVED
        ]
        self.whole = [name for name in self.tables if name in DELETED]
        """Read whole each time."""
        self.noted = [name for name in self.tables if name not in DELETED]

    def close(self) -> None:
        """Give the file back; what was not committed is undone."""
        self._raw.close()

    @property
    def version(self) -> str:
        """Of the schema, or `MOVED`."""
        (found,) = self._raw.execute(f"SELECT version_num FROM {_VERSION}").fetchone()  # noqa: S608
        return str(found)

    @property
    def move_id(self) -> str | None:
        """Of the move that is under way; None: there is none."""
        if not self._has(_ID):
            return None
        (found,) = self._raw.execute(f"SELECT id FROM {_ID}").fetchone()  # noqa: S608
        return str(found)

    def _has(self, table: str) -> bool:
        asked = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?"
        return self._raw.execute(asked, (table,)).fetchone() is not None

    def columns(self, table: str) -> list[str]:
        """Names of a table's columns."""
        return [row[1] for row in self._raw.execute(f"PRAGMA table_info({table})")]

    # --- noting ---

    def begin(self, move_id: str) -> None:
        """Note all that is written from now on."""
        with self.held():
            self._forget()
            do = self._raw.execute
            number = "seq INTEGER PRIMARY KEY AUTOINCREMENT"
            do(f"CREATE TABLE {_LOG} ({number}, tbl TEXT, row INTEGER)")
            do(f"CREATE TABLE {_ID} (id TEXT NOT NULL)")
            do(f"INSERT INTO {_ID} VALUES (?)", (move_id,))  # noqa: S608
            for table in self.noted:
                for event in ("INSERT", "UPDATE"):
                    do(
                        f"CREATE TRIGGER move_{table}_{event.lower()} AFTER {event} ON {table} "  # noqa: S608
                        f"BEGIN INSERT INTO {_LOG} (tbl, row) VALUES ('{table}', NEW.rowid); END"
                    )

    def forget(self) -> None:
        """Note nothing any more; nothing of the move is left."""
        with self.held():
            self._forget()

    def _forget(self) -> None:
        asked = "SELECT name FROM sqlite_master WHERE type = 'trigger' AND name GLOB 'move_*'"
        for (name,) in self._raw.execute(asked).fetchall():
            self._raw.execute(f"DROP TRIGGER {name}")
        for table in (_LOG, _ID):
            self._raw.execute(f"DROP TABLE IF EXISTS {table}")

    def close_for_good(self) -> None:
        """Refuse to be any server's books again, and note nothing any more; within `held`."""
        self._forget()
        self._raw.execute(f"UPDATE {_VERSION} SET version_num = ?", (MOVED,))  # noqa: S608

    # --- transactions ---

    @contextmanager
    def still(self) -> Iterator[int]:
        """One consistent state, while the server writes on; gives how far was noted in it."""
        self._raw.execute("BEGIN")
        try:
            yield self.noted_through()
        finally:
            self._raw.execute("ROLLBACK")

    @contextmanager
    def held(self) -> Iterator[None]:
        """The write lock: nobody writes until the end of it; undone by any exception.

        Raises:
            StateError: another writer did not let go of it in time.
        """
        try:
            self._raw.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            raise StateError(f"the books are busy: {error}; run this again") from error
        try:
            yield
        except BaseException:
            self._raw.execute("ROLLBACK")
            raise
        self._raw.execute("COMMIT")

    # --- reading ---

    def noted_through(self) -> int:
        """The number of the last note."""
        (found,) = self._raw.execute(f"SELECT MAX(seq) FROM {_LOG}").fetchone()  # noqa: S608
        return int(found or 0)

    def noted_since(self, position: int) -> dict[str, list[int]]:
        """{table: row ids} of what was written after this note."""
        found: dict[str, list[int]] = {}
        asked = f"SELECT DISTINCT tbl, row FROM {_LOG} WHERE seq > ? ORDER BY tbl, row"  # noqa: S608
        for table, row in self._raw.execute(asked, (position,)):
            found.setdefault(table, []).append(row)
        return found

    def drop_notes(self, position: int) -> None:
        """Forget what was noted up to here: it is over there."""
        with self.held():
            self._raw.execute(f"DELETE FROM {_LOG} WHERE seq <= ?", (position,))  # noqa: S608

    def rows(self, table: str) -> Iterator[Row]:
        """Every row, its `rowid` first, in the order of them."""
        return iter(self._raw.execute(f"SELECT {self._listed(table)} FROM {table} ORDER BY rowid"))  # noqa: S608

    def rows_of(self, table: str, ids: Sequence[int]) -> Iterator[Row]:
        """These rows, as `rows`; what is not there is left out."""
        for at in range(0, len(ids), _AT_ONCE):
            part = ids[at : at + _AT_ONCE]
            marks = ", ".join("?" * len(part))
            asked = (
                f"SELECT {self._listed(table)} FROM {table} WHERE rowid IN ({marks}) ORDER BY rowid"  # noqa: S608
            )
            yield from self._raw.execute(asked, part)

    def _listed(self, table: str) -> str:
        return ", ".join(["rowid", *(f'"{name}"' for name in self.columns(table))])
