"""What a verdict is made of, for people: per guard the terminals of beta that add most to its
score, and its regions. Pure, and no part of the verdict.
"""

from __future__ import annotations

import numpy as np

from updater_server.channels.sheets import InRegion, Line, Share, Sheet
from updater_server.verdict import boundary, expectation
from updater_server.verdict.expectation import Numbers
from updater_server.verdict.policy import NOT_BACK, OUTCOMES, Guard, Policy
from updater_server.verdict.ruling import Finding, Verdict
from updater_server.verdict.week import Week

MOST = 10


def sheet(trial_id: int, week: Week, policy: Policy, verdict: Verdict) -> Sheet:
    """The sheet of a verdict on the week that it was made from."""
    allowances = boundary.offsets([guard.share for guard in policy.guards], policy.error)
    found = {finding.guard: finding for finding in verdict.findings}
    lines = [
        _line(week, guard, found[guard.name], float(allowance), verdict.bound)
        for guard, allowance in zip(policy.guards, allowances, strict=True)
        if guard.name in found
    ]
    return Sheet(
        trial_id, verdict.wave, verdict.number, verdict.ruling, verdict.reasons, verdict.at_s,
        verdict.hours, int(week.beta.sum()), int((~week.beta).sum()), tuple(lines),
        verdict.set_aside,
    )  # fmt: skip


def _line(
    week: Week, guard: Guard, finding: Finding, allowance: float, bound: float | None
) -> Line:
    counted, due, adds = _of_terminals(week, guard)
    most = [
        Share(
            week.ids[at].hex(), int(week.region[at]), int(counted[at]),
            round(float(due[at]), 2), round(float(adds[at]), 2),
        )
        for at in np.argsort(-adds, kind="stable")[:MOST]
        if week.beta[at] and adds[at] > 0
    ]  # fmt: skip
    regions = []
    for number in np.unique(week.region[week.beta]):
        here = week.beta & (week.region == number)
        seen, expected = int(counted[here].sum()), round(float(due[here].sum()), 2)
        regions.append(InRegion(int(number), int(here.sum()), seen, expected))
    return Line(
        guard.name, finding.in_beta, finding.expected, finding.in_control, finding.score,
        None if bound is None else round(bound + allowance, 2),
        finding.ratio, finding.lower, finding.upper, finding.lacks, tuple(most), tuple(regions),
    )  # fmt: skip


def _of_terminals(week: Week, guard: Guard) -> tuple[Numbers, Numbers, Numbers]:
    """Per terminal: counted, expected, and what it adds; of control nothing."""
    if guard.name in OUTCOMES:
        happened = (week.not_back if guard.name == NOT_BACK else week.silent).astype(np.float64)
        due = np.full(len(week.ids), happened.mean() if len(happened) else 0.0)
        return happened, due, np.where(week.beta, happened - due, -1.0)
    if guard.name not in week.counts:
        nothing = np.zeros(len(week.ids))
        return nothing, nothing, nothing
    counts = week.counts[guard.name]
    own = expectation.own_level(counts.pre_attempts, counts.pre_failures, week.region)
    hourly = expectation.expected_events(counts.attempts, counts.failures, week.region, own)
    seen, due = expectation.totals(counts.failures, hourly)
    adds = expectation.residual(seen, due, own.variance)
    counted = counts.failures.sum(axis=0).astype(np.float64)
    return counted, due, np.where(week.beta, adds, -1.0)
