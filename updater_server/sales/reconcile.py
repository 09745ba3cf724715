"""Does the terminal's own float agree with the ledger? For the faces, after each check-in and
intake.

A check-in says: "before writing record N my float was F". Once every record before N is here, F
must be the ledger's sum of what those sales did and of the credits (top-ups, vouchers given back);
of the credits the newest may still be unknown to the terminal, and so may sales whose records had
been reported as lost and came later.
A terminal may also hold itself poorer for a while: an online sale whose answer came after a
settlement counts twice until the next one. So too much is an alarm at once, too little only twice
in a row.
"""

from __future__ import annotations

from sqlalchemy import Connection, or_, select, update

from updater_server.fleet.alarms import raise_alarm
from updater_server.sales.ledger import float_account, float_minor
from updater_server.sales.records import whole_record
from updater_server.store.tables import (
    account,
    check_in,
    is_credit,
    journal_late,
    ledger_entry,
    ledger_transaction,
    terminal,
)
from updater_server.wire.journal_record import Record, RecordKind


def expected_floats(connection: Connection, terminal_id: bytes, before_sequence: int) -> set[int]:
    """Every figure that a terminal may rightly have had before writing record `before_sequence`.

    Reckoned back from the float as it is, so that it costs no more with the years: what came from
    later records, then one credit after the other, the newest first.
    """
    moved = (
        select(ledger_entry.c.amount_minor)
        .join(account, account.c.id == ledger_entry.c.account_id)
        .where(account.c.name == float_account(terminal_id))
        .where(ledger_entry.c.transaction_id == ledger_transaction.c.id)
        .scalar_subquery()
    )
    mine = ledger_transaction.c.terminal_id == terminal_id
    later = connection.scalars(
        select(moved).where(mine, ledger_transaction.c.sequence >= before_sequence)
    )
    figure = float_minor(connection, terminal_id) - sum(amount or 0 for amount in later)
    before = or_(
        ledger_transaction.c.sequence.is_(None), ledger_transaction.c.sequence < before_sequence
    )
    late = ledger_transaction.c.sequence.in_(
        select(journal_late.c.sequence).where(journal_late.c.terminal_id == terminal_id)
    )
    owned = select(ledger_transaction.c.id, moved.label("amount")).where(mine, before)
    credits: dict[int, int] = {}
    for which in (is_credit, late):  # one question each: together no index would serve them
        credits |= {row.id: row.amount or 0 for row in connection.execute(owned.where(which))}
    figures = {figure}
    for transaction_id in sorted(credits, reverse=True):
        figure -= credits[transaction_id]
        figures.add(figure)
    return figures


def _unanswered(connection: Connection, terminal_id: bytes, before_sequence: int) -> bool:
    """Whether an online sale was begun before that record and its answer had not come."""
    rows = connection.execute(
        select(whole_record.c.sequence, whole_record.c.kind, whole_record.c.raw)
        .where(whole_record.c.terminal_id == terminal_id)
        .where(whole_record.c.sequence < before_sequence)
        .where(
            whole_record.c.kind.in_(
                [RecordKind.INTENT_ONLINE, RecordKind.DELIVERED, RecordKind.REFUSED]
            )
        )
        .order_by(whole_record.c.sequence.desc())
        .limit(64)  # at most eight sales are unfinished at once
    )
    answered: set[int] = set()
    for sequence, kind, raw in rows:
        if kind == RecordKind.INTENT_ONLINE:
            if sequence not in answered:
                return True
        else:
            answered.update(item for item in Record.parse(raw).body[:1] if type(item) is int)
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
    figures = expected_floats(connection, terminal_id, report.journal_next)
    agrees = report.own_float_minor in figures
    mismatches = 0 if agrees else report.mismatches + 1
    connection.execute(
        update(check_in)
        .where(check_in.c.terminal_id == terminal_id)
        .values(reconciled=agrees, mismatches=mismatches)
    )
    if mismatches > 1 or (mismatches and report.own_float_minor > max(figures)):
        text = "the terminal's own float is not what its records and the ledger say"
        raise_alarm(connection, terminal_id, "float_mismatch", text, now)
    return agrees
