"""A release on its way to everybody, wave by wave: who hears of it when, restarts and is back; what
goes over the air for it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from tests.fleet.habits import DAY_S, Habits, below, places
from tests.fleet.weights import Weights
from tests.live.fleet import NEW
from tests.live.terminal import HOUR_S
from updater_server.channels import quote
from updater_server.channels.rollout import Control, RolloutPlan, Wave
from updater_server.channels.waves import reach, sizes
from updater_server.verdict.policy import Policy, usual

CONTROLS = 10
"""A control arm reaches so many times as far as its wave, where the fleet is large enough."""


@dataclass(frozen=True)
class Gone:
    """One wave, from its plan to the next one's. Hours are from when the plan was published: until
    half and until nine in ten (as the policy asks) of all that may take it were back."""

    size: int
    new: int
    controls: int
    half_h: float
    most_h: float
    lasted_h: float
    wave_bytes: float
    fleet_bytes: float
    """What everybody else spent to learn of this plan."""
    busiest_a_minute: int
    """Restarts and first check-ins of one minute."""


@dataclass
class Rollout:
    """`count` terminals, each switched or restarted at most once. `salt` is the plan's; `pace_h` is
    how long people and the verdict leave each wave at least.
    """

    count: int
    habits: Habits
    weights: Weights
    patch_bytes: int
    salt: str
    pace_h: float
    seed: int = 1
    policy: Policy = field(default_factory=usual)

    def __post_init__(self) -> None:
        self.chance = np.random.default_rng(self.seed)
        self.at = places(self.salt, self.count)
        self.switched_s = np.full(self.count, np.inf)
        self.sham_s = np.full(self.count, np.inf)
        self._may = np.zeros(self.count, bool)
        self._plan = RolloutPlan({str(NEW): Wave(self.salt, 0)})

    def run(self, begun_s: float = 10 * HOUR_S) -> list[Gone]:
        """All waves to everybody; `begun_s` is the shops' time of day at which the first begins."""
        gone, now_s = [], begun_s
        for size in sizes(self.count):
            one = self.wave(size, now_s)
            gone.append(one)
            now_s += one.lasted_h * HOUR_S
        return gone

    def wave(self, size: int, now_s: float, controls: int = 0) -> Gone:
        """The wave of `size` of all, let out at `now_s`."""
        control = controls or min(self.count, size * CONTROLS)
        arm = Control(*reach(control, self.count)) if control > size else None
        self._plan = self._plan.with_threshold(NEW, *reach(size, self.count), arm)
        self._plan.check()
        name = str(NEW)
        edge = below(self._plan.releases[name].threshold, self._plan.within.get(name, 0))
        new = (self.at < edge) & ~self._may
        self._may |= new
        restarts = np.zeros(self.count, bool)
        if arm is not None:
            restarts = (self.at >= edge) & (self.at < below(*arm)) & np.isinf(self.sham_s)
        self._let(new, self.switched_s, now_s)
        self._let(restarts, self.sham_s, now_s)
        return self._measure(size, new, restarts, now_s)

    def _let(self, chosen: np.ndarray, when_s: np.ndarray, now_s: float) -> None:
        count = int(chosen.sum())
        heard = self.habits.hears_after(self.chance, count, now_s)
        when_s[chosen] = now_s + heard + self.habits.takes(self.chance, count)

    def _measure(self, size: int, new: np.ndarray, restarts: np.ndarray, now_s: float) -> Gone:
        back = np.sort(self.switched_s[self._may]) + self.habits.restart_s - now_s
        asked = max(0, int(np.ceil(self.policy.least_back * len(back))) - 1)
        most_h = max(0.0, float(back[asked]) / HOUR_S)
        lasted_h = max(self.pace_h, most_h)
        moved = np.concatenate([self.switched_s[new], self.sham_s[restarts]])
        weights = self.weights
        each = quote.following(self.patch_bytes) + weights.updated
        busiest = np.bincount(((moved - now_s) // 60).astype(np.int64)).max(initial=0)
        return Gone(
            size,
            int(new.sum()),
            int(restarts.sum()),
            max(0.0, float(back[len(back) // 2]) / HOUR_S),
            most_h,
            lasted_h,
            float(new.sum()) * each + float(restarts.sum()) * weights.restarted,
            float(self.count) * quote.learning(weights.news_of_plan),
            2 * int(busiest),
        )

    def days(self, gone: list[Gone]) -> float:
        """From the first plan until nine in ten of everybody are back."""
        hours = sum(one.lasted_h for one in gone[:-1]) + gone[-1].most_h
        return hours * HOUR_S / DAY_S
