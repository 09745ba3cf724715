"""Simulated time: discrete events on one event loop. When the CPU and all parts wait, time jumps.

Time stands still unless a thread beside the loop waits for something (`SimulatedThread.run`), so
what a test or a script does between two waits takes none. Everything at one instant has its order:

1. what is ready on the loop, timers of the same instant in the order they were set;
2. what a far end that was asked still owes (`hold`): the host waits for it, the clock does not;
3. one request of the CPU that computes (`in_order`), then 1 again;
4. the next CPU whose turn it is: one computes at a time, so that none outruns another;
5. the next call from a thread beside the loop;
6. a look at what such a thread waits for.

So a run is a function of what goes in, however busy the host. Rules and figures:
docs/simulated-time.md.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from hw_sim.loop_thread import LoopThread
from hw_sim.pacing import Pace, Turn
from hw_sim.simulated_loop import SimulatedLoop, StuckError

__all__ = ["SimulatedLoop", "SimulatedPace", "SimulatedThread", "StuckError"]

T = TypeVar("T")

LOOK_AGAIN_S = 0.02
"""What a thread waits for is looked at no more often, in simulated seconds."""
SPINS_AFTER_CPU_S = 3.0
"""A program that used so many CPU seconds of the host, and asked its chip for nothing, spins."""


class _CpuTurn(Turn):
    def __init__(self, loop: SimulatedLoop) -> None:
        self._loop = loop
        self._look: Callable[[], tuple[float, bool]] | None = None
        self._used_before_s: float | None = None

    def take(self, callback: Callable[[], None]) -> None:
        def begin() -> None:
            self._used_before_s = None
            callback()

        self._loop.ask_turn(self, begin)

    def rest(self) -> None:
        self._loop.end_turn(self)

    def run_ahead(self, seconds: float) -> bool:
        return self._loop.run_ahead(self, seconds)

    def watch(self, look: Callable[[], tuple[float, bool]]) -> None:
        self._look = look
        self._used_before_s = None

    def goes_its_own_way(self) -> bool:
        """Whether its program has computed for long and asked for nothing, or waits for a line on
        its console.
        """
        if self._look is None:
            return False
        used_s, sleeps = self._look()
        if self._used_before_s is None:
            self._used_before_s = used_s
        return sleeps or used_s - self._used_before_s > SPINS_AFTER_CPU_S


class SimulatedPace(Pace):
    """The clock of `loop`. Its calendar begins at `start_unix_s`, whatever that clock says."""

    jumps = True

    def __init__(self, thread: SimulatedThread, start_unix_s: float) -> None:
        super().__init__()
        self._thread = thread
        self._loop = thread.simulated
        self._start_unix_s = start_unix_s - self._loop.begins_s

    @property
    def unscaled(self) -> Pace:
        """This clock: it has no other."""
        return self

    def now_s(self) -> float:
        """Seconds, as `SimulatedLoop.time`; asked from any thread."""
        return self._loop.time()

    def unix_s(self) -> float:
        """The world's calendar."""
        return self._start_unix_s + self._loop.time()

    def turn(self) -> Turn:
        """For one CPU; it computes only when no other does."""
        return _CpuTurn(self._loop)

    def in_order(self, callback: Callable[[], None]) -> None:
        """Call back once nothing else is ready."""
        self._loop.in_order(callback)

    def pause(self, seconds: float) -> None:
        """Let so much time pass."""
        self._thread.run(asyncio.sleep(seconds))

    def wait_until(
        self, predicate: Callable[[], object], timeout_s: float, look_s: float = LOOK_AGAIN_S
    ) -> bool:
        """Let time pass until `predicate()` is true, False if it was not within `timeout_s`.

        It is asked on the loop's own thread, when something has happened, but not twice within
        `look_s`.
        """

        async def until() -> bool:
            loop = self._loop
            deadline_s = loop.time() + timeout_s
            deadline = loop.call_at(deadline_s, lambda: None)
            try:
                while not predicate():
                    if loop.time() >= deadline_s:
                        return False
                    await loop.next_instant(min(loop.time() + look_s, deadline_s))
                return True
            finally:
                deadline.cancel()

        return self._thread.run(until())


class SimulatedThread(LoopThread):
    """A loop thread on simulated time.

    Other threads come in at the end of an instant: `call` takes no time, `run` lets time pass until
    its work is done, however long that takes on the host.
    """

    def __init__(self, speed: float = 0, begins_s: float = 0) -> None:
        """`speed`, `begins_s`: see `SimulatedLoop`."""
        self.simulated = SimulatedLoop(speed, begins_s)
        super().__init__(self.simulated)

    @property
    def is_here(self) -> bool:
        """Whether this is the loop's own thread, or a guest's on it."""
        return super().is_here or threading.get_ident() in self.simulated.guests

    def run(self, work: Coroutine[Any, Any, T], timeout_s: float | None = None) -> T:
        """Let time pass until `work` is done there; return what it returns.

        Raises:
            StuckError: time cannot go on.
        """
        if self.is_here:
            work.close()
            raise RuntimeError("what runs on simulated time cannot wait for it")
        done: concurrent.futures.Future[T] = concurrent.futures.Future()

        def begin() -> None:
            task = self.loop.create_task(work)
            self.simulated.flow_for(task)
            task.add_done_callback(end)

        def end(task: asyncio.Task[T]) -> None:
            if task.cancelled():
                done.set_exception(StuckError(self.simulated.stuck or "cancelled"))
            elif error := task.exception():
                done.set_exception(error)
            else:
                done.set_result(task.result())

        self.simulated.visit(begin)
        return done.result()

    def call(self, function: Callable[..., T], *args: Any) -> T:
        """Call a plain function there, at the end of an instant; return what it returns."""
        if self.is_here:
            return function(*args)
        done: concurrent.futures.Future[T] = concurrent.futures.Future()

        def visit() -> None:
            try:
                done.set_result(function(*args))
            except BaseException as error:
                done.set_exception(error)

        self.simulated.visit(visit)
        return done.result()
