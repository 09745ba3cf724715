"""The buzzer: what it was told to sound, and when."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

LOG_LIMIT: Final = 1000


@dataclass(frozen=True)
class Tone:
    """From `time_s` on, this; 0 Hz is silence."""

    time_s: float
    frequency_hz: int


class Buzzer:
    """A piezo on a PWM pin. Keeps the last `LOG_LIMIT` changes in `tones`."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self.tones: deque[Tone] = deque(maxlen=LOG_LIMIT)

    @property
    def frequency_hz(self) -> int:
        """What sounds now."""
        return self.tones[-1].frequency_hz if self.tones else 0

    def drive(self, frequency_hz: int, duty_u16: int) -> None:
        """The PWM changed; a duty of 0 or always-on makes no sound."""
        audible = frequency_hz if 0 < duty_u16 < 0xFFFF else 0
        if audible != self.frequency_hz:
            self.tones.append(Tone(self._clock(), audible))
