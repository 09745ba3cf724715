"""How far a release is let out, and its halt: commands that work whatever else is wrong."""

from __future__ import annotations

from typing import Annotated

import typer

from tools.release.options import ChannelOption, Desk, Manner, ReleaseArgument
from updater_server import channels
from updater_server.channels.halts import lifted_in
from updater_server.channels.lists import halts_of
from updater_server.channels.policy import BRAKE_KEYS, ROLLOUT_KEYS
from updater_server.channels.rollout import Control


def set_rollout(
    number: ReleaseArgument,
    threshold: Annotated[int, typer.Argument(help="of 10000 terminals", min=0, max=10_000)],
    channel: ChannelOption,
    desk: Desk,
    manner: Manner,
    control: Annotated[
        int,
        typer.Option(help="of 10000: those from the threshold to here only restart", max=10_000),
    ] = 0,
) -> None:
    """Let a release out to so many of 10,000 terminals."""
    opened = desk.open_for_halt()
    words = f"release {number} on {channel} may be taken by {threshold / 100:g} % of terminals."
    if control:
        if control <= threshold:
            raise channels.ReleaseRefused("--control reaches further than the threshold")
        words += f" {(control - threshold) / 100:g} % restart, to be compared with."
    if number in opened.published.rollout(channel).halted:
        words += f" It is halted: nobody takes it before `release resume {number}`."

    def build() -> None:
        arm = Control(control, 0) if control else None
        opened.set_rollout(channel, number, threshold, control=arm)

    desk.stage(opened, build, manner.step, [ROLLOUT_KEYS], words)


def halt(
    number: ReleaseArgument,
    channel: ChannelOption,
    desk: Desk,
    manner: Manner,
    by_brake: Annotated[
        bool, typer.Option("--brake", help="by the brake's key: only terminals that know it obey")
    ] = False,
) -> None:
    """Stop a release: nobody switches to it any more, not even who has downloaded it."""
    opened = desk.open_for_halt()
    published = opened.published
    words = f"release {number} on {channel} is halted: no terminal switches to it any more."
    for other in channels.CHANNELS:
        listed = () if other in published.damaged else published.releases(other)
        if other != channel and any(entry.release == number for entry in listed):
            words += f"\n  {other} lists it, too: it is not halted there by this."

    def build() -> None:
        if by_brake:
            opened.hold(channel, number)
        else:
            opened.halt(channel, number)

    keys = [BRAKE_KEYS if by_brake else ROLLOUT_KEYS]
    desk.stage(opened, build, manner.step, keys, words)


def resume(number: ReleaseArgument, channel: ChannelOption, desk: Desk, manner: Manner) -> None:
    """Let a halted release go on, as far as its threshold says."""
    opened = desk.open_for_halt()
    words = f"release {number} on {channel} goes on as far as its threshold says."
    published = opened.published
    lifted = lifted_in(published.releases(channel)).get(number, 0)
    is_braked = halts_of(channel, published.metadata).holds(number, lifted)
    is_planned = number in opened.coming_plan(channel).halted
    if is_braked:
        words += f"\n  The brake halts it: the people of {channel} sign that it goes on."

    def build() -> None:
        if is_braked:
            opened.lift(channel, number)
        if is_planned or not is_braked:
            opened.resume(channel, number)

    desk.stage(opened, build, manner.step, [ROLLOUT_KEYS, channel], words)


def brake(number: ReleaseArgument, channel: ChannelOption, desk: Desk, manner: Manner) -> None:
    """Sign the halt of a release now, for a server that has no key of the plans to use if a verdict
    says so. To be done after each `publish` of a plan.
    """
    opened = desk.open_for_halt()
    words = (
        f"release {number} on {channel} may be halted by the server. What it can do with this is "
        f"that halt and nothing else; the next plan takes its force away."
    )

    def change() -> None:
        opened.ready_brake(channel, number, desk.at_hand([ROLLOUT_KEYS]))

    manner.step.take(words, change, opened)


def rollback_to(
    number: ReleaseArgument, channel: ChannelOption, desk: Desk, manner: Manner
) -> None:
    """Halt everything newer than a release. Who runs something newer needs a new release."""
    opened = desk.open_for_halt()
    listed = {entry.release: entry for entry in opened.published.releases(channel)}
    if number not in listed:
        raise channels.ReleaseRefused(f"{channel} lists no release {number}")
    halted = opened.published.rollout(channel).halted
    newer = sorted(n for n in listed if n > number and n not in halted)
    if not newer:
        raise channels.ReleaseRefused(f"nothing newer than {number} is let out on {channel}")
    words = (
        f"release {', '.join(map(str, newer))} on {channel} is halted. Terminals that already run "
        f"it keep it (no terminal goes back by itself once it has confirmed): build commit "
        f"{listed[number].commit[:12]} again under a number above {max(listed)} for them."
    )

    def build() -> None:
        for each in newer:
            opened.halt(channel, each)

    desk.stage(opened, build, manner.step, [ROLLOUT_KEYS], words)
