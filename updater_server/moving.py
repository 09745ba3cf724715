"""From one SQLite file to PostgreSQL while terminals sell: `Move`. For `cli.moving`.

1. *begin*: triggers in the SQLite file note what is written, each note in its writer's transaction.
2. *copy*: one consistent state of every table, in one transaction of the target's.
3. *follow*: what was noted since, again and again, until it is little.
4. *compare*: on one state of both, every row of every table; then what terminals would be told.
5. *cut*: the write lock of the SQLite file is held, so nobody writes; the last notes go over and
   are read back, the target becomes somebody's books and is guarded. Then **one rename decides**:
   the file `database-url`. Before it the SQLite file is the books, after it PostgreSQL; who writes
   to SQLite looks for the file under the same lock (`store.sqlite`), so nobody writes to both.
6. *end*: the SQLite file says that it has moved, and nothing of the move is left.

Killed anywhere, the same command goes on from there: how far it is stands in the two databases,
with the rows. Until the rename `abort` takes all of it back.
"""

from __future__ import annotations

import fcntl
import hashlib
import secrets
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass

from sqlalchemy import update
from sqlalchemy.exc import DBAPIError

from updater_server.atomic import write_atomically
from updater_server.errors import StateError
from updater_server.service import DataFolder
from updater_server.store import engine as database
from updater_server.store import postgresql
from updater_server.store.engine import MOVED
from updater_server.store.move_source import Source
from updater_server.store.move_target import Row, Table, Target, writing_target
from updater_server.store.tables import server_mark

LITTLE = 200
"""Notes that the pause may have left to do."""
ROUNDS = 50
PAUSE_S = 4.0
"""Longer than this nobody waits for the lock: what was begun is undone, and followed once more."""
TRIES = 5
Tell = Callable[[str], None]
Look = Callable[[], list[str]]


class TookTooLong(StateError):
    """The pause would have kept terminals waiting."""


@dataclass(frozen=True)
class Compared:
    """One table, or all of them, in both databases at one moment."""

    name: str
    rows: int
    digest: str
    is_same: bool


def digest(rows: Iterable[Row]) -> tuple[int, int]:
    """(how many, a sum of their hashes): the same for the same rows in any order."""
    count = whole = 0
    for row in rows:
        count += 1
        hashed = hashlib.blake2b(repr(tuple(row)).encode(), digest_size=16).digest()
        whole += int.from_bytes(hashed, "big")
    return count, whole % (1 << 128)


class Move:
    """One move of the books of `folder` to the database at `url`, whose tables are of who is at
    `owner`. `tell` is called with each step when it is done.
    """

    def __init__(self, folder: DataFolder, url: str, owner: str, tell: Tell) -> None:
        self._folder = folder
        self._url = url
        self._tell = tell
        self._owners = database.open_engine(owner or url, as_owner=True)

    @contextmanager
    def _at_work(self) -> Iterator[Source]:
        """The only move of this folder; no server is on the target.

        Raises:
            StateError: another one is at work, or a server runs on the target.
        """
        with (self._folder.path / ".moving").open("w") as held:
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise StateError("another migrate-store is at work on this folder") from error
            with closing(Source(self._folder.database)) as source:
                try:
                    yield source
                except sqlite3.Error as error:
                    raise StateError(f"the books in SQLite: {error}; run this again") from error
        self._owners.dispose()

    def run(self, look: Look, cut: bool = True) -> list[Compared]:
        """Go on from wherever it stands, to the end, or (not `cut`) until the two are the same.

        `look` says what is wrong with the target while it is compared.

        Raises:
            StateError: it cannot be done, or not now; the text says why. The books stay where they
                are, and nothing is lost; run it again, or `abort`.
        """
        with self._at_work() as source:
            if self._folder.has_moved:
                self._end(source)
                return []
            found: list[Compared] = []
            with ExitStack() as alone:
                alone.enter_context(postgresql.presence(self._owners, alone=True))
                self._begin(source)
                self._see_that_a_server_can_work()
                tables = self._tables(source)
                self._copy(source, tables)
                found = self._compare(source, tables, look)
                if not cut:
                    return found
                self._cut(source, tables, alone)
            self._end(source)
            return found

    def abort(self) -> None:
        """Take all of it back: the books stay in SQLite.

        Raises:
            StateError: they have moved already.
        """
        with self._at_work() as source:
            if self._folder.has_moved:
                raise StateError("the books have moved already: there is no way back")
            move_id = source.move_id
            source.forget()
            with (
                postgresql.presence(self._owners, alone=True),
                writing_target(self._owners) as target,
            ):
                if move_id is not None and target.move_id == move_id:
                    target.drop()
        self._tell("aborted: the books are in SQLite, the other database is empty again")

    # --- steps ---

    def _begin(self, source: Source) -> None:
        if source.version == MOVED:
            raise StateError("these books have moved already")
        move_id = source.move_id
        with writing_target(self._owners) as target:
            if move_id is not None and target.move_id == move_id:
                target.be_nobodys()  # it may have been whole, and was not taken
                return
            move_id = secrets.token_hex(8)
            if target.move_id is not None:
                target.drop()  # of a move that this folder knows nothing of any more
            target.begin(move_id)
            source.begin(move_id)
        self._tell("begun: what is written is noted")

    def _see_that_a_server_can_work(self) -> None:
        """What a server would refuse at its start is seen before there is no way back.

        Raises:
            StateError: the server's own user cannot write there, or what it writes may be lost.
        """
        server = database.open_engine(self._url)
        try:
            with server.connect() as connection:
                careless = database.why_not_durable(connection)
                connection.execute(update(server_mark).values(at=server_mark.c.at))
                connection.rollback()
        except DBAPIError as error:
            raise StateError(f"the server's user cannot write there: {error.orig}") from error
        finally:
            server.dispose()
        if careless is not None:
            raise StateError(f"that database may lose what was sold: {careless}: turn it on")

    def _tables(self, source: Source) -> list[Table]:
        columns = {name: source.columns(name) for name in source.tables}
        with writing_target(self._owners) as target:
            return target.tables(columns)

    def _copy(self, source: Source, tables: list[Table]) -> None:
        with writing_target(self._owners) as target:
            if target.position is not None:
                return
            with source.still() as position:
                rows = sum(target.fill(table, source.rows(table.name)) for table in tables)
            target.come_to(position)
            target.analyse()
        self._tell(f"copied: {rows} rows")

    def _follow(self, source: Source, tables: list[Table]) -> None:
        """Until what is left is little."""
        for _ in range(ROUNDS):
            with source.still() as position:
                rows = self._bring(source, tables, position)
            self._drop_notes(source, position)
            if rows <= LITTLE:
                self._tell(f"followed: {rows} rows were left")
                return
        raise StateError("more is written than can be followed: run this again when less is sold")

    def _bring(self, source: Source, tables: list[Table], position: int) -> int:
        with writing_target(self._owners) as target:
            rows = _bring_over(source, target, tables)
            target.come_to(position)
        return rows

    def _drop_notes(self, source: Source, position: int) -> None:
        source.drop_notes(position)

    def _compare(self, source: Source, tables: list[Table], look: Look) -> list[Compared]:
        """Every row of every table, on one state of both.

        Raises:
            StateError: they differ; the text says where.
        """
        self._follow(source, tables)
        with source.still() as position:
            self._bring(source, tables, position)
            with writing_target(self._owners) as target:
                found = [_compared(source, target, table) for table in tables]
            wrong = [f"{each.name} differs" for each in found if not each.is_same] or look()
        if wrong:
            raise StateError(f"the copy is not the same: {'; '.join(wrong[:5])}; abort it")
        rows = sum(each.rows for each in found)
        self._tell(f"compared: {rows} rows of {len(found)} tables are the same")
        return found

    def _cut(self, source: Source, tables: list[Table], alone: ExitStack) -> None:
        for attempt in range(TRIES):
            self._follow(source, tables)
            try:
                paused_s = self._cut_once(source, tables, alone)
            except TookTooLong:
                if attempt == TRIES - 1:
                    raise
                continue
            self._tell(f"cut over: nobody could write for {paused_s * 1000:.0f} ms")
            return

    def _cut_once(self, source: Source, tables: list[Table], alone: ExitStack) -> float:
        with source.held():
            began_at = time.monotonic()
            with writing_target(self._owners) as target:
                _bring_over(source, target, tables)
                _read_back(source, target, tables)
                target.come_to(source.noted_through())
                target.be_whole()
                if time.monotonic() - began_at > PAUSE_S:
                    raise TookTooLong("the last rows took too long: run this again")
            alone.close()  # servers may come
            self._tell("whole: the other database is a server's books")
            write_atomically(self._folder.database_url, f"{self._url}\n".encode(), 0o600)
            paused_s = time.monotonic() - began_at
            self._tell("decided: the books are in PostgreSQL")
            source.close_for_good()
        return paused_s

    def _end(self, source: Source) -> None:
        """After the rename: both databases know."""
        if source.version != MOVED:
            with source.held():
                source.close_for_good()
        with writing_target(self._owners) as target:
            target.end()
        self._tell("moved: nothing of the move is left")


def _bring_over(source: Source, target: Target, tables: list[Table]) -> int:
    """What the source noted since the target's position, and what it never notes; how many rows
    were noted.
    """
    position = target.position
    assert position is not None, "it is copied before it is followed"
    noted = source.noted_since(position)
    count = 0
    for table in tables:
        if table.name in noted:
            count += target.put(table, source.rows_of(table.name, noted[table.name]))
    small = [table for table in tables if table.name in source.whole]
    for table in reversed(small):
        target.fill(table, ())
    for table in small:
        target.fill(table, source.rows(table.name))
    return count


def _read_back(source: Source, target: Target, tables: list[Table]) -> None:
    """See that what was brought last is there as it is here.

    Raises:
        StateError: it is not.
    """
    position = target.position
    assert position is not None
    noted = source.noted_since(position)
    for table in tables:
        if table.name in source.whole:
            is_same = _compared(source, target, table).is_same
        elif table.name in noted:
            rows = list(source.rows_of(table.name, noted[table.name]))
            there = digest(target.rows_like(table, rows))
            is_same = there == digest(map(table.compared, rows))
        else:
            continue
        if not is_same:
            raise StateError(f"the last rows of {table.name} are not the same: abort it")


def _compared(source: Source, target: Target, table: Table) -> Compared:
    here = digest(map(table.compared, source.rows(table.name)))
    there = digest(target.rows(table))
    return Compared(table.name, here[0], f"{here[1]:032x}"[:16], here == there)
