"""`release publish`: what has its signatures comes into force, or is carried to the keys of
snapshot and timestamp.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from tools.release.adding import say_let_out
from tools.release.options import Desk, ExpectOption, Manner
from tools.release.steps import Step, compare, say
from updater_server import channels
from updater_server.channels.shown import visible

_KEYS = ("snapshot", "timestamp")


def publish(
    desk: Desk,
    manner: Manner,
    export: Annotated[
        Path | None, typer.Option(help="folder for what snapshot and timestamp keys must sign")
    ] = None,
    roles: Annotated[
        list[str] | None,
        typer.Option("--role", help="only what waits for this role; repeat (timestamp: renew)"),
    ] = None,
    expect: ExpectOption = None,
) -> None:
    """Put everything that has its signatures into force; the rest waits on."""
    opened = desk.open_for_halt()
    step = manner.step
    now = datetime.now(UTC)
    if export is not None:
        _export(opened, desk, export, step, now)
        return
    waiting = {*_KEYS, *(staged.role for staged in opened.staged())}
    for role in roles or ():
        if role not in waiting:
            raise channels.RepositoryError(f"nothing is staged for {visible(role)}")
    at_publishing = desk.later(_KEYS)
    found = opened.publication(now, roles)
    sha256 = {role: digest for role, (digest, _) in found.items()}
    compare(expect, {role: sha256[role] for role in sha256 if role not in _KEYS})
    words = _words(found)
    doubt = opened.published.doubt_of_clock(now)
    if doubt:
        words.append(f"ATTENTION: {doubt}")

    def change() -> int:
        version = opened.publish(at_publishing(), now, roles, sha256)
        if not step.as_json:
            say(f"Published: timestamp version {version}.")
            _say_what_is_for_nobody(opened, step)
        return version

    step.take(words, change, opened, sha256=sha256)


def _say_what_is_for_nobody(opened: channels.Repository, step: Step) -> None:
    for channel in channels.CHANNELS:
        if channel not in opened.published.damaged:
            for newest in opened.published.releases(channel)[:1]:
                say_let_out(opened, channel, newest, step)


def _words(found: Mapping[str, tuple[str, list[str]]]) -> list[str]:
    words = ["a new timestamp, and what it puts into force:"]
    for _, of_role in found.values():
        words += of_role
    return words


def _export(
    opened: channels.Repository, desk: Desk, export: Path, step: Step, now: datetime
) -> None:
    signers = desk.at_hand(_KEYS)

    def change() -> list[str]:
        export.mkdir(parents=True, exist_ok=True)
        written = []
        for staged in opened.prepare(signers, now):
            if staged.role in _KEYS and staged.missing:
                file = export / f"{staged.role}.json"
                file.write_bytes(opened.to_sign(staged.role).encode())
                written.append(str(file))
        return written

    step.take(_words(opened.publication(now)), change, opened, "Write it?")
