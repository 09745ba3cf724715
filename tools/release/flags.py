"""Flags: turn a feature on and off without a release, and see which are on. For `commands`."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from tools.release import image as images
from tools.release.options import ChannelOption, Desk, JsonOption, Manner, RepositoryOption
from tools.release.steps import say
from updater_server import channels
from updater_server.channels import flags
from updater_server.channels.dates import time_of
from updater_server.channels.history import History
from updater_server.channels.lists import halts_of
from updater_server.channels.policy import BRAKE_KEYS, ROLLOUT_KEYS
from updater_server.channels.shown import visible

FlagArgument = Annotated[str, typer.Argument(help="name of the flag")]
BecauseOption = Annotated[str, typer.Option("--because", help="why, for the log")]


def on(
    name: FlagArgument,
    channel: ChannelOption,
    desk: Desk,
    manner: Manner,
    threshold: Annotated[
        int, typer.Option("--of", help="of 10000 terminals", min=0, max=10_000)
    ] = 0,
    terminals: Annotated[
        list[str] | None, typer.Option("--terminal", help="id of a terminal; repeat")
    ] = None,
    because: BecauseOption = "",
) -> None:
    """Turn a flag on for so many of 10,000 terminals, and for those named, and for no others."""
    if not threshold and not terminals:
        raise channels.ReleaseRefused("say for whom: --of 500, or --terminal 0123456789abcdef")
    opened = desk.open_for_halt()
    count = len(set(terminals or ()))
    named = f" and {count} by name" if count else ""
    words = f"flag {name} on {channel} is on for {threshold / 100:g} % of terminals{named}."
    is_braked = name in halts_of(channel, opened.published.metadata).off
    if is_braked:
        words += "\n  The brake turned it off: its key signs that this is left to the plan again."

    def build() -> None:
        opened.set_flag(channel, name, threshold, terminals or (), because)
        if is_braked:
            opened.brake_flag(channel, name, False, because)

    keys = [ROLLOUT_KEYS, BRAKE_KEYS] if is_braked else [ROLLOUT_KEYS]
    desk.stage(opened, build, manner.step, keys, words)


def off(
    name: FlagArgument,
    channel: ChannelOption,
    desk: Desk,
    manner: Manner,
    by_brake: Annotated[
        bool, typer.Option("--brake", help="by the brake's key, whatever plans say from now on")
    ] = False,
    because: BecauseOption = "",
) -> None:
    """Turn a flag off for everybody on the channel."""
    opened = desk.open_for_halt()
    words = f"flag {name} on {channel} is off."

    def build() -> None:
        if by_brake:
            opened.brake_flag(channel, name, True, because)
        else:
            opened.set_flag(channel, name, 0, because=because)

    keys = [BRAKE_KEYS if by_brake else ROLLOUT_KEYS]
    desk.stage(opened, build, manner.step, keys, words)


def list_flags(repository: RepositoryOption, as_json: JsonOption = False) -> None:
    """Say of each flag where it is on, and who turned it last; name those that nobody turned for 60
    days.
    """
    history = History(repository)
    history.follow()
    now = int(time_of(None).timestamp())
    forgotten = flags.forgotten(history, now)
    told: list[dict[str, Any]] = []
    for name in flags.names(history):
        turn = history.turns.get(name)
        told.append(
            {
                "flag": name,
                "state": flags.in_words(history, name),
                "turned_at": flags.turned_at(history, name),
                "who": turn.who if turn else "",
                "why": turn.why if turn else "",
                "forgotten": name in forgotten,
            }
        )
    if as_json:
        typer.echo(json.dumps(told, indent=1))
        return
    for each in told:
        by = (
            f"turned {images.day_of(each['turned_at'])} by {each['who']}"
            if each["who"]
            else "never on"
        )
        why = f" ({each['why']})" if each["why"] else ""
        late = "; NOBODY TURNED IT FOR 60 DAYS" if each["forgotten"] else ""
        say(visible(f"{each['flag']}: {each['state']}, {by}{why}{late}"))
