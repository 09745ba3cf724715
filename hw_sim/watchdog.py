"""The chip's watchdog: it bites a program that does not feed it in time.

The board makes one and is told when it bites.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from hw_sim.pacing import Pace


class Watchdog:
    """Calls `on_bite` when it was started and not fed in time.

    `stretch` multiplies its timeouts, for hosts so slow that a real second is too short.
    """

    def __init__(
        self, pace: Pace, max_ms: int, stretch: float, on_bite: Callable[[], None]
    ) -> None:
        self._pace = pace
        self._max_ms = max_ms
        self._stretch = stretch
        self._on_bite = on_bite
        self._timeout_s: float | None = None
        self._timer: asyncio.TimerHandle | None = None

    def start(self, timeout_ms: int) -> None:
        """Count down from `timeout_ms`. ValueError for a time that the counter cannot hold."""
        if not 1 <= timeout_ms <= self._max_ms:
            raise ValueError(f"the watchdog counts 1 to {self._max_ms} ms, not {timeout_ms}")
        self._timeout_s = timeout_ms / 1000 * self._stretch
        self.feed()

    def feed(self) -> None:
        """Count anew; nothing happens to one that was not started."""
        if self._timeout_s is None:
            return
        self._cancel()
        self._timer = self._pace.call_later(self._timeout_s, self._on_bite)

    def stop(self) -> None:
        """The chip was reset: it counts no more."""
        self._cancel()
        self._timeout_s = None

    def set_stretch(self, stretch: float) -> None:
        """Multiply timeouts by `stretch` from now on; one that runs counts anew."""
        if self._timeout_s is not None:
            self._timeout_s *= stretch / self._stretch
        self._stretch = stretch
        self.feed()

    def _cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
