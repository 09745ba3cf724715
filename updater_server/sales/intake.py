"""Journal intake: the terminals' records are stored for ever and posted to the ledger exactly once.
For `device_api`.

A record that contradicts what is stored (a fork of the chain) is refused and never acknowledged:
the terminal keeps it, an alarm tells a person. What is authentic but makes no sense is stored and
acknowledged, with an alarm: it happened, and refusing it would stop the terminal's journal for
ever.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlalchemy import Connection, insert, select, update

from updater_server.errors import ConflictError, InputError
from updater_server.fleet.alarms import raise_alarm
from updater_server.sales import ledger
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


def _numbered(raws: Sequence[bytes]) -> list[tuple[int | None, Record | None]]:
    """Each upload item with its sequence number; a lost one has no record, and no number if all are
    lost.
    """
    records = [Record.parse(raw) if raw else None for raw in raws]
    anchor = next((at for at, record in enumerate(records) if record), None)
    if anchor is None:
        return [(None, None)] * len(records)
    found = records[anchor]
    assert found is not None
    numbered: list[tuple[int | None, Record | None]] = []
    for at, record in enumerate(records):
        sequence = found.sequence + at - anchor
        if sequence < 1 or (record and record.sequence != sequence):
            raise NotARecord("the records are not contiguous")
        numbered.append((sequence, record))
    return numbered


def take_in(connection: Connection, terminal_id: bytes, raws: Sequence[bytes], now: int) -> int:
    """Store and post what is new; returns through which sequence number everything is stored.

    Records that are stored already are compared and passed over. A gap before the first new one
    leaves everything as it is.

    Raises:
        InputError: something is not a record, or they are not contiguous; nothing was stored.
        ConflictError: a record is not the one stored under its number, or the chain does not lead
            to it. What came before it is stored and an alarm raised, so commit.
    """
    try:
        numbered = _numbered(raws)
    except NotARecord as error:
        raise InputError(str(error)) from error
    owner = connection.execute(select(terminal).where(terminal.c.id == terminal_id)).one()
    acknowledged: int = owner.acknowledged_through
    tag: bytes | None = FIRST_TAG if acknowledged == 0 else owner.chain_tag
    problem: str | None = None
    for number, record in numbered:
        sequence = acknowledged + 1 if number is None else number
        if sequence <= acknowledged:
            if record is None:
                continue
            stored = connection.scalar(
                select(journal_record.c.raw).where(
                    journal_record.c.terminal_id == terminal_id,
                    journal_record.c.sequence == sequence,
                )
            )
            if stored is not None and stored != record.raw:
                problem = f"record {sequence} is not the one stored: the journal was forked"
                raise_alarm(connection, terminal_id, "journal_fork", problem, now)
                break
            continue
        if sequence > acknowledged + 1:
            text = f"records {acknowledged + 1} to {sequence - 1} were never received"
            raise_alarm(connection, terminal_id, "journal_gap", text, now)
            break
        if record is None:
            text = f"record {sequence} was lost on the terminal"
            raise_alarm(connection, terminal_id, "journal_lost", text, now)
        elif tag is not None and not record.follows(tag):
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
    if problem:
        raise ConflictError(problem)
    return acknowledged


def _apply(connection: Connection, terminal_id: bytes, record: Record, now: int) -> None:
    effect = _EFFECTS.get(record.kind)
    if effect is None:
        return
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
    ledger.post(
        connection,
        "stock_sale",
        f"stock:{terminal_id.hex()}:{record.sequence}",
        ledger.sale_entries(terminal_id, amount, commission),
        terminal_id=terminal_id,
        sequence=record.sequence,
        now=now,
    )
    left = ledger.float_minor(connection, terminal_id)
    if left < 0:
        text = f"offline sales went over the float (record {record.sequence})"
        raise_alarm(connection, terminal_id, "float_negative", text, now)


def _online_intent(connection: Connection, terminal_id: bytes, record: Record, now: int) -> None:
    product_id, amount, _commission = record.fields(str, int, int)
    asked = connection.execute(
        select(sale).where(sale.c.terminal_id == terminal_id, sale.c.sequence == record.sequence)
    ).one_or_none()
    if asked and (asked.product_id, asked.amount_minor, asked.terminal_time) != (
        product_id,
        amount,
        record.time,
    ):
        raise NotARecord("the intent is not the sale that was asked for")


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
    if given != serial:
        raise NotARecord(f"says sale {sequence} brought voucher {serial}, which it did not")


def _refused(connection: Connection, terminal_id: bytes, record: Record, now: int) -> None:
    sequence, code = record.fields(int, str)
    online = connection.scalar(
        select(sale.c.state).where(sale.c.terminal_id == terminal_id, sale.c.sequence == sequence)
    )
    given_back = ledger.is_posted(connection, f"refund:{terminal_id.hex()}:{sequence}")
    if online == "delivered" and not given_back:
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
    if _was_printed(connection, terminal_id, sequence):
        raise NotARecord(f"gives back sale {sequence}, which was printed")
    reference = f"refund:{terminal_id.hex()}:{sequence}"
    if ledger.is_posted(connection, reference):
        raise NotARecord(f"gives back sale {sequence} a second time")
    connection.execute(
        insert(stock_outcome).values(
            batch_id=sold.batch_id,
            batch_index=sold.batch_index,
            outcome="spoiled",
            sequence=record.sequence,
            created_at=now,
        )
    )
    posted = ledger.entries_of(connection, f"stock:{terminal_id.hex()}:{sequence}")
    ledger.post(
        connection,
        "refund",
        reference,
        {name: -amount_minor for name, amount_minor in posted.items()},
        terminal_id=terminal_id,
        sequence=record.sequence,
        now=now,
    )
    text = f"voucher {sold.batch_index} of batch {sold.batch_id} did not open ({code[:32]})"
    raise_alarm(connection, terminal_id, "voucher_spoiled", text, now)


def _was_printed(connection: Connection, terminal_id: bytes, sale_sequence: int) -> bool:
    printed = connection.scalars(
        select(journal_record.c.raw).where(
            journal_record.c.terminal_id == terminal_id,
            journal_record.c.sequence > sale_sequence,
            journal_record.c.kind == int(RecordKind.PRINTED),
        )
    )
    return any(Record.parse(raw).body[:1] == [sale_sequence] for raw in printed)


def _stock(connection: Connection, terminal_id: bytes, record: Record, now: int) -> None:
    # The first record of a batch has its whole count, that of its recall fewer.
    batch_id, count = record.fields(int, int)
    connection.execute(
        update(stock_batch)
        .where(stock_batch.c.id == batch_id, stock_batch.c.terminal_id == terminal_id)
        .where(stock_batch.c.closed_at.is_not(None), stock_batch.c["count"] > count)
        .where(stock_batch.c.stopped_at.is_(None))
        .values(stopped_at=now)
    )


_Effect = Callable[[Connection, bytes, Record, int], None]
_EFFECTS: dict[int, _Effect] = {
    RecordKind.INTENT_OFFLINE: _offline_intent,
    RecordKind.INTENT_ONLINE: _online_intent,
    RecordKind.DELIVERED: _delivered,
    RecordKind.REFUSED: _refused,
    RecordKind.STOCK: _stock,
}
