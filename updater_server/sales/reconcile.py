"""Does the terminal's own float agree with the ledger? For `device_api` (after each intake) and
`checks`.

A check-in says: "before writing record N my float was F". Once every record before N is here, F
must be the ledger's sum of what those records did and of the top-ups; of the top-ups the newest may
still be unknown to the terminal.
"""

from __future__ import annotations

from sqlalchemy import Connection, func, select, update

from updater_server.fleet.alarms import raise_alarm
from updater_server.sales.journal import Record, RecordKind
from updater_server.sales.ledger import float_account
from updater_server.tables import (
    account,
    check_in,
    journal_record,
    ledger_entry,
    ledger_transaction,
    terminal,
)


def expected_floats(connection: Connection, terminal_id: bytes, before_sequence: int) -> set[int]:
    """Every figure that a terminal may rightly have had before writing record `before_sequence`."""
    moved = (
        select(func.coalesce(func.sum(ledger_entry.c.amount_minor), 0))
        .join(ledger_transaction, ledger_transaction.c.id == ledger_entry.c.transaction_id)
        .join(account, account.c.id == ledger_entry.c.account_id)
        .where(account.c.name == float_account(terminal_id))
    )
    figure = int(
        connection.scalar(moved.where(ledger_transaction.c.sequence < before_sequence)) or 0
    )
    top_ups = connection.scalars(
        select(ledger_entry.c.amount_minor)
        .join(ledger_transaction, ledger_transaction.c.id == ledger_entry.c.transaction_id)
        .join(account, account.c.id == ledger_entry.c.account_id)
        .where(account.c.name == float_account(terminal_id))
        .where(ledger_transaction.c.sequence.is_(None))
        .order_by(ledger_transaction.c.id)
    )
    figures = {figure}
    for amount_minor in top_ups:
        figure += amount_minor
        figures.add(figure)
    return figures


def _unanswered(connection: Connection, terminal_id: bytes, before_sequence: int) -> bool:
    """Whether an online sale was begun before that record and its answer had not come."""
    rows = connection.execute(
        select(journal_record.c.sequence, journal_record.c.kind, journal_record.c.raw)
        .where(journal_record.c.terminal_id == terminal_id)
        .where(journal_record.c.sequence < before_sequence)
        .where(
            journal_record.c.kind.in_(
                [RecordKind.INTENT_ONLINE, RecordKind.DELIVERED, RecordKind.REFUSED]
            )
        )
        .order_by(journal_record.c.sequence.desc())
        .limit(64)  # at most eight sales are unfinished at once
    )
    answered = set()
    for sequence, kind, raw in rows:
        if kind == RecordKind.INTENT_ONLINE:
            if sequence not in answered:
                return True
        elif body := Record.parse(raw).body:
            answered.add(body[0])
    return False


def reconcile(connection: Connection, terminal_id: bytes, now: int) -> bool | None:
    """Compare the newest check-in with the ledger; an alarm if they disagree. None: cannot be told
    yet.
    """
    report = connection.execute(
        select(check_in, terminal.c.acknowledged_through)
        .join(terminal, terminal.c.id == check_in.c.terminal_id)
        .where(check_in.c.terminal_id == terminal_id)
    ).one_or_none()
    if report is None or report.acknowledged_through < report.journal_next - 1:
        return None
    if report.reconciled is not None:
        return bool(report.reconciled)
    if _unanswered(connection, terminal_id, report.journal_next):
        return None
    agrees = report.own_float_minor in expected_floats(connection, terminal_id, report.journal_next)
    connection.execute(
        update(check_in).where(check_in.c.terminal_id == terminal_id).values(reconciled=agrees)
    )
    if not agrees:
        text = "the terminal's own float is not what its records and the ledger say"
        raise_alarm(connection, terminal_id, "float_mismatch", text, now)
    return agrees
