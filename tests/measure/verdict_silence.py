"""Simulated silence, for `inv verdict`: terminals fall silent by themselves, and some die of the
release. A contact is a sale, a check-in after six hours without one, in shop hours, or the check-in
at a start (`firmware/duties/check_in.py`).
"""

from __future__ import annotations

import numpy as np

from tests.measure.verdict_worlds import HOURS, Flags, SimulatedWeek
from updater_server.verdict.policy import NOT_BACK, SILENT, Policy

_PRE_HOURS = 168
_FALLS_SILENT_A_DAY = 0.03
_SILENT_HOURS = 18
_FOR_GOOD = 0.02
_CHECK_IN_HOURS = 6
_SLOW_TO_COME_BACK = 0.01
_BEGINS_AT_HOUR = 9


def outcomes(
    rng: np.random.Generator, week: SimulatedWeek, policy: Policy, dead: float = 0.0
) -> tuple[SimulatedWeek, dict[str, Flags]]:
    """The week without what the dead would have counted, and [hour, terminal] the two outcomes.

    Of beta a share `dead` never speaks after its restart; of both arms 1 in 100 is slow to come
    back.
    """
    count = len(week.beta)
    up = _up(rng, count)
    hours = np.arange(-_PRE_HOURS, HOURS)
    awake = ((hours + _BEGINS_AT_HOUR) % 24 >= 6) & ((hours + _BEGINS_AT_HOUR) % 24 <= 21)
    restarted = _when_it_can(week.restarted, up[_PRE_HOURS:] & awake[_PRE_HOURS:, None])
    dies = week.beta & (rng.random(count) < dead)
    slow = rng.random(count) < _SLOW_TO_COME_BACK
    up[_PRE_HOURS:] &= ~((np.arange(HOURS)[:, None] > restarted) & dies)
    away = np.arange(HOURS)[:, None] - restarted
    up[_PRE_HOURS:] &= ~((away > 0) & (away < 6) & slow)

    sold = rng.random((len(hours), count)) < 0.6
    every = (hours[:, None] + rng.integers(0, _CHECK_IN_HOURS, count)) % _CHECK_IN_HOURS == 0
    contact = up & awake[:, None] & (sold | every)
    there = np.flatnonzero(restarted < HOURS)
    contact[_PRE_HOURS + restarted[there], there] = True
    there = np.flatnonzero(restarted < HOURS - 1)
    after = _PRE_HOURS + restarted[there] + 1
    contact[after, there] |= up[after, there]  # it checks in at its start
    row = np.arange(len(hours))[:, None]
    last = np.maximum.accumulate(np.where(contact, row, -1), axis=0)
    since = row - last
    habit = np.sort(since[:_PRE_HOURS], axis=0)[int(0.99 * _PRE_HOURS)]
    patience = np.maximum(policy.silent_after_s / 3600, 2 * habit)
    silent = np.minimum(since[_PRE_HOURS:], np.arange(HOURS)[:, None]) > patience
    back_hours = policy.back_within_s // 3600
    heard = last[_PRE_HOURS:] - _PRE_HOURS > restarted
    not_back = (away >= back_hours) & ~heard

    told = contact[_PRE_HOURS:] | up[_PRE_HOURS:]
    guards = [
        one._replace(attempts=one.attempts * told, failures=one.failures * told)
        for one in week.guards
    ]
    made = SimulatedWeek(week.beta, week.region, restarted, guards)
    return made, {NOT_BACK: not_back, SILENT: silent}


def _up(rng: np.random.Generator, count: int) -> Flags:
    """Whether each could be heard, [hour, terminal], before the wave and in it."""
    up = np.ones((_PRE_HOURS + HOURS, count), bool)
    for hour, one in np.argwhere(rng.random(up.shape) < _FALLS_SILENT_A_DAY / 24):
        for_good = rng.random() < _FOR_GOOD
        length = HOURS * 3 if for_good else int(rng.gamma(1, _SILENT_HOURS)) + 1
        up[hour : hour + length, one] = False
    return up


def _when_it_can(wanted: np.ndarray, able: Flags) -> np.ndarray:
    """Each terminal's first hour from `wanted` on at which it can restart."""
    may = able & (np.arange(HOURS)[:, None] >= wanted)
    first = may.argmax(axis=0)
    return np.where(may.any(axis=0), first, HOURS * 2).astype(np.int64)
