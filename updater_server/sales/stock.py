"""Stock for selling offline: vouchers set aside for one terminal and sealed so that only it opens
them.

For `device_api` and the command line. Source: docs/formats/messages.md, "Stock file".
"""

from __future__ import annotations

import hashlib

from sqlalchemy import Connection, func, insert, select, update

from updater_server import strict_cbor
from updater_server.errors import ConflictError, InputError
from updater_server.fleet.alarms import raise_alarm
from updater_server.messages import DeviceKeys, seal_pin
from updater_server.sales import restoring, vouchers
from updater_server.sales.prices import PriceLists
from updater_server.server_key import ServerKey
from updater_server.tables import stock_batch, terminal, voucher, voucher_assignment

BATCH_LIMIT = 100
"""About 6 KB sealed: one message, and a terminal's heap, hold it."""
WAITING_LIMIT = 16
"""Batches named in one check-in; the next ones follow when these are received."""
SHELF_LIFE_S = 7 * 86400
"""Vouchers that expire sooner stay in the vault for online sale."""


class NoSuchBatch(Exception):
    """The terminal has no batch of this id."""


def assign(
    connection: Connection,
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
    ids = vouchers.take(connection, product_id, count, now, spare_s=SHELF_LIFE_S)
    if len(ids) < count:
        raise InputError(f"the vault has only {len(ids)} vouchers of {product_id}: import more")
    prices.record(connection, owner.catalogue, now)
    highest = connection.scalar(select(func.max(stock_batch.c.id))) or 0
    expiries = connection.scalars(
        select(voucher.c.expires_at).where(voucher.c.id.in_(ids), voucher.c.expires_at > 0)
    )
    created = connection.execute(
        insert(stock_batch).values(
            id=max(highest, restoring.batch_floor(connection)) + 1,
            terminal_id=terminal_id,
            product_id=product_id,
            face_minor=product.amount_minor,
            commission_minor=product.commission_minor,
            expires_at=min(expiries, default=0),
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
                "voucher_id": voucher_id,
                "terminal_id": terminal_id,
                "batch_id": batch_id,
                "batch_index": index,
                "assigned_at": now,
            }
            for index, voucher_id in enumerate(ids)
        ],
    )
    return batch_id


def waiting(connection: Connection, terminal_id: bytes) -> list[int]:
    """Ids of batches that the terminal has not confirmed, lowest first."""
    return list(
        connection.scalars(
            select(stock_batch.c.id)
            .where(stock_batch.c.terminal_id == terminal_id, stock_batch.c.received_at.is_(None))
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


def note_renewal(connection: Connection, terminal_id: bytes, batch_id: int, now: int) -> None:
    """A terminal asks for a file; if it had confirmed it, that file was lost: tell a person."""
    confirmed = connection.scalar(
        select(stock_batch.c.received_at).where(
            stock_batch.c.id == batch_id, stock_batch.c.terminal_id == terminal_id
        )
    )
    if confirmed is not None:
        text = f"stock batch {batch_id} was lost or damaged on the terminal and is fetched again"
        raise_alarm(connection, terminal_id, "stock_renewed", text, now)


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
