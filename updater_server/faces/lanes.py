"""Threads, apart for each kind of request, so that one kind can never take another's. For `app`.

A lane has a few threads and a waiting room. Whom it cannot serve in time is told so at once: work
that nobody waits for any more would only make the others wait.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from updater_server.errors import BusyError

T = TypeVar("T")


class Lane:
    """`threads` calls at once, `waiting` more in line, none begun later than `patience_s`."""

    def __init__(self, name: str, threads: int, waiting: int, patience_s: float) -> None:
        self._name = name
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=f"duka-{name}")
        self._room = threads + waiting
        self._inside = 0
        self._patience_s = patience_s

    @property
    def inside(self) -> int:
        """How many calls run or wait."""
        return self._inside

    async def run(self, call: Callable[..., T], *arguments: Any) -> T:
        """`call(*arguments)` in one of the lane's threads. To be awaited in one event loop only.

        Raises:
            BusyError: no room, or no thread came free in time; the call was not begun.
        """
        if self._inside >= self._room:
            raise BusyError(f"too many are asking for {self._name}: try again in a few seconds")
        latest = time.monotonic() + self._patience_s

        def begin() -> T:
            if time.monotonic() > latest:
                raise BusyError(f"{self._name} took too long: try again in a few seconds")
            return call(*arguments)

        self._inside += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, begin)
        finally:
            self._inside -= 1

    def close(self) -> None:
        """Begin nothing more and wait for what was begun."""
        self._pool.shutdown(wait=True, cancel_futures=True)
