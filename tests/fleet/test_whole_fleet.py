"""A whole fleet by discrete events: the waves are the plan's, nobody moves twice, and terminals
that started together do not go on asking together."""

from __future__ import annotations

import numpy as np
import pytest

from tests.fleet import habits as of_habits
from tests.fleet import rollout as of_rollout
from tests.fleet import traffic as of_traffic
from tests.fleet.habits import Habits, apart_s, below, places
from tests.fleet.rollout import Rollout
from tests.fleet.traffic import Traffic
from tests.fleet.weights import Weights
from updater_server.channels.rollout import RolloutPlan, Wave
from updater_server.channels.waves import reach, sizes

SALT = "00112233445566aa"
WEIGHTS = Weights(115, 163, 180, 117, 437, 639, 170)


def rollout(count: int = 3000) -> Rollout:
    return Rollout(count, Habits(), WEIGHTS, 4000, SALT, pace_h=24.0)


def test_who_is_in_a_wave_is_whom_the_signed_plan_allows() -> None:
    threshold, within = reach(100, 3000)
    plan = RolloutPlan({"7": Wave(SALT, threshold)}, within={"7": within})
    allowed = [plan.allows(7, (number + 1).to_bytes(8, "big")) for number in range(3000)]
    assert list(places(SALT, 3000) < below(threshold, within)) == allowed


def test_every_terminal_switches_once_in_all_waves_together_and_restarts_as_a_control_at_most_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    let: list[np.ndarray] = []
    letting = Rollout._let

    def watched(self: Rollout, chosen: np.ndarray, when_s: np.ndarray, now_s: float) -> None:
        assert np.isinf(when_s[chosen]).all()
        let.append(chosen)
        letting(self, chosen, when_s, now_s)

    monkeypatch.setattr(of_rollout.Rollout, "_let", watched)
    run = rollout()
    gone = run.run()
    assert [one.size for one in gone] == sizes(3000)
    assert sum(one.new for one in gone) == 3000
    assert np.isfinite(run.switched_s).all()
    assert np.sum(let[1::2], axis=0).max() == 1


def test_a_wave_lasts_until_nine_in_ten_are_back_however_short_the_pace() -> None:
    hurried = Rollout(3000, Habits(away=0.3), WEIGHTS, 4000, SALT, pace_h=1.0).run()
    assert all(one.lasted_h == max(1.0, one.most_h) for one in hurried)
    assert max(one.most_h for one in hurried) > 12


def test_a_run_is_a_function_of_its_seed() -> None:
    assert rollout().run() == rollout().run()


def traffic() -> Traffic:
    return Traffic(2000, Habits(), answers_a_s=4, seed=3)


def test_a_town_whose_mains_come_back_is_served_and_is_calm_after_half_an_hour() -> None:
    quiet = traffic().quiet()
    town = traffic().mains_back(1 / 3)
    assert town.busiest > 3 * quiet.mean
    assert town.unanswered
    assert town.calm_min(quiet.mean) <= 30


def test_terminals_that_do_not_ask_apart_are_found_to_be_a_herd(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def together(seconds: float, chance: np.random.Generator, count: int) -> np.ndarray:
        return np.full(count, seconds)

    monkeypatch.setattr(of_traffic, "apart_s", together)
    monkeypatch.setattr(of_habits, "apart_s", together)
    quiet = traffic().quiet()
    assert traffic().mains_back(1.0).calm_min(quiet.mean) > 30


def test_after_the_server_was_away_for_ten_minutes_all_are_served_soon() -> None:
    quiet = traffic().quiet()
    away = traffic().server_away(10)
    assert away.served_s < 25 * 60
    assert away.busiest < 3 * quiet.mean


def test_apart_is_the_terminals_own_rule() -> None:
    drawn = apart_s(10_800, np.random.default_rng(1), 10_000)
    assert 8100 <= drawn.min() < 8200
    assert 10_700 < drawn.max() <= 10_800
