"""The real-time clock and its coin cell."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

DEAD_CELL_TIME = datetime(2000, 1, 1, tzinfo=UTC)
"""Where the clock starts when its cell lost it."""


class RealTimeClock:
    """UTC, kept as an offset to `host_time` (Unix seconds), so that it runs on while the board is
    off.

    Tests forge the time with `set`; a dead cell (`cell_ok = False`) loses it at the next power-off.
    """

    def __init__(self, host_time: Callable[[], float]) -> None:
        self._host_time = host_time
        self._offset_s = 0.0
        self.cell_ok = True

    def now(self) -> datetime:
        """What the clock shows."""
        return datetime.fromtimestamp(self._host_time() + self._offset_s, UTC)

    def set(self, when: datetime) -> None:
        """Set the clock. ValueError outside 2000 to 2099, which a chip of this kind cannot hold."""
        if not 2000 <= when.year <= 2099:
            raise ValueError(f"the clock counts from 2000 to 2099, not {when.year}")
        self._offset_s = when.timestamp() - self._host_time()

    def shift(self, by_s: float) -> None:
        """Move the clock, as a forged network time or a drifting crystal does."""
        self.set(self.now() + timedelta(seconds=by_s))

    def power_on(self) -> None:
        """The board was without supply; only the cell kept the time."""
        if not self.cell_ok:
            self.set(DEAD_CELL_TIME)
