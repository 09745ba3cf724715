"""Stock for selling offline: vouchers set aside for one terminal and sealed so that only it opens
them.

For the terminals' face and the command line. Source: docs/formats/messages.md, "Stock file".
"""

from __future__ import annotations

import hashlib
from typing import Any

from sqlalchemy import Connection, Row, bindparam, insert, select, update

from updater_server.errors import ConflictError, InputError, VaultError
from updater_server.fleet import terminals
from updater_server.fleet.alarms import raise_alarm
from updater_server.fleet.terminals import is_blocked
from updater_server.sales import batches, currency, stock_file, vault
from updater_server.sales.batches import NAMED_LIMIT
from updater_server.sales.prices import PriceLists
from updater_server.sales.restore_state import BATCHES_HELD, batch_floor
from updater_server.sales.stock_file import BATCH_LIMIT
from updater_server.server_key import ServerKey
from updater_server.store.engine import is_sqlite, new_id
from updater_server.store.prepared import Prepared
from updater_server.store.tables import stock_batch, voucher, voucher_assignment
from updater_server.wire.sealed import DeviceKeys

SHELF_LIFE_S = 7 * 86400
"""Vouchers that expire sooner stay in the vault for online sale."""


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
            in one batch, or the vault has fewer, or the price list is in another currency.
        ConflictError: the reference was used for another batch.
        PricesUnavailable: the terminal's catalogue cannot be read.
    """
    if reference is not None:
        made = _made_before(connection, reference, terminal_id, product_id, count)
        if made is not None:
            return made
    owner = terminals.known(connection, terminal_id)
    if owner is None:
        raise InputError(f"no terminal {terminal_id.hex()} is enrolled")
    if owner.blocked:
        raise InputError(f"{terminal_id.hex()} is blocked: unblock it before it gets stock")
    if not 1 <= count <= BATCH_LIMIT:
        raise InputError(f"a batch holds 1 to {BATCH_LIMIT} vouchers")
    currency.of_terminal(connection, prices, terminal_id)
    catalogue = prices.catalogue(owner.catalogue)
    product = catalogue.product(product_id)
    if product is None:
        raise InputError(f"{owner.catalogue} has no product {product_id}")
    opened = vault.take_open(connection, key, product_id, count, now, SHELF_LIFE_S)
    if len(opened) < count:
        raise InputError(f"the vault has only {len(opened)} vouchers of {product_id}: import more")
    fitting = stock_file.fitting(opened)
    if fitting < count:
        raise InputError(
            f"a terminal has room for {fitting} such vouchers in one batch: assign {fitting}"
        )
    prices.record(connection, owner.catalogue, catalogue, now)
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


def _made_before(
    connection: Connection, reference: str, terminal_id: bytes, product_id: str, count: int
) -> int | None:
    """The batch that this reference made; None if it is new.

    Raises:
        ConflictError: it made another one.
    """
    made = connection.execute(
        select(stock_batch).where(stock_batch.c.reference == reference)
    ).one_or_none()
    if made is None:
        return None
    made_count = batches.count_of(made)
    if (made.terminal_id, made.product_id, made_count) == (terminal_id, product_id, count):
        return int(made.id)
    raise ConflictError(
        f"reference {reference} was used: batch {made.id}, {made_count} of "
        f"{made.product_id} for {made.terminal_id.hex()}"
    )


def _make(connection: Connection, values: dict[str, object], ids: list[int], now: int) -> int:
    expiries = connection.scalars(
        select(voucher.c.expires_at).where(voucher.c.id.in_(ids), voucher.c.expires_at > 0)
    )
    floor = batch_floor(connection)
    above = select(stock_batch.c.id).where(stock_batch.c.id > floor).limit(1)
    # The database counts on by itself; only the first one after a restore is told where from.
    told = not is_sqlite(connection) or not floor or connection.scalar(above)
    first = {} if told else {"id": floor + 1}
    created = connection.execute(
        insert(stock_batch).values(
            **first,
            **values,
            expires_at=min(expiries, default=0),
            count=len(ids),
            created_at=now,
        )
    )
    batch_id = new_id(created)
    terminal_id = values["terminal_id"]
    assert isinstance(terminal_id, bytes)
    vault.give(connection, ids, terminal_id, now, batch_id=batch_id)
    return batch_id


_WAITING = Prepared(
    select(stock_batch.c.id)
    .where(stock_batch.c.terminal_id == bindparam("terminal_id"))
    .where(stock_batch.c.received_at.is_(None), stock_batch.c.withdrawn_at.is_(None))
    .where(stock_batch.c.id > BATCHES_HELD)
    .order_by(stock_batch.c.id)
    .limit(NAMED_LIMIT)
)


def waiting(connection: Connection, terminal_id: bytes) -> list[int]:
    """Ids of batches that the terminal has not confirmed and may still fetch, lowest first."""
    return _WAITING.scalars(connection, terminal_id=terminal_id)


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
) -> list[vault.Voucher | None]:
    """A batch's vouchers in order; None stands for one that does not open, or that no terminal
    could take (set aside with it).
    """
    found: list[vault.Voucher | None] = []
    for voucher_id in batches.places(connection, batch_id):
        try:
            found.append(vault.reveal(connection, key, voucher_id))
        except VaultError as error:
            vault.set_useless_aside(connection, voucher_id, error, now)
            found.append(None)
    return found


def _serials(connection: Connection, batch_id: int) -> list[str]:
    """The serial numbers of a batch's vouchers, by index."""
    return list(
        connection.scalars(
            select(voucher.c.serial)
            .join(voucher_assignment, voucher_assignment.c.voucher_id == voucher.c.id)
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
    if batch.received_at is None and batch_id <= (connection.scalar(select(BATCHES_HELD)) or 0):
        raise NoSuchBatch(f"batch {batch_id} waits for the end of the restore")
    opened = _open_all(connection, key, batch_id, now)
    useful = [item for item in opened if item is not None]
    stale = 0 < batch.expires_at <= now + vault.ONLINE_SHELF_LIFE_S
    if batch.sent_at is None and (stale or stock_file.fitting(useful) < len(opened)):
        _replace(connection, key, batch, now)
        raise NoSuchBatch(f"batch {batch_id} was replaced")
    serials = _serials(connection, batch_id)
    content = stock_file.seal(keys, batch, serials, opened)
    why = stock_file.unfit(batch, [str(serial) for serial in serials], len(content))
    if why:
        batches.close(connection, batch_id, now)
        text = f"stock batch {batch_id} is not offered, the terminal could not take it: {why}"
        raise_alarm(connection, terminal_id, "stock_unfit", text, now)
        raise NoSuchBatch(text)
    connection.execute(
        update(stock_batch)
        .where(stock_batch.c.id == batch_id)
        .values(sent_at=batch.sent_at or now, sent_sha256=hashlib.sha256(content).digest())
    )
    return content


def _replace(connection: Connection, key: ServerKey, batch: Row[Any], now: int) -> None:
    """A new batch of as many vouchers that are good (fewer if the vault has no more) for one that
    no terminal has, or several if a terminal has no room for one.
    """
    batches.withdraw(
        connection, batch.id, "server", "a voucher of it was no good or about to expire", now
    )
    count = batches.count_of(batch)
    opened = vault.take_open(connection, key, batch.product_id, count, now, SHELF_LIFE_S)
    values = {
        name: getattr(batch, name)
        for name in ("terminal_id", "product_id", "face_minor", "commission_minor")
    }
    while opened:
        fitting = stock_file.fitting(opened)
        _make(connection, values, [item.voucher_id for item in opened[:fitting]], now)
        opened = opened[fitting:]


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
