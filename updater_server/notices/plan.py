"""Who is to be told of what, now: reads the open alarms and what each receiver knows, and writes
what is to be sent. For `worker`.

It looks at what *is*, not at what happened: a storm of a million alarms is one message, what came
and went between two looks none, and whoever could not be told in this hour is told in the next what
is true then. Each plan is one transaction: cut short, it is made again.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select

from updater_server.fleet import alarms
from updater_server.notices.message import EXAMPLES, Example, Group, Message
from updater_server.notices.receivers import Receiver
from updater_server.store.tables import alarm, notice, notice_told

WAIT_S = 10
"""What begins together is told together."""
AGAIN_S = 300
"""More of a kind that is open already is told at most so often."""
REMIND_S = 86400
"""What nobody has taken on for a day is told again."""
_HOUR_S = 3600


def plan(connection: Connection, receivers: Iterable[Receiver], now: int) -> int:
    """Write what is to be sent now (Unix time); returns how many messages."""
    due = _due(connection, receivers, now)
    for receiver, message in due:
        _write(connection, receiver.name, message)
    return len(due)


def is_due(connection: Connection, receivers: Iterable[Receiver], now: int) -> bool:
    """Whether `plan` would write anything now: nobody who writes need wait for it else."""
    return bool(_due(connection, receivers, now))


def _due(
    connection: Connection, receivers: Iterable[Receiver], now: int
) -> list[tuple[Receiver, Message]]:
    groups = _open_groups(connection)
    return [
        (receiver, message)
        for receiver in receivers
        for message in _for_receiver(connection, receiver, groups, now)
    ]


def _open_groups(connection: Connection) -> dict[str, Group]:
    """Every kind of alarm that is open, by code; without examples."""
    rows = connection.execute(
        select(
            alarm.c.code,
            func.count(),
            func.sum(alarm.c.count),
            func.min(alarm.c.first_at),
            func.max(alarm.c.last_at),
            func.max(alarm.c.id),
        )
        .where(alarm.c.closed_at.is_(None))
        .group_by(alarm.c.code)
    )
    return {
        code: Group(code, alarms.grade(code), n, int(raised), first, last, newest, ())
        for code, n, raised, first, last, newest in rows
    }


def _for_receiver(
    connection: Connection, receiver: Receiver, groups: dict[str, Group], now: int
) -> list[Message]:
    known = {
        row.code: row
        for row in connection.execute(
            select(notice_told).where(notice_told.c.receiver == receiver.name)
        )
    }
    due: dict[str, list[Group]] = {}
    for code, group in sorted(groups.items(), key=lambda item: (item[1].grade, item[0])):
        if group.grade <= receiver.grade:
            kind = _kind(connection, group, known.get(code), now)
            if kind:
                due.setdefault(kind, []).append(group)
    for code, told in sorted(known.items()):
        if told.firing and code not in groups:
            over = Group(code, alarms.grade(code), 0, 0, told.at, now, told.through, ())
            due.setdefault("resolved", []).append(over)
    left = receiver.per_hour - _written_since(connection, receiver.name, now - _HOUR_S)
    messages: list[Message] = []
    for kind, several in due.items():
        for part in _parted(several, left - len(messages)):
            messages.append(Message(kind, part, now))
    return messages


def _kind(connection: Connection, group: Group, told: Row[Any] | None, now: int) -> str:
    """What there is to tell of a group that is open; "" for nothing yet."""
    if told is None or not told.firing:
        return "firing" if now - group.first_at >= WAIT_S else ""
    if now - told.at >= AGAIN_S and group.newest_id > told.through:
        return "more"
    if now - told.at >= REMIND_S and not _is_taken_on(connection, group.code):
        return "still"
    return ""


def _is_taken_on(connection: Connection, code: str) -> bool:
    nobody = (
        select(alarm.c.id)
        .where(alarm.c.code == code, alarm.c.closed_at.is_(None))
        .where(alarm.c.acknowledged_at.is_(None))
        .limit(1)
    )
    return connection.scalar(nobody) is None


def _parted(several: list[Group], left: int) -> list[tuple[Group, ...]]:
    """A message each; all in one if they are more than may be sent; none if nothing may be."""
    if left <= 0:
        return []
    if len(several) < left or len(several) == 1:
        return [(group,) for group in several]
    return [tuple(several)]


def _written_since(connection: Connection, receiver: str, since: int) -> int:
    return int(
        connection.scalar(
            select(func.count())
            .select_from(notice)
            .where(notice.c.receiver == receiver, notice.c.created_at > since)
        )
        or 0
    )


def _write(connection: Connection, receiver: str, message: Message) -> None:
    whole = replace(message, groups=tuple(_with_examples(connection, g) for g in message.groups))
    connection.execute(
        insert(notice).values(
            receiver=receiver,
            content=whole.to_json(),
            state="waiting",
            attempts=0,
            next_at=message.at,
            error="",
            created_at=message.at,
        )
    )
    for group in message.groups:
        connection.execute(
            delete(notice_told)
            .where(notice_told.c.receiver == receiver, notice_told.c.code == group.code)
        )  # fmt: skip
        connection.execute(
            insert(notice_told).values(
                receiver=receiver,
                code=group.code,
                firing=int(message.kind != "resolved"),
                through=group.newest_id,
                at=message.at,
            )
        )


def _with_examples(connection: Connection, group: Group) -> Group:
    """Named in full: the newest first; of what is over, those that were open last."""
    wanted = select(alarm).where(alarm.c.code == group.code).order_by(alarm.c.id.desc())
    if group.alarms:
        wanted = wanted.where(alarm.c.closed_at.is_(None)).limit(EXAMPLES)
    else:
        wanted = wanted.where(alarm.c.id <= group.newest_id).limit(1)
    found = tuple(
        Example(
            row["id"],
            row["terminal_id"].hex() if row["terminal_id"] else "server",
            row["text"],
            row["count"],
            row["first_at"],
        )
        for row in connection.execute(wanted).mappings()
    )
    return replace(group, examples=found)
