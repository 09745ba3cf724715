"""The model held against terminals before a real server: the same plan, the same hours."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import NamedTuple

import numpy as np

from tests.fleet.habits import Habits
from tests.fleet.rollout import Rollout
from tests.fleet.weights import Weights, weigh
from tests.live.fleet import CHANNEL, NEW, Failing, Fleet
from tests.live.scenarios import Hour, Scenario, play
from tests.live.terminal import HOUR_S
from tests.server.shop import make_signed

CLOSE = 0.05
_AT_H = (4, 6, 12)
_SEEDS = 40


class Pair(NamedTuple):
    """One figure of both."""

    name: str
    live: float
    model: float

    @property
    def apart(self) -> float:
        """By which part of the live figure they differ."""
        return abs(self.model - self.live) / self.live


def live(terminals: int, wave: int, hours: int, seed: int) -> tuple[str, list[Hour], Fleet]:
    """Let a good release out to `wave` terminals before the real server; its salt, each hour, and
    the fleet as it was before. Nothing is killed.

    Raises:
        AssertionError: the live run did not go as it should.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "signed").mkdir()
        (folder / "start").mkdir()
        start = Fleet(folder / "start", terminals, seed, sales_a_day=72)
        start.make(make_signed(folder / "signed"))
        start.open()
        start.run()
        start.pre_period(Failing())
        start.close()
        outcome = play(
            start, folder / "live", Scenario("good", Failing(), wave, hours, ("hold", "pass"))
        )
        assert not outcome.broken, outcome.line()
        repository, _ = Fleet(folder / "live", terminals).office()
        return repository.published.rollout(CHANNEL).releases[str(NEW)].salt, outcome.course, start


def model(fleet: Fleet, wave: int, hours: int, salt: str, weights: Weights) -> list[Hour]:
    """The same by the model, the mean of many seeds."""
    habits = Habits(grid_s=HOUR_S, restart_s=0, sales_a_day=fleet.sales_a_day)
    found = np.zeros((hours, 4))
    for seed in range(_SEEDS):
        run = Rollout(fleet.terminals, habits, weights, 0, salt, hours, seed)
        run.wave(wave, 0.0, controls=fleet.terminals)
        for hour in range(hours):
            until_s = hour * HOUR_S  # who restarts in an hour does it at its beginning
            installed = float((run.switched_s <= until_s).sum())
            restarted = float((run.sham_s <= until_s).sum())
            told = fleet.terminals * (hour + 1)
            sales = told * fleet.sales_a_day / 24 * fleet.real / 1000
            size = (
                (told - sales) * weights.check_in_told
                + sales * weights.sale_told
                + (installed + restarted) * weights.restart
                + (hour + 1) * weights.check_in
            )
            found[hour] += (installed, restarted, told + installed + restarted + hour + 1, size)
    return [Hour(*(float(value) / _SEEDS for value in row)) for row in found]  # type: ignore[arg-type]


def compare(terminals: int, wave: int, hours: int = 24, seed: int = 1) -> list[Pair]:
    """The figures of both, with how far they are apart."""
    salt, course, fleet = live(terminals, wave, hours, seed)
    hours = len(course)  # it ends when it passes
    weights = weigh(fleet.sales_a_day)
    modelled = model(fleet, wave, hours, salt, weights)
    pairs = []
    for hour in [at for at in _AT_H if at <= hours]:
        here, there = course[hour - 1], modelled[hour - 1]
        moved, should = here.installed + here.restarted, there.installed + there.restarted
        pairs.append(Pair(f"restarted by hour {hour}", moved, should))
    last, should_be = course[-1], modelled[-1]
    pairs.append(Pair(f"installed by hour {hours}", last.installed, should_be.installed))
    pairs.append(Pair("messages", last.messages, should_be.messages))
    pairs.append(Pair("bytes of messages", last.size_bytes, should_be.size_bytes))
    air = [
        size + count * weights.said(0)
        for size, count in (
            (last.size_bytes, last.messages),
            (should_be.size_bytes, should_be.messages),
        )
    ]
    return [*pairs, Pair("bytes on the air, by datagram", air[0], air[1])]
