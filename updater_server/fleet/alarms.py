"""Alarms: what a person must look at. Any module of the server raises them inside its own
transaction.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, NamedTuple

from sqlalchemy import Connection, case, func, insert, select, update

from updater_server.store.engine import one_at_a_time
from updater_server.store.tables import alarm

TEXT_LIMIT = 300
_MONEY, _SOON = 0, 1
_GRADES = {
    "sale_conflict": _MONEY,
    "journal_fork": _MONEY,
    "journal_lost": _MONEY,
    "journal_chain": _MONEY,
    "journal_rewound": _MONEY,
    "journal_too_many_lost": _MONEY,
    "float_negative": _MONEY,
    "float_mismatch": _MONEY,
    "voucher_spoiled": _MONEY,
    "voucher_twice": _MONEY,
    "returned_and_sold": _MONEY,
    "sale_cancelled": _MONEY,
    "sale_lost": _MONEY,
    "database_restored": _MONEY,
    "restore_float": _MONEY,
    "restore_stock": _MONEY,
    "restore_voucher": _MONEY,
    "restore_given_up": _MONEY,
    "supplier_contradicts": _MONEY,
    "supplier_answer": _MONEY,
    "statement_differs": _MONEY,
    "z_differs": _MONEY,
    "reconciliation_open": _MONEY,
    "supplier_open": _MONEY,
    "supplier_file": _SOON,
    "other_currency": _SOON,
    "no_supplier": _SOON,
    "no_vouchers": _SOON,
    "low_stock": _SOON,
    "expired": _SOON,
    "expiry_near": _SOON,
    "verdict_halt": _SOON,
    "brake_failed": _SOON,
    "widening_waits": _SOON,
    "channels": _SOON,
    "channels_spoiled": _SOON,
    "halt_waits": _SOON,
    "signature_waits": _SOON,
    "silent_everywhere": _SOON,
    "probe": _SOON,
    "canary_late": _SOON,
    "standby_missing": _SOON,
    "expiry_soon": 3,
    "verdict_pass": 3,
}
"""0: money may be wrong. 1: something stands still, or will in days. 2 (all others): look at it.
3: there are weeks.
"""


def grade(code: str) -> int:
    """How bad a kind of alarm is: 0 the worst."""
    return _GRADES.get(code, 2)


def as_kept(text: str) -> str:
    """An alarm's text as it is in the database."""
    return text[:TEXT_LIMIT].replace("\0", "?")


def raise_alarm(
    connection: Connection, terminal_id: bytes | None, code: str, text: str, now: int
) -> None:
    """Record an alarm; the same one again while it is open only counts up."""
    text = as_kept(text)
    if terminal_id is None:
        one_at_a_time(connection, f"{code} {text}")
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


def acknowledge(connection: Connection, alarm_id: int, by: str, owner: str, now: int) -> bool:
    """Note that somebody looks after an alarm; False if it is not open."""
    taken = connection.execute(
        update(alarm)
        .where(alarm.c.id == alarm_id, alarm.c.closed_at.is_(None))
        .values(owner=owner, acknowledged_by=by, acknowledged_at=now)
    )
    return taken.rowcount == 1


def raise_once(connection: Connection, code: str, text: str, now: int) -> None:
    """Record an alarm of the server's unless it was raised before: who closed it knows of it."""
    text = text[:TEXT_LIMIT]
    known = select(alarm.c.id).where(alarm.c.code == code, alarm.c.text == text).limit(1)
    if connection.scalar(known) is None:
        raise_alarm(connection, None, code, text, now)


def is_open(connection: Connection, code: str, text: str | None = None) -> bool:
    """Whether an alarm of this kind (and of these words) is open."""
    found = select(alarm.c.id).where(alarm.c.code == code, alarm.c.closed_at.is_(None)).limit(1)
    if text is not None:
        found = found.where(alarm.c.text == text[:TEXT_LIMIT])
    return connection.scalar(found) is not None


def settle(
    connection: Connection, codes: Collection[str], still: Collection[str], now: int
) -> None:
    """Close the open alarms of these kinds whose text is not among `still`: that passed."""
    still = [text[:TEXT_LIMIT] for text in still]
    connection.execute(
        update(alarm)
        .where(alarm.c.code.in_(codes), alarm.c.closed_at.is_(None), alarm.c.text.not_in(still))
        .values(closed_at=now)
    )


class Kind(NamedTuple):
    """The open alarms of one code: how many, how often they were raised in all, when last."""

    code: str
    grade: int
    alarms: int
    raised: int
    last_at: int


def kinds(connection: Connection) -> list[Kind]:
    """The open alarms by kind, the worst first, then the newest. Nothing is left out."""
    rows = connection.execute(
        select(alarm.c.code, func.count(), func.sum(alarm.c.count), func.max(alarm.c.last_at))
        .where(alarm.c.closed_at.is_(None))
        .group_by(alarm.c.code)
    )
    found = [Kind(code, grade(code), n, int(count), last) for code, n, count, last in rows]
    return sorted(found, key=lambda kind: (kind.grade, -kind.last_at, kind.code))


def open_alarms(
    connection: Connection, limit: int = 100, offset: int = 0, code: str | None = None
) -> list[dict[str, Any]]:
    """One page of the alarms nobody has closed (of one kind, if named), the worst first, then the
    newest; `kinds` says how many there are.
    """
    rows = connection.execute(
        select(alarm)
        .where(alarm.c.closed_at.is_(None), *([alarm.c.code == code] if code else []))
        .order_by(
            case(_GRADES, value=alarm.c.code, else_=2),
            alarm.c.last_at.desc(),
            alarm.c.id.desc(),
        )
        .limit(limit)
        .offset(offset)
    )
    return [dict(row) for row in rows.mappings()]
