"""Our verdict on simulated weeks, for `inv verdict`: the product's own parts, asked for all hours
of a week at once. `test_verdict.py` holds that this comes to what `judge` says hour by hour.
"""

from __future__ import annotations

import functools
import hashlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tests.measure.verdict_worlds import HOURS, Flags, Numbers, SimulatedWeek
from updater_server.verdict import boundary, expectation, interval, redraw, widening
from updater_server.verdict.policy import NOT_BACK, OUTCOMES, Policy
from updater_server.verdict.redraw import Bits

Hour = int | None
SALT = "5d" * 8
_EARLY = 48


@dataclass(frozen=True)
class Outcome:
    """Hours of the halt and of the first pass before it, and which guard halted."""

    halted: Hour
    widened: Hour
    guard: str = ""


def terminals(count: int) -> list[bytes]:
    """Ids of a simulated fleet."""
    return [hashlib.sha256(b"simulated %d" % number).digest()[:8] for number in range(count)]


@functools.cache
def other_arms(count: int, in_beta: int, salts: int) -> Bits:
    """Arms of other salts; terminals of a simulated week are alike, so they serve all weeks."""
    return redraw.arms(redraw.other_salts(SALT, salts), terminals(count), in_beta)


def an_arm(rng: np.random.Generator, count: int, in_beta: int) -> Flags:
    """The arm that a new salt draws."""
    salt = rng.bytes(8).hex()
    arm: Flags = redraw.arms([salt], terminals(count), in_beta)[0].astype(bool)
    return arm


def verdict(week: SimulatedWeek, policy: Policy, outcomes: dict[str, Flags]) -> Outcome:
    """What hourly verdicts on this week come to. `outcomes` are [hour, terminal], by guard."""
    others = other_arms(len(week.beta), int(week.beta.sum()), policy.salts)
    drawn = np.concatenate([week.beta[None, :].astype(np.uint8), others])
    every = np.arange(policy.first_look_hours, HOURS + 1)
    alive, widened = np.ones(len(drawn), bool), None
    for looks in (every[:_EARLY], every[_EARLY:]):  # most that are halted are so early
        extremes, leading, lacking = _looks(week, policy, outcomes, drawn, looks)
        for look, hours in enumerate(looks):
            may_go = boundary.allowed(
                int(hours), policy.salts, policy.error, policy.horizon_hours, policy.spending
            )
            alive, _ = boundary.look(alive, np.ascontiguousarray(extremes[:, look]), may_go)
            if not alive[0]:
                return Outcome(int(hours), widened, policy.guards[leading[look]].name)
            if widened is None and not lacking[look]:
                widened = int(hours)
    return Outcome(None, widened)


def _looks(
    week: SimulatedWeek,
    policy: Policy,
    outcomes: dict[str, Flags],
    drawn: Bits,
    looks: np.ndarray,
) -> tuple[Numbers, npt.NDArray[np.int64], Flags]:
    """[draw, look] the largest score, and by look whose it is in the real arm, and whether anything
    is lacking.
    """
    extremes = np.full((len(drawn), len(looks)), -np.inf)
    leading = np.zeros(len(looks), np.int64)
    allowances = boundary.offsets([guard.share for guard in policy.guards], policy.error)
    lacking = _not_back_yet(week, looks, outcomes, policy)
    counted = 0
    for number, guard in enumerate(policy.guards):
        if guard.name in OUTCOMES:
            here = _outcome_scores(drawn, outcomes[guard.name], looks)
            lacking |= _outcome_lacks(week, policy, number, outcomes[guard.name], looks)
        else:
            here, lacks = _counted_scores(week, policy, number, counted, drawn, looks)
            lacking |= lacks
            counted += 1
        here -= allowances[number]
        leading[here[0] > extremes[0]] = number
        np.maximum(extremes, here, out=extremes)
    return extremes, leading, lacking


def _counted_scores(
    week: SimulatedWeek,
    policy: Policy,
    number: int,
    counted: int,
    drawn: Bits,
    looks: np.ndarray,
) -> tuple[Numbers, Flags]:
    counts, guard = week.guards[counted], policy.guards[number]
    own = expectation.own_level(counts.pre_attempts, counts.pre_failures, week.region)
    hourly = expectation.expected_events(counts.attempts, counts.failures, week.region, own)
    seen, due = expectation.running(counts.failures, hourly)
    bounded = expectation.residual(seen, due, own.variance)
    told = np.cumsum(counts.failures, axis=0).astype(np.float64)
    above, doubling = expectation.excess(told, due, own.variance)
    rows = looks - 1
    scores = boundary.scores(drawn, expectation.whole(bounded[rows].T))
    failures = np.cumsum(counts.failures.sum(axis=1))
    in_beta = np.cumsum(counts.failures[:, week.beta].sum(axis=1))
    attempts = np.cumsum(counts.attempts[:, week.beta].sum(axis=1))
    totals = due.sum(axis=1)
    lacks = np.ones(len(looks), bool)
    for look, row in enumerate(rows):
        expected = float(due[row, week.beta].sum() * failures[row] / max(totals[row], 1e-9))
        found = interval.ratio(above[row], doubling[row], week.beta, policy.interval_error)
        rate = expected / attempts[row] if attempts[row] else 0.0
        excess = widening.upper_excess(found, rate, int(attempts[row]), int(failures[row]))
        now = widening.Seen(int(attempts[row]), int(in_beta[row]), expected, found, excess)
        unproven = widening.lacks_counted(guard, now, policy)
        lacks[look] = bool(widening.lacks_scored(guard, float(scores[0, look]), unproven))
    return scores, lacks


def _outcome_scores(drawn: Bits, outcome: Flags, looks: np.ndarray) -> Numbers:
    scores = np.empty((len(drawn), len(looks)))
    for look, hours in enumerate(looks):
        scores[:, look] = boundary.outcome_scores(drawn, outcome[hours - 1])
    return scores


def _outcome_lacks(
    week: SimulatedWeek,
    policy: Policy,
    number: int,
    outcome: Flags,
    looks: np.ndarray,
) -> Flags:
    guard, lacks = policy.guards[number], np.ones(len(looks), bool)
    for look, hours in enumerate(looks):
        counted = (
            week.restarted < hours if guard.name == NOT_BACK else np.ones(len(week.beta), bool)
        )
        beta, control = int((counted & week.beta).sum()), int((counted & ~week.beta).sum())
        if beta and control:
            now = outcome[hours - 1]
            told = int(now[week.beta].sum()), beta, int(now[~week.beta].sum()), control
            excess = interval.outcome_excess(*told)
            lacks[look] = bool(widening.lacks_outcome(guard, excess, int(week.beta.sum()), policy))
    return lacks


def _not_back_yet(
    week: SimulatedWeek,
    looks: np.ndarray,
    outcomes: dict[str, Flags],
    policy: Policy,
) -> Flags:
    missing = outcomes.get(NOT_BACK, np.zeros((HOURS, len(week.beta)), bool))
    back = [
        int(((week.restarted < hours) & week.beta & ~missing[hours - 1]).sum()) for hours in looks
    ]
    assigned = int(week.beta.sum())
    return np.array([bool(widening.lacks_back(one, assigned, policy)) for one in back])
