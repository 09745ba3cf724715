"""Two servers' transactions on one PostgreSQL, interleaved as a test says: each runs in a thread of
its own, stops before every statement, and goes on when it is its turn.

A turn ends when the statement is done, or when it waits for a lock that the other holds: that is
asked of the database (`pg_blocking_pids`), not guessed by a clock. So a schedule is a list of
whose turn it is, and gives the same each time.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import psycopg
from sqlalchemy import Engine, event

from updater_server.store import exchange, postgresql, prepared

_PATIENCE_S = 20.0


class Worker:
    """One piece of work and where it stands."""

    def __init__(self, work: Callable[[], Any]) -> None:
        self._work = work
        self.pid = 0
        self.steps: list[str] = []
        self.outcome: Any = None
        self.is_done = False
        self.is_waiting = False
        self._turn = threading.Event()
        self._changed = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        _MINE.worker = self
        try:
            self.outcome = self._work()
        except Exception as error:
            self.outcome = error
        self.is_done = True
        self._changed.set()

    def stop(self, statement: str, pid: int) -> None:
        """Called in its thread, before each statement."""
        self.pid = pid
        self.is_waiting = True
        self._changed.set()
        assert self._turn.wait(_PATIENCE_S), statement
        self._turn.clear()
        self.steps.append(statement)

    def begin(self) -> None:
        """Run to the first statement."""
        self._thread.start()
        self._changed.wait(_PATIENCE_S)

    def step(self, is_blocked: Callable[[int], bool]) -> None:
        """One statement more, or until it waits for a lock. Nothing if it still does."""
        if self.is_waiting:
            self.is_waiting = False
            self._changed.clear()
            self._turn.set()
        deadline = time.monotonic() + _PATIENCE_S
        while not self._changed.wait(0.001):
            assert time.monotonic() < deadline, self.steps[-1:]
            if is_blocked(self.pid):
                return


_MINE = threading.local()


def watch(engine: Engine) -> None:
    """Let whatever a `Worker` asks of this engine stop before each statement."""

    class Stopping(psycopg.Cursor[Any]):
        def execute(self, query: Any, *arguments: Any, **options: Any) -> Any:
            _stop(str(query), self.connection)
            return super().execute(query, *arguments, **options)

    @event.listens_for(engine, "connect")
    def _connected(raw: Any, _record: Any) -> None:
        commit = raw.commit

        def stop_and_commit() -> None:
            _stop("COMMIT", raw)
            commit()

        raw.cursor_factory = Stopping
        raw.commit = stop_and_commit


def _hook() -> None:
    """What goes past the driver's cursors stops as well."""
    ask, tell, place = exchange.Question.ask, exchange.tell, postgresql.take_place

    def stop_and_ask(self: Any, connection: Any, raw: Any, values: Any) -> Any:
        if raw.info.transaction_status == psycopg.pq.TransactionStatus.INTRANS:
            _stop(self.text, raw)
        return ask(self, connection, raw, values)

    def stop_and_tell(connection: Any, raw: Any, words: str) -> None:
        _stop(words, raw)
        tell(connection, raw, words)

    def stop_and_begin(connection: Any, alone: bool) -> None:
        _stop("BEGIN", connection.connection.driver_connection)
        place(connection, alone)

    exchange.Question.ask = stop_and_ask  # type: ignore[method-assign]
    prepared.tell = stop_and_tell  # type: ignore[attr-defined]
    postgresql.take_place = stop_and_begin


_hook()


def _stop(statement: str, connection: Any) -> None:
    worker = getattr(_MINE, "worker", None)
    if worker is not None:
        worker.stop(statement, connection.info.backend_pid)


def run(
    looking: psycopg.Connection[Any], works: Sequence[Callable[[], Any]], schedule: Sequence[int]
) -> list[Worker]:
    """Carry out the works, each step of `schedule` a statement of the work it names, then the rest
    of each, the first one first; returns them done. `looking` is a connection of nobody's.
    """

    def is_blocked(pid: int) -> bool:
        row = looking.execute("SELECT cardinality(pg_blocking_pids(%s))", (pid,)).fetchone()
        return bool(row and row[0])

    workers = [Worker(work) for work in works]
    for worker in workers:
        worker.begin()
    for number in schedule:
        if not workers[number].is_done:
            workers[number].step(is_blocked)
    while not all(worker.is_done for worker in workers):
        for worker in workers:
            while not worker.is_done:
                before = len(worker.steps)
                worker.step(is_blocked)
                if not worker.is_done and len(worker.steps) == before:
                    break  # it waits: the others first
                if not worker.is_done and not worker.is_waiting:
                    break
    return workers


def schedules(first: int, second: int, apart: int = 1) -> Iterator[list[int]]:
    """Every way to stop one of two works once, before each `apart`-th of its statements, and let
    the other run as far as it gets; `first` and `second` are their lengths.
    """
    for length, one, other in ((first, 0, 1), (second, 1, 0)):
        for at in range(0, length + 1, apart):
            yield [one] * at + [other] * 200
