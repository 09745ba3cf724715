"""What a journal record does to the books, by its kind. For `intake`, which has stored it.

A record that is authentic and makes no sense is an alarm and does nothing: the next ones are taken
in all the same.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from sqlalchemy import Connection, bindparam, insert, select, update

from updater_server.errors import VaultError
from updater_server.fleet import terminals
from updater_server.fleet.alarms import raise_alarm
from updater_server.sales import (
    batches,
    forgotten,
    ledger,
    records,
    shifts,
    stolen,
    vend_names,
    vend_rows,
    vends,
)
from updater_server.sales.prices import was_shown
from updater_server.store.engine import is_the_databases_fault
from updater_server.store.prepared import Prepared, undone_if_it_fails
from updater_server.store.tables import (
    sale,
    stock_batch,
    stock_outcome,
    voucher,
    voucher_assignment,
)
from updater_server.wire.journal_record import NotARecord, Record, RecordKind

log = logging.getLogger("duka.intake")

LOST_CODE = "lost"
"""The terminal gives a sale up because its flash has lost what was sold."""


def apply_refusals_of(connection: Connection, terminal_id: bytes, intent: Record, now: int) -> None:
    """Do what the refusals of a late intent's sale do, once more: it may have been given back long
    since.

    Raises:
        VaultError: as `apply`.
    """
    if intent.kind != RecordKind.INTENT_OFFLINE:
        return
    for record in records.of_kind(connection, terminal_id, RecordKind.REFUSED, intent.sequence):
        if record.body[:1] == [intent.sequence]:
            apply(connection, terminal_id, record, now)


def apply(connection: Connection, terminal_id: bytes, record: Record, now: int) -> None:
    """Do what a record does to the books; what cannot be booked is an alarm, and undone.

    Raises:
        VaultError: something sealed does not open, so that nothing can be decided.
    """
    effect = _EFFECTS.get(record.kind)
    if effect is None:
        return
    try:
        with undone_if_it_fails(connection):
            _effect(effect, connection, terminal_id, record, now)
    except VaultError:
        raise
    except Exception as error:  # whatever one record holds, the next ones are taken in
        if is_the_databases_fault(error):
            raise
        log.exception("record %d of terminal %s", record.sequence, terminal_id.hex())
        text = f"record {record.sequence} could not be booked: the server's log has it"
        raise_alarm(connection, terminal_id, "journal_nonsense", text, now)


_SALE = Prepared(
    select(
        sale.c.product_id,
        sale.c.amount_minor,
        sale.c.commission_minor,
        sale.c.terminal_time,
        sale.c.recipient,
    )
    .where(sale.c.terminal_id == bindparam("terminal_id"))
    .where(sale.c.sequence == bindparam("sequence"))
)
_GIVEN = Prepared(
    select(voucher.c.serial)
    .join(voucher_assignment, voucher_assignment.c.voucher_id == voucher.c.id)
    .where(voucher_assignment.c.terminal_id == bindparam("terminal_id"))
    .where(voucher_assignment.c.sale_sequence == bindparam("sequence"))
)
_BATCH = Prepared(
    select(stock_batch)
    .where(stock_batch.c.id == bindparam("batch_id"))
    .where(stock_batch.c.terminal_id == bindparam("terminal_id"))
)
_SOLD_AS = Prepared(
    select(stock_outcome.c.sequence)
    .where(stock_outcome.c.batch_id == bindparam("batch_id"))
    .where(stock_outcome.c.batch_index == bindparam("index"), stock_outcome.c.outcome == "sold")
)
_OUTCOME = Prepared(
    insert(stock_outcome), ["batch_id", "batch_index", "outcome", "sequence", "created_at"]
)


def _effect(
    effect: _Effect, connection: Connection, terminal_id: bytes, record: Record, now: int
) -> None:
    try:
        effect(connection, terminal_id, record, now)
    except NotARecord as error:
        text = f"record {record.sequence}: {error}"
        raise_alarm(connection, terminal_id, "journal_nonsense", text, now)


def _offline_intent(connection: Connection, terminal_id: bytes, record: Record, now: int) -> None:
    product_id, amount, commission, batch_id, index = record.fields(str, int, int, int, int)
    batch = _BATCH.first(connection, batch_id=batch_id, terminal_id=terminal_id)
    if batch is None and forgotten.is_missing_batch(connection, terminal_id, batch_id):
        said = ledger.currency_of(connection, terminal_id)
        _post_stock_sale(connection, terminal_id, record.sequence, (amount, commission), said, now)
        return
    if batch is None or index >= batch.count:
        raise NotARecord(f"sold voucher {index} of batch {batch_id}, which it does not have")
    if _SOLD_AS.scalar(connection, batch_id=batch_id, index=index):
        raise NotARecord(f"sold voucher {index} of batch {batch_id} a second time")
    if (product_id, amount) != (batch.product_id, batch.face_minor):
        text = (
            f"record {record.sequence} sold {amount} of {product_id}; "
            f"batch {batch_id} is {batch.face_minor} of {batch.product_id}"
        )
        raise_alarm(connection, terminal_id, "journal_price", text, now)
        product_id, amount, commission = batch.product_id, batch.face_minor, batch.commission_minor
    owner = terminals.get(connection, terminal_id)
    fair = commission == batch.commission_minor or was_shown(
        connection, owner.catalogue, product_id, amount, commission
    )
    if not fair:
        text = f"record {record.sequence}: a commission of {commission} was never offered"
        raise_alarm(connection, terminal_id, "journal_price", text, now)
        commission = batch.commission_minor
    _note_outcome(connection, (batch_id, index), "sold", record, now)
    _post_stock_sale(
        connection, terminal_id, record.sequence, (amount, commission), owner.currency, now
    )
    if batches.came_back(connection, batch_id, index):
        text = f"record {record.sequence} sold voucher {index} of batch {batch_id}, which came back"
        raise_alarm(connection, terminal_id, "returned_and_sold", text, now)


def _post_stock_sale(
    connection: Connection,
    terminal_id: bytes,
    sequence: int,
    costs: tuple[int, int],
    currency: str,
    now: int,
) -> None:
    left = ledger.post(
        connection,
        "stock_sale",
        ledger.stock_sale_reference(terminal_id, sequence),
        ledger.sale_entries(terminal_id, *costs),
        terminal_id=terminal_id,
        sequence=sequence,
        now=now,
        currency=currency,
    )
    if left is not None and left < 0:
        text = f"offline sales went over the float (record {sequence})"
        raise_alarm(connection, terminal_id, "float_negative", text, now)


def _online_intent(connection: Connection, terminal_id: bytes, record: Record, now: int) -> None:
    product_id, amount, commission = record.fields(str, int, int)
    asked = _SALE.first(connection, terminal_id=terminal_id, sequence=record.sequence)
    if asked and (
        asked.product_id,
        asked.amount_minor,
        asked.commission_minor,
        asked.terminal_time,
        asked.recipient,
    ) != (product_id, amount, commission, record.time, records.recipient_of(record)):
        raise NotARecord("the intent is not the sale that was asked for")


def _carried(connection: Connection, terminal_id: bytes, record: Record, now: int) -> None:
    """A sale restated for the terminal's own needs: it was posted long since, by its intent."""
    (sequence,) = record.fields(int)
    intent = records.find(connection, terminal_id, sequence)
    if intent is None or len(record.body) == 1:
        return
    length = 2 + (5 if intent.kind == RecordKind.INTENT_OFFLINE else 3)
    if intent.kind == RecordKind.INTENT_ONLINE and records.recipient_of(intent) is not None:
        length += 1
    if record.body[1 : 1 + length] != [intent.kind, intent.time, *intent.body][:length]:
        raise NotARecord(f"restates sale {sequence} as another")


def _delivered(connection: Connection, terminal_id: bytes, record: Record, now: int) -> None:
    sequence, _sealed, serial, _expiry, _float = record.fields(int, bytes, str, int, int)
    given = _GIVEN.scalar(connection, terminal_id=terminal_id, sequence=sequence)
    if given is None and (made := vend_rows.of_sale(connection, terminal_id, sequence)):
        given = made["supplier_reference"] and vend_names.serial_of(made["supplier_reference"])
        if made["state"] != vends.DELIVERED:
            raise NotARecord(f"says sale {sequence} was delivered; it is {made['state']}")
    if given is None and forgotten.adopt_sale(connection, terminal_id, record, now):
        return
    if given != serial:
        raise NotARecord(f"says sale {sequence} brought voucher {serial}, which it did not")


def _refused(connection: Connection, terminal_id: bytes, record: Record, now: int) -> None:
    sequence, code = record.fields(int, str)
    online = connection.scalar(
        select(sale.c.state).where(sale.c.terminal_id == terminal_id, sale.c.sequence == sequence)
    )
    voided = ledger.is_posted(connection, ledger.void_reference(terminal_id, sequence))
    made = None if online is None else vend_rows.of_sale(connection, terminal_id, sequence)
    if made is not None:
        _gave_up(connection, terminal_id, sequence, str(made["state"]), code, now)
        return
    if online == "delivered" and code == LOST_CODE and not voided:
        sold_as = ledger.sale_reference(terminal_id, sequence)
        _undo(connection, terminal_id, sold_as, sequence, record, now)
        text = f"sale {sequence} was delivered, and the terminal has lost what it was: given back"
        raise_alarm(connection, terminal_id, "sale_lost", text, now)
        return
    if online == "delivered" and not voided:
        raise NotARecord(f"says sale {sequence} was refused; it was delivered")
    place = _sold_from(connection, terminal_id, sequence)
    if place is None:
        return
    batch_id, index = place
    sold_as = ledger.stock_sale_reference(terminal_id, sequence)
    _undo(connection, terminal_id, sold_as, sequence, record, now)
    _note_outcome(connection, place, "spoiled", record, now)
    text = f"voucher {index} of batch {batch_id} did not open ({code[:32]})"
    raise_alarm(connection, terminal_id, "voucher_spoiled", text, now)


def _gave_up(
    connection: Connection, terminal_id: bytes, sequence: int, state: str, code: str, now: int
) -> None:
    """A terminal is done with a sale that a supplier makes. Its money moves by what the supplier
    says alone: what was delivered is with its recipient, whatever the terminal still knows of it.
    """
    if state == vends.REJECTED:
        return
    if code != LOST_CODE:
        raise NotARecord(f"says sale {sequence} was refused; it is {state}")
    text = (
        f"sale {sequence} is {state} at its supplier, and its terminal has lost it: it stays paid"
    )
    raise_alarm(connection, terminal_id, "sale_lost", text, now)


def _note_outcome(
    connection: Connection, place: tuple[int, int], outcome: str, record: Record, now: int
) -> None:
    batch_id, index = place
    _OUTCOME.run(
        connection,
        batch_id=batch_id,
        batch_index=index,
        outcome=outcome,
        sequence=record.sequence,
        created_at=now,
    )


def _sold_from(connection: Connection, terminal_id: bytes, sequence: int) -> tuple[int, int] | None:
    """(batch, index) of what a sale from stock sold, as its own record says; None if it was booked
    as no such sale.
    """
    intent = records.find(connection, terminal_id, sequence)
    if intent is None or intent.kind != RecordKind.INTENT_OFFLINE:
        return None
    try:
        *_, batch_id, index = intent.fields(str, int, int, int, int)
    except NotARecord:
        return None
    if _BATCH.first(connection, batch_id=batch_id, terminal_id=terminal_id) is None:
        return None
    is_it = _SOLD_AS.scalar(connection, batch_id=batch_id, index=index) == sequence
    return (batch_id, index) if is_it else None


def _undo(
    connection: Connection,
    terminal_id: bytes,
    sold_as: str,
    sequence: int,
    record: Record,
    now: int,
) -> None:
    """Give back what a sale cost, once; `sold_as` is its reference in the ledger."""
    printed = records.of_kind(connection, terminal_id, RecordKind.PRINTED, sequence)
    if any(found.body[:1] == [sequence] for found in printed):
        raise NotARecord(f"gives back sale {sequence}, which was printed")
    reference = ledger.refund_reference(terminal_id, sequence)
    if ledger.is_posted(connection, reference):
        raise NotARecord(f"gives back sale {sequence} a second time")
    posted = ledger.entries_of(connection, sold_as)
    ledger.post(
        connection,
        "refund",
        reference,
        {name: -amount_minor for name, amount_minor in posted.items()},
        terminal_id=terminal_id,
        sequence=record.sequence,
        now=now,
    )


WIPED = 1
"""In a record of a batch: its terminal wiped it."""


def _stock(connection: Connection, terminal_id: bytes, record: Record, now: int) -> None:
    # The first record of a batch has its whole count, that of its recall or its wipe fewer.
    batch_id, count = record.fields(int, int)
    if record.body[2:3] == [WIPED]:
        stolen.wiped(connection, terminal_id, batch_id, count, now)
        return
    connection.execute(
        update(stock_batch)
        .where(stock_batch.c.id == batch_id, stock_batch.c.terminal_id == terminal_id)
        .where(stock_batch.c.withdrawn_at.is_not(None), stock_batch.c["count"] > count)
        .where(stock_batch.c.stopped_at.is_(None))
        .values(stopped_at=now)
    )


def _z_report(connection: Connection, terminal_id: bytes, record: Record, now: int) -> None:
    """It moves no money; what of it is not so here is a person's to look at."""
    differs = shifts.faults(connection, terminal_id, record)
    if differs:
        text = f"Z report {record.body[0]} (record {record.sequence}): {'; '.join(differs)}"
        raise_alarm(connection, terminal_id, "z_differs", text, now)


_Effect = Callable[[Connection, bytes, Record, int], None]
_EFFECTS: dict[int, _Effect] = {
    RecordKind.INTENT_OFFLINE: _offline_intent,
    RecordKind.INTENT_ONLINE: _online_intent,
    RecordKind.DELIVERED: _delivered,
    RecordKind.REFUSED: _refused,
    RecordKind.CARRIED: _carried,
    RecordKind.STOCK: _stock,
    RecordKind.Z_REPORT: _z_report,
}
