"""Batches of stock that come back, whole or voucher by voucher, and those that are offered no more.
For `stock`, `returns`, `import_recall` and the command line.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, bindparam, func, insert, select, update

from updater_server.errors import InputError
from updater_server.fleet.operators import words
from updater_server.sales import vault
from updater_server.store.prepared import Prepared
from updater_server.store.tables import (
    stock_batch,
    stock_return,
    voucher,
    voucher_aside,
    voucher_assignment,
)
from updater_server.wire import limits

NAMED_LIMIT = limits.BATCHES_WAITING[1]
"""Batches named in one check-in; the next ones follow when these are dealt with."""


def count_of(batch: Row[Any]) -> int:
    """How many vouchers a batch was made of (a row's own `count` is a method)."""
    return int(batch._mapping["count"])


def places(connection: Connection, batch_id: int) -> list[int]:
    """The ids of a batch's vouchers, by index."""
    return list(
        connection.scalars(
            select(voucher_assignment.c.voucher_id)
            .where(voucher_assignment.c.batch_id == batch_id)
            .order_by(voucher_assignment.c.batch_index)
        )
    )


def close(connection: Connection, batch_id: int, now: int) -> bool:
    """Offer a batch no more that its terminal cannot store; its vouchers stay given away. False if
    it was taken back or received before.
    """
    closed = connection.execute(
        update(stock_batch)
        .where(stock_batch.c.id == batch_id)
        .where(stock_batch.c.withdrawn_at.is_(None), stock_batch.c.received_at.is_(None))
        .values(withdrawn_at=now, sent_at=func.coalesce(stock_batch.c.sent_at, now), stopped_at=now)
    )
    return closed.rowcount == 1


def refused(connection: Connection, terminal_id: bytes, batch_id: int, now: int) -> None:
    """The terminal's word that it cannot take a batch: it is not offered again."""
    owner = connection.scalar(select(stock_batch.c.terminal_id).where(stock_batch.c.id == batch_id))
    if owner == terminal_id:
        close(connection, batch_id, now)


def recall(connection: Connection, batch_id: int, operator: str, now: int) -> tuple[bytes, str]:
    """Take back a batch; returns whose it is, and in words what becomes of its vouchers.

    Those of one that never left the server are free again. A terminal that may have it is told at
    its next check-in to sell from it no more; what was sent may have been sold before it hears of
    that, so its vouchers go to nobody else.

    Raises:
        InputError: no such batch, or it is not offered any more.
    """
    batch = connection.execute(
        select(stock_batch).where(stock_batch.c.id == batch_id)
    ).one_or_none()
    if batch is None:
        raise InputError(f"there is no stock batch {batch_id}")
    if batch.withdrawn_at is not None:
        raise InputError(f"batch {batch_id} was taken back before")
    owner = bytes(batch.terminal_id)
    if batch.sent_at is None:
        free = withdraw(connection, batch_id, operator, "the batch was recalled", now)
        return owner, f"the terminal never had it: {free} vouchers are in the vault again"
    connection.execute(
        update(stock_batch).where(stock_batch.c.id == batch_id).values(withdrawn_at=now)
    )
    if batch.received_at is not None:
        return owner, "the terminal stops selling from it when it next checks in"
    count = count_of(batch)
    return owner, f"it was sent and not confirmed: its {count} vouchers may be on the terminal"


_RECALLED = Prepared(
    select(stock_batch.c.id)
    .where(stock_batch.c.terminal_id == bindparam("terminal_id"))
    .where(stock_batch.c.withdrawn_at.is_not(None), stock_batch.c.stopped_at.is_(None))
    .where(stock_batch.c.sent_at.is_not(None))
    .order_by(stock_batch.c.id.desc())
    .limit(NAMED_LIMIT)
)


def recalled(connection: Connection, terminal_id: bytes) -> list[int]:
    """Ids of batches that the terminal is still to stop selling from, if it has them."""
    return _RECALLED.scalars(connection, terminal_id=terminal_id)


def withdraw(connection: Connection, batch_id: int, operator: str, note: str, now: int) -> int:
    """Take back a batch whose file never left the server; returns how many vouchers are free again.

    Raises:
        InputError: its PINs left the server, or it was taken back before.
    """
    batch = connection.execute(select(stock_batch).where(stock_batch.c.id == batch_id)).one()
    if batch.sent_at is not None:
        raise InputError(f"batch {batch_id} was sent to its terminal")
    if batch.withdrawn_at is not None:
        raise InputError(f"batch {batch_id} was taken back before")
    count = 0
    for index, voucher_id in enumerate(places(connection, batch_id)):
        count += come_back(connection, batch_id, index, voucher_id, operator, note, now)
    connection.execute(
        update(stock_batch).where(stock_batch.c.id == batch_id).values(withdrawn_at=now)
    )
    return count


def come_back(
    connection: Connection,
    batch_id: int,
    index: int,
    voucher_id: int,
    operator: str,
    note: str,
    now: int,
) -> bool:
    """One voucher of a batch is free again, once; False if it is set aside for ever (now, or
    before).
    """
    if connection.scalar(
        select(voucher_aside.c.at).where(voucher_aside.c.voucher_id == voucher_id)
    ):
        return False
    connection.execute(
        insert(stock_return).values(
            batch_id=batch_id,
            batch_index=index,
            voucher_id=voucher_id,
            note=words(note, 200),
            returned_by=operator,
            at=now,
        )
    )
    if vault.is_recalled(connection, voucher_id):
        vault.set_aside(connection, voucher_id, "recalled", operator, now)
        return False
    connection.execute(update(voucher).where(voucher.c.id == voucher_id).values(free=True))
    return True


def came_back(connection: Connection, batch_id: int, index: int) -> bool:
    """Whether a voucher of a batch was taken back to the vault."""
    return (
        connection.scalar(
            select(stock_return.c.at).where(
                stock_return.c.batch_id == batch_id, stock_return.c.batch_index == index
            )
        )
        is not None
    )
