"""What a restore made this server forget, booked again from what the terminals tell: the stock that
they got, and the sales that only they remember. For `intake`, `booking` and the terminals' face.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, insert, select, update

from updater_server.errors import InputError
from updater_server.fleet.alarms import raise_alarm
from updater_server.sales import batches, ledger, records, vault, vends
from updater_server.sales.restore_state import must_tell_first, open_restore
from updater_server.store.engine import new_id
from updater_server.store.prepared import Prepared
from updater_server.store.tables import (
    restore_serial,
    restore_stock,
    sale,
    stock_batch,
    voucher,
    voucher_assignment,
)
from updater_server.wire import limits
from updater_server.wire.journal_record import Record, RecordKind

WANTED_LIMIT = limits.STOCK_LISTS_WANTED[1]
_BATCH_AT: dict[int, int] = {RecordKind.STOCK: 0, RecordKind.INTENT_OFFLINE: 3}
"""Where a record of that kind names its batch."""


def waits_for_stock(connection: Connection, terminal_id: bytes, record: Record) -> bool:
    """Whether this record speaks of a batch that a restore made this server forget, and whose
    vouchers the terminal must name first; then it is asked for.
    """
    place = _BATCH_AT.get(record.kind)
    if place is None or open_restore(connection) is None or len(record.body) <= place:
        return False
    batch_id = record.body[place]
    if type(batch_id) is not int or not 0 <= batch_id < 1 << 32:
        return False
    if connection.scalar(select(stock_batch.c.id).where(stock_batch.c.id == batch_id)):
        return False
    key = (restore_stock.c.terminal_id == terminal_id) & (restore_stock.c.batch_id == batch_id)
    state = connection.scalar(select(restore_stock.c.state).where(key))
    if state is None:
        connection.execute(
            insert(restore_stock).values(terminal_id=terminal_id, batch_id=batch_id, state="wanted")
        )
    return state in (None, "wanted")


_WANTED = Prepared(
    select(restore_stock.c.batch_id)
    .where(restore_stock.c.terminal_id == bindparam("terminal_id"))
    .where(restore_stock.c.state == "wanted")
    .order_by(restore_stock.c.batch_id)
    .limit(WANTED_LIMIT)
)


def wanted(connection: Connection, terminal_id: bytes) -> list[int]:
    """Batches whose vouchers this terminal must name."""
    return _WANTED.scalars(connection, terminal_id=terminal_id)


@dataclass(frozen=True)
class Held:
    """Message kind 6: some of the vouchers in a batch."""

    batch_id: int
    product_id: str
    face_minor: int
    commission_minor: int
    expires_at: int
    count: int
    first: int
    serials: list[str]


def take_stock_list(connection: Connection, terminal_id: bytes, held: Held, now: int) -> None:
    """Keep what a terminal says is in a batch; when it has said all, the batch is ours again.

    Raises:
        InputError: that batch was not asked for, or the list contradicts itself.
    """
    if held.batch_id not in wanted(connection, terminal_id):
        raise InputError(f"batch {held.batch_id} was not asked for")
    key = (restore_stock.c.terminal_id == terminal_id) & (restore_stock.c.batch_id == held.batch_id)
    if held.count == 0:
        connection.execute(update(restore_stock).where(key).values(state="missing"))
        text = (
            f"batch {held.batch_id} is neither here nor on the terminal any more: which vouchers "
            "were sold from it is not known; its sales are booked from the journal"
        )
        raise_alarm(connection, terminal_id, "restore_stock", text, now)
        return
    if held.first + len(held.serials) > held.count or not held.serials:
        raise InputError(f"batch {held.batch_id} has {held.count} vouchers")
    mine = (restore_serial.c.terminal_id == terminal_id) & (
        restore_serial.c.batch_id == held.batch_id
    )
    known = set(connection.scalars(select(restore_serial.c.batch_index).where(mine)))
    for index, serial in enumerate(held.serials, held.first):
        if index not in known:
            connection.execute(
                insert(restore_serial).values(
                    terminal_id=terminal_id,
                    batch_id=held.batch_id,
                    batch_index=index,
                    serial=serial,
                )
            )
    serials = list(
        connection.scalars(
            select(restore_serial.c.serial).where(mine).order_by(restore_serial.c.batch_index)
        )
    )
    if len(serials) < held.count:
        return
    _make_batch(connection, terminal_id, held, serials, now)
    connection.execute(update(restore_stock).where(key).values(state="filled"))


def _make_batch(
    connection: Connection, terminal_id: bytes, held: Held, serials: list[str], now: int
) -> None:
    connection.execute(
        insert(stock_batch).values(
            id=held.batch_id,
            terminal_id=terminal_id,
            product_id=held.product_id,
            face_minor=held.face_minor,
            commission_minor=held.commission_minor,
            expires_at=held.expires_at,
            count=len(serials),
            created_at=now,
            sent_at=now,  # it is out there: nothing of it may come back as if it never left
            received_at=now,
        )
    )
    ids = [
        _take_by_serial(connection, terminal_id, held.product_id, serial, now) for serial in serials
    ]
    vault.give(connection, ids, terminal_id, now, batch_id=held.batch_id)


def _take_by_serial(
    connection: Connection, terminal_id: bytes, product_id: str, serial: str, now: int
) -> int:
    """The voucher that a terminal got in the forgotten time, out of the vault. One that is not
    there, or was given again, gets a row without a PIN, so that the books hold, and an alarm.
    """
    found = connection.execute(
        select(voucher.c.id, voucher.c.free)
        .where(voucher.c.product_id == product_id, voucher.c.serial == serial)
        .with_for_update()  # another terminal may say that it got it
    ).one_or_none()
    if found is not None and found.free:
        connection.execute(update(voucher).where(voucher.c.id == found.id).values(free=False))
        return int(found.id)
    if found is None:
        text = f"voucher {serial} of {product_id} came after the back-up: its delivery is not here"
        raise_alarm(connection, terminal_id, "restore_voucher", text, now)
        stands_for = serial
    else:
        _offer_no_more(connection, int(found.id), now)
        text = f"voucher {serial} of {product_id} was given to two: one customer cannot use it"
        raise_alarm(connection, terminal_id, "voucher_twice", text, now)
        stands_for = f"{serial[:22]}~{terminal_id.hex()}"
    made = connection.execute(
        insert(voucher).values(
            product_id=product_id,
            serial=stands_for,
            pin_sealed=b"",
            pin_digest=_no_pin(product_id, stands_for),
            pin_mark=_no_pin(product_id, stands_for),
            expires_at=0,
            imported_at=now,
            free=False,
        )
    )
    return new_id(made)


def _offer_no_more(connection: Connection, voucher_id: int, now: int) -> None:
    """A batch that nobody has confirmed, of which a voucher was sold elsewhere: it had been taken
    back in the time that was forgotten.
    """
    for batch_id in connection.scalars(
        select(voucher_assignment.c.batch_id).where(
            voucher_assignment.c.voucher_id == voucher_id,
            voucher_assignment.c.batch_id.is_not(None),
        )
    ).all():
        batches.close(connection, batch_id, now)


def _no_pin(product_id: str, serial: str) -> bytes:
    """What stands for the digest of a PIN that is not here: unlike any digest, and 32 bytes."""
    return hashlib.sha256(f"no PIN\0{product_id}\0{serial}".encode()).digest()


# --- sales that only the terminal remembers ---


def adopt_sale(connection: Connection, terminal_id: bytes, delivered: Record, now: int) -> bool:
    """Book an online sale of the forgotten time from the terminal's `delivered` record; False if
    this is none.
    """
    sequence, _sealed, serial, _expiry, after_minor = delivered.fields(int, bytes, str, int, int)
    if not must_tell_first(connection, terminal_id):
        return False
    intent = records.find(connection, terminal_id, sequence)
    if intent is None or intent.kind != RecordKind.INTENT_ONLINE:
        return False
    product_id, amount_minor, commission_minor = intent.fields(str, int, int)
    recipient = records.recipient_of(intent)
    voucher_id = None
    if recipient is None:
        voucher_id = _take_by_serial(connection, terminal_id, product_id, serial, now)
    connection.execute(
        insert(sale).values(
            terminal_id=terminal_id,
            sequence=sequence,
            product_id=product_id,
            amount_minor=amount_minor,
            commission_minor=commission_minor,
            terminal_time=intent.time,
            state="delivered",
            voucher_id=voucher_id,
            float_after_minor=after_minor,
            created_at=now,
            recipient=recipient,
        )
    )
    if voucher_id is None:
        vends.adopt(connection, terminal_id, sequence, product_id, str(recipient), serial, now)
    else:
        vault.give(connection, [voucher_id], terminal_id, now, sale_sequence=sequence)
    left = ledger.post(
        connection,
        "sale",
        ledger.sale_reference(terminal_id, sequence),
        ledger.sale_entries(terminal_id, amount_minor, commission_minor),
        terminal_id=terminal_id,
        sequence=sequence,
        now=now,
    )
    if left is not None and left < 0:
        text = "what was sold in the time that a restore forgot went over the float"
        raise_alarm(connection, terminal_id, "float_negative", text, now)
    return True


def is_missing_batch(connection: Connection, terminal_id: bytes, batch_id: int) -> bool:
    """Whether sales from this batch are booked although nobody knows what was in it."""
    return (
        connection.scalar(
            select(restore_stock.c.state).where(
                restore_stock.c.terminal_id == terminal_id, restore_stock.c.batch_id == batch_id
            )
        )
        == "missing"
    )
