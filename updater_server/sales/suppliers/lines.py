"""A supplier's own line: queue, threads and breaker, so that one who hangs holds up nobody else.
For `vending`.
"""

from __future__ import annotations

import itertools
import logging
import queue
import threading
import time
from collections.abc import Callable
from typing import Protocol

log = logging.getLogger("duka.suppliers")

SALE, QUESTION = 0, 1
"""What goes first: a customer waits for a sale, nobody for a question about an older one."""
_END = 2


class Breaker:
    """Opens after `failures` in a row: nobody is asked for `rest_s`, then one at a time until one
    of them is answered.
    """

    def __init__(
        self, failures: int = 5, rest_s: float = 30, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._limit = failures
        self._rest_s = rest_s
        self._clock = clock
        self._lock = threading.Lock()
        self._failed = 0
        self._closed_until = 0.0

    def is_open(self) -> bool:
        """Whether nothing is to be sent now."""
        with self._lock:
            return self._failed >= self._limit and self._clock() < self._closed_until

    def told(self, well: bool) -> None:
        """How a call went."""
        with self._lock:
            self._failed = 0 if well else self._failed + 1
            if self._failed >= self._limit:
                self._closed_until = self._clock() + self._rest_s


Waiting = tuple[int, int, "Callable[[], None] | None"]


class Worker(Protocol):
    """What works on a line's queue."""

    def join(self, timeout: float, /) -> None:
        """Wait for its end, `timeout` seconds at most."""


class Queue(Protocol):
    """What first waits in, then comes out by its two numbers."""

    def put(self, item: Waiting, /) -> None:
        """It never blocks."""

    def get(self) -> Waiting:
        """Waits until there is one."""

    def qsize(self) -> int:
        """How many there are."""


class Threads:
    """Who does a line's calls: threads; a test may give a line others."""

    def queue(self) -> Queue:
        """One that several threads may use."""
        return queue.PriorityQueue()

    def start(self, name: str, work: Callable[[], None]) -> Worker:
        """Let one more do this."""
        thread = threading.Thread(target=work, name=name, daemon=True)
        thread.start()
        return thread


class Line:
    """`threads` calls at once, `room` more in the queue."""

    def __init__(
        self, name: str, threads: int = 4, room: int = 32, workers: Threads | None = None
    ) -> None:
        self.name = name
        self.breaker = Breaker()
        self._workers = workers or Threads()
        self._wanted = threads
        self._room = room
        self._queue = self._workers.queue()
        self._numbers = itertools.count()
        self._lock = threading.Lock()
        self._threads: list[Worker] = []
        self._is_closed = False

    @property
    def waiting(self) -> int:
        """How many calls wait for a thread."""
        return self._queue.qsize()

    def takes(self) -> bool:
        """Whether one more sale would be sent soon."""
        return not self._is_closed and self.waiting < self._room and not self.breaker.is_open()

    def submit(self, call: Callable[[], None], what: int = SALE) -> bool:
        """Let a thread of this line do it; False if there is no room."""
        with self._lock:
            if self._is_closed or self.waiting >= self._room:
                return False
            if len(self._threads) < self._wanted:
                name = f"duka-{self.name}-{len(self._threads)}"
                self._threads.append(self._workers.start(name, self._work))
            self._queue.put((what, next(self._numbers), call))
        return True

    def close(self, patience_s: float = 0) -> None:
        """Begin nothing more; wait so long for what was begun."""
        with self._lock:
            self._is_closed = True
            for _ in self._threads:
                self._queue.put((_END, next(self._numbers), None))
        until = time.monotonic() + patience_s
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))

    def _work(self) -> None:
        while True:
            _, _, call = self._queue.get()
            if call is None:
                return
            if self._is_closed:
                continue  # it stays reserved, and the next server sees to it
            try:
                call()
            except Exception:
                log.exception("supplier %s: a call went wrong", self.name)
