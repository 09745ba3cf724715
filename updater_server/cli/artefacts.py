"""The operator's commands about an object store for the channels: `artefacts push`, `pull`."""

from __future__ import annotations

from typing import Annotated

import typer

from updater_server import artefacts
from updater_server.cli.shared import Data, refusals, say
from updater_server.service import DataFolder

artefacts_cli = typer.Typer(no_args_is_help=True, help="The channels in an object store (S3).")
Url = Annotated[str, typer.Argument(help="s3://bucket/prefix, or file:///folder.")]


@artefacts_cli.command("push")
def push(url: Url, data: Data) -> None:
    """Bring the store what terminals are given; the machine that signs runs it."""
    with refusals():
        _said(artefacts.push(DataFolder(data).repository, artefacts.open_store(url)), "sent")


@artefacts_cli.command("pull")
def pull(url: Url, data: Data) -> None:
    """Bring this machine's folder what is in the store; every other machine runs it."""
    with refusals():
        _said(artefacts.pull(artefacts.open_store(url), DataFolder(data).repository), "got")


@artefacts_cli.command("history")
def history(url: Url, data: Data) -> None:
    """Bring the store the days of what terminals told that `worker` has written and it lacks."""
    with refusals():
        sent, size = artefacts.push_history(DataFolder(data).history, artefacts.open_store(url))
        say(f"sent {sent} files, {size} bytes")


def _said(brought: artefacts.Brought, word: str) -> None:
    newer = "a newer timestamp" if brought.is_newer else "the same timestamp"
    say(f"{word} {brought.files} files, {brought.bytes} bytes; {newer}")
