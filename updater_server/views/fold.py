"""Ledger transactions that sold something become rows of the log, and are counted, each once. For
the worker and the command line.

What a row says depends on what was known when it was posted, and on nothing that comes later: so a
rebuild is equal to what was live. For that a transaction waits `LAG_S`, until all that was set in
its second stands.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import Connection, Engine, bindparam, delete, func, insert, select, text, update

from updater_server.parties import tree
from updater_server.parties.tree import Party
from updater_server.sales import records, vend_names
from updater_server.store.engine import one_at_a_time, reading, writing
from updater_server.store.prepared import Prepared
from updater_server.store.tables import (
    ledger_transaction,
    party_region,
    running_history,
    sale,
    sale_count,
    sale_log,
    stock_batch,
    terminal_owner,
    vend,
    voucher,
    voucher_assignment,
)
from updater_server.views import keeping
from updater_server.wire.journal_record import NotARecord, RecordKind

LAG_S = 10
STEP_ROWS = 500
QUARTER_S = 900
"""Every time zone is whole quarters of an hour off, so hours and days are sums of them."""

# Sums of each by itself: joined, PostgreSQL may begin at the ledger's first entry for each step.
_NEW = """
    SELECT t.id, t.kind, t.reference, t.terminal_id, t.sequence, t.created_at,
        COALESCE((SELECT SUM(e.amount_minor) FROM ledger_entry e
            JOIN account a ON a.id = e.account_id
            WHERE e.transaction_id = t.id AND a.name = 'voucher_sales'), 0) AS face,
        COALESCE((SELECT -SUM(e.amount_minor) FROM ledger_entry e
            JOIN account a ON a.id = e.account_id
            WHERE e.transaction_id = t.id AND a.name = 'commission'), 0) AS commission,
        (SELECT MIN(a.currency) FROM ledger_entry e JOIN account a ON a.id = e.account_id
            WHERE e.transaction_id = t.id) AS currency
    FROM ledger_transaction t WHERE t.id > :after AND t.id <= :through
    AND t.kind IN ('sale', 'stock_sale', 'refund', 'void', 'correction')
    ORDER BY t.id LIMIT :rows"""


class Sold(NamedTuple):
    """What a transaction was about."""

    product_id: str
    serial: str | None
    recipient: str | None
    supplier: str
    supplier_reference: str | None


_MINE = (sale.c.terminal_id == bindparam("terminal_id")) & (
    sale.c.sequence == bindparam("sequence")
)
_ONLINE = Prepared(
    select(
        sale.c.product_id, sale.c.recipient, voucher.c.serial, vend.c.supplier,
        vend.c.recipient.label("spelled"), vend.c.supplier_reference,
    )
    .select_from(
        sale.outerjoin(voucher, voucher.c.id == sale.c.voucher_id).outerjoin(
            vend,
            (vend.c.terminal_id == sale.c.terminal_id) & (vend.c.sequence == sale.c.sequence),
        )
    )
    .where(_MINE)
)  # fmt: skip
_STOCK = Prepared(
    select(stock_batch.c.product_id, voucher.c.serial)
    .select_from(
        stock_batch.outerjoin(
            voucher_assignment,
            (voucher_assignment.c.batch_id == stock_batch.c.id)
            & (voucher_assignment.c.batch_index == bindparam("batch_index")),
        ).outerjoin(voucher, voucher.c.id == voucher_assignment.c.voucher_id)
    )
    .where(stock_batch.c.id == bindparam("batch_id"))
)
_OWNER = Prepared(
    select(terminal_owner.c.party_id)
    .where(terminal_owner.c.terminal_id == bindparam("terminal_id"))
    .where(terminal_owner.c.since <= bindparam("at"))
    .order_by(terminal_owner.c.since.desc(), terminal_owner.c.id.desc())
    .limit(1)
)
_RELEASE = Prepared(
    select(running_history.c.release)
    .where(running_history.c.terminal_id == bindparam("terminal_id"))
    .where(running_history.c.at <= bindparam("at"))
    .order_by(running_history.c.id.desc())
    .limit(1)
)


@dataclass(frozen=True)
class _Trade:
    """The tree of parties and where they are."""

    parties: dict[int, Party]
    regions: dict[int, list[tuple[int, str]]]

    @staticmethod
    def read(connection: Connection) -> _Trade:
        regions: dict[int, list[tuple[int, str]]] = defaultdict(list)
        for row in connection.execute(select(party_region).order_by(party_region.c.id)):
            regions[row.party_id].append((row.since, row.region))
        return _Trade({one.id: one for one in tree.all_parties(connection)}, dict(regions))

    def agent(self, party_id: int | None) -> int:
        """The next agent above a party, or itself; 0: none."""
        while party_id is not None:
            one = self.parties[party_id]
            if one.kind == "agent":
                return one.id
            party_id = one.parent_id
        return 0

    def region(self, party_id: int | None, at: int) -> str:
        """Where a party was; "": nobody said it of it or of one above."""
        while party_id is not None:
            said = [region for since, region in self.regions.get(party_id, []) if since <= at]
            if said:
                return said[-1]
            party_id = self.parties[party_id].parent_id
        return ""


def fold(engine: Engine, now: int, stop: threading.Event | None = None) -> int:
    """Take in all that was posted up to `LAG_S` before `now`; how many rows came."""
    with reading(engine, still=True) as connection:
        through = connection.scalar(select(func.max(ledger_transaction.c.id))) or 0
    total = 0
    while stop is None or not stop.is_set():
        looked_at, taken = _step(engine, int(through), now - LAG_S)
        total += taken
        if looked_at < STEP_ROWS:
            break
    return total


def rebuild(engine: Engine, now: int) -> int:
    """Throw away log and counts and make them anew, as far back as they are kept; how many rows
    there are. Cut short, the next `fold` goes on.
    """
    with writing(engine) as connection:
        connection.execute(delete(sale_count))
        connection.execute(delete(sale_log))
        keeping.begin_anew(connection, now)
    return fold(engine, now)


def _step(engine: Engine, through: int, until: int) -> tuple[int, int]:
    """How many of the ledger were looked at, and how many of them came."""
    # No message writes here, so none need wait for it: only one who makes the log for another.
    with writing(engine, beside=True) as connection:
        one_at_a_time(connection, keeping.LOCK)
        kept = keeping.kept(connection)
        after = max(connection.scalar(select(func.max(sale_log.c.id))) or 0, kept.looked_through)
        values = {"after": after, "through": through, "rows": STEP_ROWS}
        trade = _Trade.read(connection)
        counted: dict[tuple[Any, ...], list[int]] = defaultdict(lambda: [0, 0, 0])
        rows = []
        looked_at = 0
        for row in connection.execute(text(_NEW), values).all():
            if row.created_at > until:
                break
            looked_at, last = looked_at + 1, row.id
            if row.created_at < kept.since:
                continue
            made = _row(connection, row)
            rows.append(made)
            counts = counted[_counted_as(connection, trade, made)]
            for place, more in enumerate((1, made["face_minor"], made["commission_minor"])):
                counts[place] += more
        if rows:
            connection.execute(insert(sale_log), rows)
            _count(connection, counted)
        elif looked_at:
            keeping.look_past(connection, last)
    return looked_at, len(rows)


def _row(connection: Connection, row: Any) -> dict[str, Any]:
    sequence = row.sequence or 0
    if row.kind != "correction":
        sequence = int(row.reference.rpartition(":")[2])
    sold = _sold(connection, row.terminal_id, sequence)
    owner = _OWNER.scalar(connection, terminal_id=row.terminal_id, at=row.created_at)
    return {
        "id": row.id, "at": row.created_at, "kind": row.kind, "terminal_id": row.terminal_id,
        "sequence": sequence, "party_id": owner, "face_minor": int(row.face),
        "commission_minor": int(row.commission), "currency": row.currency, **sold._asdict(),
    }  # fmt: skip


def _sold(connection: Connection, terminal_id: bytes, sequence: int) -> Sold:
    online = _ONLINE.first(connection, terminal_id=terminal_id, sequence=sequence)
    if online is not None:
        reference = online.supplier_reference
        serial = online.serial
        if serial is None and reference is not None:
            serial = vend_names.serial_of(reference)
        recipient = online.recipient
        return Sold(online.product_id, serial, recipient, online.supplier or "", reference)
    try:
        intent = records.find(connection, terminal_id, sequence)
        if intent is not None and intent.kind == RecordKind.INTENT_OFFLINE:
            product, _, _, batch_id, index = intent.fields(str, int, int, int, int)
            kept = _STOCK.first(connection, batch_id=batch_id, batch_index=index)
            if kept is not None:
                return Sold(kept.product_id, kept.serial, None, "", None)
            return Sold(product[:32], None, None, "", None)
    except NotARecord:
        pass
    return Sold("", None, None, "", None)


def _counted_as(connection: Connection, trade: _Trade, row: dict[str, Any]) -> tuple[Any, ...]:
    """The key of `sale_count` under which a row counts."""
    at = row["at"]
    release = _RELEASE.scalar(connection, terminal_id=row["terminal_id"], at=at)
    return (
        at - at % QUARTER_S, row["kind"], row["product_id"], trade.agent(row["party_id"]),
        trade.region(row["party_id"], at), row["supplier"], release or 0, row["currency"],
    )  # fmt: skip


_KEY = [column.name for column in sale_count.primary_key]


def _count(connection: Connection, counted: dict[tuple[Any, ...], list[int]]) -> None:
    for key, (number, face, commission) in counted.items():
        mine = [sale_count.c[name] == value for name, value in zip(_KEY, key, strict=True)]
        more = {
            "number": sale_count.c.number + number,
            "face_minor": sale_count.c.face_minor + face,
            "commission_minor": sale_count.c.commission_minor + commission,
        }
        if connection.execute(update(sale_count).where(*mine).values(**more)).rowcount == 0:
            values = dict(zip(_KEY, key, strict=True))
            connection.execute(
                insert(sale_count).values(
                    **values, number=number, face_minor=face, commission_minor=commission
                )
            )
