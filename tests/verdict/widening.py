"""What a verdict promises of guards that hardly ever count anything, as questions like those in
`properties`.
"""

from __future__ import annotations

import random

import msgspec

from tests.verdict.making import NEW, Wave, trial, wave
from tests.verdict.properties import Findings, last
from updater_server.verdict.policy import usual
from updater_server.verdict.records import Window
from updater_server.verdict.week import DAY_S

_RARE = 0.003


def watched_guards_hold_where_they_look_worse() -> Findings:
    """A guard that is only watched keeps nobody waiting for events that do not come, and holds
    where beta fails more often; one that is to be proven waits.
    """
    found = []
    for beta, is_watched, ruling_due in (
        (0.0, True, "pass"),  # nobody tried it at all
        (_RARE, True, "pass"),
        (5 * _RARE, True, "hold"),
        (0.0, False, "hold"),
    ):
        made = wave(3, 24)
        chance = random.Random(8)
        arm = set(made.arm("beta"))
        made.windows = [
            one._replace(counts={**one.counts, "attach_failed": _of(chance, one, beta, arm)})
            if beta
            else one
            for one in made.windows
        ]
        guards = [{"name": name, "share": 0.25} for name in ("sale_failed", "not_back", "silent")]
        extra = {"suspect_score": 2.0} if is_watched else {}
        guards.append({"name": "attach_failed", "share": 0.25, **extra})
        counted = ("sale_failed", "attach_failed")
        arms = trial(counted={"beta": counted, "control": counted})
        told = last(Wave(arms, made.windows, made.restarts), 24, guards=guards, error=0.001)
        about = f"beta {beta}, {'watched' if is_watched else 'to be proven'}"
        if told.ruling != ruling_due:
            found.append(f"{about}: {told.ruling}, {told.reasons}")
        if told.ruling == "hold" and is_watched and "looks worse" not in told.reasons[0]:
            found.append(f"{about}: {told.reasons}")
    return found


def _of(chance: random.Random, one: Window, rate: float, beta: set[bytes]) -> tuple[int, int]:
    """Control fails as all do before the wave."""
    here = rate if one.terminal in beta and one.release == NEW else _RARE
    return 3, sum(chance.random() < here for _ in range(3))


def restarts_are_told_by_their_rate() -> Findings:
    """A terminal that restarts by itself: what hardly ever happens is shown to be rare; one more a
    terminal-day is not, and does not pass for it.
    """
    found = []
    for a_day, passes in ((0.0, True), (0.01, True), (1.0, False)):
        made = wave(3, 24)
        chance = random.Random(9)
        arm = set(made.arm("beta"))
        made.windows = [
            one._replace(
                counts={
                    **one.counts,
                    "crash": (
                        one.length_s // 60,
                        int(one.terminal in arm and chance.random() * DAY_S < a_day * one.length_s),
                    ),
                }
            )
            for one in made.windows
        ]
        names = ("sale_failed", "crash")
        crash = next(one for one in usual().guards if one.name == "crash")
        guards = [{"name": name, "share": 0.25} for name in ("sale_failed", "not_back", "silent")]
        guards.append({**msgspec.to_builtins(crash), "share": 0.25})
        arms = trial(counted={"beta": names, "control": names})
        told = last(Wave(arms, made.windows, made.restarts), 24, guards=guards, error=0.001)
        if (told.ruling == "pass") != passes or (not passes and "crash" not in told.reasons[0]):
            found.append(f"{a_day} a day: {told.ruling}, {told.reasons}")
    return found


ALL = (watched_guards_hold_where_they_look_worse, restarts_are_told_by_their_rate)
