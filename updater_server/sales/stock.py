"""Stock for selling offline: vouchers set aside for one terminal and sealed so that only it opens
them.

For `device_api` and the command line. Source: docs/formats/messages.md, "Stock file".
"""

from __future__ import annotations

import hashlib
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from updater_server import limits, strict_cbor
from updater_server.errors import ConflictError, InputError, VaultError
from updater_server.fleet.alarms import raise_alarm
from updater_server.fleet.operators import words
from updater_server.fleet.terminals import is_blocked
from updater_server.messages import DeviceKeys, seal_pin
from updater_server.sales import vouchers
from updater_server.sales.prices import PriceLists
from updater_server.sales.restore_state import batch_floor
from updater_server.server_key import ServerKey
from updater_server.tables import (
    stock_batch,
    stock_return,
    terminal,
    voucher,
    voucher_aside,
    voucher_assignment,
)

BATCH_LIMIT = limits.BATCH_VOUCHERS[1]
WAITING_LIMIT = limits.BATCHES_WAITING[1]
"""Batches named in one check-in; the next ones follow when these are received."""
_HEAD_ROOM_BYTES = 64  # the longest head: ids, product, amount, expiry
_ENTRY_ROOM_BYTES = 13  # an entry beside serial and PIN: an array, two lengths, a tag of 8
SHELF_LIFE_S = 7 * 86400
"""Vouchers that expire sooner stay in the vault for online sale."""


_NEVER_OPENS = bytes(12)
"""Stands for a PIN that nobody has any more: a terminal that comes to it gives the sale back."""


class NoSuchBatch(Exception):
    """The terminal has no batch of this id."""


class TerminalBlocked(Exception):
    """A blocked terminal gets no stock."""


def assign(
    connection: Connection,
    key: ServerKey,
    prices: PriceLists,
    terminal_id: bytes,
    product_id: str,
    count: int,
    now: int,
    *,
    reference: str | None = None,
) -> int:
    """Set `count` vouchers of a product aside for a terminal; returns the batch id. The same
    `reference` again with the same content returns the same batch.

    Raises:
        InputError: unknown or blocked terminal, unknown product, more than a terminal has room for
            in one batch, or the vault has fewer.
        ConflictError: the reference was used for another batch.
        PricesUnavailable: the terminal's catalogue cannot be read.
    """
    if reference is not None:
        made = connection.execute(
            select(stock_batch).where(stock_batch.c.reference == reference)
        ).one_or_none()
        if made is not None:
            if made._mapping["count"] == count and (made.terminal_id, made.product_id) == (
                terminal_id,
                product_id,
            ):
                return int(made.id)
            raise ConflictError(
                f"reference {reference} was used: batch {made.id}, {made._mapping['count']} of "
                f"{made.product_id} for {made.terminal_id.hex()}"
            )
    owner = connection.execute(select(terminal).where(terminal.c.id == terminal_id)).one_or_none()
    if owner is None:
        raise InputError(f"no terminal {terminal_id.hex()} is enrolled")
    if owner.blocked:
        raise InputError(f"{terminal_id.hex()} is blocked: unblock it before it gets stock")
    if not 1 <= count <= BATCH_LIMIT:
        raise InputError(f"a batch holds 1 to {BATCH_LIMIT} vouchers")
    product = prices.product(owner.catalogue, product_id)
    if product is None:
        raise InputError(f"{owner.catalogue} has no product {product_id}")
    opened = vouchers.take_open(connection, key, product_id, count, now, SHELF_LIFE_S)
    if len(opened) < count:
        raise InputError(f"the vault has only {len(opened)} vouchers of {product_id}: import more")
    fitting = _fitting(opened)
    if fitting < count:
        raise InputError(
            f"a terminal has room for {fitting} such vouchers in one batch: assign {fitting}"
        )
    prices.record(connection, owner.catalogue, now)
    return _make(
        connection,
        {
            "terminal_id": terminal_id,
            "product_id": product_id,
            "face_minor": product.amount_minor,
            "commission_minor": product.commission_minor,
            "reference": reference,
        },
        [item.voucher_id for item in opened],
        now,
    )


def _fitting(opened: list[vouchers.Voucher]) -> int:
    """How many of these, from the first one, make a stock file that a terminal has room for."""
    room = limits.STOCK_FILE_BYTES[1] - _HEAD_ROOM_BYTES
    for count, item in enumerate(opened[:BATCH_LIMIT]):
        room -= len(item.serial) + len(item.pin) + _ENTRY_ROOM_BYTES
        if room < 0:
            return count
    return min(len(opened), BATCH_LIMIT)


def _make(connection: Connection, values: dict[str, object], ids: list[int], now: int) -> int:
    highest = connection.scalar(select(func.max(stock_batch.c.id))) or 0
    expiries = connection.scalars(
        select(voucher.c.expires_at).where(voucher.c.id.in_(ids), voucher.c.expires_at > 0)
    )
    created = connection.execute(
        insert(stock_batch).values(
            id=max(highest, batch_floor(connection)) + 1,
            **values,
            expires_at=min(expiries, default=0),
            count=len(ids),
            created_at=now,
        )
    )
    assert created.inserted_primary_key is not None
    batch_id = int(created.inserted_primary_key[0])
    terminal_id = values["terminal_id"]
    assert isinstance(terminal_id, bytes)
    vouchers.give(connection, ids, terminal_id, now, batch_id=batch_id)
    return batch_id


def waiting(connection: Connection, terminal_id: bytes) -> list[int]:
    """Ids of batches that the terminal has not confirmed and may still fetch, lowest first."""
    return list(
        connection.scalars(
            select(stock_batch.c.id)
            .where(stock_batch.c.terminal_id == terminal_id, stock_batch.c.received_at.is_(None))
            .where(stock_batch.c.withdrawn_at.is_(None))
            .order_by(stock_batch.c.id)
            .limit(WAITING_LIMIT)
        )
    )


def _batch(connection: Connection, terminal_id: bytes, batch_id: int) -> Row[Any]:
    batch = connection.execute(
        select(stock_batch).where(
            stock_batch.c.id == batch_id, stock_batch.c.terminal_id == terminal_id
        )
    ).one_or_none()
    if batch is None:
        raise NoSuchBatch(f"no batch {batch_id} for this terminal")
    # A recalled one that it has may be fetched again: sales that are not at their end need it.
    if batch.withdrawn_at is not None and batch.received_at is None:
        raise NoSuchBatch(f"batch {batch_id} is not offered any more")
    return batch


def _open_all(
    connection: Connection, key: ServerKey, batch_id: int, now: int
) -> list[vouchers.Voucher | None]:
    """A batch's vouchers in order; None stands for one that does not open, or that no terminal
    could take (set aside with it).
    """
    found: list[vouchers.Voucher | None] = []
    for voucher_id in places(connection, batch_id):
        try:
            found.append(vouchers.reveal(connection, key, voucher_id))
        except VaultError as error:
            vouchers.set_useless_aside(connection, voucher_id, error, now)
            found.append(None)
    return found


def places(connection: Connection, batch_id: int) -> list[int]:
    """The ids of a batch's vouchers, by index."""
    return list(
        connection.scalars(
            select(voucher_assignment.c.voucher_id)
            .where(voucher_assignment.c.batch_id == batch_id)
            .order_by(voucher_assignment.c.batch_index)
        )
    )


def deliver(
    connection: Connection,
    key: ServerKey,
    keys: DeviceKeys,
    terminal_id: bytes,
    batch_id: int,
    now: int,
) -> bytes:
    """A batch as the terminal stores it; the same bytes every time.

    A batch of which a voucher cannot be had, that expires before it could be sold or that is more
    than a terminal has room for is replaced by another while no terminal can have it; after that
    the voucher's place holds an entry that opens nowhere.

    Raises:
        NoSuchBatch: not this terminal's, or taken back; also replaced by another, or offered no
            more as the terminal could not take the file (so commit).
        TerminalBlocked: see there.
    """
    batch = _batch(connection, terminal_id, batch_id)
    if is_blocked(connection, terminal_id):
        raise TerminalBlocked("this terminal is blocked: no stock")
    opened = _open_all(connection, key, batch_id, now)
    useful = [item for item in opened if item is not None]
    stale = 0 < batch.expires_at <= now + vouchers.ONLINE_SHELF_LIFE_S
    if batch.sent_at is None and (stale or _fitting(useful) < len(opened)):
        _replace(connection, key, batch, now)
        raise NoSuchBatch(f"batch {batch_id} was replaced")
    head = (batch.product_id, batch.face_minor, batch.expires_at)
    entries = []
    for index, (item, voucher_id) in enumerate(
        zip(opened, places(connection, batch_id), strict=True)
    ):
        if item is None:
            serial = connection.scalar(select(voucher.c.serial).where(voucher.c.id == voucher_id))
            entries.append([serial, _NEVER_OPENS])
        else:
            entries.append(
                [item.serial, seal_pin(keys, batch_id, index, head, item.serial, item.pin)]
            )
    content = strict_cbor.dumps(
        {
            1: batch_id,
            2: batch.product_id,
            3: batch.face_minor,
            4: batch.expires_at,
            5: entries,
        }
    )
    serials = [str(serial) for serial, _ in entries]
    why = _unfit(batch, serials, len(content))
    if why:
        close(connection, batch_id, now)
        text = f"stock batch {batch_id} is not offered, the terminal could not take it: {why}"
        raise_alarm(connection, terminal_id, "stock_unfit", text, now)
        raise NoSuchBatch(text)
    connection.execute(
        update(stock_batch)
        .where(stock_batch.c.id == batch_id)
        .values(sent_at=batch.sent_at or now, sent_sha256=hashlib.sha256(content).digest())
    )
    return content


def _unfit(batch: Row[Any], serials: list[str], size_bytes: int) -> str | None:
    """Why a terminal could not store the file of a batch, or None."""
    if not limits.within(size_bytes, limits.STOCK_FILE_BYTES):
        return f"{size_bytes} bytes, at most {limits.STOCK_FILE_BYTES[1]}"
    if not limits.within(len(serials), limits.BATCH_VOUCHERS):
        return f"{len(serials)} vouchers, at most {BATCH_LIMIT}"
    if not all(limits.SERIAL_PATTERN.fullmatch(serial) for serial in serials):
        return "a serial number that no terminal takes"
    for what, value, bounds in (
        ("number", batch.id, limits.BATCH_ID),
        ("face value", batch.face_minor, limits.AMOUNT_MINOR),
        ("expiry", batch.expires_at, limits.EXPIRY),
    ):
        if not limits.within(value, bounds):
            return f"its {what} is {value}"
    return None


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
    count = batch._mapping["count"]
    return owner, f"it was sent and not confirmed: its {count} vouchers may be on the terminal"


def recalled(connection: Connection, terminal_id: bytes) -> list[int]:
    """Ids of batches that the terminal is still to stop selling from, if it has them."""
    return list(
        connection.scalars(
            select(stock_batch.c.id)
            .where(stock_batch.c.terminal_id == terminal_id)
            .where(stock_batch.c.withdrawn_at.is_not(None), stock_batch.c.stopped_at.is_(None))
            .where(stock_batch.c.sent_at.is_not(None))
            .order_by(stock_batch.c.id.desc())
            .limit(WAITING_LIMIT)
        )
    )


def refused(connection: Connection, terminal_id: bytes, batch_id: int, now: int) -> None:
    """The terminal's word that it cannot take a batch: it is not offered again."""
    owner = connection.scalar(select(stock_batch.c.terminal_id).where(stock_batch.c.id == batch_id))
    if owner == terminal_id:
        close(connection, batch_id, now)


def _replace(connection: Connection, key: ServerKey, batch: Row[Any], now: int) -> None:
    """A new batch of as many vouchers that are good (fewer if the vault has no more) for one that
    no terminal has, or several if a terminal has no room for one.
    """
    withdraw(connection, batch.id, "server", "a voucher of it was no good or about to expire", now)
    count = batch._mapping["count"]
    opened = vouchers.take_open(connection, key, batch.product_id, count, now, SHELF_LIFE_S)
    values = {
        name: getattr(batch, name)
        for name in ("terminal_id", "product_id", "face_minor", "commission_minor")
    }
    while opened:
        fitting = _fitting(opened)
        _make(connection, values, [item.voucher_id for item in opened[:fitting]], now)
        opened = opened[fitting:]


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
    if vouchers.is_recalled(connection, voucher_id):
        vouchers.set_aside(connection, voucher_id, "recalled", operator, now)
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
    batch = _batch(connection, terminal_id, batch_id)
    sent = batch.sent_sha256
    if sent is None and batch.sent_at is not None:  # before hashes were kept
        sent = hashlib.sha256(deliver(connection, key, keys, terminal_id, batch_id, now)).digest()
    if sent != sha256:
        text = f"stock batch {batch_id} arrived damaged"
        raise_alarm(connection, terminal_id, "stock_damaged", text, now)
        raise ConflictError(text)
    connection.execute(
        update(stock_batch)
        .where(stock_batch.c.id == batch_id, stock_batch.c.received_at.is_(None))
        .values(received_at=now)
    )
