"""What a terminal would have counted if its release changed nothing: its own level before the wave,
times what its region saw in that hour. And how far it is from that.

Nothing here asks who is in which arm: only so are the arms that other salts would have drawn as
likely as the one that was. Sums are of whole numbers, or taken in the order of hours, so that a
replay comes to the same bits on any machine.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.float64]
Integers = npt.NDArray[np.integer]

UNIT = float(1 << 16)
"""Residuals are whole multiples of 1 / UNIT: their sums are exact in any order."""
_OWN_UNIT = float(1 << 20)
_LEVEL_EVENTS = 4.0
"""So many expected events of the whole fleet's level stand beside those of a region's hour."""
_MOST_IN_AN_HOUR = 4.0
_LEAST_SHRINKAGE, _MOST_SHRINKAGE = 0.3, 50.0
_RESTLESS, _UNCERTAIN = 0.2, 0.3
"""Relative variance of a terminal's level from week to week; and how much of the uncertainty of its
own level counts beside it (less than all: the level of a terminal that never failed is no riddle).
"""
_HALF_DAY = 12


class Own(NamedTuple):
    """Per terminal: its rate before the wave (events an attempt), and how uncertain that is as a
    relative variance.
    """

    rate: Numbers
    variance: Numbers


def own_level(attempts: Integers, failures: Integers, region: Integers) -> Own:
    """From the days before the wave, [day, terminal] each.

    A terminal is held against its region's day, and drawn to it as strongly as terminals are alike
    (the moment estimate of a gamma's shape).
    """
    overall = failures.sum() / max(1, attempts.sum())
    level = region_level(attempts.astype(np.float64), failures, region, overall)
    base = np.add.accumulate(attempts * np.take(level, region, axis=1) * overall, axis=0)[-1]
    seen = failures.sum(axis=0)
    shape = _shape(seen, base)
    rate = (seen + shape) / (base + shape) * overall
    return Own(np.round(rate * _OWN_UNIT) / _OWN_UNIT, 1.0 / (seen + shape))


def _shape(seen: Integers, base: Numbers) -> float:
    """How alike terminals are: 1 / variance of their levels, from counts against expectations."""
    spread = _sum((seen - base) ** 2 - seen)
    weight = _sum(base * base)
    if spread <= weight / _MOST_SHRINKAGE:
        return _MOST_SHRINKAGE
    return max(_LEAST_SHRINKAGE, weight / spread)


def region_level(
    expected: Numbers, failures: Integers, region: Integers, rate: float = 1.0
) -> Numbers:
    """[hour, region]: how much more than `expected` x `rate` happened there, over both arms.
    `expected` holds whole multiples of a power of two, so that its sums are exact.

    One terminal counts for little: of its failures in an hour at most a few are taken.
    """
    regions = int(region.max()) + 1 if len(region) else 1
    member = (region[:, None] == np.arange(regions)[None, :]).astype(np.float64)
    taken = failures.astype(np.float64)
    many = np.nonzero(failures > _MOST_IN_AN_HOUR)
    if len(many[0]):
        most = np.floor(_MOST_IN_AN_HOUR + 20 * expected[many] * rate)
        taken[many] = np.minimum(taken[many], most)
    seen, due = taken @ member, (expected @ member) * rate
    fleet = (_across(seen) + 0.5) / (_across(due) + 0.5)
    level: Numbers = (seen + _LEVEL_EVENTS * fleet) / (due + _LEVEL_EVENTS)
    return level


def expected_events(attempts: Integers, failures: Integers, region: Integers, own: Own) -> Numbers:
    """[hour, terminal]: events that were to be expected of each terminal."""
    plain = attempts * own.rate
    level = region_level(plain, failures, region)
    expected: Numbers = plain * np.take(level, region, axis=1)
    return expected


def running(failures: Integers, expected: Numbers) -> tuple[Numbers, Numbers]:
    """Sums up to each hour, [hour, terminal]: what was counted, and what was to be expected.

    In half a day a terminal counts at most its expectation and two deviations: a bad morning of one
    device is not the release's doing, and a forged one moves little.
    """
    seen, due = np.empty_like(expected), np.empty_like(expected)
    before_seen, before_due = np.zeros(expected.shape[1]), np.zeros(expected.shape[1])
    for start in range(0, len(expected), _HALF_DAY):
        part = slice(start, start + _HALF_DAY)
        here = np.add.accumulate(expected[part], axis=0)
        counted = np.add.accumulate(failures[part], axis=0)
        np.add(before_seen, _capped(counted, here), out=seen[part])
        np.add(before_due, here, out=due[part])
        before_seen, before_due = seen[part][-1], due[part][-1]
    return seen, due


def totals(failures: Integers, expected: Numbers) -> tuple[Numbers, Numbers]:
    """The last line of `running`, without the others."""
    seen, due = np.zeros(expected.shape[1]), np.zeros(expected.shape[1])
    for start in range(0, len(expected), _HALF_DAY):
        part = slice(start, start + _HALF_DAY)
        here = np.add.reduce(expected[part], axis=0)
        seen += _capped(np.add.reduce(failures[part], axis=0), here)
        due += here
    return seen, due


def _capped(counted: Integers, expected: Numbers) -> Numbers:
    capped: Numbers = np.minimum(counted, expected + np.sqrt(expected + 1) + 1)
    return capped


def residual(seen: Numbers, due: Numbers, variance: Numbers) -> Numbers:
    """Of sums up to an hour, [..., terminal]: how much more each terminal counted than expected.

    Weighted as a rate that is itself uncertain wants it, and bounded: however much a terminal
    counts, it adds less than 1 / (its variance).
    """
    expected = due * (_across(seen) / np.maximum(_across(due), 1e-9))
    spread = _RESTLESS + _UNCERTAIN * variance
    bounded: Numbers = (seen - expected) / (1.0 + spread * np.maximum(expected, seen))
    return bounded


def excess(counted: Numbers, due: Numbers, variance: Numbers) -> tuple[Numbers, Numbers]:
    """The same for the ratio that people see, of counts as they are: weighted, not bounded, for a
    bound would make every ratio look smaller. And what a doubling would add to it.
    """
    expected = due * (_across(counted) / np.maximum(_across(due), 1e-9))
    weight = 1.0 / (1.0 + (_RESTLESS + _UNCERTAIN * variance) * expected)
    return (counted - expected) * weight, expected * weight


def whole(values: Numbers) -> Numbers:
    """Rounded to whole multiples of 1 / UNIT, as whole numbers."""
    rounded: Numbers = np.round(values * UNIT)
    return rounded


def _across(values: Numbers) -> Numbers:
    """Sums over the last axis, from left to right, the axis kept."""
    return np.add.accumulate(values, axis=-1)[..., -1:]


def _sum(values: Numbers) -> float:
    return float(np.add.accumulate(values)[-1]) if len(values) else 0.0
