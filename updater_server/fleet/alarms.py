"""Alarms: what a person must look at. Any module of the server raises them inside its own
transaction.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, insert, select, update

from updater_server.tables import alarm

TEXT_LIMIT = 300


def raise_alarm(
    connection: Connection, terminal_id: bytes | None, code: str, text: str, now: int
) -> None:
    """Record an alarm; the same one again while it is open only counts up."""
    text = text[:TEXT_LIMIT]
    same_terminal = (
        alarm.c.terminal_id.is_(None) if terminal_id is None else alarm.c.terminal_id == terminal_id
    )
    repeated = connection.execute(
        update(alarm)
        .where(same_terminal, alarm.c.code == code, alarm.c.text == text)
        .where(alarm.c.closed_at.is_(None))
        .values(count=alarm.c.count + 1, last_at=now)
    )
    if repeated.rowcount == 0:
        connection.execute(
            insert(alarm).values(
                terminal_id=terminal_id, code=code, text=text, first_at=now, last_at=now, count=1
            )
        )


def close_alarm(connection: Connection, alarm_id: int, now: int) -> bool:
    """Mark an alarm as dealt with; False if it is not open."""
    closed = connection.execute(
        update(alarm)
        .where(alarm.c.id == alarm_id, alarm.c.closed_at.is_(None))
        .values(closed_at=now)
    )
    return closed.rowcount == 1


def open_alarms(connection: Connection, limit: int = 100) -> list[dict[str, Any]]:
    """The alarms nobody has closed, newest first."""
    rows = connection.execute(
        select(alarm)
        .where(alarm.c.closed_at.is_(None))
        .order_by(alarm.c.last_at.desc(), alarm.c.id.desc())
        .limit(limit)
    )
    return [dict(row) for row in rows.mappings()]
