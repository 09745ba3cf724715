"""Notices to merchants: a deposit with its reference, a message of the office. For the rooms that
move money, the command line and the terminals' face.

Each has a number that only rises on its terminal: Unix seconds, or one more than the last one's
where that is higher, so that a server that was put back from a back-up gives none again. A terminal
says through which number it has them; what is behind that is told with each answer, and one that it
has, it does not take again. Source: docs/formats/messages.md, "Notices".
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, case, insert, select, update

from updater_server.errors import InputError
from updater_server.store.tables import merchant_notice, terminal
from updater_server.wire import cbor, limits

ANSWER_BYTES = 600
"""Of notices in one answer, but for a single one that is longer."""


def next_number(connection: Connection, terminal_id: bytes, now: int) -> int:
    """The number of a notice that this transaction is to write. Asked for before money moves: a
    message of the terminal holds these rows in the same order.

    Raises:
        InputError: not enrolled.
    """
    known = terminal.c.notice_number
    number = connection.scalar(
        update(terminal)
        .where(terminal.c.id == terminal_id)
        .values(notice_number=case((known < now, now), else_=known + 1))
        .returning(known)
    )
    if number is None:
        raise InputError(f"no terminal {terminal_id.hex()} is enrolled")
    return int(number)


def money_moved(
    connection: Connection,
    terminal_id: bytes,
    number: int,
    amount_minor: int,
    reference: str,
    float_after_minor: int,
) -> None:
    """The float of a terminal changed by `amount_minor` (negative: it was paid out)."""
    connection.execute(
        insert(merchant_notice).values(
            terminal_id=terminal_id,
            number=number,
            amount_minor=amount_minor,
            reference=reference,
            float_after_minor=float_after_minor,
        )
    )


def message(connection: Connection, terminal_id: bytes, text: str, now: int) -> None:
    """The office says something to the merchant.

    Raises:
        InputError: not enrolled, not 1 to 200 characters, or not printable.
    """
    if not limits.within(len(text), limits.NOTICE_TEXT):
        raise InputError("a message has 1 to 200 characters")
    if not text.isprintable():
        raise InputError("the text holds characters that no screen shows")
    number = next_number(connection, terminal_id, now)
    connection.execute(
        insert(merchant_notice).values(terminal_id=terminal_id, number=number, text=text)
    )


def told(connection: Connection, owner: Any, through: int) -> int:
    """The terminal says that it has its notices through this number; returns through which it has
    them. A terminal that lost its files is not told anew what it had.
    """
    known = owner.notices_through
    if known is not None and known >= through:
        return int(known)
    mine = update(terminal).where(terminal.c.id == bytes(owner.id))
    connection.execute(mine.values(notices_through=through))
    return through


def waiting(connection: Connection, owner: Any, through: int) -> list[list[int | str]]:
    """What the terminal does not have yet, as an answer says it, the oldest first."""
    if owner.notice_number <= through:
        return []
    found: list[list[int | str]] = []
    room = ANSWER_BYTES
    rows = connection.execute(
        select(merchant_notice)
        .where(merchant_notice.c.terminal_id == bytes(owner.id))
        .where(merchant_notice.c.number > through)
        .order_by(merchant_notice.c.number)
        .limit(limits.NOTICES[1])
    )
    for row in rows:
        item = _as_said(row)
        room -= len(cbor.dumps(item))
        if found and room < 0:
            break
        found.append(item)
    return found


def _as_said(row: Any) -> list[int | str]:
    if row.text is not None:
        return [row.number, row.text]
    least, most = limits.FLOAT_MINOR
    return [
        row.number,
        row.amount_minor,
        row.reference,
        max(least, min(most, row.float_after_minor)),
    ]
