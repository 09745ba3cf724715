"""A small wave's records, made from a seed: what terminals would have told, hour by hour."""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass, field

from updater_server.verdict.policy import OUTCOMES, Guard, Policy
from updater_server.verdict.records import (
    Contact,
    Incident,
    Records,
    Restart,
    Terminal,
    Trial,
    Window,
)
from updater_server.verdict.week import DAY_S, HOUR_S

BEGAN_S = 1_790_000_000 // HOUR_S * HOUR_S
OLD, NEW = 6, 7
GUARDS = ("sale_failed", "print_failed")


@dataclass
class Wave:
    """A trial and the records of it, to be spoiled by a test."""

    trial: Trial
    windows: list[Window] = field(default_factory=list)
    restarts: list[Restart] = field(default_factory=list)
    contacts: list[Contact] = field(default_factory=list)
    incidents: list[Incident] = field(default_factory=list)

    @property
    def records(self) -> Records:
        """As they are now."""
        return Records(self.windows, self.restarts, self.contacts, self.incidents)

    def arm(self, name: str) -> list[bytes]:
        """The terminals of one arm."""
        return [one.id for one in self.trial.population if self.trial.arm(one.id) == name]

    def at(self, hours: float) -> int:
        """Unix seconds, so many hours after the wave began."""
        return self.trial.began_s + int(hours * HOUR_S)


def policy(**changes: object) -> Policy:
    """Two counted guards and the two outcomes."""
    guards = tuple(Guard(name, 0.25) for name in (*GUARDS, *OUTCOMES))
    return Policy.parse({"guards": [*map(_plain, guards)], "salts": 299, "error": 0.03, **changes})


def _plain(guard: Guard) -> dict[str, object]:
    return {"name": guard.name, "share": guard.share}


def trial(terminals: int = 320, beta_below: int = 2500, **changes: object) -> Trial:
    """A wave for `terminals`, of which about a quarter install and the rest restart."""
    ids = [hashlib.sha256(b"terminal %d" % number).digest()[:8] for number in range(terminals)]
    population = tuple(Terminal(one, one[0] % 3, 12 * HOUR_S) for one in ids)
    counted = {"beta": GUARDS, "control": GUARDS}
    made = {"wave": 1, "release": NEW, "salt": "a1" * 8, "beta_below": beta_below}
    made |= {"control_below": 10_000, "began_s": BEGAN_S, "population": population}
    return Trial(**{**made, "counted": counted, **changes})  # type: ignore[arg-type]


def wave(
    seed: int = 1, hours: int = 30, effect: float = 1.0, rate: float = 0.03, **changes: object
) -> Wave:
    """`hours` of a wave in which beta fails `effect` times as often as control."""
    made = Wave(trial(**changes))  # type: ignore[arg-type]
    chance = random.Random(seed)
    for one in made.trial.population:
        arm = made.trial.arm(one.id)
        if arm == "none":
            continue
        own = rate * chance.uniform(0.5, 1.5)
        for day in range(-7, 0):
            start_s = BEGAN_S + day * DAY_S
            counts = {name: _draw(chance, 24, own) for name in GUARDS}
            made.windows.append(Window(one.id, start_s, DAY_S, OLD, start_s + DAY_S + 60, counts))
        after = 1 + chance.randrange(3)
        made.restarts.append(Restart(one.id, made.at(after) - 600))
        here = own * (effect if arm == "beta" else 1.0)
        for hour in range(after, hours):
            start_s = made.at(hour)
            counts = {"sale_failed": _draw(chance, 3, here), "print_failed": _draw(chance, 3, own)}
            release = NEW if arm == "beta" else OLD
            made.windows.append(Window(one.id, start_s, HOUR_S, release, start_s + HOUR_S, counts))
    return made


def _draw(chance: random.Random, attempts: int, rate: float) -> tuple[int, int]:
    return attempts, sum(chance.random() < rate for _ in range(attempts))
