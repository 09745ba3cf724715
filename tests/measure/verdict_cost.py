"""What one evaluation costs, for `inv verdict`: CPU seconds, the better of three."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

import numpy as np

from tests.measure import verdict_ours, verdict_worlds
from updater_server.verdict import ruling
from updater_server.verdict.policy import OUTCOMES, usual
from updater_server.verdict.records import Contact, Records, Restart, Terminal, Trial, Window
from updater_server.verdict.week import DAY_S, HOUR_S, tidy

_TERMINALS, _BETA_BELOW = 1000, 1000
_BEGAN_S = 1_790_000_000 // HOUR_S * HOUR_S
_OLD, _NEW = 6, 7


def cost() -> dict[str, float]:
    """Seconds: drawing the arms (once a wave), tidying a week's records (each hour, from all of
    them), and the evaluation itself.
    """
    policy = usual()
    ids = verdict_ours.terminals(_TERMINALS)
    names = tuple(guard.name for guard in policy.guards if guard.name not in OUTCOMES)
    trial = Trial(
        1,
        _NEW,
        verdict_ours.SALT,
        _BETA_BELOW,
        10_000,
        _BEGAN_S,
        tuple(Terminal(one, one[0] % 5, 12 * HOUR_S) for one in ids),
        {"beta": names, "control": names},
    )
    at_s = _BEGAN_S + 168 * HOUR_S
    records = _records(trial, names)
    seconds = {}
    seconds["arms of other salts, once"], drawn = _timed(lambda: ruling.draw(trial, policy), 1)
    seconds["records to a week"], week = _timed(lambda: tidy(trial, records, policy, at_s), 1)
    seconds["judge"], verdict = _timed(lambda: ruling.judge(trial, week, policy, None, drawn), 3)
    if len(verdict.findings) != len(policy.guards):
        raise AssertionError("the evaluation did not look at all guards")
    return seconds


def _records(trial: Trial, names: tuple[str, ...]) -> Records:
    rng = np.random.default_rng(7)
    ids = sorted(one.id for one in trial.population)
    beta = np.array([trial.arm(one) == "beta" for one in ids])
    week = verdict_worlds.week(rng, verdict_worlds.KINDS["plain"], beta, 1.0, len(names))
    windows, restarts, contacts = [], [], []
    for column, one in enumerate(ids):
        release = _NEW if beta[column] else _OLD
        began = _BEGAN_S + int(week.restarted[column]) * HOUR_S
        restarts.append(Restart(one, began))
        contacts.append(Contact(one, _BEGAN_S + 167 * HOUR_S))
        for day in range(verdict_worlds.PRE_DAYS):
            start_s = _BEGAN_S + (day - verdict_worlds.PRE_DAYS) * DAY_S
            told = {
                name: (int(each.pre_attempts[day, column]), int(each.pre_failures[day, column]))
                for name, each in zip(names, week.guards, strict=True)
            }
            windows.append(Window(one, start_s, DAY_S, _OLD, start_s + DAY_S, told))
        for hour in range(int(week.restarted[column]), verdict_worlds.HOURS):
            start_s = _BEGAN_S + hour * HOUR_S
            told = {
                name: (int(each.attempts[hour, column]), int(each.failures[hour, column]))
                for name, each in zip(names, week.guards, strict=True)
            }
            windows.append(Window(one, start_s, HOUR_S, release, start_s + HOUR_S, told))
    return Records(windows, restarts, contacts)


_T = TypeVar("_T")


def _timed(work: Callable[[], _T], times: int) -> tuple[float, _T]:
    best, made = float("inf"), work()
    for _ in range(times):
        began = time.process_time()
        made = work()
        best = min(best, time.process_time() - began)
    return best, made
