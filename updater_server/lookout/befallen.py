"""What befell the fleet: alarms that stand for as long as what they tell of, one for each release
and not for each terminal. For `worker`.

A message only notes what it says in its terminal's own row; what that means for the fleet is seen
here, from all rows. So a bad release may trip a million terminals an hour, and no sale waits for an
alarm.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import Connection, select

from updater_server import halting
from updater_server.channels.history import History
from updater_server.channels.quote import Runs
from updater_server.fleet.alarms import as_kept, raise_alarm
from updater_server.fleet.updates import ROLLBACK
from updater_server.store.tables import alarm, check_in, terminal

CRASH_LOOP, UNKNOWN_RELEASE, UNKNOWN_IMAGE = "crash_loop", "unknown_release", "unknown_image"
SILENT_REGION, SILENT_EVERYWHERE = "silent_region", "silent_everywhere"
STANDING = (CRASH_LOOP, UNKNOWN_RELEASE, UNKNOWN_IMAGE, SILENT_REGION, SILENT_EVERYWHERE)
"""Alarms that are open exactly while `look`, or `regions`, sees what they tell of."""
MOST = 50
"""Of each kind, told apart."""
_HEARD_OF_S = 86_400
_AT_ONCE = 2_000
"""Rollbacks looked at in one go: a storm of them is gone through bit by bit."""
_REASONS = 500
_JOINED = check_in.join(terminal, terminal.c.id == check_in.c.terminal_id)


class Standing(NamedTuple):
    """Something that is so now; `terminal_id`: one of those that it is so of."""

    code: str
    text: str
    terminal_id: bytes | None = None


class Change(NamedTuple):
    """What is to be written so that the alarms that stand are those that should."""

    begun: list[Standing]
    over: list[int]
    """Numbers of alarms."""


def look(connection: Connection, history: History, runs: list[Runs], now: int) -> list[Standing]:
    """What befell the fleet and is so now (Unix s)."""
    return [*_loops(connection, now), *_unknown(connection, history, runs)]


def _loops(connection: Connection, now: int) -> Iterable[Standing]:
    loops = check_in.c.looping_since.is_not(None) & (check_in.c.at > now - _HEARD_OF_S)
    rows = connection.execute(
        select(check_in.c.release).where(loops).group_by(check_in.c.release).limit(MOST)
    )
    for (release,) in rows.all():
        one = select(check_in.c.terminal_id).where(loops, check_in.c.release == release)
        first = connection.scalar(one.order_by(check_in.c.looping_since).limit(1))
        yield Standing(CRASH_LOOP, f"release {release}: it starts again and again", first)


def _unknown(connection: Connection, history: History, runs: list[Runs]) -> Iterable[Standing]:
    if not history.entries or history.doubts:
        return  # nobody can tell what was never published
    found = 0
    for hardware_class, release, image, _ in runs:
        entry = None if release is None else history.entries.get((hardware_class, release))
        is_known = entry is not None and image in (None, entry.image.sha256)
        if release is None or is_known or found >= MOST:
            continue
        found += 1
        one = connection.scalar(
            select(check_in.c.terminal_id)
            .select_from(_JOINED)
            .where(
                terminal.c.hardware_class == hardware_class,
                check_in.c.release == release,
                check_in.c.image.is_not_distinct_from(image),
            )
            .order_by(check_in.c.terminal_id)
            .limit(1)
        )
        if entry is None:
            text = f"release {release} runs on {hardware_class} and was never published"
            yield Standing(UNKNOWN_RELEASE, text, one)
        else:
            text = (
                f"release {release} runs on {hardware_class} as an image that was never published"
            )
            yield Standing(UNKNOWN_IMAGE, f"{text}: {image}", one)


def change(
    connection: Connection, standing: Iterable[Standing], history: History, codes: Iterable[str]
) -> Change:
    """What must be written of the alarms of `codes`, of rollbacks and halts; mostly nothing."""
    opened = select(alarm.c.id, alarm.c.code, alarm.c.text).where(alarm.c.closed_at.is_(None))
    standing_now = connection.execute(opened.where(alarm.c.code.in_([*codes]))).all()
    known = {(row.code, row.text) for row in standing_now}
    wanted = {(each.code, as_kept(each.text)): each for each in standing}
    over = [row.id for row in standing_now if (row.code, row.text) not in wanted]
    others = opened.where(alarm.c.code.in_([ROLLBACK, halting.WAITS])).order_by(alarm.c.id)
    for row in connection.execute(others.limit(_AT_ONCE)).all():
        is_over = _is_over(connection, row.text) if row.code == ROLLBACK else None
        if is_over or (is_over is None and _is_out(history, row.text)):
            over.append(row.id)
    return Change([each for key, each in wanted.items() if key not in known], over)


def write(connection: Connection, what: Change, now: int) -> None:
    """Raise what began, close what is over."""
    for each in what.begun:
        raise_alarm(connection, each.terminal_id, each.code, each.text, now)
    for number in what.over:
        connection.execute(
            alarm.update()
            .where(alarm.c.id == number, alarm.c.closed_at.is_(None))
            .values(closed_at=now)
        )


def _is_over(connection: Connection, text: str) -> bool:
    """Whether no terminal's newest report tells of this rollback any more."""
    release = text.removeprefix("release ").partition(":")[0]
    if not release.isdecimal():
        return False
    reasons = connection.scalars(
        select(check_in.c.failure_reason)
        .where(check_in.c.failure_release == int(release))
        .distinct()
        .limit(_REASONS)
    ).all()
    return len(reasons) < _REASONS and text not in {
        as_kept(f"release {release}: {reason}") for reason in reasons
    }


def _is_out(history: History, text: str) -> bool:
    """Whether a halt that waited is in force."""
    release, channel = halting.waited(text)
    return release in history.plan(channel).halted
