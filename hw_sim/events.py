"""What happened to a board, as it is told to people and tests: resets, power, faults.

The board writes it; everybody may read it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

EVENT_LIMIT: Final = 10_000


class ResetCause(IntEnum):
    """Values as `machine.reset_cause()` gives them."""

    POWER_ON = 1
    HARD = 2
    WATCHDOG = 3
    SOFT = 5
    BROWNOUT = 6


@dataclass(frozen=True)
class Event:
    """Something that happened to the board: `kind` is a word, `detail` for people."""

    time_s: float
    kind: str
    detail: str = ""


class EventLog:
    """The last `EVENT_LIMIT` events, oldest first. `clock` gives seconds, rising."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._events: deque[Event] = deque(maxlen=EVENT_LIMIT)
        self.noted = 0
        """How many there were in all."""

    def __iter__(self) -> Iterator[Event]:
        return iter(self._events)

    def note(self, kind: str, detail: str = "") -> None:
        """It happened now."""
        self.noted += 1
        self._events.append(Event(self._clock(), kind, detail))
