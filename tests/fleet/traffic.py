"""What a server hears in a minute: on a quiet day, and when something befalls everybody at once.

A second at a time, for all terminals: who is due asks; a server answers so many a second, the
others get no answer and ask again by the terminal's own rule.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from firmware.duties import radio
from tests.fleet.habits import Habits, apart_s
from tests.live.terminal import HOUR_S

ATTACH_S = (8.0, 40.0)
"""From power to the packet network; between the two as a cell's load has it."""
GIVES_UP_S = 20.0
"""So long does a terminal wait for an answer by datagram and then by HTTP."""
LOUD = 3.0
FIRST_PAUSE_S = radio._FIRST_PAUSE_MS / 1000
LONGEST_PAUSE_S = radio._LONGEST_PAUSE_MS / 1000


@dataclass
class Heard:
    """Questions that came in each minute, answered or not; `served_s` is when the last terminal was
    answered that something had befallen (0: none).
    """

    name: str
    minutes: list[int] = field(default_factory=list)
    unanswered: int = 0
    served_s: int = 0

    @property
    def busiest(self) -> int:
        """The most in a minute."""
        return max(self.minutes)

    def calm_min(self, quiet: float) -> int:
        """After so many minutes none was `LOUD` times as busy as `quiet` any more."""
        loud = [at for at, count in enumerate(self.minutes, 1) if count > LOUD * quiet]
        return loud[-1] if loud else 0

    @property
    def mean(self) -> float:
        """In the mean of all minutes."""
        return sum(self.minutes) / len(self.minutes)


@dataclass
class Traffic:
    """`count` terminals in opening hours before a server that answers `answers_a_s` a second; the
    sales of each are drawn minute by minute for all together.
    """

    count: int
    habits: Habits
    answers_a_s: int
    seed: int = 1

    def __post_init__(self) -> None:
        self.chance = np.random.default_rng(self.seed)

    def quiet(self, hours: float = 1) -> Heard:
        """Nothing happens."""
        return self._run("a quiet hour", self._steady(), hours)

    def mains_back(self, share: float, hours: float = 6) -> Heard:
        """A part of all terminals starts at one instant, each checks in as it is attached."""
        due = self._steady()
        started = self.chance.random(self.count) < share
        due[started] = self.chance.uniform(*ATTACH_S, int(started.sum()))
        return self._run(f"mains come back to {share:.0%}", due, hours, befallen=started)

    def server_away(self, minutes: float, hours: float = 2) -> Heard:
        """The server answers nobody for a while."""
        return self._run(
            f"the server is away for {minutes:g} min", self._steady(), hours, away_s=60 * minutes
        )

    def published(self, hours: float = 4) -> Heard:
        """A plan, a release or the renewal of a date that ran out: who speaks next hears of it, and
        fetches what is new in the same breath.
        """
        name = "something is published (or was expired and is renewed)"
        return self._run(name, self._steady(), hours, news=True)

    def _steady(self) -> np.ndarray:
        """When each checks in next, long after they all started."""
        due: np.ndarray = apart_s(self.habits.poll_s, self.chance, self.count)
        return due * self.chance.random(self.count)

    def _run(
        self,
        name: str,
        due: np.ndarray,
        hours: float,
        befallen: np.ndarray | None = None,
        away_s: float = 0,
        news: bool = False,
    ) -> Heard:
        heard = Heard(name)
        pause = np.full(self.count, FIRST_PAUSE_S)
        waits = np.zeros(self.count, bool) if befallen is None else befallen.copy()
        knows = np.full(self.count, not news)
        a_s = self.count * self.habits.sales_a_day / (self.habits.closes_s - self.habits.opens_s)
        minute = 0
        for second in range(int(hours * HOUR_S)):
            asking = np.flatnonzero(due <= second)
            others = self._others(a_s, knows)
            room = 0 if second < away_s else max(0, self.answers_a_s - others)
            minute += len(asking) + others
            if len(asking) > room:
                self.chance.shuffle(asking)
            answered, left = asking[:room], asking[room:]
            if len(answered):
                minute += int((~knows[answered]).sum())
                knows[answered] = True
                due[answered] = second + apart_s(self.habits.poll_s, self.chance, len(answered))
                pause[answered] = FIRST_PAUSE_S
                if waits[answered].any():
                    waits[answered], heard.served_s = False, second
            if len(left):
                heard.unanswered += len(left)
                if second < away_s:
                    waits[left] = True
                rests = apart_s(1, self.chance, len(left)) * pause[left]
                due[left] = second + GIVES_UP_S + rests
                pause[left] = np.minimum(2 * pause[left], LONGEST_PAUSE_S)
            if second % 60 == 59:
                heard.minutes.append(minute)
                minute = 0
        return heard

    def _others(self, a_s: float, knows: np.ndarray) -> int:
        """Sales and what settles them, in one second; whoever sells hears the news, and fetches."""
        sales = int(self.chance.poisson(a_s))
        sellers = self.chance.integers(0, self.count, sales)
        fetching = np.unique(sellers[~knows[sellers]])
        knows[fetching] = True
        return 2 * sales + len(fetching)
