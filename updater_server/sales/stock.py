"""Stock for selling offline: vouchers set aside for one terminal and sealed so that only it opens
them.

For `device_api` and the command line. Source: docs/formats/messages.md, "Stock file".
"""

from __future__ import annotations

import hashlib
from typing import Any

from sqlalchemy import Connection, Row, insert, or_, select, update

from updater_server import limits, strict_cbor
from updater_server.errors import ConflictError, InputError
from updater_server.fleet.alarms import raise_alarm
from updater_server.messages import DeviceKeys, seal_pin
from updater_server.sales import vouchers
from updater_server.sales.prices import PriceLists
from updater_server.server_key import ServerKey
from updater_server.tables import stock_batch, terminal, voucher_assignment

BATCH_LIMIT = limits.BATCH_VOUCHERS[1]
WAITING_LIMIT = limits.BATCHES_WAITING[1]
"""Batches named in one check-in; the next ones follow when these are received."""
_HEAD_ROOM_BYTES = 64  # the longest head: ids, product, amount, expiry
_ENTRY_ROOM_BYTES = 13  # an entry beside serial and PIN: an array, two lengths, a tag of 8
RECALLED = "recalled"
SHELF_LIFE_S = 7 * 86400
"""Vouchers that expire sooner stay in the vault for online sale."""


class NoSuchBatch(Exception):
    """The terminal has no batch of this id."""


def assign(
    connection: Connection,
    key: ServerKey,
    prices: PriceLists,
    terminal_id: bytes,
    product_id: str,
    count: int,
    now: int,
) -> int:
    """Set `count` vouchers of a product aside for a terminal, for ever; returns the batch id.

    Raises:
        InputError: unknown terminal or product, too many, or the vault has fewer.
        PricesUnavailable: the terminal's catalogue cannot be read.
    """
    owner = connection.execute(select(terminal).where(terminal.c.id == terminal_id)).one_or_none()
    if owner is None:
        raise InputError(f"no terminal {terminal_id.hex()} is enrolled")
    if not 1 <= count <= BATCH_LIMIT:
        raise InputError(f"a batch holds 1 to {BATCH_LIMIT} vouchers")
    product = prices.product(owner.catalogue, product_id)
    if product is None:
        raise InputError(f"{owner.catalogue} has no product {product_id}")
    taken = vouchers.take(connection, key, product_id, count, now, spare_s=SHELF_LIFE_S)
    if len(taken) < count:
        # What was found unfit on the way stays set aside only if a batch comes of it.
        raise InputError(f"the vault has only {len(taken)} vouchers of {product_id}: import more")
    expires_at = min((v.expires_at for v in taken if v.expires_at), default=0)
    room = limits.STOCK_FILE_BYTES[1] - _HEAD_ROOM_BYTES
    fitting = 0
    for opened in taken:
        room -= len(opened.serial) + len(opened.pin) + _ENTRY_ROOM_BYTES
        fitting += room >= 0
    if fitting < count:
        raise InputError(
            f"a terminal has room for {fitting} such vouchers in one batch: assign {fitting}"
        )
    prices.record(connection, owner.catalogue, now)
    created = connection.execute(
        insert(stock_batch).values(
            terminal_id=terminal_id,
            product_id=product_id,
            face_minor=product.amount_minor,
            commission_minor=product.commission_minor,
            expires_at=expires_at,
            count=count,
            created_at=now,
        )
    )
    assert created.inserted_primary_key is not None
    batch_id = int(created.inserted_primary_key[0])
    connection.execute(
        insert(voucher_assignment),
        [
            {
                "voucher_id": opened.voucher_id,
                "terminal_id": terminal_id,
                "batch_id": batch_id,
                "batch_index": index,
                "assigned_at": now,
            }
            for index, opened in enumerate(taken)
        ],
    )
    return batch_id


def waiting(connection: Connection, terminal_id: bytes) -> list[int]:
    """Ids of batches that the terminal has not confirmed, lowest first."""
    return list(
        connection.scalars(
            select(stock_batch.c.id)
            .where(stock_batch.c.terminal_id == terminal_id, stock_batch.c.received_at.is_(None))
            .where(stock_batch.c.closed_at.is_(None))
            .order_by(stock_batch.c.id)
            .limit(WAITING_LIMIT)
        )
    )


def stock_file(
    connection: Connection, key: ServerKey, keys: DeviceKeys, terminal_id: bytes, batch_id: int
) -> bytes:
    """A batch as the terminal stores it; the same bytes every time.

    Raises:
        NoSuchBatch: not this terminal's.
    """
    batch = connection.execute(
        select(stock_batch).where(
            stock_batch.c.id == batch_id, stock_batch.c.terminal_id == terminal_id
        )
    ).one_or_none()
    if batch is None:
        raise NoSuchBatch(f"no batch {batch_id} for this terminal")
    ids = connection.scalars(
        select(voucher_assignment.c.voucher_id)
        .where(voucher_assignment.c.batch_id == batch_id)
        .order_by(voucher_assignment.c.batch_index)
    )
    head = (batch.product_id, batch.face_minor, batch.expires_at)
    entries = []
    for index, voucher_id in enumerate(ids):
        opened = vouchers.reveal(connection, key, voucher_id)
        sealed = seal_pin(keys, batch_id, index, head, opened.serial, opened.pin)
        entries.append([opened.serial, sealed])
    return strict_cbor.dumps(
        {
            1: batch_id,
            2: batch.product_id,
            3: batch.face_minor,
            4: batch.expires_at,
            5: entries,
        }
    )


def offered_file(
    connection: Connection,
    key: ServerKey,
    keys: DeviceKeys,
    terminal_id: bytes,
    batch_id: int,
    now: int,
) -> bytes:
    """`stock_file`, to be sent now; noted, for from here on the terminal may have it.

    Raises:
        NoSuchBatch: not this terminal's, or closed; also when the terminal could not take the file,
            which closes the batch with an alarm, so commit.
    """
    content = stock_file(connection, key, keys, terminal_id, batch_id)
    batch = connection.execute(select(stock_batch).where(stock_batch.c.id == batch_id)).one()
    if batch.closed_at is not None:
        raise NoSuchBatch(f"batch {batch_id} is not offered any more: {batch.closed_why}")
    why = _unfit(connection, key, batch, len(content))
    if why:
        close(connection, batch_id, why, now)
        text = f"stock batch {batch_id} is not offered, the terminal could not take it: {why}"
        raise_alarm(connection, terminal_id, "stock_unfit", text, now)
        raise NoSuchBatch(text)
    connection.execute(
        update(stock_batch)
        .where(stock_batch.c.id == batch_id, stock_batch.c.asked_for_at.is_(None))
        .values(asked_for_at=now)
    )
    return content


def _unfit(connection: Connection, key: ServerKey, batch: Row[Any], size_bytes: int) -> str | None:
    if not limits.within(size_bytes, limits.STOCK_FILE_BYTES):
        return f"{size_bytes} bytes, at most {limits.STOCK_FILE_BYTES[1]}"
    if not limits.within(batch._mapping["count"], limits.BATCH_VOUCHERS):
        return f"{batch._mapping['count']} vouchers, at most {limits.BATCH_VOUCHERS[1]}"
    ids = connection.scalars(
        select(voucher_assignment.c.voucher_id).where(voucher_assignment.c.batch_id == batch.id)
    )
    for voucher_id in ids:
        opened = vouchers.reveal(connection, key, voucher_id)
        why = limits.unfit_voucher(batch.product_id, opened.pin, opened.serial, opened.expires_at)
        if why:
            return why
    return None


def close(connection: Connection, batch_id: int, why: str, now: int) -> bool:
    """Offer a batch no more; its vouchers stay given away. False if it was closed or received."""
    closed = connection.execute(
        update(stock_batch)
        .where(stock_batch.c.id == batch_id)
        .where(stock_batch.c.closed_at.is_(None), stock_batch.c.received_at.is_(None))
        .values(closed_at=now, closed_why=why[:200])
    )
    return closed.rowcount == 1


def recall(connection: Connection, batch_id: int, now: int) -> str:
    """Take back a batch; returns in words what becomes of its vouchers.

    One that the terminal has, it is told at its next check-in to sell from no more. The vouchers go
    to nobody else: what was sent may have been sold before the terminal hears of it.

    Raises:
        InputError: no such batch, or it is closed.
    """
    batch = connection.execute(
        select(stock_batch).where(stock_batch.c.id == batch_id)
    ).one_or_none()
    if batch is None:
        raise InputError(f"there is no stock batch {batch_id}")
    if batch.closed_at is not None:
        raise InputError(f"batch {batch_id} is closed already: {batch.closed_why}")
    connection.execute(
        update(stock_batch)
        .where(stock_batch.c.id == batch_id)
        .values(closed_at=now, closed_why=RECALLED)
    )
    count = batch._mapping["count"]
    if batch.received_at is not None:
        return "the terminal stops selling from it when it next checks in"
    if batch.asked_for_at is None:
        return f"the terminal never had it: its {count} vouchers were shown to nobody"
    return f"it was sent and not confirmed: its {count} vouchers may be on the terminal"


def recalled(connection: Connection, terminal_id: bytes) -> list[int]:
    """Ids of batches that the terminal is still to stop selling from, if it has them."""
    return list(
        connection.scalars(
            select(stock_batch.c.id)
            .where(stock_batch.c.terminal_id == terminal_id)
            .where(stock_batch.c.closed_why == RECALLED, stock_batch.c.stopped_at.is_(None))
            .where(or_(stock_batch.c.received_at > 0, stock_batch.c.asked_for_at > 0))
            .order_by(stock_batch.c.id.desc())
            .limit(WAITING_LIMIT)
        )
    )


def refused(connection: Connection, terminal_id: bytes, batch_id: int, why: str, now: int) -> None:
    """The terminal's word that it cannot take a batch: it is not offered again."""
    owner = connection.scalar(select(stock_batch.c.terminal_id).where(stock_batch.c.id == batch_id))
    if owner == terminal_id:
        close(connection, batch_id, f"refused by the terminal: {why}", now)


def received(
    connection: Connection,
    key: ServerKey,
    keys: DeviceKeys,
    terminal_id: bytes,
    batch_id: int,
    sha256: bytes,
    now: int,
) -> None:
    """The terminal has stored the file whose hash is `sha256`.

    Raises:
        NoSuchBatch: not this terminal's.
        ConflictError: it stored something else; the alarm is raised already, so commit.
    """
    content = stock_file(connection, key, keys, terminal_id, batch_id)
    if hashlib.sha256(content).digest() != sha256:
        text = f"stock batch {batch_id} arrived damaged"
        raise_alarm(connection, terminal_id, "stock_damaged", text, now)
        raise ConflictError(text)
    connection.execute(
        update(stock_batch)
        .where(stock_batch.c.id == batch_id, stock_batch.c.received_at.is_(None))
        .values(received_at=now)
    )
