"""The boundary: how extreme the arms that other salts would have drawn get, guard by guard and over
all guards together, and how much error has been spent on them.

The arm that was drawn is the first of `salts` + 1 that are alike if the release changes nothing. At
each look the most extreme of those still in are taken out, never more in all than the error spent
by then: the chance that the real one is among them is at most that, whatever the counts are like.
"""

from __future__ import annotations

from math import comb
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from updater_server.verdict.expectation import UNIT, Numbers
from updater_server.verdict.redraw import Bits

_PART = 4096
_NORMAL = NormalDist()
Alive = npt.NDArray[np.bool_]


def scores(drawn: Bits, residuals: Numbers) -> Numbers:
    """[draw, column]: how far each draw's arm is above the rest, about as a normal variable.

    `residuals` are [terminal, column] in whole numbers. The sum over the arm is divided by the root
    of its squares, so that one terminal alone never reaches far.
    """
    count, in_arm = drawn.shape[1], int(drawn[0].sum())
    columns = residuals.shape[1]
    centred = np.round(residuals - np.add.accumulate(residuals, axis=0)[-1] / count)
    squares = np.round(centred * centred / UNIT)
    sums = sums_in_arms(drawn, np.concatenate([centred, squares], axis=1))
    root = np.sqrt(np.maximum(sums[:, columns:], 1.0) * UNIT)
    made: Numbers = sums[:, :columns] / (root * np.sqrt(1 - in_arm / count))
    return made


def sums_in_arms(drawn: Bits, values: Numbers) -> Numbers:
    """[draw, column]: exact sums of whole numbers (under 2 ** 24 each) over each draw's arm.

    Taken in single precision, which is twice as fast: high and low parts by themselves, over so few
    terminals at once that no sum leaves the whole numbers that it holds.
    """
    high = np.floor(values / _PART)
    parts = np.concatenate([high, values - high * _PART], axis=1).astype(np.float32)
    columns = values.shape[1]
    made = np.zeros((len(drawn), columns))
    for start in range(0, len(values), _PART):
        some = slice(start, start + _PART)
        both = (drawn[:, some].astype(np.float32) @ parts[some]).astype(np.float64)
        made += both[:, :columns] * _PART + both[:, columns:]
    return made


def outcome_scores(drawn: Bits, outcome: npt.NDArray[np.bool_]) -> Numbers:
    """[draw]: the same for something that happens to a terminal or does not: the exact chance of so
    many in the arm, on the scale of a normal variable.
    """
    count, in_arm, happened = drawn.shape[1], int(drawn[0].sum()), int(outcome.sum())
    found = drawn[:, outcome].sum(axis=1, dtype=np.int64)
    ways = [
        comb(happened, k) * comb(count - happened, in_arm - k) if in_arm >= k else 0
        for k in range(happened + 1)
    ]
    total, above, table = comb(count, in_arm), 0, [0.0] * (happened + 1)
    for k in range(happened, -1, -1):
        middle = (2 * above + ways[k]) / (2 * total)
        table[k] = round(-_NORMAL.inv_cdf(min(max(middle, 1e-15), 1 - 1e-15)), 9) + 0.0
        above += ways[k]
    values: Numbers = np.array(table)[found]
    return values


def offsets(shares: list[float], error: float) -> Numbers:
    """What each guard's score is lowered by, so that it takes about its share of the error."""
    return np.array([round(_NORMAL.inv_cdf(1 - error * share), 9) for share in shares])


def allowed(hours: int, salts: int, error: float, horizon: int, spending: float) -> int:
    """How many of `salts` + 1 draws may have been taken out by now."""
    spent = error * (min(hours, horizon) / horizon) ** spending
    return int((salts + 1) * spent + 1e-9)


def look(alive: Alive, extremes: Numbers, allowed_by_now: int) -> tuple[Alive, float]:
    """The draws still in after this look, and the bound: above it a draw is out.

    `extremes` has one number a draw, the real arm's first. Draws that tie with the bound stay.
    """
    left = np.flatnonzero(alive)
    may_go = allowed_by_now - (len(alive) - len(left))
    if may_go <= 0:
        return alive, float("inf")
    here = extremes[left]
    bound = float(np.partition(here, len(here) - may_go - 1)[len(here) - may_go - 1])
    after = alive.copy()
    after[left[here > bound]] = False
    return after, bound
