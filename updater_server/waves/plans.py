"""What is on trial by the plans in force."""

from __future__ import annotations

from typing import NamedTuple

from updater_server.channels import (
    CHANNELS,
    EVERYBODY,
    EntryError,
    Published,
    RepositoryError,
    RolloutError,
)
from updater_server.channels.audit import AuditDamaged, AuditLog
from updater_server.channels.rollout import Control


class OnTrial(NamedTuple):
    """A release that a channel's plan lets some terminals take, but not all. `control` is where the
    control arm ends; None: the plan names none.
    """

    channel: str
    release: int
    classes: tuple[str, ...]
    salt: str
    threshold: int
    within: int
    control: Control | None
    is_halted: bool

    @property
    def reach(self) -> tuple[int, int]:
        """How far it is let out."""
        return self.threshold, self.within


def on_trial(published: Published) -> tuple[list[OnTrial], set[str]]:
    """Every release that is let out in part, halted or not, by channel and number; and the channels
    whose plan or list nobody can read, of which nothing is known.
    """
    found: list[OnTrial] = []
    unreadable: set[str] = set()
    for channel in CHANNELS:
        try:
            plan = published.rollout(channel)
            entries = published.releases(channel)
        except (RepositoryError, RolloutError, EntryError):
            unreadable.add(channel)
            continue
        for name, wave in sorted(plan.releases.items()):
            release = int(name)
            classes = {e.hardware.hardware_class for e in entries if e.release == release}
            if not classes or plan.is_for_nobody(release) or wave.threshold == EVERYBODY:
                continue
            found.append(
                OnTrial(
                    channel,
                    release,
                    tuple(sorted(classes)),
                    wave.salt,
                    wave.threshold,
                    plan.within.get(name, 0),
                    plan.control.get(name),
                    release in plan.halted,
                )
            )
    return found, unreadable


def ever_listed(published: Published) -> set[int]:
    """Every release that some channel lists, or that the folder's log tells of."""
    found: set[int] = set()
    for channel in CHANNELS:
        try:
            found |= {entry.release for entry in published.releases(channel)}
        except (RepositoryError, EntryError):
            continue
    try:
        for line in AuditLog(published.folder.log).read():
            release = line.details.get("release")
            if isinstance(release, int):
                found.add(release)
    except AuditDamaged:  # others are told of that
        pass
    return found
