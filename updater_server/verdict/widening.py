"""When a wave may widen: what each guard still lacks, in words; "" where it lacks nothing."""

from __future__ import annotations

from updater_server.verdict.interval import Ratio
from updater_server.verdict.policy import Guard, Policy

_RARE = 4
"""What is this many times under its margin in excess needs no expected events."""


def upper_excess(found: Ratio | None, rate: float, attempts: int, failures: int) -> float | None:
    """Upper end of beta's excess in events an attempt; None where it cannot be told. Where nothing
    failed at all it is three in `attempts` (95 %).
    """
    if not attempts:
        return None
    if not failures:
        return round(3 / attempts, 9)
    return round((found.upper - 1) * rate, 9) if found else None


def lacks_counted(
    guard: Guard, found: Ratio | None, excess: float | None, expected: float, policy: Policy
) -> str:
    """Of a guard whose failures are counted: `expected` is what was expected of beta."""
    least, margin = policy.least_expected, guard.margin_excess
    if excess is not None and excess * _RARE < margin:
        return ""
    if expected < least:
        return f"{guard.name}: {expected:.0f} events expected of beta, {least:.0f} are the least"
    if found is None:
        return f"{guard.name}: no ratio can be told"
    if found.upper < guard.margin_ratio or (excess is not None and excess < margin):
        return ""
    return (
        f"{guard.name}: up to {found.upper:.2f} times as often as in control, "
        f"{guard.margin_ratio:g} is the margin"
    )


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
