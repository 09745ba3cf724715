"""The sizes of waves: 30, 100, 300, 1,000, … terminals, each about three times the last.

A plan counts in ten-thousandths of a fleet; of a million that is a hundred terminals. Its finer
part (`within`, docs/formats/release.md, "Rollout") divides each of those by 429,496 more.
"""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

from updater_server.wire import limits

LARGEST_FLEET = 10_000_000
_FIRST, _SECOND = 30, 100


class Reach(NamedTuple):
    """How far a wave goes: whole ten-thousandths, and steps within the next one."""

    threshold: int
    within: int


def sizes(fleet: int) -> list[int]:
    """The waves of a fleet of so many terminals; the last is all of it.

    Raises:
        ValueError: no fleet, or a larger one than `LARGEST_FLEET`.
    """
    if not 1 <= fleet <= LARGEST_FLEET:
        raise ValueError(f"a fleet has 1 to {LARGEST_FLEET:,} terminals, not {fleet:,}")
    found: list[int] = []
    one, other = _FIRST, _SECOND
    while one < fleet:
        found.append(one)
        one, other = other, one * 10
    return [*found, fleet]


def reach(wave: int, fleet: int) -> Reach:
    """What to sign so that about `wave` of `fleet` terminals may take a release; at least one step.

    Raises:
        ValueError: the wave is larger than the fleet, or none.
    """
    if not 1 <= wave <= fleet:
        raise ValueError(f"a wave of {wave:,} in a fleet of {fleet:,}")
    everybody, steps = limits.THRESHOLD[1], limits.WITHIN[1]
    share = Fraction(wave, fleet) * everybody
    threshold = int(share)
    within = int((share - threshold) * steps)
    if threshold == 0 and within == 0:
        within = 1
    return Reach(threshold, within)
