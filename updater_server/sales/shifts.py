"""Z reports and shifts as the terminals' journals say them, each held against the journal's sales
and the ledger's. What differs is named, and nothing is mended: a Z report is what was printed.

What a report counts: docs/formats/journal.md, written anew from there.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from sqlalchemy import Connection, select, text

from updater_server.sales import records
from updater_server.sales.people import person_of
from updater_server.wire.journal_record import NotARecord, Record, RecordKind

MOST = 100
"""Of reports in one answer: each is counted anew."""
_SOLD = (RecordKind.INTENT_OFFLINE, RecordKind.DELIVERED, RecordKind.REFUSED)
_INTENTS = (RecordKind.INTENT_OFFLINE, RecordKind.INTENT_ONLINE)
_POSTED = text("""
    SELECT t.sequence,
        (SELECT COALESCE(SUM(e.amount_minor), 0) FROM ledger_entry e
            JOIN account a ON a.id = e.account_id
            WHERE e.transaction_id = t.id AND a.name = 'voucher_sales') AS face,
        (SELECT COALESCE(SUM(e.amount_minor), 0) FROM ledger_entry e
            JOIN account a ON a.id = e.account_id
            WHERE e.transaction_id = t.id AND a.name = 'commission') AS commission
    FROM ledger_transaction t
    WHERE t.terminal_id = :terminal_id AND t.sequence BETWEEN :least AND :most
        AND t.kind IN ('sale', 'stock_sale')""")


class Counted(NamedTuple):
    """Sales less those that were given back. Money in minor units."""

    sales: int
    total_minor: int
    commission_minor: int

    def __str__(self) -> str:
        """As an alarm says it."""
        return f"{self.sales} sales of {self.total_minor}, commission {self.commission_minor}"


class ZReport(NamedTuple):
    """One Z report: of the records from `first` up to `sequence`, its own. `said` by the terminal,
    `journal` by its records that are here, `ledger` by what was posted for these sales.
    `differs`: what is wrong, in words.
    """

    sequence: int
    time: int
    number: int
    first: int
    digest: bytes
    said: Counted
    journal: Counted
    ledger: Counted
    differs: list[str]


class Shift(NamedTuple):
    """One shift. `number`: the sequence of the record that opened it. While it is open what belongs
    to its end is None. `expected_minor` as the terminal said it. `differs`: what is wrong.
    """

    number: int
    person: int
    opened_at: int
    cash_minor: int
    closed_at: int | None
    counted_minor: int | None
    expected_minor: int | None
    closed_by: int | None
    differs: list[str]


def faults(connection: Connection, terminal_id: bytes, record: Record) -> list[str]:
    """What is wrong with a Z report that has just come.

    Raises:
        NotARecord: its body is none of a Z report.
    """
    return _judged(connection, terminal_id, record).differs


def z_reports(connection: Connection, terminal_id: bytes, limit: int = MOST) -> list[ZReport]:
    """A terminal's newest Z reports, the newest first."""
    found = []
    for record in _newest(connection, terminal_id, RecordKind.Z_REPORT, limit):
        try:
            found.append(_judged(connection, terminal_id, record))
        except NotARecord:
            continue  # an alarm has said so
    return found


def shifts(connection: Connection, terminal_id: bytes, limit: int = MOST) -> list[Shift]:
    """A terminal's newest shifts, the newest first."""
    opened = _newest(connection, terminal_id, RecordKind.SHIFT_OPENED, limit)
    least = min((record.sequence for record in opened), default=0)
    ends: dict[int, list[Record]] = {}
    for record in records.of_kind(connection, terminal_id, RecordKind.SHIFT_CLOSED, least):
        if record.body and type(record.body[0]) is int:
            ends.setdefault(record.body[0], []).append(record)
    found = []
    for record in opened:
        try:
            ended = ends.get(record.sequence, [])
            found.append(_shift(connection, terminal_id, record, ended))
        except NotARecord:
            continue
    return found


def _shift(connection: Connection, terminal_id: bytes, opened: Record, ends: list[Record]) -> Shift:
    cash_minor, person = opened.fields(int, int)
    if not ends:
        return Shift(opened.sequence, person, opened.time, cash_minor, None, None, None, None, [])
    end = ends[0]
    _, counted_minor, expected_minor, count, whose, by = _fields_with_sums(end)
    differs = [] if len(ends) == 1 else [f"closed {len(ends)} times"]
    if whose != person:
        differs.append(f"closed as the shift of person {whose}")
    journal, _ = _counted(connection, terminal_id, opened.sequence, end.sequence, person)
    if (count, expected_minor) != (journal.sales, cash_minor + journal.total_minor):
        differs.append(f"its records say {journal}")
    return Shift(
        opened.sequence, person, opened.time, cash_minor, end.time, counted_minor, expected_minor,
        by, differs,
    )  # fmt: skip


def _fields_with_sums(record: Record) -> list[Any]:
    """The six first elements; sums may be negative, where more was given back than sold."""
    if len(record.body) < 6 or any(type(item) is not int for item in record.body[:6]):
        raise NotARecord(f"the body does not fit kind {record.kind}")
    return record.body[:6]


def _judged(connection: Connection, terminal_id: bytes, record: Record) -> ZReport:
    if len(record.body) < 6 or any(type(item) is not int for item in record.body[:5]):
        raise NotARecord("the body does not fit a Z report")
    number, first, *sums, digest = record.body[:6]
    if type(digest) is not bytes or not 1 <= first <= record.sequence or number < 1:
        raise NotARecord("the body does not fit a Z report")
    said = Counted(*sums)
    before = _before(connection, terminal_id, record.sequence)
    differs = _order(before, number, first)
    last = records.find(connection, terminal_id, record.sequence - 1)
    if last is not None and last.tag != digest:
        differs.append(f"its digest is not that of record {last.sequence}")
    journal = ledger = said
    # Where it begins where the last one ended, each record is counted by one report alone: a
    # terminal that is somebody else's cannot have the server count all of it again and again.
    if before is None or first > before.sequence:
        journal, ledger = _counted(connection, terminal_id, first, record.sequence)
        differs += [
            f"{what} {found}" for what, found in (("its records say", journal),
                                                  ("the ledger says", ledger)) if found != said
        ]  # fmt: skip
    return ZReport(
        record.sequence, record.time, number, first, digest, said, journal, ledger, differs
    )


def _order(before: Record | None, number: int, first: int) -> list[str]:
    """What is wrong with the number and the first record, after the report before."""
    if before is None:
        return [] if number == 1 or first > 1 else [f"the first one is number {number}"]
    last = before.body[0] if before.body and type(before.body[0]) is int else 0
    differs = []
    if number <= last:
        differs.append(f"number {number} comes after number {last}")
    elif number > last + 1:
        differs.append(f"numbers {last + 1} to {number - 1} are missing")
    if first > before.sequence + 1:
        differs.append(f"records {before.sequence + 1} to {first - 1} are in no report")
    elif first <= before.sequence:
        differs.append(f"records {first} to {before.sequence} are in another report, too")
    return differs


def _counted(
    connection: Connection, terminal_id: bytes, first: int, end: int, person: int | None = None
) -> tuple[Counted, Counted]:
    """Sales that the records from `first` up to, and without, `end` count, of all or of a person:
    by the journal's figures, and by the ledger's.
    """
    signs: dict[int, int] = {}
    intents: dict[int, Record] = {}
    for sale, sign in _events(connection, terminal_id, first, end):
        intent = intents.get(sale) or records.find(connection, terminal_id, sale)
        if intent is None or intent.kind not in _INTENTS or person not in (None, person_of(intent)):
            continue
        intents[sale] = intent
        signs[sale] = signs.get(sale, 0) + sign
    told = {sale: _figures(intent) for sale, intent in intents.items()}
    bounds = {"least": min(intents, default=0), "most": max(intents, default=0)}
    rows = connection.execute(_POSTED, {"terminal_id": terminal_id, **bounds})
    posted = {row.sequence: (int(row.face), -int(row.commission)) for row in rows}
    return _sum(signs, told), _sum(signs, posted)


def _figures(intent: Record) -> tuple[int, int]:
    try:
        _, amount_minor, commission_minor = intent.fields(str, int, int)
    except NotARecord:
        return 0, 0
    return amount_minor, commission_minor


def _sum(signs: dict[int, int], figures: dict[int, tuple[int, int]]) -> Counted:
    there = {sale: sign for sale, sign in signs.items() if sale in figures}
    return Counted(
        sum(there.values()),
        sum(sign * figures[sale][0] for sale, sign in there.items()),
        sum(sign * figures[sale][1] for sale, sign in there.items()),
    )


def _events(
    connection: Connection, terminal_id: bytes, first: int, end: int
) -> Iterator[tuple[int, int]]:
    """(sale, +1 when it is sold, -1 when it is given back) in the order of the records."""
    table = records.whole_record
    raws = connection.scalars(
        select(table.c.raw)
        .where(table.c.terminal_id == terminal_id, table.c.kind.in_([int(k) for k in _SOLD]))
        .where(table.c.sequence >= first, table.c.sequence < end)
        .order_by(table.c.sequence)
    ).all()
    is_sold: dict[int, bool] = {}
    for record in map(Record.parse, raws):
        is_intent = record.kind == RecordKind.INTENT_OFFLINE
        sale = record.sequence if is_intent else record.body[0] if record.body else None
        if type(sale) is not int:
            continue
        if sale not in is_sold:
            is_sold[sale] = sale < first and _was_sold(connection, terminal_id, sale, first)
        sells = record.kind != RecordKind.REFUSED
        if is_sold[sale] != sells:
            is_sold[sale] = sells
            yield sale, 1 if sells else -1


def _was_sold(connection: Connection, terminal_id: bytes, sale: int, before: int) -> bool:
    """Whether a sale begun before a record was sold by then."""
    intent = records.find(connection, terminal_id, sale)
    if intent is None or intent.kind == RecordKind.INTENT_OFFLINE:
        return intent is not None
    table = records.whole_record
    raws = connection.scalars(
        select(table.c.raw)
        .where(table.c.terminal_id == terminal_id, table.c.kind == int(RecordKind.DELIVERED))
        .where(table.c.sequence > sale, table.c.sequence < before)
    )
    return any(record.body[:1] == [sale] for record in map(Record.parse, raws))


def _newest(
    connection: Connection, terminal_id: bytes, kind: int, limit: int, below: int | None = None
) -> list[Record]:
    table = records.whole_record
    query = select(table.c.raw).where(table.c.terminal_id == terminal_id, table.c.kind == int(kind))
    if below is not None:
        query = query.where(table.c.sequence < below)
    raws = connection.scalars(query.order_by(table.c.sequence.desc()).limit(limit))
    return [Record.parse(raw) for raw in raws]


def _before(connection: Connection, terminal_id: bytes, sequence: int) -> Record | None:
    """The Z report before that record."""
    found = _newest(connection, terminal_id, RecordKind.Z_REPORT, 1, sequence)
    return found[0] if found else None
