"""What a verdict is made from: records of one wave, as they came in and with when they were known.

Times are Unix seconds. `known_s` is the server's own clock; `start_s` and `at_s` of a window and a
restart are what the terminal said.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import msgspec

from updater_server.channels.rollout import drawn
from updater_server.verdict.redraw import arm_of
from updater_server.wire.limits import WITHIN

Arm = Literal["beta", "control", "none"]
IncidentKind = Literal["corrupt_journal", "money_broken", "rollback"]


class Terminal(NamedTuple):
    """One of the frozen population: `habit_s` is the longest that it used to be silent (its 99th
    per cent gap before the wave).
    """

    id: bytes
    region: int
    habit_s: int


class Window(NamedTuple):
    """Counters of a terminal as differences: per guard, attempts and failures in `length_s`
    seconds.
    """

    terminal: bytes
    start_s: int
    length_s: int
    release: int
    known_s: int
    counts: Mapping[str, tuple[int, int]]


class Restart(NamedTuple):
    """ "I restart now": before the switch (beta) or the sham (control)."""

    terminal: bytes
    known_s: int


class Contact(NamedTuple):
    """Any message of a terminal; one an hour is enough."""

    terminal: bytes
    known_s: int


class Incident(NamedTuple):
    """Something that no statistics are asked about."""

    terminal: bytes
    kind: IncidentKind
    reason: str
    known_s: int


class Trial(msgspec.Struct, frozen=True):
    """One wave as it began: who counts, under which salt, from when.

    Of `population`, those placed under `beta_below` install; those from there to `control_below`
    restart; `beta_within` and `control_within` are the steps within the place at the end of each.
    `counted` says for each arm which guards its release counts at all. The population may be those
    of the arms alone: nobody else is looked at. `after`: where the wave before ended; who is placed
    before that had the release then, and is of neither arm now.
    """

    wave: int
    release: int
    salt: str
    beta_below: int
    control_below: int
    began_s: int
    population: tuple[Terminal, ...]
    counted: dict[str, tuple[str, ...]]
    beta_within: int = 0
    control_within: int = 0
    after: tuple[int, int] | msgspec.UnsetType = msgspec.UNSET

    @property
    def share(self) -> float:
        """Beta's part of the two arms, as the salt draws it."""
        steps = WITHIN[1] + 1
        before, more = (0, 0) if self.after is msgspec.UNSET else self.after
        from_step = before * steps + more
        beta = self.beta_below * steps + self.beta_within - from_step
        return beta / (self.control_below * steps + self.control_within - from_step)

    def arm(self, terminal_id: bytes) -> str:
        """Where the salt puts a terminal: "beta", "control" or "none"."""
        beta = self.beta_below, self.beta_within
        if self.after is not msgspec.UNSET and drawn(self.salt, terminal_id) < self.after:
            return "none"
        return arm_of(self.salt, terminal_id, beta, (self.control_below, self.control_within))


@dataclass(frozen=True)
class Records:
    """All that is known of a wave, in any order, doubled, late or wrong as it came."""

    windows: Sequence[Window] = ()
    restarts: Sequence[Restart] = ()
    contacts: Sequence[Contact] = ()
    incidents: Sequence[Incident] = field(default=())


def digest(content: object) -> str:
    """SHA-256 of a struct's canonical JSON, in hex."""
    return hashlib.sha256(msgspec.json.encode(content, order="sorted")).hexdigest()
