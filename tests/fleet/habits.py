"""What terminals and those around them do, drawn from a seed. Times are seconds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from firmware.duties.apart import apart
from tests.live.terminal import HOUR_S, TAKES_H
from tools.technician.provisioning import USUAL
from updater_server.channels.rollout import drawn
from updater_server.wire import limits

Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]
DAY_S = 24 * HOUR_S
_STEPS = limits.WITHIN[1] + 1


@dataclass(frozen=True)
class Habits:
    """`takes_s`: in the mean so long after a terminal has heard of it, its download is there and
    its gates are open; `away`: the part of terminals that is switched off at any moment, each for
    `away_s` more in the mean. Where all of them act on one grid (`grid_s`), as before a live
    server, they hear of a plan at its next point.
    """

    sales_a_day: float = 20.0
    poll_s: int = int(USUAL["poll_s"])
    sync_s: int = int(USUAL["sync_s"])
    opens_s: int = 7 * HOUR_S
    closes_s: int = 21 * HOUR_S
    takes_s: float = TAKES_H * HOUR_S
    away: float = 0.03
    away_s: float = 36 * HOUR_S
    restart_s: int = 90
    grid_s: int = 1

    def hears_after(self, chance: np.random.Generator, count: int, at_s: float) -> Floats:
        """How long each of `count` terminals takes to speak to the server next, from `at_s`."""
        if self.grid_s > 1:
            return np.full(count, float(self.grid_s))
        polls = apart_s(self.poll_s, chance, 2 * count)
        # whoever looks at any moment is more likely within a long interval than a short one
        keep = chance.random(2 * count) * self.poll_s < polls
        polls = polls[keep][:count]
        heard = polls * chance.random(count)
        away = chance.random(count) < self.away
        return np.minimum(heard, self._next_sale(chance, count, at_s)) + away * chance.exponential(
            self.away_s, count
        )

    def _next_sale(self, chance: np.random.Generator, count: int, at_s: float) -> Floats:
        open_s = self.closes_s - self.opens_s
        of_day = at_s % DAY_S
        wait = chance.exponential(open_s / self.sales_a_day, count)
        opens = max(0.0, self.opens_s - of_day)
        if of_day >= self.closes_s:
            opens = DAY_S - of_day + self.opens_s
        found: Floats = opens + wait
        return found

    def takes(self, chance: np.random.Generator, count: int) -> Floats:
        """How long after it heard each restarts."""
        waits = chance.exponential(self.takes_s, count)
        found: Floats = np.ceil(waits / self.grid_s) * self.grid_s
        return found


def apart_s(seconds: float, chance: np.random.Generator, count: int) -> Floats:
    """The terminal's own rule, for `count` of them: seconds."""
    drawn_bytes: Any = [chance.integers(0, 256, count)]
    found: Floats = np.asarray(apart(int(seconds * 1000), lambda _: drawn_bytes)) / 1000
    return found


def places(salt: str, count: int) -> Places:
    """Where each of `count` terminals stands under a salt, as one number that rises with it."""
    found = np.empty(count, np.int64)
    for number in range(count):
        at, step = drawn(salt, (number + 1).to_bytes(8, "big"))
        found[number] = at * _STEPS + step
    return found


def below(threshold: int, within: int) -> int:
    """The first number of `places` that a reach does not hold."""
    return threshold * _STEPS + within
