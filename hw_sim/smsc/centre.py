"""The centre: takes messages in, keeps them, and brings them to parts and services; and what
befalls them on their way, by seed.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, replace

from hw_sim.network.centre import SmsCentre
from hw_sim.network.sms_pdu import Message
from hw_sim.pacing import Pace

Deliver = Callable[[str, Message], None]
"""(whom it comes from, the message)."""


@dataclass
class Weather:
    """What befalls messages, each by its own chance: lost, brought twice, late by up to `late_s`
    (and so out of their order). `transit_s` is what any takes. While the centre is `down` it takes
    none and brings none.
    """

    lost: float = 0.0
    doubled: float = 0.0
    late: float = 0.0
    late_s: float = 3600.0
    transit_s: float = 4.0
    down: bool = False


@dataclass(frozen=True)
class Passed:
    """One message that the centre took in."""

    source: str
    destination: str
    message: Message
    copies: int


class Centre:
    """Parts join with the number of their card, services with the number they are reached on.
    `passed` is every message that was taken in; `refused` how many were not.
    """

    def __init__(self, pace: Pace, seed: int = 0) -> None:
        self.weather = Weather()
        self.passed: list[Passed] = []
        self.refused = 0
        self._pace = pace
        self._chance = random.Random(seed)  # noqa: S311 - repeatable weather, no secret
        self._reached: dict[str, Deliver] = {}
        self._waiting: dict[str, list[tuple[str, Message]]] = {}

    def join(self, number: str, part: SmsCentre) -> None:
        """The network's own centre of one part passes everything on to here, and back."""
        part.on_sent = lambda message: self._of_part(number, message)
        self.reach(number, lambda source, message: part.forward(replace(message, number=source)))

    def reach(self, number: str, deliver: Deliver) -> None:
        """Somebody is reached under that number from now on; what waits comes at once."""
        self._reached[number] = deliver
        for source, message in self._waiting.pop(number, ()):
            deliver(source, message)

    def leave(self, number: str) -> None:
        """Nobody is reached there: what comes waits."""
        self._reached.pop(number, None)

    def submit(self, source: str, destination: str, message: Message) -> bool:
        """Take a message in; False where the centre is down."""
        weather = self.weather
        if weather.down:
            self.refused += 1
            return False
        copies = 0 if self._happens(weather.lost) else 1 + self._happens(weather.doubled)
        self.passed.append(Passed(source, destination, message, copies))
        for _ in range(copies):
            wait_s = weather.transit_s
            if self._happens(weather.late):
                wait_s += self._chance.uniform(0, weather.late_s)
            self._pace.call_later(wait_s, lambda: self.bring(source, destination, message))
        return True

    def _of_part(self, source: str, message: Message) -> None:
        self.submit(source, message.number, message)

    def _happens(self, chance: float) -> bool:
        return chance > 0 and self._chance.random() < chance

    def bring(self, source: str, destination: str, message: Message) -> None:
        """Bring a message that was taken in, now or when somebody is reached there."""
        deliver = self._reached.get(destination)
        if deliver is None or self.weather.down:
            self._waiting.setdefault(destination, []).append((source, message))
        else:
            deliver(source, message)
