"""The rollout plan of a channel: how far each release has been let out, and what is halted. For
`channels`.

It is signed by an online key, so it can hold back or let go what the channel's own keys signed, and
nothing else. Source: docs/formats/release.md, "Rollout".
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection
from typing import Annotated, Any, NamedTuple

import msgspec
from msgspec.structs import replace

from updater_server.wire import limits

EVERYBODY = limits.THRESHOLD[1]
"""The threshold at which every terminal may take a release."""
SALT_BYTES = 8

ReleaseName = Annotated[str, msgspec.Meta(pattern=r"^[1-9][0-9]{0,9}\Z")]
Salt = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{16}\Z")]
Within = Annotated[int, msgspec.Meta(ge=0, le=limits.WITHIN[1])]
FlagName = Annotated[
    str, msgspec.Meta(max_length=limits.FLAG_NAME[1], pattern=r"^[a-z][a-z0-9_]*\Z")
]
TerminalName = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{16}\Z")]
Threshold = Annotated[int, msgspec.Meta(ge=0, le=EVERYBODY)]


class RolloutError(Exception):
    """A rollout plan breaks its format; the text names the field."""


class Wave(NamedTuple):
    """Terminals whose place under `salt` is below `threshold` may take the release."""

    salt: Salt
    threshold: Threshold


class Control(NamedTuple):
    """From where a wave ends to `threshold` of 10,000 places, and `within` steps of the next."""

    threshold: Threshold
    within: Within


class Flag(NamedTuple):
    """On for terminals whose place under `salt` is below `threshold`, and for `terminals`."""

    salt: Salt
    threshold: Threshold
    terminals: Annotated[list[TerminalName], msgspec.Meta(max_length=limits.FLAG_TERMINALS[1])]

    def in_words(self) -> str:
        """Where it is on."""
        count = len(self.terminals)
        named = f" and {count} by name" if count else ""
        return f"on for {self.threshold / 100:g} % of terminals{named}"


class RolloutPlan(msgspec.Struct, frozen=True, omit_defaults=True):
    """`custom` of a channel's `rollout/<channel>/plan.json`. A release that it does not name is for
    nobody. `within` says how far a release goes into the ten-thousandth at its threshold; `control`
    how far those reach who restart into what they run, to be compared with; `flags` where a feature
    is on that ships off.
    """

    releases: Annotated[
        dict[ReleaseName, Wave], msgspec.Meta(max_length=limits.ROLLOUT_RELEASES[1])
    ] = {}
    halted: Annotated[
        list[Annotated[int, msgspec.Meta(ge=1, le=limits.RELEASE[1])]],
        msgspec.Meta(max_length=limits.HALTED[1]),
    ] = []
    within: Annotated[
        dict[ReleaseName, Within], msgspec.Meta(max_length=limits.ROLLOUT_RELEASES[1])
    ] = {}
    control: Annotated[
        dict[ReleaseName, Control], msgspec.Meta(max_length=limits.ROLLOUT_RELEASES[1])
    ] = {}
    flags: Annotated[dict[FlagName, Flag], msgspec.Meta(max_length=limits.FLAGS[1])] = {}

    def custom(self) -> dict[str, Any]:
        """As JSON-like builtins, for TUF's `custom`."""
        built: dict[str, Any] = msgspec.to_builtins(self)
        return {"releases": {}, "halted": [], **built}

    def encode(self) -> bytes:
        """The target's own bytes: the same plan as JSON."""
        return msgspec.json.encode(self.custom())

    def check(self) -> None:
        """Raises RolloutError if a field breaks its limits (constructors of msgspec do not
        look).
        """
        RolloutPlan.parse(msgspec.json.decode(self.encode()))

    @staticmethod
    def parse(custom: object) -> RolloutPlan:
        """From TUF's `custom`.

        Raises:
            RolloutError: a field is missing, mistyped or out of its limits.
        """
        try:
            return msgspec.convert(custom, RolloutPlan)
        except msgspec.ValidationError as error:
            raise RolloutError(f"rollout plan: {error}") from error

    def with_threshold(
        self, release: int, threshold: int, within: int = 0, control: Control | None = None
    ) -> RolloutPlan:
        """The plan with `release` let out to `threshold` of 10,000 terminals, and to `within` of
        the 429,496 steps of the next one; from there to `control` terminals only restart.

        A release keeps its salt, so that a wider wave holds the narrower one; another release draws
        its own, so that it is not always the same merchants who go first.
        """
        if not 0 <= threshold <= EVERYBODY:
            raise RolloutError(f"a threshold is 0 to {EVERYBODY}, not {threshold}")
        known = self.releases.get(str(release))
        salt = known.salt if known else secrets.token_hex(SALT_BYTES)
        name = str(release)
        finer = {other: steps for other, steps in self.within.items() if other != name}
        if within and threshold < EVERYBODY:
            finer[name] = within
        if control is not None and control <= (threshold, within):
            raise RolloutError("a control arm reaches further than its wave")
        arms = {other: reach for other, reach in self.control.items() if other != name}
        if control is not None:
            arms[name] = control
        wave = Wave(salt, threshold)
        releases = {**self.releases, name: wave}
        return replace(self, releases=releases, within=finer, control=arms)

    def with_halted(self, release: int, halted: bool) -> RolloutPlan:
        """The plan with `release` stopped, or let go again."""
        others = {number for number in self.halted if number != release}
        now = sorted(others | ({release} if halted else set()))
        return replace(self, halted=now)

    def with_flag(self, name: str, threshold: int, terminals: Collection[str]) -> RolloutPlan:
        """The plan with a flag on for so many of 10,000 terminals and for those named; for nobody
        it is not in the plan. While it is on it keeps its salt, as a release does.
        """
        flags = {other: flag for other, flag in self.flags.items() if other != name}
        if threshold or terminals:
            known = self.flags.get(name)
            salt = known.salt if known else secrets.token_hex(SALT_BYTES)
            flags[name] = Flag(salt, threshold, sorted(set(terminals)))
        return replace(self, flags=flags)

    def only(self, listed: Collection[int]) -> RolloutPlan:
        """The plan without releases that the channel no longer lists."""
        return RolloutPlan(
            {name: wave for name, wave in self.releases.items() if int(name) in listed},
            [number for number in self.halted if number in listed],
            {name: steps for name, steps in self.within.items() if int(name) in listed},
            {name: reach for name, reach in self.control.items() if int(name) in listed},
            self.flags,
        )

    def allows(self, release: int, terminal_id: bytes) -> bool:
        """Whether that terminal may take `release` by this plan."""
        if release in self.halted:
            return False
        wave = self.releases.get(str(release))
        if wave is None:
            return False
        return drawn(wave.salt, terminal_id) < (wave.threshold, self.within.get(str(release), 0))

    def is_control(self, release: int, terminal_id: bytes) -> bool:
        """Whether that terminal is to restart into what it runs, while others take `release`."""
        wave, reach = self.releases.get(str(release)), self.control.get(str(release))
        if release in self.halted or wave is None or reach is None:
            return False
        return not self.allows(release, terminal_id) and drawn(wave.salt, terminal_id) < reach

    def is_for_nobody(self, release: int) -> bool:
        """Whether no terminal may take `release`, if it were not halted."""
        wave = self.releases.get(str(release))
        return wave is None or not (wave.threshold or self.within.get(str(release)))

    def in_words(self, release: int) -> str:
        """How far `release` is let out."""
        if release in self.halted:
            return "HALTED"
        wave = self.releases.get(str(release))
        if wave is None or self.is_for_nobody(release):
            return "for nobody"
        if wave.threshold == EVERYBODY:
            return "for everybody"
        share = wave.threshold + self.within.get(str(release), 0) / (limits.WITHIN[1] + 1)
        return f"for {share / 100:.4g} % of terminals"


def millionths(threshold: int, within: int = 0) -> int:
    """How many millionths of the terminals a wave reaches at most."""
    return threshold * 100 + -(-within * 100 // (limits.WITHIN[1] + 1))


def place(salt: str, terminal_id: bytes) -> int:
    """A terminal's place among 10,000, as the terminal computes it itself."""
    return drawn(salt, terminal_id)[0]


def drawn(salt: str, terminal_id: bytes) -> tuple[int, int]:
    """A terminal's place, and its step within it (of 429,496)."""
    digest = hashlib.sha256(bytes.fromhex(salt) + terminal_id).digest()
    step, at = divmod(int.from_bytes(digest[:4], "big"), EVERYBODY)
    return at, step
