"""A server that was put back from a back-up: what it has forgotten, the terminals tell it again.
For `intake`, `device_api`, `backup` and the command line.

From the restore until every terminal has told its journal, or a person has given it up:
- a terminal sells nothing online before its journal is whole here and its float agrees;
- no voucher that was free in the back-up is given to anybody: it may have been sold since;
- stock batches get numbers that were not used since;
- a sale that only the terminal remembers is booked from its journal, once, with its voucher.
Source of what is asked: docs/server.md, "After a restore".
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, insert, select, update

from updater_server import limits
from updater_server.errors import InputError
from updater_server.fleet.alarms import raise_alarm
from updater_server.sales import ledger, records, vouchers
from updater_server.sales.journal import Record, RecordKind
from updater_server.sales.reconcile import expected_floats
from updater_server.sales.restore_state import (
    batch_floor,
    held_through,
    must_tell_first,
    open_restore,
)
from updater_server.tables import (
    check_in,
    database_restore,
    restore_scope,
    restore_serial,
    restore_stock,
    restore_terminal,
    sale,
    stock_batch,
    terminal,
    voucher,
)

BATCHES_SKIPPED = 1_000_000
"""Numbers of stock batches left out at a restore: more than were made since the back-up."""
WANTED_LIMIT = limits.STOCK_LISTS_WANTED[1]
_BATCH_AT: dict[int, int] = {RecordKind.STOCK: 0, RecordKind.INTENT_OFFLINE: 3}
"""Where a record of that kind names its batch."""


def begin(connection: Connection, backup_id: str, backup_at: int, now: int) -> None:
    """Mark that this database was put back, and note what it cannot know any more."""
    made = connection.execute(
        insert(database_restore).values(backup_id=backup_id, backup_at=backup_at, restored_at=now)
    )
    assert made.inserted_primary_key is not None
    restore_id = int(made.inserted_primary_key[0])
    superseded = database_restore.c.settled_at.is_(None) & (database_restore.c.id < restore_id)
    older = list(connection.scalars(select(database_restore.c.id).where(superseded)))
    connection.execute(
        update(restore_scope)
        .where(restore_scope.c.restore_id.in_(older))
        .values(settled_by=_superseded_by(restore_id))
    )
    connection.execute(update(database_restore).where(superseded).values(settled_at=now))
    highest = connection.scalar(select(func.max(stock_batch.c.id))) or 0
    connection.execute(
        insert(restore_scope).values(
            restore_id=restore_id,
            voucher_through=connection.scalar(select(func.max(voucher.c.id))) or 0,
            batch_floor=max(highest, batch_floor(connection)) + BATCHES_SKIPPED,
            freed=False,
        )
    )
    everyone = list(connection.scalars(select(terminal.c.id)))
    if everyone:
        connection.execute(
            insert(restore_terminal),
            [{"restore_id": restore_id, "terminal_id": one} for one in everyone],
        )
    text = f"restored: {len(everyone)} terminals must tell again what they did (`restored status`)"
    raise_alarm(connection, None, "restored", text, now)


def _superseded_by(restore_id: int) -> str:
    return f"restore {restore_id}"


def look(connection: Connection, terminal_id: bytes, now: int) -> None:
    """After a check-in or records: has this terminal told everything, and does its float agree?

    The float counts that it had when it had first told everything: later it takes over ours.
    """
    restore_id = open_restore(connection)
    if restore_id is None:
        return
    mine = (restore_terminal.c.restore_id == restore_id) & (
        restore_terminal.c.terminal_id == terminal_id
    )
    row = connection.execute(select(restore_terminal).where(mine)).one_or_none()
    restored_at = connection.scalar(
        select(database_restore.c.restored_at).where(database_restore.c.id == restore_id)
    )
    if row is None or row.agreed_at is not None:
        return
    own, before = row.own_float_minor, row.before_sequence
    if own is None:
        report = connection.execute(
            select(check_in.c.own_float_minor, check_in.c.journal_next, check_in.c.at).where(
                check_in.c.terminal_id == terminal_id
            )
        ).one_or_none()
        if report is None or restored_at is None or report.at < restored_at:
            return
        own, before = report.own_float_minor, report.journal_next
        connection.execute(
            update(restore_terminal).where(mine).values(own_float_minor=own, before_sequence=before)
        )
    known = connection.scalar(
        select(terminal.c.acknowledged_through).where(terminal.c.id == terminal_id)
    )
    if known is None or known < before - 1:
        return
    if own in expected_floats(connection, terminal_id, before):
        connection.execute(update(restore_terminal).where(mine).values(agreed_at=now))
        return
    text = (
        f"after the restore its float was {own}, and the books say "
        f"{max(expected_floats(connection, terminal_id, before))}: post the deposits made since "
        "the back-up again, with their references"
    )
    raise_alarm(connection, terminal_id, "restore_float", text, now)


# --- stock that was delivered in the forgotten time ---


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


def wanted(connection: Connection, terminal_id: bytes) -> list[int]:
    """Batches whose vouchers this terminal must name."""
    return list(
        connection.scalars(
            select(restore_stock.c.batch_id)
            .where(restore_stock.c.terminal_id == terminal_id, restore_stock.c.state == "wanted")
            .order_by(restore_stock.c.batch_id)
            .limit(WANTED_LIMIT)
        )
    )


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
            received_at=now,
        )
    )
    ids = [
        _take_by_serial(connection, terminal_id, held.product_id, serial, now) for serial in serials
    ]
    vouchers.give(connection, ids, terminal_id, now, batch_id=held.batch_id)


def _take_by_serial(
    connection: Connection, terminal_id: bytes, product_id: str, serial: str, now: int
) -> int:
    """The voucher that a terminal got in the forgotten time, out of the vault. One that is not
    there, or was given again, gets a row without a PIN, so that the books hold, and an alarm.
    """
    found = connection.execute(
        select(voucher.c.id, voucher.c.free).where(
            voucher.c.product_id == product_id, voucher.c.serial == serial
        )
    ).one_or_none()
    if found is not None and found.free:
        connection.execute(update(voucher).where(voucher.c.id == found.id).values(free=False))
        return int(found.id)
    if found is None:
        text = f"voucher {serial} of {product_id} came after the back-up: its delivery is not here"
        raise_alarm(connection, terminal_id, "restore_voucher", text, now)
        stands_for = serial
    else:
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
    assert made.inserted_primary_key is not None
    return int(made.inserted_primary_key[0])


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
        )
    )
    vouchers.give(connection, [voucher_id], terminal_id, now, sale_sequence=sequence)
    ledger.post(
        connection,
        "sale",
        f"sale:{terminal_id.hex()}:{sequence}",
        ledger.sale_entries(terminal_id, amount_minor, commission_minor),
        terminal_id=terminal_id,
        sequence=sequence,
        now=now,
    )
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


# --- what a person decides ---


def status(connection: Connection) -> list[dict[str, Any]]:
    """Of the open restore, each terminal with `state`: agreed, given up, float differs, journal
    missing (with how many records), or not heard of.
    """
    restore_id = open_restore(connection)
    rows = connection.execute(
        select(
            restore_terminal,
            terminal.c.acknowledged_through,
            terminal.c.last_seen_at,
            check_in.c.journal_oldest,
        )
        .join(terminal, terminal.c.id == restore_terminal.c.terminal_id)
        .outerjoin(check_in, check_in.c.terminal_id == terminal.c.id)
        .where(restore_terminal.c.restore_id == restore_id)
        .order_by(restore_terminal.c.terminal_id)
    )
    return [{**row._mapping, "state": _state(row)} for row in rows]


def _state(row: Any) -> str:
    if row.agreed_at is not None:
        return "agreed"
    if row.given_up_by is not None:
        return f"given up by {row.given_up_by}"
    if row.own_float_minor is None:
        return "not heard of since"
    missing = row.before_sequence - 1 - row.acknowledged_through
    if missing > 0:
        gone = (row.journal_oldest or 0) - row.acknowledged_through - 1
        if gone > 0:
            first = row.acknowledged_through + 1
            return (
                f"records {first} to {first + gone - 1} left its journal: "
                f"`terminal lost --accept-through {first + gone - 1}`"
            )
        return f"{missing} records to come"
    return "its float differs"


def give_up(connection: Connection, terminal_id: bytes, by: str, now: int) -> None:
    """Go on without what a terminal has not told, or with a float that differs.

    Raises:
        InputError: no restore is open, or this terminal is not waited for.
    """
    restore_id = open_restore(connection)
    changed = connection.execute(
        update(restore_terminal)
        .where(
            restore_terminal.c.restore_id == restore_id,
            restore_terminal.c.terminal_id == terminal_id,
            restore_terminal.c.agreed_at.is_(None),
        )
        .values(given_up_by=by[:64])
    )
    if changed.rowcount == 0:
        raise InputError(f"nothing is waited for from {terminal_id.hex()}")
    text = f"after the restore {by[:64]} went on without what it had still to tell"
    raise_alarm(connection, terminal_id, "restore_given_up", text, now)


def settle(connection: Connection, free_held: bool, by: str, now: int) -> int:
    """End the restore; returns how many vouchers stay set aside.

    If every terminal has agreed, all vouchers may be sold again. Else those that the back-up had as
    free stay set aside for good, unless `free_held`: a terminal that was given up may have sold
    some of them.

    Raises:
        InputError: no restore is open, or a terminal is still waited for.
    """
    restore_id = open_restore(connection)
    if restore_id is None:
        raise InputError("no restore is open")
    not_agreed = [row for row in status(connection) if row["agreed_at"] is None]
    waits = [row["terminal_id"].hex() for row in not_agreed if row["given_up_by"] is None]
    if waits:
        raise InputError(
            f"{len(waits)} terminals have not told everything, {waits[0]} for instance: wait, or "
            "`restored give-up` each"
        )
    missing = connection.scalar(select(func.count()).where(restore_stock.c.state == "missing"))
    freed = free_held or not (not_agreed or missing)
    connection.execute(
        update(restore_scope)
        .where(restore_scope.c.restore_id == restore_id)
        .values(freed=freed, settled_by=by[:64])
    )
    connection.execute(
        update(database_restore).where(database_restore.c.id == restore_id).values(settled_at=now)
    )
    if freed:
        connection.execute(
            update(restore_scope)
            .where(restore_scope.c.settled_by == _superseded_by(restore_id))
            .values(freed=True)
        )
    held = select(func.count()).where(voucher.c.free, voucher.c.id <= held_through(connection))
    return int(connection.scalar(held) or 0)
