"""The journal records that are here, whenever they came. For `sales` alone.

A record that its terminal reported as lost has a row without content in `journal_record`, for ever;
if it turns up later it is in `journal_late`.
"""

from __future__ import annotations

from sqlalchemy import Connection, bindparam, select, union_all

from updater_server.store.prepared import Prepared
from updater_server.store.tables import journal_late, journal_record
from updater_server.wire.journal_record import Record

_there = journal_record.c.raw.is_not(None)
_columns = ("terminal_id", "sequence", "kind", "raw")
whole_record = union_all(
    select(*(journal_record.c[name] for name in _columns)).where(_there),
    select(*(journal_late.c[name] for name in _columns)),
).subquery("whole_record")
"""`terminal_id`, `sequence`, `kind` and `raw` of every record that is here."""
_FIND = Prepared(
    select(whole_record.c.raw).where(
        whole_record.c.terminal_id == bindparam("terminal_id"),
        whole_record.c.sequence == bindparam("sequence"),
    )
)


def recipient_of(intent: Record) -> object:
    """Whom the sale of an online intent goes to, as its record says; None: it has no recipient."""
    return intent.body[3] if len(intent.body) > 3 else None


def find(connection: Connection, terminal_id: bytes, sequence: int) -> Record | None:
    """One record; None if it never came or is lost."""
    raw = _FIND.scalar(connection, terminal_id=terminal_id, sequence=sequence)
    return None if raw is None else Record.parse(raw)


def of_kind(
    connection: Connection, terminal_id: bytes, kind: int, after_sequence: int
) -> list[Record]:
    """A terminal's records of one kind behind a sequence number, oldest first."""
    raws = connection.scalars(
        select(whole_record.c.raw)
        .where(whole_record.c.terminal_id == terminal_id, whole_record.c.kind == int(kind))
        .where(whole_record.c.sequence > after_sequence)
        .order_by(whole_record.c.sequence)
    )
    return [Record.parse(raw) for raw in raws]
