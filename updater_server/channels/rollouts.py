"""Staging how far releases are let out, and halts. A halt must go out whatever else is wrong: it
does not wait for a list that nobody can read, nor for what somebody staged.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from securesystemslib.signer import Signer
from tuf.api.metadata import Metadata

from updater_server.channels.dates import time_of
from updater_server.channels.entry import EntryError, ReleaseEntry
from updater_server.channels.errors import ReleaseRefused, RepositoryDamaged
from updater_server.channels.lists import check_channel, entries_in, plan_in, plan_path
from updater_server.channels.policy import CHANNELS, ROLLOUT_ROLES, channel_of
from updater_server.channels.published import Published
from updater_server.channels.rollout import Control, RolloutError, RolloutPlan, millionths
from updater_server.channels.staging import Staging
from updater_server.channels.versions import Versions
from updater_server.channels.waiting import Waiting

CLOCKS_APART_S = 900
"""A plan counts so much less time than has passed: a terminal's clock may be behind, and would look
again only after a day."""
_Replan = Callable[[RolloutPlan], RolloutPlan]


class Rollouts:
    """Changes the rollout plans of the channels."""

    def __init__(
        self, published: Published, waiting: Waiting, versions: Versions, staging: Staging
    ) -> None:
        self._published = published
        self._waiting = waiting
        self._versions = versions
        self._staging = staging

    def coming(self, channel: str) -> RolloutPlan:
        """The plan that waits, or else the one in force."""
        waiting = self._waiting.read_all().get(ROLLOUT_ROLES[channel])
        return plan_in(channel, waiting.signed) if waiting else self._published.plan(channel)

    def is_let_out(self, channel: str, release: int) -> bool:
        """Whether the plan in force or waiting lets anybody have `release`, or halts it."""
        role = ROLLOUT_ROLES[channel]
        if role in self._published.damaged:
            return True
        waiting = self._waiting.read_all().get(role)
        plan = plan_in(channel, waiting.signed) if waiting else self._published.rollout(channel)
        return release in plan.halted or not plan.is_for_nobody(release)

    def lists(self, channel: str, release: int) -> bool:
        """Whether the channel lists `release`, or will; not if nobody can tell."""
        return release in (self._listed(channel) or ())

    def halted_before(self, channel: str, release: int) -> str:
        """The first channel, up to `channel` in the order of promotion, on which a plan, in force
        or waiting, halts `release`; "" if none does.
        """
        waiting, in_force = self._waiting.read_all(), self._published.metadata
        for name in CHANNELS[: CHANNELS.index(channel) + 1]:
            role = ROLLOUT_ROLES[name]
            for metadata in (in_force.get(role), waiting.get(role)):
                if metadata is not None and release in plan_in(name, metadata.signed).halted:
                    return name
            if role in in_force and release in self._published.rollout(name).halted:
                return name
        return ""

    def set_rollout(
        self,
        channel: str,
        release: int,
        threshold: int,
        signers: Sequence[Signer] = (),
        now: datetime | None = None,
        within: int = 0,
        control: Control | None = None,
    ) -> RolloutPlan:
        """Stage: `threshold` of 10,000 terminals may take `release`, and `within` steps of the next
        ten-thousandth (`waves.reach`); those from there to `control` restart only. Publish
        afterwards.

        Raises:
            ReleaseRefused: the channel lists no such release (one that its plan still names may
                be taken back, with 0), or the threshold is out of bounds.
        """

        def replan(plan: RolloutPlan) -> RolloutPlan:
            return plan.with_threshold(release, threshold, within, control)

        details: dict[str, Any] = {"release": release, "threshold": threshold}
        if within:
            details["within"] = within
        if control:
            details["control"] = list(control)
        return self._replan(channel, f"roll out on {channel}", details, replan, signers, now)

    def halt(
        self,
        channel: str,
        release: int,
        signers: Sequence[Signer] = (),
        now: datetime | None = None,
        by: str = "",
    ) -> RolloutPlan:
        """Stage: nobody switches to `release` any more, not even who has it already. Publish
        afterwards. `by`: the person who decided it, for the log, where the account that runs this
        is not theirs.

        Raises:
            ReleaseRefused: the channel lists no such release.
        """

        def replan(plan: RolloutPlan) -> RolloutPlan:
            return plan.with_halted(release, True)

        details: dict[str, Any] = {"release": release, "halted": True}
        if by:
            details["by"] = by
        return self._replan(channel, f"halt on {channel}", details, replan, signers, now)

    def resume(
        self,
        channel: str,
        release: int,
        signers: Sequence[Signer] = (),
        now: datetime | None = None,
    ) -> RolloutPlan:
        """Stage: `release` is let go on again, as far as its threshold says. Publish afterwards.

        Raises:
            ReleaseRefused: it is not halted.
        """

        def replan(plan: RolloutPlan) -> RolloutPlan:
            if release not in plan.halted:
                raise ReleaseRefused(f"release {release} is not halted on {channel}")
            return plan.with_halted(release, False)

        details = {"release": release, "halted": False}
        return self._replan(channel, f"resume on {channel}", details, replan, signers, now)

    def _replan(
        self,
        channel: str,
        what: str,
        details: dict[str, Any],
        replan: _Replan,
        signers: Sequence[Signer],
        now: datetime | None,
    ) -> RolloutPlan:
        check_channel(channel, ReleaseRefused)
        role = ROLLOUT_ROLES[channel]
        with self._staging.editing(role, what, signers, now, self.next_plan) as edit:
            plan = plan_in(channel, edit.metadata.signed)
            listed = self._listed(channel)
            if listed is not None:
                release = details["release"]
                is_taken_back = details.get("threshold") == 0 and str(release) in plan.releases
                if release not in listed and not is_taken_back:
                    raise ReleaseRefused(f"{channel} lists no release {release}")
                plan = plan.only(listed)
                if is_taken_back and release not in listed:
                    replan = _nothing_more
                elif details.get("threshold"):
                    self._check_pace(channel, details, now)
            elif not details.get("halted"):
                raise RepositoryDamaged(f"nobody can tell what {channel} lists")
            try:
                plan = replan(plan)
                plan.check()
            except RolloutError as error:
                raise ReleaseRefused(str(error)) from error
            edit.targets.clear()
            edit.add_target(plan_path(channel), plan.encode(), plan.custom())
            edit.details = details
        return plan

    def _check_pace(self, channel: str, details: dict[str, Any], now: datetime | None) -> None:
        """Raises ReleaseRefused if the release would go further than the pace that the channel's
        people signed into it: no terminal that knows of paces would take it.
        """
        release, at = details["release"], int(time_of(now).timestamp())
        asked = millionths(details["threshold"], details.get("within", 0))
        for entry in self._entries(channel):
            if entry.release != release or entry.pace is None:
                continue
            allowed = entry.pace.reach(entry.built, at - CLOCKS_APART_S)
            if asked > allowed:
                raise ReleaseRefused(
                    f"release {release} may go to {allowed / 10_000:g} % of terminals now, by the "
                    f"pace that {channel} signed: {asked / 10_000:g} % is further. Wait, or sign "
                    f"another release for more"
                )

    def _entries(self, channel: str) -> list[ReleaseEntry]:
        """What the channel lists in force and, where that can be read, what waits."""
        found: list[ReleaseEntry] = []
        waiting = self._waiting.read_all()
        for metadata in (waiting.get(channel), self._published.metadata.get(channel)):
            try:
                found += entries_in(metadata.signed) if metadata is not None else []
            except EntryError:
                continue
        return found

    def _listed(self, channel: str) -> set[int] | None:
        """The releases that a channel lists or will; None if nobody can tell. What waits
        there may be anything; it does not stand in the way of a halt.
        """
        listed: set[int] | None = None
        in_force, waiting = self._published.metadata, self._waiting.read_all()
        for metadata in (in_force.get(channel), waiting.get(channel)):
            try:
                if metadata is not None:
                    found = {entry.release for entry in entries_in(metadata.signed)}
                    listed = found | (listed or set())
            except EntryError:
                continue
        return listed

    def next_plan(self, role: str, now: datetime) -> Metadata[Any]:
        """The next version of a rollout role; from what is in force if nobody could read what
        waits.
        """
        waiting = self._waiting.read_all().get(role)
        try:
            if waiting is not None:
                plan_in(channel_of(role), waiting.signed)
                return self._versions.next(role, now)
        except RolloutError:
            pass
        return self._versions.after_in_force(role, now)


def _nothing_more(plan: RolloutPlan) -> RolloutPlan:
    """The plan as it is: what is not listed is named no more."""
    return plan
