"""An empty PostgreSQL database as the end of a move (`updater_server.moving`): it is filled by its
owner, no server can work on it before it is whole, and it knows itself how far it has come.

Its guards refuse to let history be made; so they are off until it is made, and on again in the
transaction that makes it whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from psycopg.sql import SQL, Composed, Identifier
from sqlalchemy import Connection, Engine, inspect

from updater_server.errors import StateError
from updater_server.store import copies
from updater_server.store.engine import MOVING, driver_connection, upgrade
from updater_server.store.move_source import NUMBERS
from updater_server.store.postgresql import SCHEMA
from updater_server.store.tables import metadata

_STATE = "store_move"
_CAME = "arrival"
Row = tuple[object, ...]


@dataclass(frozen=True)
class Table:
    """A table as both databases know it."""

    name: str
    columns: tuple[str, ...]
    """As the source lists them."""
    flags: tuple[bool, ...]
    """Which of them are true or false here, 1 or 0 there."""
    key: tuple[str, ...]
    has_arrival: bool
    """Whether it numbers rows as they come; a source's `rowid` does."""

    @property
    def listed(self) -> list[str]:
        """The columns that are written, the arrival first where there is one."""
        return [*([_CAME] if self.has_arrival else []), *self.columns]

    def written(self, row: Row) -> list[object]:
        """A source's row (its `rowid` first) as it is written here."""
        values = [
            bool(value) if flag and value is not None else value
            for value, flag in zip(row[1:], self.flags, strict=True)
        ]
        return [row[0], *values] if self.has_arrival else values

    def compared(self, row: Row) -> Row:
        """A source's row as `Target.rows` gives it."""
        return tuple(row) if self.has_arrival else tuple(row[1:])


class Target:
    """One transaction of the owner's on the database that is filled."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._raw = driver_connection(connection)

    # --- how far it is ---

    @property
    def is_empty(self) -> bool:
        """Whether there are no tables at all."""
        return not inspect(self._connection).has_table("alembic_version", schema=SCHEMA)

    @property
    def move_id(self) -> str | None:
        """Of the move that fills it; None: it is somebody's books."""
        if self.is_empty or not inspect(self._connection).has_table(_STATE, schema=SCHEMA):
            return None
        return str(self._raw.execute(f"SELECT id FROM {_STATE}").fetchone()[0])  # noqa: S608

    @property
    def position(self) -> int | None:
        """Through which note of the source it is written; None: not even copied."""
        found = self._raw.execute(f"SELECT position FROM {_STATE}").fetchone()[0]  # noqa: S608
        return None if found is None else int(found)

    def come_to(self, position: int) -> None:
        """It is written through this note, once this transaction is committed."""
        self._raw.execute(f"UPDATE {_STATE} SET position = %s", (position,))  # noqa: S608

    def begin(self, move_id: str) -> None:
        """Make the tables, for a move alone.

        Raises:
            StateError: there are some already, which this move did not make.
        """
        if not self.is_empty:
            raise StateError("that database holds books already: give the move an empty one")
        upgrade(self._connection)
        self._raw.execute(f"CREATE TABLE {_STATE} (id TEXT, version TEXT, position BIGINT)")
        self._raw.execute(
            f"INSERT INTO {_STATE} SELECT %s, version_num FROM alembic_version",  # noqa: S608
            (move_id,),
        )
        self.be_nobodys()

    def be_nobodys(self) -> None:
        """Nobody's books, and no guards: again, if it was whole and was not taken."""
        self._raw.execute("UPDATE alembic_version SET version_num = %s", (MOVING,))
        self._guard("DISABLE")

    def be_whole(self) -> None:
        """A server's books, guarded, once this transaction is committed."""
        self._raw.execute("SET CONSTRAINTS ALL IMMEDIATE")
        self._guard("ENABLE")
        copies.count_on(self._raw)
        self._raw.execute(  # after a restore the next batch is numbered above the floor
            "SELECT setval(pg_get_serial_sequence('stock_batch', 'id'),"
            " GREATEST((SELECT MAX(id) FROM stock_batch),"
            " (SELECT MAX(batch_floor) FROM restore_scope)))"
        )
        self._raw.execute(f"UPDATE alembic_version SET version_num = version FROM {_STATE}")  # noqa: S608

    def analyse(self) -> None:
        """Let the database know what it has, so that the first sale is planned like any other."""
        for name in self._names():
            self._raw.execute(SQL("ANALYZE {}").format(Identifier(name)))

    def end(self) -> None:
        """Nothing of the move is left."""
        self._raw.execute(f"DROP TABLE IF EXISTS {_STATE}")

    def drop(self) -> None:
        """All of it away: it is nobody's."""
        self._raw.execute(SQL("DROP SCHEMA {} CASCADE").format(Identifier(SCHEMA)))

    def _guard(self, word: str) -> None:
        for name in self._names():
            self._raw.execute(SQL(f"ALTER TABLE {{}} {word} TRIGGER USER").format(Identifier(name)))

    def _names(self) -> list[str]:
        """Every table of the books, each behind those that it names."""
        there = set(inspect(self._connection).get_table_names(schema=SCHEMA))
        order = [table.name for table in metadata.sorted_tables if table.name in there]
        names = order + sorted(there - set(order) - {_STATE, "alembic_version"})
        return [name for name in names if name != NUMBERS]

    # --- rows ---

    def tables(self, columns: dict[str, list[str]]) -> list[Table]:
        """Every table, each behind those that it names. `columns`: of each table of the source.

        Raises:
            StateError: the two do not have the same tables and columns.
        """
        found = []
        for name in self._names():
            asked = self._raw.execute(
                "SELECT column_name, data_type FROM information_schema.columns"
                " WHERE table_schema = %s AND table_name = %s",
                (SCHEMA, name),
            )
            types = dict(asked.fetchall())
            listed = columns.get(name, [])
            if set(listed) != set(types) - {_CAME}:
                raise StateError(f"{name} is not the same in both: is the program of one version?")
            key = inspect(self._connection).get_pk_constraint(name, schema=SCHEMA)
            flags = tuple(types[column] == "boolean" for column in listed)
            made = Table(
                name, tuple(listed), flags, tuple(key["constrained_columns"]), _CAME in types
            )
            found.append(made)
        return found

    def fill(self, table: Table, rows: Iterable[Row]) -> int:
        """These rows in the place of all that are there; how many."""
        self._raw.execute(SQL("DELETE FROM {}").format(Identifier(table.name)))
        return self._copy(table, table.name, rows)

    def put(self, table: Table, rows: Iterable[Row]) -> int:
        """These rows, new ones and in the place of those with the same key; how many."""
        self._raw.execute(
            SQL("CREATE TEMPORARY TABLE moved ON COMMIT DROP AS SELECT {} FROM {} LIMIT 0").format(
                _listed(table.listed), Identifier(table.name)
            )
        )
        count = self._copy(table, "moved", rows)
        rest = [name for name in table.columns if name not in table.key]
        action: Composed = SQL("DO NOTHING").format()
        if rest:
            changes = SQL(", ").join(
                SQL("{0} = EXCLUDED.{0}").format(Identifier(name)) for name in rest
            )
            action = SQL("DO UPDATE SET {}").format(changes)
        self._raw.execute(
            SQL(
                "INSERT INTO {0} ({1}) OVERRIDING SYSTEM VALUE SELECT {1} FROM moved"
                " ON CONFLICT ({2}) {3}"
            ).format(Identifier(table.name), _listed(table.listed), _listed(table.key), action)
        )
        self._raw.execute("DROP TABLE moved")
        return count

    def _copy(self, table: Table, into: str, rows: Iterable[Row]) -> int:
        words = SQL("COPY {} ({}) FROM STDIN").format(Identifier(into), _listed(table.listed))
        count = 0
        with self._raw.cursor().copy(words) as copy:
            for row in rows:
                copy.write_row(table.written(row))
                count += 1
        return count

    def rows(self, table: Table) -> Iterator[Row]:
        """Every row as `Table.compared` has it, in no order."""
        with self._raw.cursor(f"all_{table.name}") as cursor:
            cursor.itersize = 5000
            cursor.execute(
                SQL("SELECT {} FROM {}").format(self._read(table), Identifier(table.name))
            )
            yield from cursor

    def rows_like(self, table: Table, rows: Sequence[Row]) -> Iterator[Row]:
        """The rows that have the keys of these ones of the source."""
        places = [1 + table.columns.index(name) for name in table.key]
        asked = SQL("SELECT {} FROM {} WHERE ({}) IN ({})").format(
            self._read(table),
            Identifier(table.name),
            _listed(table.key),
            SQL("({})").format(SQL(", ").join([SQL("%s")] * len(places))),
        )
        for row in rows:
            yield from self._raw.execute(asked, [row[place] for place in places])

    @staticmethod
    def _read(table: Table) -> Composed:
        parts = [
            SQL("{}::INTEGER" if flag else "{}").format(Identifier(name))
            for name, flag in zip(table.columns, table.flags, strict=True)
        ]
        return SQL(", ").join([*([Identifier(_CAME)] if table.has_arrival else []), *parts])


def _listed(names: Sequence[str]) -> Composed:
    return SQL(", ").join(map(Identifier, names))


@contextmanager
def writing_target(owners: Engine) -> Iterator[Target]:
    """A transaction on the database that is filled: committed at the end, or nothing happened."""
    with owners.connect() as connection, connection.begin():
        yield Target(connection)
