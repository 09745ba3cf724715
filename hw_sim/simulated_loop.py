"""The event loop of simulated time: what comes next, and when. `hw_sim.simulated` has the rules."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import selectors
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import Context
from typing import Any, Protocol, TypeVarTuple

_Arguments = TypeVarTuple("_Arguments")
_Block = Callable[[float | None], "list[tuple[selectors.SelectorKey, int]]"]

FAR_END_LIMIT_S = 60.0
"""A far end that owes an answer for so many seconds of the host is stuck."""
RESOLUTION_S = 2.0**-25
"""What is due within 30 ns is due now. asyncio adds the host clock's nanosecond, which is lost in a
float of more than 2**24 seconds: after 194 days nothing was ever due. This is not for eight years.
"""
_HOST_LOOK_S = 0.002
_LOOK_OUT_AFTER = 256
"""So often a CPU may run ahead before the loop looks at its sockets again."""


class Computing(Protocol):
    """A CPU's turn, as the loop sees it."""

    def goes_its_own_way(self) -> bool:
        """Whether it computes for long and asks for nothing."""
        ...


class StuckError(RuntimeError):
    """Simulated time cannot go on; the text names who holds it."""


class SimulatedLoop(asyncio.SelectorEventLoop):
    """An event loop whose `time()` is simulated. `hw_sim.simulated` says in which order.

    `speed`: simulated seconds in one of the wall, at most, for people who watch; 0 is no limit.
    `begins_s`: what its clock says at first, as that of a chip that has been on for so long.
    """

    def __init__(self, speed: float = 0, begins_s: float = 0) -> None:
        self._speed = speed
        self.begins_s = begins_s
        self._now_s = float(begins_s)
        self._order = itertools.count()
        self._held: dict[str, int] = {}
        self._requests: deque[Callable[[], None]] = deque()
        self._turns: deque[tuple[Computing, Callable[[], None]]] = deque()
        self._computing: set[Computing] = set()
        self._visits: deque[Callable[[], None]] = deque()
        self._waits: set[asyncio.Task[Any]] = set()
        self._lookers: list[tuple[float, asyncio.Future[None]]] = []
        self._ahead = 0
        self.guests: set[int] = set()
        """Threads, by their identity, that run in place of this loop's own while it stands still:
        the programs of hosted CPUs."""
        self.stuck = ""
        """Why time could not go on, when it could not."""
        super().__init__(_Jumps(self))
        self._clock_resolution = RESOLUTION_S

    def time(self) -> float:
        """Simulated seconds: since the loop was made, and `begins_s`."""
        return self._now_s

    def call_at(
        self,
        when: float,
        callback: Callable[[*_Arguments], object],
        *args: *_Arguments,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        """As asyncio's; timers of the same instant come in the order they were set."""
        timer = _Timer(when, callback, args, self, context)
        timer.place = next(self._order)
        heapq.heappush(self._scheduled, timer)  # type: ignore[attr-defined]
        timer.note_scheduled()
        return timer

    def call_later(
        self,
        delay: float,
        callback: Callable[[*_Arguments], object],
        *args: *_Arguments,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        """As asyncio's."""
        return self.call_at(self._now_s + delay, callback, *args, context=context)

    # who holds the clock

    @contextmanager
    def hold(self, name: str) -> Iterator[None]:
        """Time stands still within: `name` is a part outside of the simulation that is asked."""
        self.begin_hold(name)
        try:
            yield
        finally:
            self.end_hold(name)

    def begin_hold(self, name: str) -> None:
        """See `hold`."""
        self._held[name] = self._held.get(name, 0) + 1

    def end_hold(self, name: str) -> None:
        """See `hold`."""
        left = self._held.pop(name, 0) - 1
        if left > 0:
            self._held[name] = left

    def in_order(self, callback: Callable[[], None]) -> None:
        """One request of a CPU: served when nothing else is ready."""
        self._requests.append(callback)

    def ask_turn(self, turn: Computing, callback: Callable[[], None]) -> None:
        """Let that CPU compute when no other does."""
        self._turns.append((turn, callback))

    def end_turn(self, turn: Computing) -> None:
        """That CPU waits, or is gone."""
        self._computing.discard(turn)
        self._turns = deque(each for each in self._turns if each[0] is not turn)

    # a CPU in the loop's own process, which asks by calls

    def pass_time(self, seconds: float) -> None:
        """Work on this loop's own thread takes so long: what is due meanwhile comes after it."""
        self._now_s += seconds

    def is_quiet(self) -> bool:
        """Whether a request of a CPU that computes would be next now: nothing is ready, no timer is
        due, nobody owes an answer.
        """
        if self._ready or self._held or self._requests:  # type: ignore[attr-defined]
            return False
        timers = self._scheduled  # type: ignore[attr-defined]
        if not timers or timers[0].when() > self._now_s + self._clock_resolution:
            return True  # cancelled or not, the first one is not due
        next_s = self._next_timer_s()
        return next_s is None or next_s > self._now_s + self._clock_resolution

    def run_ahead(self, turn: Computing, seconds: float) -> bool:
        """Let so much time pass at once, if the CPU of `turn`, which begins to wait for so long,
        would be the next that anything happens to; else change nothing.
        """
        until_s = self._now_s + max(0.0, seconds)
        if self._speed or not self._waits or self._visits or self._turns:
            return False
        if self._ready or self._held or self._requests:  # type: ignore[attr-defined]
            return False
        computing = self._computing
        if len(computing) > (turn in computing):
            return False
        for from_s, _ in self._lookers:
            if from_s <= self._now_s:
                return False
        next_s = self._next_timer_s()
        if next_s is not None and next_s <= until_s + self._clock_resolution:
            return False
        self._ahead += 1
        if self._ahead % _LOOK_OUT_AFTER == 0:
            return False  # let what comes from outside be heard
        self._now_s = until_s
        return True

    def _next_timer_s(self) -> float | None:
        timers = self._scheduled  # type: ignore[attr-defined]
        while timers and timers[0].cancelled():
            self._timer_cancelled_count -= 1  # type: ignore[attr-defined]
            heapq.heappop(timers).note_dropped()
        return timers[0].when() if timers else None

    # threads beside the loop

    def visit(self, callback: Callable[[], None]) -> None:
        """From another thread: call back at the end of an instant."""
        self.call_soon_threadsafe(self._visits.append, callback)

    def flow_for(self, task: asyncio.Task[Any]) -> None:
        """Time may pass until that task is done."""
        self._waits.add(task)
        task.add_done_callback(self._waits.discard)

    async def next_instant(self, from_s: float) -> None:
        """Return at the end of the first instant from then on at which anything happens."""
        looker = (from_s, self.create_future())
        self._lookers.append(looker)
        await looker[1]

    def idle(self, block: _Block) -> list[tuple[selectors.SelectorKey, int]]:
        """Nothing is ready: let the next thing happen. `block` is the selector's own wait."""
        if self._held:
            found = block(FAR_END_LIMIT_S)
            if not found:
                self._fail(f"no answer in {FAR_END_LIMIT_S:.0f} s of the host: {self._names()}")
            return found
        if self._requests:
            self._requests.popleft()()
            return []
        if self._computing:
            return self._let_compute(block)
        if self._turns:
            turn, callback = self._turns.popleft()
            self._computing.add(turn)
            callback()
        elif self._visits:
            self._visits.popleft()()
        elif self._lookers and self._tell_lookers():
            pass
        elif self._waits and not self._scheduled:  # type: ignore[attr-defined]
            self._fail("everything waits, and nothing will ever happen")
        elif self._waits and not self._speed:
            self._now_s = max(self._now_s, self._scheduled[0].when())  # type: ignore[attr-defined]
        elif self._waits:
            return self._pass_on_the_wall(block)
        else:
            return block(None)
        return []

    def _tell_lookers(self) -> bool:
        due = [each for each in self._lookers if each[0] <= self._now_s]
        for each in due:
            self._lookers.remove(each)
            if not each[1].done():
                each[1].set_result(None)
        return bool(due)

    def _let_compute(self, block: _Block) -> list[tuple[selectors.SelectorKey, int]]:
        found = block(_HOST_LOOK_S)
        if found:
            return found
        for turn in [turn for turn in self._computing if turn.goes_its_own_way()]:
            found = block(0)
            if found:  # it asked just before it was looked at
                break
            self._computing.discard(turn)  # time passes it by, and its watchdog may bite
        return found

    def _pass_on_the_wall(self, block: _Block) -> list[tuple[selectors.SelectorKey, int]]:
        speed = self._speed
        timers = self._scheduled  # type: ignore[attr-defined]
        next_s = timers[0].when() if timers else None
        begun_s = time.monotonic()
        found = block(None if next_s is None else max(0.0, next_s - self._now_s) / speed)
        passed_s = self._now_s + (time.monotonic() - begun_s) * speed
        self._now_s = passed_s if next_s is None else max(self._now_s, min(passed_s, next_s))
        return found

    def _fail(self, text: str) -> None:
        self.stuck = text
        self._held.clear()
        for task in list(self._waits):
            task.cancel()

    def _names(self) -> str:
        return ", ".join(sorted(self._held))


class _Timer(asyncio.TimerHandle):
    place = 0

    def note_scheduled(self) -> None:
        """So that the loop counts it when it is cancelled, as it does its own."""
        self._scheduled = True

    def note_dropped(self) -> None:
        """So that the loop counts it no more."""
        self._scheduled = False

    def __lt__(self, other: _Timer) -> bool:  # type: ignore[override]  # there are no others here
        mine, others = self.when(), other.when()
        return self.place < other.place if mine == others else mine < others


class _Jumps(selectors.DefaultSelector):
    """Waits for sockets as ever, and where nothing is to be had, asks the loop what comes next."""

    def __init__(self, loop: SimulatedLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """As any selector's."""
        block = super().select
        found = block(0)
        if found or (timeout is not None and timeout <= 0):
            return found
        return self._loop.idle(block)
