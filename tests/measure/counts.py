"""What a piece of work asks of SQLite, counted and not timed: statements, steps of its virtual
machine, and how it finds its rows; and of Python: calls. For the benchmarks and the tests.
"""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Engine, event

T = TypeVar("T")


_TESTS = str(Path(__file__).parents[1])


@dataclass
class Counts:
    """What was asked, in the order in which it was."""

    statements: list[str] = field(default_factory=list)
    """With their values; those of triggers left out, BEGIN and COMMIT and savepoints not."""
    steps: int = 0
    """Instructions that SQLite carried out, those of triggers and guards with them."""

    @property
    def questions(self) -> list[str]:
        """The statements without what opens a connection or bounds a transaction."""
        bounds = ("PRAGMA", "BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE")
        return [text for text in self.statements if not text.startswith(bounds)]

    def plans(self, raw: sqlite3.Connection) -> list[tuple[str, str]]:
        """(statement, one line of its query plan), for each that has a plan."""
        found = []
        for statement in self.questions:
            for row in raw.execute("EXPLAIN QUERY PLAN " + statement):
                found.append((statement, str(row[3])))
        return found


@contextmanager
def counted(engine: Engine, steps: bool = True) -> Iterator[Counts]:
    """Count what is asked of every connection that is opened meanwhile; those that were open are
    closed first. With `steps` slow: it looks at each instruction.
    """
    counts = Counts()

    def trace(statement: str) -> None:
        # SQLite tells of a trigger by its statement once more.
        if counts.statements[-1:] != [statement]:
            counts.statements.append(statement)

    def step() -> int:
        counts.steps += 1
        return 0

    def connected(connection: sqlite3.Connection, _record: Any) -> None:
        connection.set_trace_callback(trace)
        if steps:
            connection.set_progress_handler(step, 1)

    engine.dispose()
    event.listen(engine, "connect", connected)
    try:
        yield counts
    finally:
        event.remove(engine, "connect", connected)
        engine.dispose()


def calls_of(work: Callable[[], T]) -> tuple[T, int]:
    """What `work` returns, and how many functions written in Python it called in this thread, but
    for those of the tests: what a message costs besides the database, whatever else the machine
    does.
    """
    count = 0

    def note(frame: Any, event_name: str, _of: Any) -> None:
        nonlocal count
        count += event_name == "call" and not frame.f_code.co_filename.startswith(_TESTS)

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        made = work()
    finally:
        sys.setprofile(before)
    return made, count
