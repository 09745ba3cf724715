"""What waits to be sent: taken, noted as sent, or tried again later. For `worker`.

Each step is a transaction of its own, and none is open while a message is on its way.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from sqlalchemy import Connection, delete, func, select, update

from updater_server.fleet.alarms import raise_alarm, settle
from updater_server.notices.message import Message
from updater_server.store.tables import notice

FAILED = "notice_failed"
_PAUSES_S = (10, 30, 60, 120, 300, 600)
GIVEN_UP_AFTER_S = 86400
"""What nobody took in a day is no news any more: what is still open is told anew."""
KEPT_S = 90 * 86400
_TELL_AFTER = 3


class Waiting(NamedTuple):
    """One message that is due."""

    id: int
    message: Message
    attempts: int
    created_at: int


def due(connection: Connection, receiver: str, now: int) -> Waiting | None:
    """The receiver's oldest message, if it may be tried now: they go out in their order."""
    row = connection.execute(
        select(notice)
        .where(notice.c.state == "waiting", notice.c.receiver == receiver)
        .order_by(notice.c.id)
        .limit(1)
    ).one_or_none()
    if row is None or row.next_at > now:
        return None
    return Waiting(row.id, Message.from_json(row.content), row.attempts, row.created_at)


def has_until(connection: Connection, receiver: str, through: int) -> bool:
    """Whether something up to this number still waits for the receiver."""
    oldest = (
        select(notice.c.id)
        .where(notice.c.state == "waiting", notice.c.receiver == receiver, notice.c.id <= through)
        .limit(1)
    )
    return connection.scalar(oldest) is not None


def is_refused(connection: Connection, receiver: str) -> bool:
    """Whether a message that was tried still waits for the receiver."""
    mine = (notice.c.state == "waiting", notice.c.receiver == receiver, notice.c.attempts > 0)
    return connection.scalar(select(notice.c.id).where(*mine).limit(1)) is not None


def newest_id(connection: Connection) -> int:
    """The number of the message that was written last; 0: none ever was."""
    return int(connection.scalar(select(func.max(notice.c.id))) or 0)


def sent(connection: Connection, receiver: str, what: Waiting, now: int) -> None:
    """Note that it is out; the alarm that it was not closes by itself."""
    connection.execute(
        update(notice)
        .where(notice.c.id == what.id)
        .values(state="sent", attempts=what.attempts + 1, done_at=now, error="")
    )
    _settle_failure(connection, receiver, now)


def failed(connection: Connection, receiver: str, what: Waiting, why: str, now: int) -> None:
    """Note that it is not out; it is tried again, and from the third time on it is an alarm
    itself.
    """
    attempts = what.attempts + 1
    pause_s = _PAUSES_S[min(what.attempts, len(_PAUSES_S) - 1)]
    is_old = now - what.created_at >= GIVEN_UP_AFTER_S
    connection.execute(
        update(notice)
        .where(notice.c.id == what.id)
        .values(
            state="given_up" if is_old else "waiting",
            attempts=attempts,
            next_at=now + pause_s,
            error=why[:200],
            done_at=now if is_old else None,
        )
    )
    if attempts >= _TELL_AFTER:
        raise_alarm(connection, None, FAILED, _failure(receiver), now)


def _failure(receiver: str) -> str:
    return f"{receiver} cannot be told of alarms: see `notices list`"


def _settle_failure(connection: Connection, receiver: str, now: int) -> None:
    others = connection.execute(
        select(notice.c.receiver)
        .where(notice.c.state == "waiting", notice.c.attempts >= _TELL_AFTER)
        .where(notice.c.receiver != receiver)
        .distinct()
    )
    settle(connection, [FAILED], [_failure(name) for (name,) in others], now)


def tidy(connection: Connection, now: int) -> None:
    """Forget what was sent long ago."""
    connection.execute(
        delete(notice).where(notice.c.state != "waiting", notice.c.created_at < now - KEPT_S)
    )


def newest(connection: Connection, limit: int) -> list[dict[str, Any]]:
    """What was written last, newest first."""
    rows = connection.execute(select(notice).order_by(notice.c.id.desc()).limit(limit))
    return [dict(row) for row in rows.mappings()]


def waiting_count(connection: Connection) -> int:
    """How many messages wait."""
    return int(
        connection.scalar(
            select(func.count()).select_from(notice).where(notice.c.state == "waiting")
        )
        or 0
    )
