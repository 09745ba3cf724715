"""When a wave may widen: what each guard still lacks, in words; "" where it lacks nothing."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from updater_server.verdict.interval import Ratio, upper_rate
from updater_server.verdict.policy import Guard, Policy

_RARE = 4
"""What is this many times under its margin in excess needs no expected events."""


class Seen(NamedTuple):
    """A guard that is counted, of beta since it restarted: `expected` failures were to be expected,
    `excess` is the upper end of what there were more, in events an attempt.
    """

    attempts: int
    failures: int
    expected: float
    found: Ratio | None
    excess: float | None


def upper_excess(found: Ratio | None, rate: float, attempts: int, failures: int) -> float | None:
    """Upper end of beta's excess in events an attempt; None where it cannot be told. Where nothing
    failed at all it is three in `attempts` (95 %).
    """
    if not attempts:
        return None
    if not failures:
        return round(3 / attempts, 9)
    return round((found.upper - 1) * rate, 9) if found else None


def lacks_counted(guard: Guard, seen: Seen, policy: Policy) -> str:
    """Of a guard whose failures are counted: whether it is shown to be no worse."""
    found, excess, margin = seen.found, seen.excess, guard.margin_excess
    if excess is not None and excess * _RARE < margin:
        return ""
    if guard.margin_rate is not msgspec.UNSET:
        if upper_rate(seen.failures, seen.attempts) < guard.margin_rate:
            return ""
        too_few = f"{seen.failures} in {seen.attempts:,} do not show yet that it is rare"
    else:
        too_few = f"{seen.expected:.0f} events expected of beta"
        too_few += f", {policy.least_expected:.0f} are the least"
    if seen.expected < policy.least_expected:
        return f"{guard.name}: {too_few}"
    if found is None:
        return f"{guard.name}: no ratio can be told"
    if found.upper < guard.margin_ratio or (excess is not None and excess < margin):
        return ""
    return (
        f"{guard.name}: up to {found.upper:.2f} times as often as in control, "
        f"{guard.margin_ratio:g} is the margin"
    )


def lacks_scored(guard: Guard, score: float, unproven: str) -> str:
    """What is left of `unproven`, which `lacks_counted` gave, now that the score is known: a guard
    that is only watched holds where it looks worse.
    """
    if not unproven or guard.suspect_score is msgspec.UNSET:
        return unproven
    if score <= guard.suspect_score:
        return ""
    return f"{guard.name}: looks worse than in control, {score:.2f} is over {guard.suspect_score:g}"


def lacks_outcome(guard: Guard, excess: float, in_beta: int, policy: Policy) -> str:
    """Of a guard that is told by silence: `excess` is the upper end of the shares' difference."""
    margin = max(guard.margin_excess, policy.plausible_loss / (3 * in_beta))
    if excess < margin:
        return ""
    return f"{guard.name}: up to {excess:.1%} more than in control, {margin:.1%} is the margin"


def lacks_back(back: int, assigned: int, policy: Policy) -> str:
    """Of the whole wave: how many of beta have restarted and were heard since."""
    if back >= policy.least_back * assigned:
        return ""
    return f"{back} of {assigned} have restarted and are back, {policy.least_back:.0%} are to be"
