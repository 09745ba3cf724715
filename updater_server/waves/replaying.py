"""All verdicts of a trial made again, each from what was known at its hour, and compared byte by
byte with those that were kept.
"""

from __future__ import annotations

import msgspec
from sqlalchemy import Engine

from updater_server.store.engine import reading
from updater_server.telemetry.store import Told
from updater_server.verdict.ruling import Verdict, draw, judge
from updater_server.verdict.week import tidy
from updater_server.waves import book
from updater_server.waves.evidence import Evidence


def replay(engine: Engine, told: Told, trial_id: int) -> tuple[int, list[tuple[int, str]]]:
    """How many verdicts of a trial come to the same bytes, and of each other one what differs. Each
    is made from the kept one before it, so that one that differs spoils none after it.
    """
    with reading(engine) as connection:
        trial, policy = book.thaw(connection, trial_id)
        kept = book.verdicts(connection, trial_id)
        arms = {trial.arm(one.id) for one in trial.population}
        drawn = draw(trial, policy) if arms >= {"beta", "control"} else None
        evidence = Evidence(told, trial)
        same, different, before = 0, [], None
        for ruled in kept:
            week = tidy(trial, evidence.at(connection, ruled.at_s), policy, ruled.at_s)
            found = judge(trial, week, policy, before, drawn)
            if found.encode() == ruled.content:
                same += 1
            else:
                different.append((ruled.number, _difference(ruled.content, found)))
            before = Verdict.decode(ruled.content)
    return same, different


def _difference(content: bytes, found: Verdict) -> str:
    then, now = msgspec.json.decode(content), msgspec.json.decode(found.encode())
    if then.get("inputs") != now["inputs"]:
        return "its records are not what they were (were days of telemetry dropped?)"
    return ", ".join(sorted(name for name in now if then.get(name) != now[name])) or "its bytes"
