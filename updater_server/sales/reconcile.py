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

from itertools import pairwise
from typing import NamedTuple

from sqlalchemy import Connection, bindparam, or_, select, update

from updater_server.fleet import check_ins
from updater_server.fleet.alarms import raise_alarm
from updater_server.sales.ledger import float_account, float_minor
from updater_server.store.prepared import Prepared
from updater_server.store.tables import (
    account,
    check_in,
    is_credit,
    is_online,
    journal_late,
    journal_record,
    ledger_entry,
    ledger_transaction,
    terminal,
)
from updater_server.wire.journal_record import NotARecord, Record, RecordKind

_MOVED = (
    select(ledger_entry.c.amount_minor)
    .join(account, account.c.id == ledger_entry.c.account_id)
    .where(account.c.name == bindparam("float"))
    .where(ledger_entry.c.transaction_id == ledger_transaction.c.id)
    .scalar_subquery()
)
_MINE = ledger_transaction.c.terminal_id == bindparam("terminal_id")
_OWNED = select(
    ledger_transaction.c.id, ledger_transaction.c.sequence, _MOVED.label("amount")
).where(_MINE)
_LATER = Prepared(_OWNED.where(ledger_transaction.c.sequence >= bindparam("before")))
_BEFORE = or_(
    ledger_transaction.c.sequence.is_(None), ledger_transaction.c.sequence < bindparam("before")
)
_LATE = ledger_transaction.c.sequence.in_(
    select(journal_late.c.sequence).where(journal_late.c.terminal_id == bindparam("terminal_id"))
)
_NEW = ledger_transaction.c.id > bindparam("known_through")
# One question each: together no index would serve them.
_CREDITS = [Prepared(_OWNED.where(_NEW, _BEFORE, which)) for which in (is_credit, _LATE)]
_SET_ASIDE_OR_BACK = Prepared(
    _OWNED.where(
        or_(*(ledger_transaction.c.kind == kind for kind in ("reserve", "release", "void"))),
        ledger_transaction.c.created_at >= bindparam("since"),
        _BEFORE,
    )
)
_SOLD = Prepared(
    _OWNED.where(
        ledger_transaction.c.sequence == bindparam("sequence"),
        or_(
            *(ledger_transaction.c.kind == kind for kind in ("sale", "reserve", "release", "void"))
        ),
    )
)

_ANY_ORDER = 12
"""So many of the newest credits; each doubles the figures that there are."""


class Reckoned(NamedTuple):
    """What a terminal's float may rightly have been before it wrote a record."""

    figures: list[int]
    """Of a terminal that knows every credit, then of one that does not know the newest, …"""
    credits: list[int]
    """Their ledger transactions, the newest first."""


def reckon(
    connection: Connection, terminal_id: bytes, before_sequence: int, known_through: int
) -> Reckoned:
    """Back from the float as it is, so that it costs no more with the years: what came from later
    records, then one credit after the other, as far back as a check-in has not shown that the
    terminal knows them.
    """
    values = {
        "terminal_id": terminal_id,
        "before": before_sequence,
        "float": float_account(terminal_id),
        "known_through": known_through,
    }
    later = _LATER.all(connection, **values)
    figure = float_minor(connection, terminal_id) - sum(row.amount or 0 for row in later)
    credits: dict[int, int] = {}
    for question in _CREDITS:
        credits |= {row.id: row.amount or 0 for row in question.all(connection, **values)}
    figures, newest_first = [figure], sorted(credits, reverse=True)
    for transaction_id in newest_first:
        figures.append(figures[-1] - credits[transaction_id])
    return Reckoned(figures, newest_first)


def floats_in_any_order(
    connection: Connection, terminal_id: bytes, before_sequence: int, since: int
) -> set[int]:
    """Every figure that a terminal may rightly have had when a server was put back, at `since`.
    What was credited in the time that it forgot is posted again since, perhaps behind what the
    terminal had not heard of then; what was set aside or given back since it may have known or not,
    and likewise each sale whose answer it did not have, whether the books remember that one or not.
    """
    reckoned = reckon(connection, terminal_id, before_sequence, known_through=0)
    values = {"terminal_id": terminal_id, "before": before_sequence}
    floats = float_account(terminal_id)
    costs = _unanswered(connection, terminal_id, before_sequence)
    back = _SET_ASIDE_OR_BACK.all(connection, **values, since=since, float=floats)
    steps = [known - unknown for known, unknown in pairwise(reckoned.figures)]
    steps[:0] = [
        row.amount or 0
        for row in back
        if row.id not in reckoned.credits and row.sequence not in costs
    ]
    figure = reckoned.figures[0]
    for sequence in costs:
        sold = _SOLD.all(connection, terminal_id=terminal_id, sequence=sequence, float=floats)
        figure -= sum(row.amount or 0 for row in sold)
    figures = {figure}
    for step in [*costs.values(), *steps][:_ANY_ORDER]:
        figures |= {figure - step for figure in figures}
    return figures | set(reckoned.figures)


def _known_through(reckoned: Reckoned, own_minor: int) -> int | None:
    """Up to which ledger transaction a terminal of this float surely knows its credits; None if
    that is not more than was known of it before.
    """
    # Several may fit: then it is taken to know no more than in the poorest of them.
    unknown = max(at for at, figure in enumerate(reckoned.figures) if figure == own_minor)
    return None if unknown == len(reckoned.credits) else reckoned.credits[unknown]


_ASKED = Prepared(
    select(journal_record.c.sequence, journal_record.c.kind, journal_record.c.raw)
    .where(journal_record.c.terminal_id == bindparam("terminal_id"), is_online)
    .where(journal_record.c.sequence < bindparam("before"))
    .order_by(journal_record.c.sequence.desc())
    .limit(64)  # at most eight sales are unfinished at once
)
_ASKED_LATE = Prepared(
    select(journal_late.c.sequence, journal_late.c.kind, journal_late.c.raw)
    .where(journal_late.c.terminal_id == bindparam("terminal_id"), is_online)
    .where(journal_late.c.sequence < bindparam("before"))
    .order_by(journal_late.c.sequence.desc())
    .limit(64)
)


def _unanswered(connection: Connection, terminal_id: bytes, before_sequence: int) -> dict[int, int]:
    """What each online sale costs, in minor units, that was begun before that record and whose
    answer had not come, by its sequence.
    """
    values = {"terminal_id": terminal_id, "before": before_sequence}
    rows = _ASKED.all(connection, **values) + _ASKED_LATE.all(connection, **values)
    answered: set[int] = set()
    costs: dict[int, int] = {}
    for sequence, kind, raw in sorted(rows, reverse=True)[:64]:
        if kind != RecordKind.INTENT_ONLINE:
            answered.update(item for item in Record.parse(raw).body[:1] if type(item) is int)
        elif sequence not in answered:
            costs[sequence] = _cost_minor(Record.parse(raw))
    return costs


def _cost_minor(intent: Record) -> int:
    try:
        _, amount_minor, commission_minor = intent.fields(str, int, int)
    except NotARecord:
        return 0  # nothing is sold for it
    return int(amount_minor) - int(commission_minor)


_REPORT = Prepared(
    select(
        check_ins.NEEDED,
        check_in.c.own_float_minor,
        check_in.c.reconciled,
        check_in.c.mismatches,
        check_in.c.credits_known_through,
        terminal.c.acknowledged_through,
    )
    .join(terminal, terminal.c.id == check_in.c.terminal_id)
    .where(check_in.c.terminal_id == bindparam("terminal_id"))
)
_COMPARED = Prepared(
    update(check_in)
    .where(check_in.c.terminal_id == bindparam("terminal"))
    .values(
        reconciled=bindparam("agrees"),
        mismatches=bindparam("in_a_row"),
        credits_known_through=bindparam("known_through"),
    )
)


def reconcile(connection: Connection, terminal_id: bytes, now: int) -> bool | None:
    """Compare the newest check-in with the ledger; an alarm if they disagree. None: cannot be told
    yet.
    """
    report = _REPORT.first(connection, terminal_id=terminal_id)
    if report is None or report.acknowledged_through < report.journal_needed - 1:
        return None
    if report.reconciled is not None:
        return bool(report.reconciled)
    if _unanswered(connection, terminal_id, report.journal_needed):
        return None
    known_through = report.credits_known_through or 0
    reckoned = reckon(connection, terminal_id, report.journal_needed, known_through)
    agrees = report.own_float_minor in reckoned.figures
    mismatches = 0 if agrees else report.mismatches + 1
    known = _known_through(reckoned, report.own_float_minor) if agrees else None
    _COMPARED.run(
        connection,
        terminal=terminal_id,
        agrees=agrees,
        in_a_row=mismatches,
        known_through=report.credits_known_through if known is None else known,
    )
    if mismatches > 1 or (mismatches and report.own_float_minor > max(reckoned.figures)):
        text = "the terminal's own float is not what its records and the ledger say"
        raise_alarm(connection, terminal_id, "float_mismatch", text, now)
    return agrees
