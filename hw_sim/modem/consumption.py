"""What the modem draws, modelled: figures of the class, not measured on a part.

Off 0.05 mA; radio off 1 mA; camped on a cell 20 mA (no sleep mode); searching for a network 80 mA,
the mean of what users of SIM800 boards report between 50 and 100.
"""

from __future__ import annotations

from enum import Enum

from hw_sim.pacing import Pace


class Draw(Enum):
    """A state of the part, and its mean current in mA."""

    OFF = 0.05
    RADIO_OFF = 1.0
    CAMPED = 20.0
    SEARCHING = 80.0


class Meter:
    """Counts seconds by state since the part was made."""

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._state = Draw.OFF
        self._since_s: float | None = None
        self._spent_s = dict.fromkeys(Draw, 0.0)

    def turn(self, state: Draw) -> None:
        """From now on the part is in that state."""
        self._count()
        self._state = state

    def seconds(self, state: Draw) -> float:
        """How long it was in that state so far."""
        self._count()
        return self._spent_s[state]

    def charge_mah(self) -> float:
        """What all of it took from the battery."""
        self._count()
        return sum(state.value * seconds for state, seconds in self._spent_s.items()) / 3600

    def _count(self) -> None:
        now_s = self._pace.now_s()
        if self._since_s is not None:
            self._spent_s[self._state] += now_s - self._since_s
        self._since_s = now_s
