"""Simulated weeks of a wave, for `inv verdict`: terminals with levels of their own, regions with
outages, bad episodes of single terminals, drift, reboots, and a release that may be harmful.

A world is a function of its seed. Hours count from the beginning of the wave, 9 in the morning.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from math import exp, log, sqrt
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

HOURS = 168
PRE_DAYS = 7
_BEGINS_AT_HOUR = 9
_REGIONS = np.array([0.40, 0.25, 0.15, 0.12, 0.08])
_OPEN = np.array(
    [0, 0, 0, 0, 0, 3, 10, 20, 24, 20, 16, 14, 14, 13, 12, 13, 16, 22, 26, 20, 12, 5, 1, 0]
)
_DAY = _OPEN / _OPEN.sum()
"""Share of a day's attempts by hour: shops open at six, with peaks at eight and at six."""


class Rate(NamedTuple):
    """Failures an attempt; where `by_minute` each minute that a terminal is on is one."""

    failing: float
    by_minute: bool = False


_A_DAY = 1 / 1440
RATES = {
    "sale_failed": Rate(0.02),
    "crash": Rate(0.01 * _A_DAY, by_minute=True),
    "watchdog": Rate(0.005 * _A_DAY, by_minute=True),
    "print_failed": Rate(0.02),
    "attach_failed": Rate(0.01),
    "connect_failed": Rate(0.005),
    "sale_slow": Rate(0.05),
    "log_error": Rate(0.5 * _A_DAY, by_minute=True),
    "settle_failed": Rate(0.03),
    "download_failed": Rate(0.002),
}
"""Each guard that is counted, beside the two outcomes, in the order of the usual policy."""


@dataclass(frozen=True)
class Kind:
    """What a named world is like. `spread` is the coefficient of variation of terminals' levels."""

    name: str
    spread: float = 1.0
    activity_spread: float = 1.0
    heavy: bool = False
    outage: bool = False
    episodes: float = 0.0
    drift: float = 0.0
    shifted: float = 1.0
    reboot: tuple[float, int] = (1.0, 0)
    sham: bool = True
    a_day: float = 20.0


_ALL = Kind("all", 1.5, 1.5, True, True, 1.0, 0.3, 2.0)
KINDS = {
    kind.name: kind
    for kind in (
        Kind("plain"),
        Kind("no heterogeneity", spread=0.0),
        Kind("outage", outage=True),
        Kind("episodes", episodes=1.0),
        Kind("drift", drift=0.3),
        Kind("heavy tails", 2.0, 2.0, heavy=True),
        Kind("level shifts", shifted=3.0),
        _ALL,
        replace(_ALL, name="all, bump, sham", reboot=(2.0, 2)),
        replace(_ALL, name="all, bump, no sham", reboot=(2.0, 2), sham=False),
        replace(_ALL, name="all, dip, sham", reboot=(0.5, 24)),
        replace(_ALL, name="all, dip, no sham", reboot=(0.5, 24), sham=False),
    )
}
"""The twelve worlds. In all but two the control restarts as well."""

Integers = npt.NDArray[np.int64]
Numbers = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


class Counts(NamedTuple):
    """One guard: [day, terminal] before the wave, [hour, terminal] since each restarted."""

    pre_attempts: Integers
    pre_failures: Integers
    attempts: Integers
    failures: Integers


@dataclass(frozen=True)
class SimulatedWeek:
    """A wave's week; guards in the order of `RATES`."""

    beta: Flags
    region: Integers
    restarted: Integers
    guards: list[Counts] = field(default_factory=list)


def week(
    rng: np.random.Generator,
    kind: Kind,
    beta: Flags,
    effect: float = 1.0,
    guards: int = 1,
    harmed: int = 0,
) -> SimulatedWeek:
    """A week of `kind` for terminals of which `beta` says who has the release: its guard `harmed`
    fails `effect` times as often.
    """
    count = len(beta)
    region = rng.choice(len(_REGIONS), count, p=_REGIONS).astype(np.int64)
    activity = _levels(rng, count, kind.activity_spread, kind.heavy) * kind.a_day
    restarted = np.minimum(rng.exponential(5, count), 72).astype(np.int64)
    out = _outages(rng) if kind.outage else None
    pre_attempts = rng.poisson(activity, (PRE_DAYS, count))
    of_day = _DAY[(np.arange(HOURS) + _BEGINS_AT_HOUR) % 24]
    on = np.arange(HOURS)[:, None] >= restarted[None, :]
    attempts = np.where(on, rng.poisson(of_day[:, None] * activity[None, :]), 0)
    made = SimulatedWeek(beta, region, restarted)
    for number, rate in enumerate(list(RATES.values())[:guards]):
        pre, chance = _chances(rng, kind, rate.failing, count)
        if kind.reboot[1]:
            fresh = on & (np.arange(HOURS)[:, None] < (restarted + kind.reboot[1])[None, :])
            chance = np.where(fresh & (beta | kind.sham)[None, :], chance * kind.reboot[0], chance)
        if number == harmed:
            chance = np.where(on & beta[None, :], chance * effect, chance)
        chance = np.minimum(chance, 0.9)
        if out is not None and not rate.by_minute:
            _put_out(out, region, pre, chance)
        before, here = pre_attempts, attempts
        if rate.by_minute:
            before, here = np.full_like(pre_attempts, 1440), on * np.int64(60)
        failed_before = rng.binomial(before, np.minimum(pre, 0.9))
        made.guards.append(Counts(before, failed_before, here, _binomial(rng, here, chance)))
    return made


def _binomial(rng: np.random.Generator, attempts: Integers, chance: Numbers) -> Integers:
    """Failures; only where something was tried, which is a third of the hours."""
    failures = np.zeros_like(attempts)
    tried = attempts > 0
    failures[tried] = rng.binomial(attempts[tried], chance[tried])
    return failures


def _levels(rng: np.random.Generator, count: int, spread: float, heavy: bool) -> Numbers:
    """Factors with mean 1."""
    if spread == 0:
        return np.ones(count)
    if not heavy:
        return rng.gamma(1 / spread**2, spread**2, count)
    sigma = sqrt(log(1 + spread**2))
    return rng.lognormal(-sigma * sigma / 2, sigma, count)


def _chances(
    rng: np.random.Generator, kind: Kind, rate: float, count: int
) -> tuple[Numbers, Numbers]:
    """Of a failure: by day before the wave, by hour in it."""
    own = _levels(rng, count, kind.spread, kind.heavy) * rate
    pre, chance = np.tile(own, (PRE_DAYS, 1)), np.tile(own, (HOURS, 1))
    if kind.drift:
        walk = np.cumsum(rng.normal(0, kind.drift / sqrt(24), HOURS + 24 * PRE_DAYS))
        walk -= walk[: 24 * PRE_DAYS].mean()
        pre *= np.exp(walk[: 24 * PRE_DAYS : 24])[:, None]
        chance *= np.exp(walk[24 * PRE_DAYS :])[:, None]
    if kind.episodes:
        share = kind.episodes * 0.5 / 7
        pre *= 1 + 9 * 0.5 * rng.binomial(2, share, (PRE_DAYS, count))
        for half_day in range(0, HOURS, 12):
            chance[half_day : half_day + 12, rng.random(count) < share] *= 10
    if kind.shifted != 1:
        chance[:, rng.random(count) < 0.3] *= kind.shifted
    return pre, chance


class _Outage(NamedTuple):
    region: int
    begin: int
    hours: int
    region_before: int
    day_before: int


def _outages(rng: np.random.Generator) -> _Outage:
    """One region fails for some hours in the first days; one did before the wave."""
    return _Outage(
        int(rng.choice(len(_REGIONS), p=_REGIONS)),
        int(rng.integers(1, 72)),
        int(rng.integers(3, 9)),
        int(rng.choice(len(_REGIONS), p=_REGIONS)),
        int(rng.integers(0, PRE_DAYS)),
    )


def _put_out(out: _Outage, region: Integers, pre: Numbers, chance: Numbers) -> None:
    there = np.flatnonzero(region == out.region)
    hours = np.arange(out.begin, out.begin + out.hours)
    chance[np.ix_(hours, there)] = np.maximum(chance[np.ix_(hours, there)], 0.6)
    before = region == out.region_before
    pre[out.day_before, before] = 0.7 * pre[out.day_before, before] + 0.3 * 0.6


def never() -> float:
    """A delay that did not end within the week, for medians."""
    return exp(99)
