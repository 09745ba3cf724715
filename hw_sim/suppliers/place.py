"""Where a supplier lives: its sockets, its clock, its courier; the real one unless a test has
another. And what all suppliers beside it are to the outside.
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


class Supplier:
    """One that is reached at `port`, and may be lost on the way."""

    def __init__(
        self, place: Place, courier: Courier, serve: Callable[[Wire], None], port: int
    ) -> None:
        """Listens at once: what `serve` needs is there by now."""
        self.courier = courier
        self._place = place
        self._serving = serve
        self._listener = place.listen(serve, port)
        self.port = self._listener.port

    def cut_next(self, cut_in: int | None = None, cut_out: int | None = None) -> None:
        """Lose the next connection after so many bytes received, or sent."""
        self._listener.cut_next(cut_in, cut_out)

    def forget_cuts(self) -> None:
        """Of connections that never came."""
        self._listener.forget_cuts()

    def vanish(self) -> None:
        """Nobody listens any more."""
        self._listener.close()

    def appear(self) -> None:
        """Listen again, at the same port."""
        self._listener = self._place.listen(self._serving, self.port)

    def close(self) -> None:
        """End it, and the call-backs that are still to come."""
        self._listener.close()
        self.courier.close()
