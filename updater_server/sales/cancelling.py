"""A sale out of the vault that its terminal never handed over is given back: by new entries, once,
and only where nothing says that its voucher may be out. For `online`.

What a supplier makes is not cancelled here: what it delivered is with its recipient, and what it
did not is given back by its own word (`vends`).
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, select

from updater_server.fleet.alarms import raise_alarm
from updater_server.sales import ledger, records, vault
from updater_server.store.tables import voucher_aside
from updater_server.wire.journal_record import RecordKind

CODE = "cancelled"
_SET_BY = "a cancelled sale"
_MAY_BE_OUT = (RecordKind.PRINTED, RecordKind.REPRINT)


def is_cancelled(connection: Connection, voucher_id: int) -> bool:
    """Whether a voucher was taken back from a sale that its terminal never handed over."""
    by = connection.scalar(
        select(voucher_aside.c.set_by).where(voucher_aside.c.voucher_id == voucher_id)
    )
    return bool(by == _SET_BY)


def was_told(connection: Connection, terminal_id: bytes, sequence: int) -> bool:
    """Whether the terminal's journal has the cancelled sale's end."""
    ends = records.of_kind(connection, terminal_id, RecordKind.REFUSED, sequence)
    return any(record.body[:2] == [sequence, CODE] for record in ends)


def cancel(connection: Connection, row: Any, now: int) -> None:
    """Give a delivered sale back, if nothing says that its voucher may be out; else do nothing.

    `row` of the table `sale`. The voucher is set aside, so nobody else gets it. A person is told:
    whether it was used, only its operator knows.
    """
    terminal_id, sequence = row.terminal_id, row.sequence
    reference = ledger.void_reference(terminal_id, sequence)
    if ledger.is_posted(connection, reference):
        return
    for kind in _MAY_BE_OUT:
        for record in records.of_kind(connection, terminal_id, kind, sequence):
            if record.body[:1] == [sequence]:
                return
    posted = ledger.entries_of(connection, ledger.sale_reference(terminal_id, sequence))
    given_back = {name: -amount_minor for name, amount_minor in posted.items()}
    ledger.post(
        connection,
        "void",
        reference,
        given_back,
        terminal_id=terminal_id,
        sequence=sequence,
        now=now,
    )
    vault.set_aside(connection, row.voucher_id, "recalled", _SET_BY, now)
    text = f"sale {sequence} was never handed over, says its terminal: cancelled"
    raise_alarm(connection, terminal_id, "sale_cancelled", text, now)
