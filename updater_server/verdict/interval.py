"""Beside the boundary, for people: how many times as often as in control, with an interval that
holds at all hours together: an asymptotic confidence sequence (Waudby-Smith, Arbour, Sinha, Kennedy
and Ramdas, 2024; the normal mixture). Widening looks at its upper end.
"""

from __future__ import annotations

from math import exp, log, sqrt
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from updater_server.verdict.expectation import Numbers

Flags = npt.NDArray[np.bool_]
_ONE_SIDED = 1.645
_ONE_IN = 0.05
_FEW = 100
_HALVINGS = 60
_MIXTURE = 0.5
"""The excess, as a share of what is expected, at which the sequence is narrowest."""
_LEAST_RATIO_BASE = 0.05


class Ratio(NamedTuple):
    """Beta against control: once as often is 1. Lower and upper hold each with the error asked."""

    ratio: float
    lower: float
    upper: float


def ratio(residuals: Numbers, doubling: Numbers, beta: Flags, error: float) -> Ratio | None:
    """From what each terminal counted above expectation and what a doubling would add; None where
    that cannot be told (an arm of one, or nothing expected).

    Residuals are against what both arms counted together, so the ratio is taken back from that.
    """
    inside, outside = residuals[beta], residuals[~beta]
    if len(inside) < 2 or len(outside) < 2:
        return None
    unit = float(np.add.accumulate(doubling[beta])[-1]) / len(inside)
    if unit <= 0:
        return None
    excess = (_mean(inside) - _mean(outside)) / unit
    variance = (_variance(inside) / len(inside) + _variance(outside) / len(outside)) / unit**2
    variance = max(variance, 1 / max(float(np.add.accumulate(doubling)[-1]), 1e-9))
    reach = radius(variance, error)
    share = len(inside) / (len(inside) + len(outside))

    def back(excess: float) -> float:
        against = max(1 - excess * share, _LEAST_RATIO_BASE)
        return round(max(0.0, 1 + excess * (1 - share)) / against, 6)

    return Ratio(back(excess), back(excess - reach), back(excess + reach))


def radius(variance: float, error: float) -> float:
    """Half the width of a one-sided sequence: with chance `error` it ever fails."""
    mixed = variance + _MIXTURE**2
    return sqrt(variance * mixed / _MIXTURE**2 * (2 * log(1 / (2 * error)) + log(mixed / variance)))


def upper_rate(failures: int, attempts: int) -> float:
    """Upper end (95 %) of the rate of what hardly ever happens: the Poisson mean under which so few
    are 1 in 20, for each attempt (Garwood, 1936). Infinite without attempts, and of more than a
    hundred failures: of so many a ratio can be told. Failures in heaps make it less sure than that.
    """
    if attempts <= 0 or failures > _FEW:
        return float("inf")
    low, high = float(failures), 3.0 + 3.0 * failures
    for _ in range(_HALVINGS):
        mean = (low + high) / 2
        term = total = exp(-mean)
        for count in range(1, failures + 1):
            term *= mean / count
            total += term
        low, high = (mean, high) if total > _ONE_IN else (low, mean)
    return round(high / attempts, 9)


def outcome_excess(in_beta: int, beta: int, in_control: int, control: int) -> float:
    """Upper end (95 %) of the difference of two shares (Newcombe's, from two Wilson intervals)."""
    share, other = in_beta / beta, in_control / control
    upper = _wilson(share, beta)
    lower = 1 - _wilson(1 - other, control)
    return round(share - other + sqrt((upper - share) ** 2 + (other - lower) ** 2), 6)


def _wilson(share: float, count: int) -> float:
    z = _ONE_SIDED
    middle = share + z * z / (2 * count)
    root = z * sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    return min(1.0, (middle + root) / (1 + z * z / count))


def _mean(values: Numbers) -> float:
    return float(np.add.accumulate(values)[-1]) / len(values)


def _variance(values: Numbers) -> float:
    off = values - _mean(values)
    return float(np.add.accumulate(off * off)[-1]) / (len(values) - 1)
