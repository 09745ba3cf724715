"""Listing an image on a channel, or a release of one channel on the next; and taking it off."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
import typer

from tools.release.image import commits_between
from tools.release.options import (
    ChannelOption,
    Desk,
    HardwareClassOption,
    Manner,
    ReleaseArgument,
)
from tools.release.steps import Step, say
from tools.release.terms import PACE_HELP, WIDENS_HELP, Terms, from_now, read_pace
from updater_server import channels
from updater_server.channels import commits
from updater_server.channels.shown import visible


def sign_image(
    image: Path, channel: str, desk: Desk, terms: Terms, *, deltas: bool, step: Step
) -> None:
    """List an image on a channel and sign the list with the keys at hand."""
    content = image.read_bytes()
    entry = terms.entry(content)
    opened = desk.open()
    hardware_class = entry.hardware.hardware_class
    bases = opened.promotion.images(channel, hardware_class, entry.release) if deltas else {}
    payloads = channels.build_payloads(content, bases)
    words = [f"for channel {visible(channel)}:", *_payload_words(payloads)]

    def build() -> None:
        opened.add_release(channel, entry, payloads)

    before = opened.published.releases(channel)[:1]
    desk.stage(opened, build, step, [channel], words)
    if before and not step.dry_run:
        keep_commits(opened, before[0], entry, Path.cwd())
    say_let_out(opened, channel, entry, step)


def keep_commits(
    opened: channels.Repository,
    before: channels.ReleaseEntry,
    entry: channels.ReleaseEntry,
    checkout: Path,
) -> None:
    """For the release's page: what came since the newest release of the channel, by the git
    checkout at `checkout`.
    """
    found = commits_between(checkout, before.commit, entry.commit)
    if found:
        came = commits.made(before.commit, before.release, found)
        commits.put(opened.directory, entry.commit, came)


def promote(
    from_channel: Annotated[str, typer.Argument(help="channel that lists the release")],
    to_channel: Annotated[str, typer.Argument(help="the next one: ci, alpha, beta, stable")],
    number: ReleaseArgument,
    desk: Desk,
    manner: Manner,
    hardware_class: HardwareClassOption = "duka-r1",
    pace: Annotated[str | None, typer.Option(help=PACE_HELP)] = None,
    widens: Annotated[int, typer.Option(help=WIDENS_HELP)] = 0,
) -> None:
    """List a release of one channel on the next: the same bytes, never a rebuild."""
    opened = desk.open()
    entry = opened.promotion.promotable(from_channel, to_channel, number, hardware_class)
    entry = msgspec.structs.replace(
        entry, pace=from_now(read_pace(pace), entry.built), widens=widens
    )
    let_out = opened.published.rollout(from_channel).in_words(number)
    payloads = opened.promotion.payloads(entry, to_channel)
    words = [
        f"release {number} ({entry.version}) of {hardware_class}, image sha256 "
        f"{entry.image.sha256}, as it is on {from_channel} ({let_out}), for channel {to_channel}.",
        *_payload_words(payloads),
    ]

    def build() -> None:
        opened.add_release(to_channel, entry, payloads)

    desk.stage(opened, build, manner.step, [to_channel], words)
    say_let_out(opened, to_channel, entry, manner.step)


def unlist(
    number: ReleaseArgument,
    channel: ChannelOption,
    desk: Desk,
    manner: Manner,
    hardware_class: HardwareClassOption = "duka-r1",
) -> None:
    """Take a release off a channel's list; lower numbers may follow. Who runs it keeps it."""
    opened = desk.open()
    words = (
        f"channel {channel} without release {number} of {hardware_class}: no terminal takes it any "
        "more, and the next may have a lower number. Terminals that run it keep it."
    )

    def build() -> None:
        opened.unlist(channel, number, hardware_class)

    desk.stage(opened, build, manner.step, [channel], words)


def say_let_out(
    repository: channels.Repository, channel: str, entry: channels.ReleaseEntry, step: Step
) -> None:
    """Tell how a newly listed release is let out, which nobody is given before."""
    number = entry.release
    if step.as_json or step.dry_run or repository.is_let_out(channel, number):
        return
    if entry.widens:
        say(
            f"Release {number} on {channel} goes out by itself once it is published, as its pace "
            "says."
        )
        return
    say(
        f"Release {number} on {channel} is for nobody yet: `release rollout set {number} 500 "
        f"--channel {channel}` lets 5 % of terminals have it."
    )


def _payload_words(payloads: list[channels.Payload]) -> list[str]:
    """What a terminal fetches of a release, a line each."""
    words = []
    for payload in payloads:
        origin = f" from release {payload.base_release}" if payload.base_release else ""
        words.append(f"  {payload.kind}{origin}: {len(payload.data):,} bytes over the air")
    return words
