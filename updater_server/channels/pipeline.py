"""The pipeline: one passage for each release, from its build over `ci`, `alpha` and `beta` to
`stable`, or to where it was stopped, and why; and what can be counted of all of them. Pure, from a
`History`: there is no second account of what was released.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from statistics import median

from updater_server.channels import history
from updater_server.channels.entry import ReleaseEntry
from updater_server.channels.history import History, Step
from updater_server.channels.policy import CHANNELS
from updater_server.channels.rollout import EVERYBODY

_DAY_S = 86400
WINDOW_DAYS = 30
"""What is counted, is counted over so many days."""


@dataclass
class Stage:
    """A release on one channel. Times are Unix s, None where it did not come to that."""

    channel: str
    listed_at: int
    listed_by: str
    out_at: int | None = None
    """The first terminal might have it."""
    everybody_at: int | None = None
    halted_at: int | None = None
    halted_by: str = ""
    resumed_at: int | None = None
    unlisted_at: int | None = None
    threshold: int = 0
    within: int = 0
    let_out_by: str = ""

    @property
    def is_halted(self) -> bool:
        """Whether it is halted now."""
        return self.halted_at is not None and self.resumed_at is None


@dataclass
class Passage:
    """One release of one hardware class on its way."""

    entry: ReleaseEntry
    stages: dict[str, Stage] = field(default_factory=dict)
    """By channel, in the order in which it came to them."""
    asks: str = ""
    """The channel to which its commit asks to go."""

    @property
    def release(self) -> int:
        """Its number."""
        return self.entry.release

    @property
    def furthest(self) -> Stage:
        """The stage that is nearest to `stable`."""
        return max(self.stages.values(), key=lambda stage: CHANNELS.index(stage.channel))

    @property
    def stopped(self) -> Stage | None:
        """Where it is halted; None while it is not."""
        return next((stage for stage in self.stages.values() if stage.is_halted), None)

    @property
    def goes_to(self) -> str:
        """The next channel that it asks for; "" if it came as far as it asks, or is listed no more
        where it came to.
        """
        stage = self.furthest
        at = CHANNELS.index(stage.channel)
        if not self.asks or at >= CHANNELS.index(self.asks) or stage.unlisted_at is not None:
            return ""
        return CHANNELS[at + 1]

    def state(self, newest: int) -> str:
        """How it stands, in a few words; `newest`: the highest release of its class on the channel
        that it came to.
        """
        halted = self.stopped
        if halted is not None:
            return f"halted on {halted.channel}"
        stage = self.furthest
        if newest > self.release:
            is_last = stage.channel == CHANNELS[-1]
            word = "followed by" if is_last else "went no further, then came"
            return f"{word} {newest} on {stage.channel}"
        if stage.unlisted_at is not None:
            return f"taken off {stage.channel}"
        more = f", asks for {self.asks}" if self.goes_to else ""
        if stage.out_at is None:
            return f"for nobody yet on {stage.channel}{more}"
        if stage.everybody_at is None:
            return f"in a wave on {stage.channel}{more}"
        return "on stable" if stage.channel == CHANNELS[-1] else f"whole on {stage.channel}{more}"

    def lead_s(self) -> dict[str, int]:
        """Seconds from the build, then from stage to stage, and to everybody on `stable`."""
        found: dict[str, int] = {}
        at = self.entry.built
        for channel in CHANNELS:
            stage = self.stages.get(channel)
            if stage is None:
                continue
            found[channel] = stage.listed_at - at
            at = stage.listed_at
        last = self.stages.get(CHANNELS[-1])
        if last is not None and last.everybody_at is not None:
            found["everybody"] = last.everybody_at - self.entry.built
        return found


@dataclass(frozen=True)
class Counted:
    """What can be counted of the releases of the last `WINDOW_DAYS`; a median is None where there
    is nothing to take it of.
    """

    since: int
    releases: int
    """That came to their first channel."""
    a_day: float
    let_out: int
    halted: int
    halted_share: float | None
    time_to_halt_s: int | None
    lead_s: dict[str, int]
    """By stage, and `everybody`: from the build to everybody on stable."""


def passages(found: History) -> list[Passage]:
    """Every release, the highest number first."""
    made = {
        (of, release): Passage(entry, asks=found.asked.get(release, ""))
        for (of, release), entry in found.entries.items()
    }
    classes: dict[int, list[Passage]] = {}
    for (_, release), passage in made.items():
        classes.setdefault(release, []).append(passage)
    for step in found.steps:
        for passage in classes.get(step.release, ()):
            _take(passage, step)
    whole = [passage for passage in made.values() if passage.stages]
    return sorted(whole, key=lambda passage: (-passage.release, _class_of(passage)))


def _class_of(passage: Passage) -> str:
    return passage.entry.hardware.hardware_class


def _take(passage: Passage, step: Step) -> None:
    if step.what == history.LISTED:
        stage = passage.stages.get(step.channel)
        if stage is None:
            passage.stages[step.channel] = Stage(step.channel, step.at, step.who)
        else:
            stage.unlisted_at = None
        return
    stage = passage.stages.get(step.channel)
    if stage is None:
        return
    if step.what == history.UNLISTED:
        stage.unlisted_at = step.at
    elif step.what == history.HALTED:
        stage.halted_at, stage.halted_by, stage.resumed_at = step.at, step.who, None
    elif step.what == history.RESUMED:
        stage.resumed_at = step.at
    elif step.what == history.LET_OUT:
        stage.threshold, stage.within, stage.let_out_by = step.threshold, step.within, step.who
        if step.threshold or step.within:
            stage.out_at = step.at if stage.out_at is None else stage.out_at
        if step.threshold == EVERYBODY and stage.everybody_at is None:
            stage.everybody_at = step.at


def counted(all_passages: Iterable[Passage], now: int) -> Counted:
    """What can be counted of the `WINDOW_DAYS` before `now` (Unix s)."""
    since = now - WINDOW_DAYS * _DAY_S
    lately = [p for p in all_passages if _began(p) >= since]
    out = [p for p in lately if any(s.out_at is not None for s in p.stages.values())]
    to_halt = [
        stage.halted_at - (stage.out_at if stage.out_at is not None else stage.listed_at)
        for passage in out
        for stage in passage.stages.values()
        if stage.halted_at is not None
    ]
    halted = sum(any(s.halted_at is not None for s in p.stages.values()) for p in out)
    leads: dict[str, list[int]] = {}
    for passage in lately:
        for name, seconds in passage.lead_s().items():
            leads.setdefault(name, []).append(seconds)
    return Counted(
        since=since,
        releases=len(lately),
        a_day=len(lately) / WINDOW_DAYS,
        let_out=len(out),
        halted=halted,
        halted_share=halted / len(out) if out else None,
        time_to_halt_s=int(median(to_halt)) if to_halt else None,
        lead_s={name: int(median(several)) for name, several in leads.items()},
    )


def _began(passage: Passage) -> int:
    return min(stage.listed_at for stage in passage.stages.values())


def newest_on(found: History, channel: str, hardware_class: str) -> int:
    """The highest release that a channel lists for a class; 0 for none."""
    listed = (release for of, release in found.listed(channel) if of == hardware_class)
    return max(listed, default=0)
