"""Flags: what ships off in a release is turned on, and off again, without a release. For
`channels`, the tools and the board.

A flag is on where the rollout plan says so and the brake does not say off: turning on is letting
out, and takes the key of the plans; either key turns off. Source: docs/formats/release.md, "Flags".
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from securesystemslib.signer import Signer

from updater_server.channels.brakes import Brakes
from updater_server.channels.errors import ReleaseRefused
from updater_server.channels.halts import Halts
from updater_server.channels.history import History
from updater_server.channels.lists import (
    brakes_lacking,
    check_channel,
    halts_in,
    halts_path,
    plan_in,
    plan_path,
)
from updater_server.channels.policy import BRAKE_ROLES, CHANNELS, ROLLOUT_ROLES
from updater_server.channels.published import Published
from updater_server.channels.rollout import RolloutError, RolloutPlan
from updater_server.channels.rollouts import Rollouts
from updater_server.channels.staging import Staging

KNOWN = {"hourly": 1_795_824_000}
"""By name, since when there is firmware that has it (Unix s). Who takes a flag out of the firmware
takes it out of here.
"""
FORGOTTEN_S = 60 * 86_400


class Flags:
    """Turns flags on the channels."""

    def __init__(
        self, published: Published, staging: Staging, rollouts: Rollouts, brakes: Brakes
    ) -> None:
        self._published = published
        self._staging = staging
        self._rollouts = rollouts
        self._brakes = brakes

    def set_flag(
        self,
        channel: str,
        name: str,
        threshold: int,
        terminals: Collection[str] = (),
        because: str = "",
        signers: Sequence[Signer] = (),
        now: datetime | None = None,
    ) -> RolloutPlan:
        """Stage: the plan has the flag on for `threshold` of 10,000 terminals, and for `terminals`
        (ids, hex); off for all with neither. `because` goes into the log. Publish afterwards.

        Raises:
            ReleaseRefused: no such flag or channel, or the plan would break its limits.
        """
        check_channel(channel, ReleaseRefused)
        if name not in KNOWN and (threshold or terminals):
            raise ReleaseRefused(f"no flag {name!r}; there are {', '.join(sorted(KNOWN))}")
        role, what, start = ROLLOUT_ROLES[channel], f"flag on {channel}", self._rollouts.next_plan
        with self._staging.editing(role, what, signers, now, start) as edit:
            try:
                plan = plan_in(channel, edit.metadata.signed)
                if name not in plan.flags and not (threshold or terminals):
                    raise ReleaseRefused(f"flag {name!r} is off in the plan of {channel} already")
                plan = plan.with_flag(name, threshold, terminals)
                plan.check()
            except RolloutError as error:
                raise ReleaseRefused(str(error)) from error
            edit.targets.clear()
            edit.add_target(plan_path(channel), plan.encode(), plan.custom())
            edit.details = _told(name, because, threshold=threshold, terminals=len(terminals))
        return plan

    def brake_flag(
        self,
        channel: str,
        name: str,
        is_off: bool,
        because: str = "",
        signers: Sequence[Signer] = (),
        now: datetime | None = None,
    ) -> str:
        """Stage: the brake turns the flag off, whatever the plan says, or leaves it to the plan
        again. Publish the role that is returned.

        Raises:
            ReleaseRefused: the channel has no brake, there is no such flag, or it is so already.
        """
        check_channel(channel, ReleaseRefused)
        role, published = BRAKE_ROLES[channel], self._published
        if role in brakes_lacking(published.metadata, published.damaged):
            raise ReleaseRefused(f"{channel} has no brake: `keys rotate brake` makes one")
        if is_off and name not in KNOWN and name not in published.plan(channel).flags:
            raise ReleaseRefused(f"no flag {name!r}; there are {', '.join(sorted(KNOWN))}")
        what, start = f"brake flag on {channel}", self._brakes.next_brake
        with self._staging.editing(role, what, signers, now, start) as edit:
            before = halts_in(channel, edit.metadata.signed)
            if is_off == (name in before.off):
                word = "turns" if is_off else "does not turn"
                raise ReleaseRefused(f"the brake of {channel} {word} {name!r} off already")
            halts = before.with_flag(name, is_off)
            try:
                Halts.parse(halts.custom(), edit.metadata.signed.version)
            except RolloutError as error:
                raise ReleaseRefused(str(error)) from error
            edit.targets.clear()
            edit.add_target(halts_path(channel), halts.encode(), halts.custom())
            edit.details = _told(name, because, off=is_off)
        return role


def _told(name: str, because: str, **details: Any) -> dict[str, Any]:
    reason = {"because": because} if because else {}
    return {"flag": name, **details, **reason}


def in_words(history: History, name: str) -> str:
    """Where a flag is on, by channel."""
    plans = [(channel, history.plan(channel).flags.get(name)) for channel in CHANNELS]
    return ", ".join(f"{flag.in_words()} of {channel}" for channel, flag in plans if flag) or "off"


def names_on(history: History) -> list[str]:
    """The flags that are on somewhere."""
    return sorted({name for channel in CHANNELS for name in history.plan(channel).flags})


def names(history: History) -> list[str]:
    """The flags that there are, and any other that is on."""
    return sorted({*names_on(history), *KNOWN})


def turned_at(history: History, name: str) -> int:
    """When a flag was turned last, or else came to be (Unix s)."""
    turn = history.turns.get(name)
    return max(turn.at if turn else 0, KNOWN.get(name, 0))


def forgotten(history: History, now: int) -> list[str]:
    """The flags that nobody turned for 60 days: to be on for good, or gone."""
    return [name for name in names(history) if now - turned_at(history, name) > FORGOTTEN_S]
