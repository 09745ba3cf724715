"""What `inv verdict` measures is what the product decides."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys

import numpy as np

from tests.measure import verdict, verdict_ours, verdict_peers, verdict_silence, verdict_worlds
from tests.measure.verdict_worlds import KINDS, Flags, SimulatedWeek
from updater_server.verdict.policy import NOT_BACK, OUTCOMES, SILENT, Guard, Policy, usual
from updater_server.verdict.records import Terminal, Trial
from updater_server.verdict.ruling import Verdict, judge
from updater_server.verdict.week import Counts, Week

POLICY = Policy(
    (
        Guard("sale_failed", 0.6),
        Guard("crash", 0.1, margin_excess=1e-4, margin_rate=1e-4),
        Guard(NOT_BACK, 0.2),
        Guard(SILENT, 0.1),
        Guard("watchdog", 0.0001, suspect_score=0.5),
    ),
    salts=599,
)
COUNTED = [guard.name for guard in POLICY.guards if guard.name not in OUTCOMES]
COUNT, IN_BETA = 300, 75


def _by_the_hour(week: SimulatedWeek, outcomes: dict[str, Flags], until: int) -> list[Verdict]:
    """The product's verdicts on a simulated week, one after the other."""
    ids = verdict_ours.terminals(COUNT)
    population = tuple(Terminal(one, 0, 0) for one in ids)
    names = tuple(COUNTED)
    counted = {"beta": names, "control": names}
    trial = Trial(1, 7, verdict_ours.SALT, 2500, 10_000, 0, population, counted)
    others = verdict_ours.other_arms(COUNT, IN_BETA, POLICY.salts)
    drawn = np.concatenate([week.beta[None, :].astype(np.uint8), others])
    made: list[Verdict] = []
    for hours in range(1, until + 1):
        counts = {}
        for name, one in zip(names, week.guards, strict=True):
            parts = one.pre_attempts, one.pre_failures, one.attempts[:hours], one.failures[:hours]
            counts[name] = Counts(*(part.astype(np.int32) for part in parts))
        now = Week(
            hours,
            tuple(ids),
            week.beta,
            week.region,
            week.restarted < hours,
            outcomes[NOT_BACK][hours - 1],
            outcomes[SILENT][hours - 1],
            counts,
            (),
            {},
        )
        made.append(judge(trial, now, POLICY, made[-1] if made else None, drawn))
    return made


def _a_week(seed: int, effect: float, dead: float) -> tuple[SimulatedWeek, dict[str, Flags]]:
    rng = np.random.default_rng(seed)
    beta = verdict_ours.an_arm(rng, COUNT, IN_BETA)
    week = verdict_worlds.week(rng, KINDS["all"], beta, effect, len(COUNTED))
    return verdict_silence.outcomes(rng, week, POLICY, dead)


def test_a_measured_week_comes_to_what_the_product_says_hour_by_hour() -> None:
    for seed, effect, dead in ((1, 3.0, 0.0), (2, 1.0, 0.0), (3, 1.0, 0.3)):
        week, outcomes = _a_week(seed, effect, dead)
        measured = verdict_ours.verdict(week, POLICY, outcomes)
        said = _by_the_hour(week, outcomes, 40)
        halted = next((one.hours for one in said if one.ruling == "halt"), None)
        passed = next((one.hours for one in said if one.ruling == "pass"), None)
        assert halted == (measured.halted if (measured.halted or 99) <= 40 else None)
        assert passed == (measured.widened if (measured.widened or 99) <= 40 else None)
        if dead:
            assert measured.guard in OUTCOMES


def test_a_world_is_a_function_of_its_seed() -> None:
    one, other = (_a_week(5, 2.0, 0.1)[0] for _ in range(2))
    assert all(
        np.array_equal(mine, yours)
        for mine, yours in zip(one.guards[0], other.guards[0], strict=True)
    )


def test_harm_is_in_beta_only_and_only_after_its_restart() -> None:
    rng = np.random.default_rng(1)
    beta = verdict_ours.an_arm(rng, 1000, 500)
    week = verdict_worlds.week(rng, KINDS["no heterogeneity"], beta, 4.0)
    counts = week.guards[0]
    rates = [counts.failures[:, arm].sum() / counts.attempts[:, arm].sum() for arm in (beta, ~beta)]
    assert abs(rates[0] / 0.08 - 1) < 0.1
    assert abs(rates[1] / 0.02 - 1) < 0.1
    before = np.arange(verdict_worlds.HOURS)[:, None] < week.restarted
    assert counts.attempts[before].sum() == 0


def test_every_peer_finds_what_is_plain_to_see_and_nothing_where_nothing_fails() -> None:
    rng = np.random.default_rng(2)
    beta = verdict_ours.an_arm(rng, 400, 200)
    bad = verdict_worlds.week(rng, KINDS["no heterogeneity"], beta, 8.0)
    assert all(hour is not None for hour in verdict_peers.all_of(bad).values())
    none = [one._replace(failures=one.failures * 0) for one in bad.guards]
    quiet = dataclasses.replace(bad, guards=none)
    assert not any(verdict_peers.all_of(quiet).values())


def test_a_bar_is_broken_only_by_what_is_hardly_chance() -> None:
    assert verdict.plausible(8, 400, 0.02)
    assert not verdict.plausible(20, 400, 0.02)
    assert verdict.median([1, None, 3]) == 3
    assert verdict.told(verdict.median([None, None, 1])) == "-"


def test_the_worlds_count_what_the_usual_policy_asks_in_its_order() -> None:
    names = [guard.name for guard in usual().guards if guard.name not in OUTCOMES]
    assert list(verdict_worlds.RATES) == names


def test_the_server_reckons_on_one_thread_though_numpy_would_take_one_for_each_core() -> None:
    """A second one spins: half as much CPU again for a verdict."""
    reckon = (
        "import os, updater_server, numpy\n"
        "one = numpy.ones((600, 600))\n"
        "one @ one\n"
        "print(len(os.listdir('/proc/self/task')))"
    )
    bare = {name: value for name, value in os.environ.items() if not name.endswith("_THREADS")}
    ran = subprocess.run([sys.executable, "-c", reckon], env=bare, capture_output=True, check=True)
    assert int(ran.stdout) == 1
