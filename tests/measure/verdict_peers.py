"""What others would say of the same week, for `inv verdict`: each returns the hour of its alarm.

All are written here from their public descriptions, for one guard (the first of a simulated week);
an alarm is only ever that beta fails more often. None looks before the sixth hour.

- *event z*: two proportions, one-sided p < 0.001, looked at each hour, each attempt a unit.
- *event e-process*: of each failure, which arm it came from, against the arms' shares of attempts;
  a mixture over odds; error 1 % at all hours together (as sequential tests of counts do it).
- *Kayenta*: Netflix' and Google's canary judge as its documentation tells it: the hourly rates of
  both arms are two series; Mann-Whitney, 98 % interval of the shift; "High" if the interval's lower
  end is above a quarter of the estimated shift. Run each 12 hours over all hours so far, from 24.
- *mSPRT*: the terminal is the unit, its own rate before the wave the expectation; a normal mixture
  over the difference with a plug-in variance; error 1 %.
- *asymptotic CS*: the same mixture as a confidence sequence, with the expectation that our verdict
  uses (own rate times region and hour), terminals unweighted.
"""

from __future__ import annotations

from math import log, sqrt
from statistics import NormalDist

import numpy as np

from tests.measure.verdict_worlds import HOURS, Flags, Numbers, SimulatedWeek
from updater_server.verdict import expectation

Hour = int | None
_NORMAL = NormalDist()
_FIRST_HOUR = 6
_ERROR = 0.01
_MIXTURE = 0.5
_LEAST_EVENTS = 20


def all_of(week: SimulatedWeek) -> dict[str, Hour]:
    """Each peer's first alarm."""
    return {
        "event z": event_z(week),
        "event e-process": event_e_process(week),
        "Kayenta": kayenta(week),
        "mSPRT": msprt(week),
        "asymptotic CS": asymptotic_cs(week),
    }


def event_z(week: SimulatedWeek) -> Hour:
    """Two proportions at each hour, p < 0.001."""
    (in_beta, tried_beta), (in_control, tried_control) = _arms(week, cumulative=True)
    together = (in_beta + in_control) / np.maximum(tried_beta + tried_control, 1)
    parts = 1 / np.maximum(tried_beta, 1) + 1 / np.maximum(tried_control, 1)
    spread = np.sqrt(np.maximum(together * (1 - together) * parts, 1e-12))
    difference = in_beta / np.maximum(tried_beta, 1) - in_control / np.maximum(tried_control, 1)
    return _first(difference / spread > _NORMAL.inv_cdf(0.999))


def event_e_process(week: SimulatedWeek) -> Hour:
    """A bet on which arm each failure comes from."""
    (in_beta, tried_beta), (in_control, tried_control) = _arms(week)
    share = np.clip(tried_beta / np.maximum(tried_beta + tried_control, 1), 1e-9, 1 - 1e-9)
    odds = np.exp(np.linspace(log(1.1), log(6), 20))[:, None]
    bet = share * odds / (share * odds + 1 - share)
    gains = in_beta * np.log(bet / share) + in_control * np.log((1 - bet) / (1 - share))
    wealth = np.logaddexp.reduce(np.cumsum(gains, axis=1), axis=0) - log(len(odds))
    return _first(wealth >= -log(_ERROR))


def kayenta(week: SimulatedWeek) -> Hour:
    """The canary judge on hourly series."""
    (in_beta, tried_beta), (in_control, tried_control) = _arms(week)
    told = (tried_beta >= 5) & (tried_control >= 5)
    beta = in_beta / np.maximum(tried_beta, 1)
    control = in_control / np.maximum(tried_control, 1)
    for hours in range(24, HOURS + 1, 12):
        now = told[:hours]
        if now.sum() >= 10 and _is_high(beta[:hours][now], control[:hours][now]):
            return hours
    return None


def _is_high(experiment: Numbers, baseline: Numbers) -> bool:
    shifts = np.sort((experiment[:, None] - baseline[None, :]).ravel())
    one, other = len(experiment), len(baseline)
    spread = sqrt(one * other * (one + other + 1) / 12)
    rank = int(max(0, one * other / 2 - _NORMAL.inv_cdf(0.99) * spread))
    return bool(shifts[rank] > 0.25 * abs(float(np.median(shifts))))


def msprt(week: SimulatedWeek) -> Hour:
    """Clustered by terminal, against its own rate before."""
    counts = week.guards[0]
    before, failed = counts.pre_attempts.sum(axis=0), counts.pre_failures.sum(axis=0)
    rate = failed.sum() / max(1, before.sum())
    own = (failed + 50 * rate) / (before + 50)
    return _mixture(week.beta, counts.failures, counts.attempts * own)


def asymptotic_cs(week: SimulatedWeek) -> Hour:
    """The same, with our expectation."""
    counts = week.guards[0]
    own = expectation.own_level(counts.pre_attempts, counts.pre_failures, week.region)
    due = expectation.expected_events(counts.attempts, counts.failures, week.region, own)
    return _mixture(week.beta, counts.failures, due)


def _mixture(beta: Flags, failures: np.ndarray, due: Numbers) -> Hour:
    """First hour at which a one-sided normal mixture of the rates' difference reaches 1 / error."""
    seen, expected = np.cumsum(failures, axis=0, dtype=np.float64), np.cumsum(due, axis=0)
    difference, variance = np.zeros(len(seen)), np.zeros(len(seen))
    for arm, sign in ((beta, 1), (~beta, -1)):
        count = int(arm.sum())
        total = np.maximum(expected[:, arm].sum(axis=1), 1e-9)
        level = seen[:, arm].sum(axis=1) / total
        off = seen[:, arm] - level[:, None] * expected[:, arm]
        variance += count / (count - 1) * (off**2).sum(axis=1) / total**2
        difference += sign * level
    variance = np.maximum(variance, 1e-9)
    mixed = variance + _MIXTURE**2
    above = np.array(
        [_NORMAL.cdf(z) for z in np.clip(difference * _MIXTURE / np.sqrt(variance * mixed), -8, 8)]
    )
    ratio = 0.5 * np.log(variance / mixed) + np.log(2 * above + 1e-300)
    ratio += _MIXTURE**2 * difference**2 / (2 * variance * mixed)
    return _first((ratio >= -log(_ERROR)) & (seen.sum(axis=1) >= _LEAST_EVENTS))


def _arms(week: SimulatedWeek, cumulative: bool = False) -> list[tuple[Numbers, Numbers]]:
    """(failures, attempts) by hour, of beta and of control."""
    counts, made = week.guards[0], []
    for arm in (week.beta, ~week.beta):
        pair = [
            part[:, arm].sum(axis=1).astype(np.float64)
            for part in (counts.failures, counts.attempts)
        ]
        made.append((np.cumsum(pair[0]), np.cumsum(pair[1])) if cumulative else (pair[0], pair[1]))
    return made


def _first(alarms: np.ndarray) -> Hour:
    hours = np.flatnonzero(alarms)
    hours = hours[hours >= _FIRST_HOUR - 1]
    return int(hours[0]) + 1 if len(hours) else None
