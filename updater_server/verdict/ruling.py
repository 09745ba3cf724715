"""The verdict itself: pass, hold and why, or halt; and its replay.

A verdict follows from the week's records as they were known, the policy, and the verdict before it
(which draws are still in). All of that is in it by digest, so `replay` comes to the same bytes.
"""

from __future__ import annotations

import base64
from typing import Literal

import msgspec
import numpy as np

from updater_server.verdict import boundary, expectation, interval, redraw, rules, widening
from updater_server.verdict.expectation import Numbers
from updater_server.verdict.policy import NOT_BACK, OUTCOMES, SILENT, Guard, Policy
from updater_server.verdict.records import Records, Trial, digest
from updater_server.verdict.redraw import Bits
from updater_server.verdict.week import HOUR_S, Week, tidy

_NOBODY = -99.0
Ruling = Literal["pass", "hold", "halt"]


class Finding(msgspec.Struct, frozen=True):
    """One guard at one look: what beta and control counted, what was expected of beta, the score
    (about a normal variable) and the ratio with its interval. What cannot be told is null.
    """

    guard: str
    expected: float
    in_beta: int
    in_control: int
    score: float
    ratio: float | None = None
    lower: float | None = None
    upper: float | None = None
    upper_excess: float | None = None
    lacks: str = ""


class Verdict(msgspec.Struct, frozen=True):
    """Number `number` of a wave; `at_s` is when its records were known. `bound` is what a score,
    less its guard's allowance, must pass; null where nothing was spent.
    """

    wave: int
    number: int
    release: int
    at_s: int
    hours: int
    ruling: Ruling
    reasons: tuple[str, ...]
    findings: tuple[Finding, ...]
    bound: float | None
    set_aside: dict[str, int]
    inputs: str
    policy: str
    before: str
    alive: str

    def encode(self) -> bytes:
        """Canonical JSON."""
        return msgspec.json.encode(self, order="sorted")

    @staticmethod
    def decode(content: bytes) -> Verdict:
        """From `encode`.

        Raises:
            msgspec.ValidationError: it is not one.
        """
        return msgspec.json.decode(content, type=Verdict)


def draw(trial: Trial, policy: Policy) -> Bits:
    """The real arm and those of `policy.salts` other salts, one row each; once a wave."""
    arms = {one.id: trial.arm(one.id) for one in trial.population}
    ids = sorted(one for one, arm in arms.items() if arm != "none")
    real = np.array([[arms[one] == "beta" for one in ids]], np.uint8)
    others = redraw.other_salts(trial.salt, policy.salts)
    return np.concatenate([real, redraw.arms(others, ids, int(real.sum()))])


def judge(
    trial: Trial,
    week: Week,
    policy: Policy,
    before: Verdict | None = None,
    drawn: Bits | None = None,
) -> Verdict:
    """The wave's next verdict. `before` is the last one; `drawn` what `draw` gave (drawn anew if
    absent: seconds).

    A wave that is halted stays so, whatever comes in later.
    """
    alive = _alive(before, policy)
    reasons = rules.halting(week, policy)
    findings: list[Finding] = []
    bound = None
    ruling: Ruling
    if before is not None and before.ruling == "halt":
        ruling, reasons = "halt", [*before.reasons]
    elif reasons:
        ruling = "halt"
    else:
        void = rules.voiding(trial, week, policy)
        if void or week.hours < policy.first_look_hours:
            ruling = "hold"
            reasons = void or [
                f"{week.hours} h old: the first look is at {policy.first_look_hours}"
            ]
        else:
            drawn = draw(trial, policy) if drawn is None else drawn
            findings, scores = _look(week, policy, drawn)
            may_go = boundary.allowed(
                week.hours, policy.salts, policy.error, policy.horizon_hours, policy.spending
            )
            alive, bound = boundary.look(alive, scores.max(axis=1), may_go)
            ruling, reasons = _rule(week, policy, findings, scores[0], bool(alive[0]))
    return Verdict(
        trial.wave,
        before.number + 1 if before else 1,
        trial.release,
        trial.began_s + week.hours * HOUR_S,
        week.hours,
        ruling,
        tuple(reasons),
        tuple(findings),
        None if bound is None or bound == float("inf") else round(bound, 9),
        week.set_aside,
        week.digest(),
        digest(policy),
        digest(before) if before else "",
        base64.b85encode(np.packbits(alive).tobytes()).decode(),
    )


def replay(trial: Trial, records: Records, policy: Policy, until_s: int) -> list[Verdict]:
    """All verdicts of a wave, hour by hour, each from what was known at its hour."""
    drawn = draw(trial, policy)
    verdicts: list[Verdict] = []
    for at_s in range(trial.began_s + HOUR_S, until_s + 1, HOUR_S):
        before = verdicts[-1] if verdicts else None
        week = tidy(trial, records, policy, at_s)
        verdicts.append(judge(trial, week, policy, before, drawn))
    return verdicts


def _alive(before: Verdict | None, policy: Policy) -> boundary.Alive:
    count = policy.salts + 1
    if before is None:
        return np.ones(count, bool)
    bits = np.frombuffer(base64.b85decode(before.alive), np.uint8)
    return np.unpackbits(bits)[:count].astype(bool)


def _look(week: Week, policy: Policy, drawn: Bits) -> tuple[list[Finding], Numbers]:
    """Each guard's finding, and [draw, guard] the scores less each guard's allowance."""
    findings: list[Finding] = []
    columns: dict[int, Numbers] = {}
    allowances = boundary.offsets([guard.share for guard in policy.guards], policy.error)
    scores = np.full((len(drawn), len(policy.guards)), _NOBODY)
    for number, guard in enumerate(policy.guards):
        if guard.name in OUTCOMES:
            outcome = week.not_back if guard.name == NOT_BACK else week.silent
            scores[:, number] = boundary.outcome_scores(drawn, outcome)
            findings.append(_outcome_finding(week, policy, guard, float(scores[0, number])))
        elif guard.name in week.counts:
            finding, columns[number] = counted(week, policy, guard)
            findings.append(finding)
        else:
            findings.append(Finding(guard.name, 0.0, 0, 0, 0.0, lacks="nothing counted yet"))
    if columns:
        at = sorted(columns)
        residuals = np.stack([columns[number] for number in at], axis=1)
        scores[:, at] = boundary.scores(drawn, residuals)
    told = [
        msgspec.structs.replace(
            finding,
            score=round(float(score), 6),
            lacks=widening.lacks_scored(guard, float(score), finding.lacks),
        )
        for guard, finding, score in zip(policy.guards, findings, scores[0], strict=True)
    ]
    return told, scores - allowances


def counted(week: Week, policy: Policy, guard: Guard) -> tuple[Finding, Numbers]:
    """The finding of a guard that is counted, its score left open, and each terminal's residual."""
    counts = week.counts[guard.name]
    own = expectation.own_level(counts.pre_attempts, counts.pre_failures, week.region)
    hourly = expectation.expected_events(counts.attempts, counts.failures, week.region, own)
    capped, due = expectation.totals(counts.failures, hourly)
    bounded = expectation.residual(capped, due, own.variance)
    failures = counts.failures.sum(axis=0)
    above, doubling = expectation.excess(failures.astype(np.float64), due, own.variance)
    attempts = int(counts.attempts.sum(axis=0)[week.beta].sum())
    expected = float(np.add.accumulate(due[week.beta])[-1])
    expected *= float(failures.sum()) / max(float(np.add.accumulate(due)[-1]), 1e-9)
    found = interval.ratio(above, doubling, week.beta, policy.interval_error)
    rate = expected / attempts if attempts else 0.0
    excess = widening.upper_excess(found, rate, attempts, int(failures.sum()))
    in_beta = int(failures[week.beta].sum())
    seen = widening.Seen(attempts, in_beta, expected, found, excess)
    lacks = widening.lacks_counted(guard, seen, policy)
    finding = Finding(
        guard.name,
        round(expected, 3),
        in_beta,
        int(failures[~week.beta].sum()),
        0.0,
        found.ratio if found else None,
        found.lower if found else None,
        found.upper if found else None,
        excess,
        lacks,
    )
    return finding, expectation.whole(bounded)


def _outcome_finding(week: Week, policy: Policy, guard: Guard, score: float) -> Finding:
    outcome = week.silent if guard.name == SILENT else week.not_back
    counted = np.ones(len(week.ids), bool) if guard.name == SILENT else week.restarted
    beta, control = int((counted & week.beta).sum()), int((counted & ~week.beta).sum())
    in_beta, in_control = int(outcome[week.beta].sum()), int(outcome[~week.beta].sum())
    expected = round((in_beta + in_control) * beta / max(1, beta + control), 3)
    if not beta or not control:
        lacks = f"{guard.name}: nobody has restarted in an arm"
        return Finding(guard.name, expected, in_beta, in_control, score, lacks=lacks)
    excess = interval.outcome_excess(in_beta, beta, in_control, control)
    lacks = widening.lacks_outcome(guard, excess, int(week.beta.sum()), policy)
    return Finding(
        guard.name, expected, in_beta, in_control, score, upper_excess=excess, lacks=lacks
    )


def _rule(
    week: Week, policy: Policy, findings: list[Finding], lowered: Numbers, is_in: bool
) -> tuple[Ruling, list[str]]:
    if not is_in:
        worst = findings[int(np.argmax(lowered))]
        why = (
            f"{worst.guard}: {worst.in_beta} in beta where {worst.expected:.1f} were to be expected"
        )
        if worst.ratio is not None:
            why += f", {worst.ratio:.2f} times as often as in control"
        return "halt", [why]
    back = int((week.restarted & week.beta & ~week.not_back).sum())
    missing = widening.lacks_back(back, int(week.beta.sum()), policy)
    lacking = [lacks for lacks in (missing, *(finding.lacks for finding in findings)) if lacks]
    return ("hold", lacking) if lacking else ("pass", [])
