"""A sale out of the vault that its terminal never handed over, or whose voucher nobody can tell any
more, is given back: by new entries, once, and only where nothing says that its voucher may be out.
For `online`.

What a supplier makes is not cancelled here: what it delivered is with its recipient, and what it
did not is given back by its own word (`vends`).
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, select

from updater_server.errors import VaultError
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


def may_be_out(connection: Connection, terminal_id: bytes, sequence: int) -> bool:
    """Whether the terminal's journal says that the sale's voucher may be on paper."""
    return any(
        record.body[:1] == [sequence]
        for kind in _MAY_BE_OUT
        for record in records.of_kind(connection, terminal_id, kind, sequence)
    )


def cancel(connection: Connection, row: Any, now: int) -> None:
    """Give a delivered sale back, if nothing says that its voucher may be out; else do nothing.

    `row` of the table `sale`. The voucher is set aside, so nobody else gets it. A person is told:
    whether it was used, only its operator knows.
    """
    terminal_id, sequence = row.terminal_id, row.sequence
    if ledger.is_posted(connection, ledger.void_reference(terminal_id, sequence)):
        return
    if may_be_out(connection, terminal_id, sequence):
        return
    _give_back(connection, terminal_id, sequence, now)
    vault.set_aside(connection, row.voucher_id, "recalled", _SET_BY, now)
    text = f"sale {sequence} was never handed over, says its terminal: cancelled"
    raise_alarm(connection, terminal_id, "sale_cancelled", text, now)


def void(connection: Connection, row: Any, error: VaultError, now: int) -> None:
    """Give a delivered sale's money back: its terminal asks for the PIN, and nobody has it any
    more, or it is none that a terminal could take. Without an answer the terminal would ask for
    ever, and nothing else of it would come in. `row` of the table `sale`.

    Raises:
        VaultError: as given; its journal says that it is on paper, so that it need not ask.
    """
    terminal_id, sequence = row.terminal_id, row.sequence
    if may_be_out(connection, terminal_id, sequence):
        raise error
    _give_back(connection, terminal_id, sequence, now)
    vault.set_useless_aside(connection, row.voucher_id, error, now)
    what = "does not open any more"
    if isinstance(error, vault.UnfitVoucher):
        what = f"is none that a terminal could take ({error})"
    text = f"sale {sequence}: its voucher {what}; the money was given back"
    raise_alarm(connection, terminal_id, "sale_voided", text, now)


def _give_back(connection: Connection, terminal_id: bytes, sequence: int, now: int) -> None:
    posted = ledger.entries_of(connection, ledger.sale_reference(terminal_id, sequence))
    ledger.post(
        connection,
        "void",
        ledger.void_reference(terminal_id, sequence),
        {name: -amount_minor for name, amount_minor in posted.items()},
        terminal_id=terminal_id,
        sequence=sequence,
        now=now,
    )
