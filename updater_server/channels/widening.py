"""A release goes further without a person: by one step, inside the pace that its channel's people
signed, and only where they signed that it may (`widens`). For `channels`; the worker calls it when
a verdict passes.

The step is worked out, signed and put into force under one lock, from what is in force and nothing
that waits: who is killed has widened it or has not, and of two at once the second finds it done.
Source: docs/formats/release.md, "Pace".
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from securesystemslib.signer import Signer

from updater_server.channels.dates import time_of
from updater_server.channels.entry import ReleaseEntry
from updater_server.channels.errors import ReleaseRefused, RepositoryError
from updater_server.channels.lists import check_channel, plan_path
from updater_server.channels.policy import BRAKE_ROLES, ROLLOUT_ROLES
from updater_server.channels.published import Published
from updater_server.channels.publishing import Publishing
from updater_server.channels.rollout import EVERYBODY, Control, RolloutPlan, millionths
from updater_server.channels.rollouts import CLOCKS_APART_S, Rollouts
from updater_server.channels.waiting import Waiting
from updater_server.channels.waves import Reach, reach
from updater_server.wire import limits

MILLION = limits.PACE_MILLIONTHS[1]
HALF = MILLION // 2
"""No wave but the last goes further: the rest would be too few to compare it with."""
NOBODY = Reach(0, 0)


class Further(NamedTuple):
    """A step: how far the release goes then, and its control arm; None where all may have it."""

    reach: Reach
    control: Control | None


def step(entries: Collection[ReleaseEntry], held: Reach, at_s: int) -> Further | None:
    """The next step of a release that is let out as far as `held`, at `at_s` (Unix s): its first
    wave, or as many times as far as its pace says, up to half and then all; never a part of that.
    None: its people did not sign that it widens, its pace has not come so far, or it is as far as
    it may go. `entries`: one for each hardware class; all of them must agree.
    """
    have = millionths(*held)
    wanted, arm = MILLION, 0
    for entry in entries:
        pace = entry.pace
        if not entry.widens or pace is None:
            return None
        further = min(have * pace.factor if have else pace.first, pace.most)
        if have < HALF < further < pace.most:
            further = HALF
        if pace.reach(entry.built, at_s - CLOCKS_APART_S) < further:
            return None
        wanted, arm = min(wanted, further), max(arm, entry.widens)
    if not entries or wanted <= have:
        return None
    found = reach(wanted, MILLION)
    if found.threshold >= EVERYBODY:
        return Further(found, None)
    control = Control(*reach(min(wanted * arm, MILLION), MILLION))
    return Further(found, control)


def every_s(entries: Collection[ReleaseEntry]) -> int:
    """How long a wave stands at least before the next."""
    return max((entry.pace.every_h * 3600 for entry in entries if entry.pace), default=0)


class Widening:
    """Lets releases out by a step."""

    def __init__(
        self, published: Published, waiting: Waiting, rollouts: Rollouts, publishing: Publishing
    ) -> None:
        self._published = published
        self._waiting = waiting
        self._rollouts = rollouts
        self._publishing = publishing

    def widen(
        self,
        channel: str,
        release: int,
        held: Reach,
        because: Mapping[str, Any],
        signers: Sequence[Signer],
        now: datetime | None = None,
    ) -> RolloutPlan:
        """Put the next step of `release` into force, which is let out as far as `held`; `because`
        goes into the log.

        Raises:
            ReleaseRefused: it is halted, on the channel or before it, or a halt of it waits;
                another plan waits, which people staged; it is not as far as `held` any more; its
                people signed no step for now; or the channel's list has run out.
            MissingSignatures: `signers` lack a key of the plans, of snapshot or timestamp.
            RepositoryError: `now` can hardly be the time.
        """
        check_channel(channel, ReleaseRefused)
        at = time_of(now)
        role, what = ROLLOUT_ROLES[channel], f"widen on {channel}"
        with self._publishing.at_once(role, what, signers, at) as edit:
            further = self._next(channel, release, held, at)
            plan = self._published.plan(channel)
            listed = {entry.release for entry in self._published.releases(channel)}
            plan = plan.only(listed).with_threshold(
                release, further.reach.threshold, further.reach.within, further.control
            )
            plan.check()
            edit.details = {"release": release, "threshold": further.reach.threshold, **because}
            if further.reach.within:
                edit.details["within"] = further.reach.within
            if further.control:
                edit.details["control"] = list(further.control)
            edit.targets.clear()
            edit.add_target(plan_path(channel), plan.encode(), plan.custom())
        return plan

    def _next(self, channel: str, release: int, held: Reach, at: datetime) -> Further:
        """The step, if nothing stands against it."""
        published = self._published
        doubt = published.doubt_of_clock(at)
        if doubt:
            raise RepositoryError(doubt)
        halted = self._rollouts.halted_before(channel, release)
        if halted:
            raise ReleaseRefused(f"release {release} is halted on {halted}")
        for role in (ROLLOUT_ROLES[channel], BRAKE_ROLES[channel]):
            if self._waiting.is_anything(role):
                raise ReleaseRefused(
                    f"something that people staged waits for {role}: `release publish` or `release "
                    f"withdraw {role}`"
                )
        if published.list_of(channel).signed.is_expired(at):
            raise ReleaseRefused(
                f"what {channel} lists has run out: `release sign {channel} --anew`, and publish"
            )
        if reached(published.plan(channel), release) != held:
            raise ReleaseRefused(f"somebody else let release {release} out on {channel} meanwhile")
        entries = [entry for entry in published.releases(channel) if entry.release == release]
        further = step(entries, held, int(at.timestamp()))
        if further is None:
            raise ReleaseRefused(f"{channel} signed no further step of release {release} for now")
        return further


def reached(plan: RolloutPlan, release: int) -> Reach:
    """How far a plan lets a release out, were it not halted."""
    wave = plan.releases.get(str(release))
    if wave is None:
        return NOBODY
    return Reach(wave.threshold, plan.within.get(str(release), 0))
