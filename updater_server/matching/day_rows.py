"""A day's sales and what was given back, one row each: what is exported, and whose digest stands on
the signed page. For the page and the export.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any, NamedTuple, Protocol

from sqlalchemy import Connection

from updater_server.sales import questions


class Span(Protocol):
    """Of which day, and up to which row of the ledger."""

    @property
    def begins_at(self) -> int:
        """Unix seconds."""

    @property
    def ends_at(self) -> int:
        """Unix seconds; the first that is not of the day."""

    @property
    def cut(self) -> dict[str, Any]:
        """What is looked at."""


class Row(NamedTuple):
    """One ledger transaction of the day that sold something or gave it back. Minor units."""

    id: int
    posted_at: int
    kind: str
    reference: str
    terminal: str
    sequence: int
    product: str
    currency: str
    face_minor: int
    commission_minor: int
    float_minor: int
    owner: str
    sold_at: int | None
    supplier: str
    supplier_reference: str


class Digest(NamedTuple):
    """Of all rows: SHA-256 of their values as JSON arrays, a line each."""

    rows: int
    sha256: str


_ROWS = """
    SELECT t.id, t.created_at, t.kind, t.reference, hex(t.terminal_id) AS terminal, t.sequence,
        COALESCE(s.product_id, d.product_id, '') AS product, MIN(a.currency) AS currency,
        COALESCE(SUM(CASE WHEN a.name = 'voucher_sales' THEN e.amount_minor END), 0) AS face,
        COALESCE(SUM(CASE WHEN a.name = 'commission' THEN -e.amount_minor END), 0) AS commission,
        COALESCE(SUM(CASE WHEN substr(a.name, 1, 6) = 'float:' THEN e.amount_minor END), 0)
            AS moved,
        COALESCE((SELECT p.code FROM terminal_owner o JOIN party p ON p.id = o.party_id
            WHERE o.terminal_id = t.terminal_id AND o.since <= t.created_at
            ORDER BY o.id DESC LIMIT 1), '') AS owner,
        s.terminal_time, COALESCE(v.supplier, '') AS supplier,
        COALESCE(v.supplier_reference, '') AS supplier_reference
    FROM ledger_transaction t JOIN ledger_entry e ON e.transaction_id = t.id
    JOIN account a ON a.id = e.account_id
    LEFT JOIN sale s ON s.terminal_id = t.terminal_id AND s.sequence = t.sequence
    LEFT JOIN (SELECT b.terminal_id, o.sequence, b.product_id FROM stock_outcome o
            JOIN stock_batch b ON b.id = o.batch_id
            WHERE o.outcome = 'sold' AND o.created_at >= :begins AND o.created_at < :ends) d
        ON d.terminal_id = t.terminal_id AND d.sequence = t.sequence
    LEFT JOIN vend v ON v.terminal_id = t.terminal_id AND v.sequence = t.sequence
    WHERE t.created_at >= :begins AND t.created_at < :ends AND t.id <= :transactions
        AND t.kind IN ('sale', 'stock_sale', 'refund', 'void', 'correction')
    GROUP BY t.id, t.created_at, t.kind, t.reference, t.terminal_id, t.sequence, s.product_id,
        d.product_id, s.terminal_time, v.supplier, v.supplier_reference
    ORDER BY t.created_at, t.id"""


def every(connection: Connection, span: Span) -> Iterator[Row]:
    """The rows of a day, in the order in which they were posted."""
    values = {
        "begins": span.begins_at, "ends": span.ends_at, "transactions": span.cut["transactions"],
    }  # fmt: skip
    asked = questions.asked(connection, _ROWS).execution_options(yield_per=1000)
    for row in connection.execute(asked, values):
        yield Row._make([*row[:4], row[4].lower(), *row[5:]])


def digest(connection: Connection, span: Span) -> Digest:
    """Count and digest of a day's rows."""
    count, summed = 0, hashlib.sha256()
    for count, row in enumerate(every(connection, span), 1):  # noqa: B007 the last one is kept
        summed.update(json.dumps(list(row), ensure_ascii=False).encode() + b"\n")
    return Digest(count, summed.hexdigest())
