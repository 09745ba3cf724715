"""The one clock of the simulated board: every wait and every reading of time in `hw_sim` is here.

Each part is handed a `Pace` and asks nothing else for the time, so that another clock needs another
`Pace` and no other part: `hw_sim.simulated` has one that jumps. Device seconds may run faster than
the wall by a factor: a delay of 3 s with a scale of 100 takes 30 ms.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

LOOK_AGAIN_S = 0.01
"""How often a thread beside the loop looks whether what it waits for is there."""


class Turn:
    """One CPU's say in when it runs. In real time it runs whenever it likes."""

    def take(self, callback: Callable[[], None]) -> None:
        """Call back when it is this CPU's turn: it computes from then on."""
        callback()

    def rest(self) -> None:
        """It computes no more: it waits, or is gone. What it asked to take is forgotten."""

    def run_ahead(self, seconds: float) -> bool:
        """Whether so much time has passed at once, as nothing else would have happened before its
        end: only where time is simulated.
        """
        return False

    def watch(self, look: Callable[[], tuple[float, bool]]) -> None:
        """`look()`: CPU seconds of the host that its program has used, and whether it sleeps; to
        tell a program that asks its chip for nothing any more.
        """


class Pace:
    """Waits in device seconds on the running asyncio loop.

    `time_scale` is device seconds per wall second; 1.0 is real time. Raises ValueError when it is
    not above zero.
    """

    jumps = False
    """Whether time is simulated: the CPU's program asks the board for it, then."""

    def __init__(self, time_scale: float = 1.0) -> None:
        if not time_scale > 0:
            raise ValueError(f"time_scale must be above zero, not {time_scale}")
        self.time_scale = time_scale

    @property
    def unscaled(self) -> Pace:
        """The same clock in wall seconds: for what must not outrun the CPU at the other end."""
        return Pace()

    # on the event loop

    def now_s(self) -> float:
        """Device seconds from an arbitrary start; never goes back."""
        return asyncio.get_running_loop().time() * self.time_scale

    def unix_s(self) -> float:
        """Honest Unix seconds, whatever the scale: the calendar runs no faster."""
        return time.time()

    async def sleep(self, seconds: float) -> None:
        """Wait that many device seconds; yields to the loop even for none."""
        await asyncio.sleep(max(0.0, seconds) / self.time_scale)

    def limit(self, seconds: float) -> asyncio.Timeout:
        """`async with pace.limit(3):` ends with TimeoutError after that many device seconds."""
        return asyncio.timeout(seconds / self.time_scale)

    def call_later(self, seconds: float, callback: Callable[[], None]) -> asyncio.TimerHandle:
        """Call back after that many device seconds; the handle can be cancelled."""
        return asyncio.get_running_loop().call_later(max(0.0, seconds) / self.time_scale, callback)

    # the order of things at one instant

    def turn(self) -> Turn:
        """For one CPU."""
        return Turn()

    def in_order(self, callback: Callable[[], None]) -> None:
        """Call back once all else that happens at this instant has happened. Real time has no such
        instant: at once.
        """
        callback()

    # in a thread beside the loop: tests, scripts, people

    def pause(self, seconds: float) -> None:
        """Hold this thread for that many device seconds."""
        time.sleep(max(0.0, seconds) / self.time_scale)

    def wait_until(
        self, predicate: Callable[[], object], timeout_s: float, look_s: float = LOOK_AGAIN_S
    ) -> bool:
        """Hold this thread until `predicate()`, asked every `look_s` of the wall, is true; False if
        it was not in that time.
        """
        deadline_s = time.monotonic() + timeout_s / self.time_scale
        while not predicate():
            if time.monotonic() >= deadline_s:
                return False
            time.sleep(look_s)
        return True
