"""Journal intake: the terminals' records are stored for ever and posted to the ledger exactly once.
For `device_api`.

A record that contradicts what is stored (a fork of the chain) is refused and never acknowledged:
the terminal keeps it, an alarm tells a person. What is authentic but makes no sense is stored and
acknowledged, with an alarm: it happened, and refusing it would stop the terminal's journal for
ever.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from sqlalchemy import Connection, insert, select, update

from updater_server.database import is_the_databases_fault
from updater_server.errors import ConflictError, InputError, VaultError
from updater_server.fleet.alarms import raise_alarm
from updater_server.sales import ledger, losses, records, restoring, stock
from updater_server.sales.journal import FIRST_TAG, NotARecord, Record, RecordKind
from updater_server.sales.prices import was_shown
from updater_server.tables import (
    journal_record,
    sale,
    stock_batch,
    stock_outcome,
    terminal,
    voucher,
    voucher_assignment,
)

log = logging.getLogger("duka.intake")

LOST_CODE = "lost"
"""The terminal gives a sale up because its flash has lost what was sold."""


def _numbered(raws: Sequence[bytes]) -> list[tuple[int, Record | None]]:
    """Each upload item with its sequence number; a lost one has no record.

    Raises:
        NotARecord: no record, or not contiguous, or nothing behind a lost one: a number that may
            still be written must not be called lost.
    """
    found = [Record.parse(raw) if raw else None for raw in raws]
    if not found:
        return []
    last = found[-1]
    if last is None:
        raise NotARecord("behind a lost record there must be one that is not lost")
    numbered: list[tuple[int, Record | None]] = []
    for sequence, record in enumerate(found, last.sequence - len(found) + 1):
        if sequence < 1 or (record and record.sequence != sequence):
            raise NotARecord("the records are not contiguous")
        numbered.append((sequence, record))
    return numbered


def take_in(
    connection: Connection,
    terminal_id: bytes,
    raws: Sequence[bytes],
    now: int,
    *,
    is_sealed: bool = False,
) -> int:
    """Store and post what is new; returns through which sequence number everything is stored.

    Records that are stored already are compared and passed over; one that was lost and comes now is
    stored and posted. A gap before the first new one leaves everything as it is.
    `is_sealed`: the terminal itself says this, under its seal; nobody else may call a record lost.

    Raises:
        InputError: something is not a record, or they are not contiguous, or called lost without
            the seal; nothing was stored.
        ConflictError: a record is not the one stored under its number, or the chain does not lead
            to it, or too many are lost. What came before it is stored and an alarm raised, so
            commit.
    """
    try:
        numbered = _numbered(raws)
    except NotARecord as error:
        raise InputError(str(error)) from error
    owner = connection.execute(select(terminal).where(terminal.c.id == terminal_id)).one()
    known: int = owner.acknowledged_through
    late, problem = _compared(connection, terminal_id, numbered, known, now)
    if problem:
        numbered = []  # what follows a fork is not believed
    lost = [sequence for sequence, record in numbered if sequence > known and record is None]
    if lost and numbered[0][0] <= known + 1:
        try:
            losses.declare(connection, terminal_id, lost, is_sealed, now)
        except ConflictError as error:
            problem = str(error)
            numbered = [item for item in numbered if item[0] < lost[0]]
    acknowledged, tag = known, FIRST_TAG if known == 0 else owner.chain_tag
    for sequence, record in numbered:
        if sequence <= known:
            continue
        if sequence > acknowledged + 1:
            text = f"records {acknowledged + 1} to {sequence - 1} were never received"
            raise_alarm(connection, terminal_id, "journal_gap", text, now)
            break
        if record and restoring.waits_for_stock(connection, terminal_id, record):
            break  # its reply asks the terminal what is in that batch
        if record and tag is not None and not record.follows(tag):
            problem = f"the chain does not lead to record {sequence}"
            raise_alarm(connection, terminal_id, "journal_chain", problem, now)
            break
        connection.execute(
            insert(journal_record).values(
                terminal_id=terminal_id,
                sequence=sequence,
                kind=record.kind if record else None,
                raw=record.raw if record else None,
                received_at=now,
            )
        )
        if record:
            _apply(connection, terminal_id, record, now)
        acknowledged, tag = sequence, record.tag if record else None
    connection.execute(
        update(terminal)
        .where(terminal.c.id == terminal_id)
        .values(acknowledged_through=acknowledged, chain_tag=tag)
    )
    for record in losses.came_later(connection, terminal_id, late, is_sealed, now):
        _apply(connection, terminal_id, record, now)
        _apply_refusals_of(connection, terminal_id, record, now)
    if problem:
        raise ConflictError(problem)
    return acknowledged


def _compared(
    connection: Connection,
    terminal_id: bytes,
    numbered: Sequence[tuple[int, Record | None]],
    known: int,
    now: int,
) -> tuple[list[Record], str | None]:
    """Of the records up to `known` those that were lost until now, and what is wrong with one that
    is stored."""
    late = []
    for sequence, record in numbered:
        if sequence > known or record is None:
            continue
        stored = records.find(connection, terminal_id, sequence)
        if stored is None:
            late.append(record)
        elif stored.raw != record.raw:
            problem = f"record {sequence} is not the one stored: the journal was forked"
            raise_alarm(connection, terminal_id, "journal_fork", problem, now)
            return [], problem
    return late, None


def look_for_rewound_journal(
    connection: Connection, terminal_id: bytes, journal_next: int, now: int
) -> None:
    """Alarm if a terminal will write numbers that are stored here already: its flash is older."""
    acknowledged = connection.scalar(
        select(terminal.c.acknowledged_through).where(terminal.c.id == terminal_id)
    )
    if acknowledged is not None and journal_next <= acknowledged:
        text = (
            f"its journal goes on with record {journal_next}, but {acknowledged} are stored: its "
            "flash was put back. Enrol it under a new id and move its float"
        )
        raise_alarm(connection, terminal_id, "journal_rewound", text, now)


def _apply_refusals_of(
    connection: Connection, terminal_id: bytes, intent: Record, now: int
) -> None:
    """The sale of an intent that came late may have been given back long since."""
    if intent.kind != RecordKind.INTENT_OFFLINE:
        return
    for record in records.of_kind(connection, terminal_id, RecordKind.REFUSED, intent.sequence):
        if record.body[:1] == [intent.sequence]:
            _apply(connection, terminal_id, record, now)


def _apply(connection: Connection, terminal_id: bytes, record: Record, now: int) -> None:
    effect = _EFFECTS.get(record.kind)
    if effect is None:
        return
    try:
        with connection.begin_nested():
            _effect(effect, connection, terminal_id, record, now)
    except VaultError:
        raise
    except Exception as error:  # whatever one record holds, the next ones are taken in
        if is_the_databases_fault(error):
            raise
        log.exception("record %d of terminal %s", record.sequence, terminal_id.hex())
        text = f"record {record.sequence} could not be booked: the server's log has it"
        raise_alarm(connection, terminal_id, "journal_nonsense", text, now)


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
    batch = connection.execute(
        select(stock_batch).where(
            stock_batch.c.id == batch_id, stock_batch.c.terminal_id == terminal_id
        )
    ).one_or_none()
    if batch is None and restoring.is_missing_batch(connection, terminal_id, batch_id):
        _post_stock_sale(connection, terminal_id, record.sequence, amount, commission, now)
        return
    if batch is None or index >= batch.count:
        raise NotARecord(f"sold voucher {index} of batch {batch_id}, which it does not have")
    place = (stock_outcome.c.batch_id == batch_id) & (stock_outcome.c.batch_index == index)
    if connection.scalar(
        select(stock_outcome.c.sequence).where(place, stock_outcome.c.outcome == "sold")
    ):
        raise NotARecord(f"sold voucher {index} of batch {batch_id} a second time")
    if (product_id, amount) != (batch.product_id, batch.face_minor):
        text = (
            f"record {record.sequence} sold {amount} of {product_id}; "
            f"batch {batch_id} is {batch.face_minor} of {batch.product_id}"
        )
        raise_alarm(connection, terminal_id, "journal_price", text, now)
        product_id, amount, commission = batch.product_id, batch.face_minor, batch.commission_minor
    owner = connection.execute(select(terminal).where(terminal.c.id == terminal_id)).one()
    fair = commission == batch.commission_minor or was_shown(
        connection, owner.catalogue, product_id, amount, commission
    )
    if not fair:
        text = f"record {record.sequence}: a commission of {commission} was never offered"
        raise_alarm(connection, terminal_id, "journal_price", text, now)
        commission = batch.commission_minor
    connection.execute(
        insert(stock_outcome).values(
            batch_id=batch_id,
            batch_index=index,
            outcome="sold",
            sequence=record.sequence,
            created_at=now,
        )
    )
    _post_stock_sale(connection, terminal_id, record.sequence, amount, commission, now)
    if stock.came_back(connection, batch_id, index):
        text = f"record {record.sequence} sold voucher {index} of batch {batch_id}, which came back"
        raise_alarm(connection, terminal_id, "returned_and_sold", text, now)


def _post_stock_sale(
    connection: Connection,
    terminal_id: bytes,
    sequence: int,
    amount: int,
    commission: int,
    now: int,
) -> None:
    ledger.post(
        connection,
        "stock_sale",
        f"stock:{terminal_id.hex()}:{sequence}",
        ledger.sale_entries(terminal_id, amount, commission),
        terminal_id=terminal_id,
        sequence=sequence,
        now=now,
    )
    left = ledger.float_minor(connection, terminal_id)
    if left < 0:
        text = f"offline sales went over the float (record {sequence})"
        raise_alarm(connection, terminal_id, "float_negative", text, now)


def _online_intent(connection: Connection, terminal_id: bytes, record: Record, now: int) -> None:
    product_id, amount, commission = record.fields(str, int, int)
    asked = connection.execute(
        select(sale).where(sale.c.terminal_id == terminal_id, sale.c.sequence == record.sequence)
    ).one_or_none()
    if asked and (
        asked.product_id,
        asked.amount_minor,
        asked.commission_minor,
        asked.terminal_time,
    ) != (product_id, amount, commission, record.time):
        raise NotARecord("the intent is not the sale that was asked for")


def _carried(connection: Connection, terminal_id: bytes, record: Record, now: int) -> None:
    """A sale restated for the terminal's own needs: it was posted long since, by its intent."""
    (sequence,) = record.fields(int)
    intent = records.find(connection, terminal_id, sequence)
    if intent is None or len(record.body) == 1:
        return
    length = 2 + (5 if intent.kind == RecordKind.INTENT_OFFLINE else 3)
    if record.body[1 : 1 + length] != [intent.kind, intent.time, *intent.body][:length]:
        raise NotARecord(f"restates sale {sequence} as another")


def _delivered(connection: Connection, terminal_id: bytes, record: Record, now: int) -> None:
    sequence, _sealed, serial, _expiry, _float = record.fields(int, bytes, str, int, int)
    given = connection.scalar(
        select(voucher.c.serial)
        .join(voucher_assignment, voucher_assignment.c.voucher_id == voucher.c.id)
        .where(
            voucher_assignment.c.terminal_id == terminal_id,
            voucher_assignment.c.sale_sequence == sequence,
        )
    )
    if given is None and restoring.adopt_sale(connection, terminal_id, record, now):
        return
    if given != serial:
        raise NotARecord(f"says sale {sequence} brought voucher {serial}, which it did not")


def _refused(connection: Connection, terminal_id: bytes, record: Record, now: int) -> None:
    sequence, code = record.fields(int, str)
    online = connection.scalar(
        select(sale.c.state).where(sale.c.terminal_id == terminal_id, sale.c.sequence == sequence)
    )
    voided = ledger.is_posted(connection, ledger.void_reference(terminal_id, sequence))
    if online == "delivered" and code == LOST_CODE and not voided:
        _undo(connection, terminal_id, "sale", sequence, record, now)
        text = f"sale {sequence} was delivered, and the terminal has lost what it was: given back"
        raise_alarm(connection, terminal_id, "sale_lost", text, now)
        return
    if online == "delivered" and not voided:
        raise NotARecord(f"says sale {sequence} was refused; it was delivered")
    sold = connection.execute(
        select(stock_outcome, stock_batch.c.terminal_id, stock_batch.c.face_minor)
        .join(stock_batch, stock_batch.c.id == stock_outcome.c.batch_id)
        .where(
            stock_batch.c.terminal_id == terminal_id,
            stock_outcome.c.sequence == sequence,
            stock_outcome.c.outcome == "sold",
        )
    ).one_or_none()
    if sold is None:
        return
    _undo(connection, terminal_id, "stock", sequence, record, now)
    connection.execute(
        insert(stock_outcome).values(
            batch_id=sold.batch_id,
            batch_index=sold.batch_index,
            outcome="spoiled",
            sequence=record.sequence,
            created_at=now,
        )
    )
    text = f"voucher {sold.batch_index} of batch {sold.batch_id} did not open ({code[:32]})"
    raise_alarm(connection, terminal_id, "voucher_spoiled", text, now)


def _undo(
    connection: Connection, terminal_id: bytes, kind: str, sequence: int, record: Record, now: int
) -> None:
    """Give back what a sale cost, once; `kind` is how its reference in the ledger begins."""
    printed = records.of_kind(connection, terminal_id, RecordKind.PRINTED, sequence)
    if any(found.body[:1] == [sequence] for found in printed):
        raise NotARecord(f"gives back sale {sequence}, which was printed")
    reference = f"refund:{terminal_id.hex()}:{sequence}"
    if ledger.is_posted(connection, reference):
        raise NotARecord(f"gives back sale {sequence} a second time")
    posted = ledger.entries_of(connection, f"{kind}:{terminal_id.hex()}:{sequence}")
    ledger.post(
        connection,
        "refund",
        reference,
        {name: -amount_minor for name, amount_minor in posted.items()},
        terminal_id=terminal_id,
        sequence=record.sequence,
        now=now,
    )


def _stock(connection: Connection, terminal_id: bytes, record: Record, now: int) -> None:
    # The first record of a batch has its whole count, that of its recall fewer.
    batch_id, count = record.fields(int, int)
    connection.execute(
        update(stock_batch)
        .where(stock_batch.c.id == batch_id, stock_batch.c.terminal_id == terminal_id)
        .where(stock_batch.c.withdrawn_at.is_not(None), stock_batch.c["count"] > count)
        .where(stock_batch.c.stopped_at.is_(None))
        .values(stopped_at=now)
    )


_Effect = Callable[[Connection, bytes, Record, int], None]
_EFFECTS: dict[int, _Effect] = {
    RecordKind.INTENT_OFFLINE: _offline_intent,
    RecordKind.INTENT_ONLINE: _online_intent,
    RecordKind.DELIVERED: _delivered,
    RecordKind.REFUSED: _refused,
    RecordKind.CARRIED: _carried,
    RecordKind.STOCK: _stock,
}
