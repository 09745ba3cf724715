"""What needs no statistics: what halts at once, and what makes a comparison void."""

from __future__ import annotations

from math import sqrt
from statistics import NormalDist

import numpy as np

from updater_server.verdict.policy import OUTCOMES, Policy
from updater_server.verdict.records import Trial
from updater_server.verdict.week import Week

_UNLIKELY = 0.001
_MONEY = {"corrupt_journal": "corrupt journal", "money_broken": "money invariant broken"}


def halting(week: Week, policy: Policy) -> list[str]:
    """Reasons to halt without statistics, by what happened to terminals of beta."""
    in_beta = {one for one, beta in zip(week.ids, week.beta, strict=True) if beta}
    reasons = []
    rollbacks: dict[str, set[bytes]] = {}
    for one in week.incidents:
        if one.terminal not in in_beta:
            continue
        if one.kind == "rollback":
            rollbacks.setdefault(one.reason, set()).add(one.terminal)
        else:
            reasons.append(f"{_MONEY[one.kind]} on {one.terminal.hex()}: {one.reason}")
    most = max(policy.rollbacks, len(in_beta) // policy.rollbacks_one_in)
    for reason, terminals in sorted(rollbacks.items()):
        if len(terminals) >= most:
            reasons.append(f"{len(terminals)} terminals of {len(in_beta)} rolled back: {reason}")
    return reasons


def voiding(trial: Trial, week: Week, policy: Policy) -> list[str]:
    """Reasons why the arms cannot be compared now; none of them looks at how they fare."""
    beta, control = int(week.beta.sum()), int((~week.beta).sum())
    reasons = [
        f"{name} has {count} terminals, {policy.smallest_arm} are the least"
        for name, count in (("beta", beta), ("control", control))
        if count < policy.smallest_arm
    ]
    if reasons:
        return reasons
    if _two_sided(beta, beta + control, trial.share) < _UNLIKELY:
        reasons.append(f"beta has {beta} of {beta + control}: not as the salt draws them")
    silent = float(np.count_nonzero(week.silent)) / len(week.silent)
    if silent >= policy.all_silent:
        reasons.append(
            f"{silent:.0%} of both arms are silent: look at the server and the network first"
        )
    for guard in policy.guards:
        telling = [arm for arm in ("beta", "control") if guard.name in trial.counted.get(arm, ())]
        if guard.name not in OUTCOMES and len(telling) == 1:
            reasons.append(f"{guard.name} is counted by {telling[0]} only")
        elif guard.name not in OUTCOMES and not telling:
            reasons.append(f"{guard.name} is counted by neither arm")
    return reasons


def _two_sided(found: int, of: int, share: float) -> float:
    """Chance of a draw at least as far from `share`, by the normal approximation."""
    spread = sqrt(of * share * (1 - share))
    if spread == 0:
        return float(found == of * share)
    return 2 * NormalDist().cdf(-(abs(found - of * share) - 0.5) / spread)
