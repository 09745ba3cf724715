"""Releases that go further by themselves: the first wave of one that its people let go so
(`widens`), and the next of one whose newest verdict is *pass*. Never further or faster than their
pace, never onto another channel, and never over something that is in doubt.

What to do is worked out anew at each look from what is in force and from the book; doing it is one
publication (`channels.widening`). So a worker that is killed, or runs twice, widens once.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, select

from updater_server import channels
from updater_server.channels import CHANNELS, Published, ReleaseEntry
from updater_server.channels import keys as key_files
from updater_server.channels.verdicts import GRACE_S
from updater_server.channels.waves import Reach
from updater_server.channels.widening import NOBODY, every_s, reached, step
from updater_server.renewal import PASSPHRASE
from updater_server.service import Service
from updater_server.store.engine import reading
from updater_server.store.tables import alarm
from updater_server.verdict.week import HOUR_S
from updater_server.waves import book
from updater_server.waves.book import CLOSED, ENDED, HALTED, Kept, Ruled

DOUBTS = ("probe", "silent_everywhere", "channels", "channels_spoiled")
"""Alarms: while one is open nothing goes further. What robots or regions see may be the release."""


UNREADABLE = (channels.RepositoryError, channels.RolloutError, channels.EntryError)


class Step(NamedTuple):
    """A release that may go further now: from `held` on, for the reasons that the log is told."""

    channel: str
    release: int
    held: Reach
    because: dict[str, Any]


def steps(published: Published, connection: Connection, now: int) -> list[Step]:
    """What may go further at `now` (Unix s), by its people's signatures and the verdicts in the
    book; what stands against all of it is told by `doubt`.
    """
    newest = book.newest(connection)
    found = []
    halted: set[int] = set()
    for channel in CHANNELS:
        try:
            entries, plan = published.releases(channel), published.rollout(channel)
        except UNREADABLE:
            continue  # others are told of that
        halted |= set(plan.halted)  # here, or on a channel before
        for release, of_it in _that_widen(entries).items():
            held = reached(plan, release)
            if release in halted or step(of_it, held, now) is None:
                continue
            if str(release) not in plan.releases:
                if _is_newest(entries, of_it):
                    found.append(Step(channel, release, NOBODY, {"by": "its signed pace"}))
                continue
            because = _passes(connection, newest.get((channel, release)), of_it, held, now)
            if because:
                found.append(Step(channel, release, held, because))
    return found


def _that_widen(entries: list[ReleaseEntry]) -> Mapping[int, list[ReleaseEntry]]:
    found: dict[int, list[ReleaseEntry]] = {}
    for entry in entries:
        found.setdefault(entry.release, []).append(entry)
    return {release: of_it for release, of_it in found.items() if all(e.widens for e in of_it)}


def _is_newest(entries: list[ReleaseEntry], of_it: list[ReleaseEntry]) -> bool:
    """Whether nothing newer is listed for its classes: else it was overtaken before it began."""
    classes = {entry.hardware.hardware_class for entry in of_it}
    return all(
        entry.release <= of_it[0].release
        for entry in entries
        if entry.hardware.hardware_class in classes
    )


def _passes(
    connection: Connection, kept: Kept | None, of_it: list[ReleaseEntry], held: Reach, now: int
) -> dict[str, Any]:
    """What the log is told of the verdict by which the wave that is out now passes; nothing if it
    does not, or not by what is known now.
    """
    if kept is None or (kept.threshold, kept.within) != held or not kept.in_control:
        return {}
    if now < kept.began_s + every_s(of_it):
        return {}
    last = book.last(connection, kept.id)
    done = book.events(connection, kept.id)
    if last is None or last.ruling != "pass" or {HALTED, ENDED, CLOSED} & done.keys():
        return {}
    is_overdue = kept.began_s + (last.number + 1) * HOUR_S + GRACE_S <= now
    if is_overdue:  # an hour that nobody could judge, or the week is over: people look
        return {}
    return by_verdict(kept, last)


def by_verdict(kept: Kept, ruled: Ruled) -> dict[str, Any]:
    """What the channels' log is told of what is done by a verdict."""
    by = f"verdict {ruled.number} of wave {kept.wave}"
    return {"trial": kept.id, "wave": kept.wave, "verdict": ruled.number, "by": by}


def doubt(connection: Connection) -> str:
    """What is open that lets nothing go further; "" if nothing is."""
    asked = select(alarm.c.code, alarm.c.text).where(
        alarm.c.code.in_(DOUBTS), alarm.c.closed_at.is_(None)
    )
    first = connection.execute(asked.order_by(alarm.c.id).limit(1)).one_or_none()
    return "" if first is None else f"{first.code}: {first.text}"


class Gone(NamedTuple):
    """What a look came to: the steps that were taken; why others could not be, in words that stay
    the same while it lasts; and what goes further by itself at all, by channel and release.
    """

    steps: list[Step]
    stuck: list[str]
    by_itself: set[tuple[str, int]]


def go(service: Service) -> Gone:
    """Let everything go further that may.

    Never raises for what is wrong with keys or with one channel: that is said.

    Raises:
        RepositoryDamaged: the channels cannot be read at all.
    """
    now = service.now()
    published = channels.open_published(service.folder.repository, strict=False)
    by_itself = {
        (channel, release)
        for channel in CHANNELS
        if channel not in published.damaged
        for release in _that_widen(published.releases(channel))
    }
    if not by_itself:
        return Gone([], [], by_itself)
    with reading(service.engine) as connection:
        found = steps(published, connection, now)
        open_doubt = doubt(connection) if found else ""
    done: list[Step] = []
    stuck: list[str] = []
    for one in found:
        why = open_doubt or _widen(service, one, now)
        if why:
            stuck.append(f"release {one.release} may go further on {one.channel}: {why}")
        else:
            done.append(one)
    return Gone(done, stuck, by_itself)


def _widen(service: Service, one: Step, now: int) -> str:
    """Do it; why not, or "" once it is done."""
    folder = service.folder
    if not folder.online_keys.is_dir():
        return "the server has no keys (online-keys/)"
    passphrases = key_files.from_environment(PASSPHRASE)
    signers, closed = key_files.load_what_opens(folder.online_keys, passphrases)
    at = datetime.fromtimestamp(now, UTC)
    try:
        repository = channels.Repository.open(folder.repository, strict=False)
        repository.widen(one.channel, one.release, one.held, one.because, signers, at)
    except channels.MissingSignatures as error:
        return "; ".join([str(error), *closed])
    except (channels.RepositoryError, channels.RolloutError, OSError) as error:
        return str(error)
    return ""
