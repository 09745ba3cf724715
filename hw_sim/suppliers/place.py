"""Where a supplier lives: its sockets, its clock, its courier. For the suppliers beside it; the
real one unless a test has another.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

from hw_sim.suppliers.callbacks import Courier
from hw_sim.suppliers.faults import Faults
from hw_sim.suppliers.tcp import Listener, Wire


class Listening(Protocol):
    """A port that is listened at."""

    port: int

    def cut_next(self, cut_in: int | None = None, cut_out: int | None = None) -> None:
        """Lose the next connection after so many bytes received, or sent."""

    def forget_cuts(self) -> None:
        """Let every connection be."""

    def close(self) -> None:
        """Nobody listens any more."""


class Place:
    """The real one."""

    def listen(self, serve: Callable[[Wire], None], port: int) -> Listening:
        """Serve each connection to a port; 0: any free one."""
        return Listener(serve, port)

    def sleep(self, seconds: float) -> None:
        """Let time go by before the next word."""
        time.sleep(seconds)

    def courier(self, faults: Faults, pause_s: float = 0.0) -> Courier:
        """Who carries its call-backs."""
        return Courier(faults, pause_s)


REAL = Place()
