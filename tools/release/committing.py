"""`release commit`: what a build machine runs once a commit's checks have passed. The commit is
built, signed for `ci`, let out to everybody there and in force, as a whole or not at all; nobody is
asked anything.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from securesystemslib.signer import Signer

from tools.errors import BuildError
from tools.release import building
from tools.release import image as images
from tools.release.adding import keep_commits
from tools.release.numbering import next_number, version_of
from tools.release.options import Desk, DryRunOption, JsonOption
from tools.release.steps import say
from tools.release.terms import TermOptions
from updater_server import channels
from updater_server.channels import pipeline
from updater_server.channels.history import History
from updater_server.channels.keys import KeyFileError
from updater_server.channels.pipeline import Passage
from updater_server.channels.policy import ROLLOUT_KEYS, ROLLOUT_ROLES
from updater_server.channels.shown import visible

FIRST, *_FURTHER = channels.CHANNELS
TRAILER = "Release-to"
ROLES = (FIRST, ROLLOUT_KEYS, "snapshot", "timestamp")
"""Whose keys the build machine needs."""


@dataclass(frozen=True)
class _Commit:
    """A commit that may be released, and the channel to which it asks to go, or ""."""

    name: str
    built: int
    asks: str


def commit(
    desk: Desk,
    entry: TermOptions,
    rev: Annotated[str, typer.Argument(help="the commit whose checks have passed")] = "HEAD",
    source: Annotated[Path, typer.Option(help="checkout that knows the commit")] = images.ROOT,
    security_version: Annotated[
        int, typer.Option(help="never falls; the highest listed if 0", min=0)
    ] = 0,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Build a commit, sign it for ci, let everybody there have it, and publish; asks nothing.

    A trailer of the commit, such as `Release-to: beta`, is kept for `release onwards`.
    """
    now = datetime.now(UTC)
    found = _read(source, rev)
    opened = desk.open()
    history = History(opened.directory)
    history.follow()
    known = _known(history, found.name)
    if known is not None:
        _tell(as_json, False, f"Nothing to do: {_standing(known)}", known.entry, known.asks)
        return
    _check_way_is_free(opened, source, found.name, now)
    signers = [] if dry_run else _signers(desk)
    terms, content = entry.terms(), _build(opened, history, source, found, security_version, now)
    listed = terms.entry(content)
    before = opened.published.releases(FIRST)[:1]
    lines = _put_out(opened, content, listed, found.asks, signers, entry, dry_run, now)
    if before and not dry_run:
        keep_commits(opened, before[0], listed, source)
    _tell(as_json, not dry_run, "\n".join(lines), listed, found.asks)


def asked(values: Sequence[str]) -> str:
    """The channel that a commit's trailers name; "" without any.

    Raises:
        BuildError: one names no channel after `ci`, or they name several.
    """
    for value in values:
        if value not in _FURTHER:
            raise BuildError(
                f"{TRAILER}: {visible(value)}: a commit asks for {', '.join(_FURTHER)}, or for "
                f"nothing ({FIRST} has each). Nothing was built: put it right in a new commit, or "
                "list this one by hand (`release build`, `release sign`)"
            )
    if len(set(values)) > 1:
        raise BuildError(
            f"the commit has {TRAILER}: {' and '.join(values)}; one is enough. Nothing was built"
        )
    return values[0] if values else ""


def _read(source: Path, revision: str) -> _Commit:
    name, built = images.commit_of(source, revision)
    if name.endswith("-dirty"):
        raise BuildError(
            f"{source} has uncommitted changes, so what was checked is not what would be built: "
            "commit them, or check the commit in a checkout of its own"
        )
    return _Commit(name, built, asked(images.trailers(source, name, TRAILER)))


def _known(history: History, name: str) -> Passage | None:
    """The release that this commit is on `ci` already, the newest if several.

    Raises:
        ReleaseRefused: it is halted there.
    """
    for passage in pipeline.passages(history):
        stage = passage.stages.get(FIRST)
        if passage.entry.commit != name or stage is None:
            continue
        if stage.is_halted:
            raise channels.ReleaseRefused(
                f"release {passage.release} is that commit, and halted on {FIRST} by "
                f"{visible(stage.halted_by)}: `release resume {passage.release} --channel "
                f"{FIRST}`, or a new commit"
            )
        return passage
    return None


def _standing(passage: Passage) -> str:
    return f"release {passage.release} ({passage.entry.version}) is that commit, on {FIRST} already"


def _check_way_is_free(opened: channels.Repository, source: Path, name: str, now: datetime) -> None:
    doubt = opened.published.doubt_of_clock(now)
    if doubt:
        raise channels.RepositoryError(f"{doubt}; nothing was built")
    waits = {*opened.unreadable(), *(staged.role for staged in opened.staged())}
    for role in (FIRST, ROLLOUT_ROLES[FIRST]):
        if role in waits:
            raise channels.RepositoryError(
                f"something waits for {role} that this machine did not make: `release publish` or "
                f"`release withdraw {role}` first; nothing was built"
            )
    for newest in opened.published.releases(FIRST)[:1]:
        if newest.commit != name and images.is_built_on(source, newest.commit, name):
            raise channels.ReleaseRefused(
                f"{FIRST} has release {newest.release} of commit {newest.commit[:12]}, which came "
                f"after {name[:12]}: this one would take it back; nothing was built"
            )


def _signers(desk: Desk) -> list[Signer]:
    if desk.keys is None:
        raise KeyFileError("--keys names the folder of the machine's keys; nothing was built")
    found, lacking = desk.unasked(ROLES)
    if lacking:
        raise KeyFileError(
            f"--keys: {desk.keys} holds no key of {', '.join(lacking)}; nothing was built. A build "
            f"machine needs those of {', '.join(ROLES)}"
        )
    return [signer for of_role in found.values() for signer in of_role]


def _build(
    opened: channels.Repository,
    history: History,
    source: Path,
    found: _Commit,
    security_version: int,
    now: datetime,
) -> bytes:
    """The release image, with the next number."""
    of_all = [entry for name in channels.CHANNELS for entry in opened.published.releases(name)]
    waiting = [e for name in channels.CHANNELS for e in opened.new_releases(name)]
    listed = [entry.release for entry in (*of_all, *waiting)]
    number = next_number(listed, {release for _, release in history.entries}, now)
    security = security_version or max([1, *(entry.security_version for entry in of_all)])
    info = images.ReleaseInfo(number, version_of(number), found.name, found.built, security)
    with images.files_of(source, found.name) as files:
        return building.release_image(files, info)


def _put_out(
    opened: channels.Repository,
    content: bytes,
    listed: channels.ReleaseEntry,
    asks: str,
    signers: list[Signer],
    options: TermOptions,
    dry_run: bool,
    now: datetime,
) -> list[str]:
    """List it, let it out, sign and publish as one; returns what is signed, in words."""
    hardware_class = listed.hardware.hardware_class
    bases: dict[int, bytes] = {}
    if options.deltas:
        bases = opened.promotion.images(FIRST, hardware_class, listed.release)
    payloads = channels.build_payloads(content, bases)
    with opened.drafting() as drafts:
        opened.add_release(FIRST, listed, payloads, now=now, asks=asks)
        opened.set_rollout(FIRST, listed.release, channels.EVERYBODY, now=now)
    words = [line for of_role in opened.in_words(drafts).values() for line in of_role]
    if not dry_run:
        opened.publish_drafts(drafts, signers, now)
    return words


def _tell(as_json: bool, done: bool, words: str, entry: channels.ReleaseEntry, asks: str) -> None:
    if as_json:
        content = {
            "done": done, "release": entry.release, "version": entry.version,
            "commit": entry.commit, "asks": asks, "words": words,
        }  # fmt: skip
        typer.echo(json.dumps(content))
        return
    say(words)
    if done:
        say(f"Release {entry.release} ({entry.version}) is on {FIRST}, for everybody there.")
    more = f"It asks for {asks}: `release onwards`." if asks else "It asks for nothing more."
    say(more)
