"""`release onwards`: each release whose commit asks for more goes one channel further, as far as
the guards of promotion allow; what people must sign waits for them. For cron, beside `committing`.

Nothing is signed here but what was made here, in this run: what lies in the folder is signed by
people, who are shown it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Annotated

import msgspec
import typer

from tools.release.options import Desk, DryRunOption, JsonOption
from tools.release.steps import say
from tools.release.terms import PACE_HELP, WIDENS_HELP, from_now, read_pace
from updater_server import channels
from updater_server.channels import pipeline
from updater_server.channels.drafts import Drafts
from updater_server.channels.history import History
from updater_server.channels.pipeline import Passage
from updater_server.channels.waiting import Staged

_PUBLISHERS = ("snapshot", "timestamp")


@dataclass(frozen=True)
class Told:
    """What became of one release in this run. `outcome`: published, waits (for signatures),
    refused (by the guard that the text begins with), overtaken, failed, or would (`--dry-run`).
    """

    release: int
    to: str
    outcome: str
    text: str


@dataclass(frozen=True)
class _Goes:
    """How far each release is let out by itself where it comes to."""

    pace: tuple[int, ...]
    widens: int


def onwards(
    desk: Desk,
    channel: Annotated[
        list[str] | None, typer.Option(help="only onto this channel; repeat (default: all)")
    ] = None,
    pace: Annotated[str | None, typer.Option(help=PACE_HELP)] = None,
    widens: Annotated[int, typer.Option(help=WIDENS_HELP)] = 0,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """One channel further, each release whose commit asks for it (`Release-to:`) and that no guard
    refuses; asks nothing. What a key that is elsewhere must sign is staged and waits.
    """
    for name in channel or ():
        if name not in channels.CHANNELS[1:]:
            raise typer.BadParameter(f"--channel is {', '.join(channels.CHANNELS[1:])}")
    goes = _Goes(read_pace(pace), widens)
    opened = desk.open()
    opened.audit()  # what was asked stands in the log
    told: list[Told] = []
    for name in reversed(channels.CHANNELS[1:]):
        if name in (channel or channels.CHANNELS):
            told += _Onto(opened, desk, name, goes, dry_run).take()
    if as_json:
        typer.echo(json.dumps([asdict(each) for each in told]))
    else:
        for each in told:
            say(f"release {each.release} for {each.to}: {each.outcome}: {each.text}")
        if not told:
            say("No release asks to go further than it is.")
    if any(each.outcome == "failed" for each in told):
        raise typer.Exit(1)


class _Onto:
    """What asks to come to one channel."""

    def __init__(
        self, opened: channels.Repository, desk: Desk, to: str, goes: _Goes, dry_run: bool
    ) -> None:
        self._opened = opened
        self._to = to
        self._goes = goes
        self._dry_run = dry_run
        self._history = History(opened.directory)
        self._history.follow()
        signers, _ = desk.unasked((to, *_PUBLISHERS))
        may_sign = opened.published.signing().may_sign(to)
        self._own = [s for s in signers.get(to, []) if s.public_key.keyid in may_sign]
        self._publishers = [s for role in _PUBLISHERS for s in signers.get(role, [])]

    def take(self) -> list[Told]:
        """Each release that asks for it, the newest first."""
        told = []
        for passage in pipeline.passages(self._history):
            if passage.goes_to == self._to:
                told.append(self._one(passage))
        return told

    def _one(self, passage: Passage) -> Told:
        try:
            outcome, text = self._step(passage)
        except channels.PromotionRefused as refused:
            outcome, text = "refused", str(refused)
        except (channels.RepositoryError, channels.EntryError, channels.PayloadError) as error:
            outcome, text = "failed", str(error)
        return Told(passage.release, self._to, outcome, text)

    def _step(self, passage: Passage) -> tuple[str, str]:
        number, to = passage.release, self._to
        waiting = {staged.role: staged for staged in self._opened.staged()}.get(to)
        new = self._opened.new_releases(to)
        added = [entry.release for entry in new]
        entries = (*self._listed(), *new)
        newer = max((e.release for e in entries if _class(e) == _class(passage.entry)), default=0)
        if newer > number:
            return "overtaken", f"{to} has release {newer}, or will; this one goes no further"
        entry = self._promotable(passage)
        if waiting is not None:
            is_this = added == [number]
            if is_this and not (self._can_add(waiting) and self._may_replace(waiting)):
                return self._request(waiting)
            if not self._may_replace(waiting):
                return "waits", self._in_its_way(waiting, added)
            if self._dry_run:
                return "would", f"take the place of what waits for {to}, signed by nobody"
            self._opened.withdraw(to)
        drafts = self._draft(entry)
        if self._dry_run:
            return "would", "\n".join(self._words(drafts))
        return self._put_out(drafts)

    def _listed(self) -> list[channels.ReleaseEntry]:
        return self._opened.published.releases(self._to)

    def _promotable(self, passage: Passage) -> channels.ReleaseEntry:
        entry = self._opened.promotion.promotable(
            passage.furthest.channel, self._to, passage.release, _class(passage.entry)
        )
        pace = from_now(self._goes.pace, entry.built)
        return msgspec.structs.replace(entry, pace=pace, widens=self._goes.widens)

    def _can_add(self, waiting: Staged) -> bool:
        """Whether a key that is here could sign what waits, and has not."""
        return bool({signer.public_key.keyid for signer in self._own} & {*waiting.may_sign})

    def _may_replace(self, waiting: Staged) -> bool:
        """Whether what waits is nobody's work: signed by nobody, and made in one step that listed a
        release whose commit asked for it.
        """
        self._history.follow()
        lines = self._history.changes_waiting(waiting.role, waiting.version)
        if waiting.signed_by or len(lines) != 1:
            return False
        asked = self._history.asked.get(int(lines[0].details.get("release", 0)), "")
        return bool(asked) and lines[0].what == f"add release to {self._to}"

    def _in_its_way(self, waiting: Staged, added: Sequence[int]) -> str:
        what = f"release {added[0]}" if added else "a change"
        return (
            f"{what} waits for {self._to} before it, {waiting.missing} signature(s) missing: "
            f"`release sign {self._to}` and `release publish`, or `release withdraw {self._to}`"
        )

    def _request(self, waiting: Staged) -> tuple[str, str]:
        if waiting.missing:
            return "waits", (
                f"{waiting.missing} signature(s) missing, of keys {', '.join(waiting.may_sign)}: "
                f"`release sign {self._to}`"
            )
        if self._dry_run:
            return "would", "be published: it has its signatures"
        return self._publish({self._to: waiting.sha256})

    def _draft(self, entry: channels.ReleaseEntry) -> Drafts:
        payloads = self._opened.promotion.payloads(entry, self._to)
        with self._opened.drafting() as drafts:
            self._opened.add_release(self._to, entry, payloads)
        return drafts

    def _words(self, drafts: Drafts) -> list[str]:
        return [line for of_role in self._opened.in_words(drafts).values() for line in of_role]

    def _put_out(self, drafts: Drafts) -> tuple[str, str]:
        words = self._words(drafts)
        try:
            self._opened.publish_drafts(drafts, [*self._own, *self._publishers])
        except channels.MissingSignatures:
            self._opened.stage(drafts, self._own)
            (waiting,) = (s for s in self._opened.staged() if s.role == self._to)
            if waiting.missing:
                return "waits", "\n".join([self._request(waiting)[1], *words])
            return "waits", "\n".join(["signed, for `release publish`", *words])
        return "published", "\n".join([self._let_out(), *words])

    def _publish(self, sha256: dict[str, str]) -> tuple[str, str]:
        """What people have signed; nothing else that waits."""
        now = datetime.now(UTC)
        try:
            found = self._opened.publication(now, [self._to])
            expect = {role: digest for role, (digest, _) in found.items()}
            if expect[self._to] != sha256[self._to]:
                raise channels.ChangedMeanwhile(self._to)
            self._opened.publish(self._publishers, now, [self._to], expect)
        except channels.MissingSignatures:
            return "waits", "signed, for `release publish`"
        return "published", self._let_out()

    def _let_out(self) -> str:
        by_itself = self._listed()[0].widens
        return (
            "it goes out by itself, as its pace says"
            if by_itself
            else f"for nobody yet: `release rollout set`, --channel {self._to}"
        )


def _class(entry: channels.ReleaseEntry) -> str:
    return entry.hardware.hardware_class
