"""The ledger's sales of a day against the terminals' journals, and the journals' new records
against the ledger. For the runs.

A sale and its record seldom come on one day: a sale of the ledger whose terminal has not told yet
is counted as such, and the record that tells of it is held against the ledger on the night after it
came. So each pair is looked at when its later half is there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection

from updater_server.matching.findings import (
    AMOUNT,
    CHARGE,
    DUPLICATE,
    GIVE_BACK,
    LATE,
    NONE,
    NOTE,
    ONLY_OURS,
    ONLY_THEIRS,
    Finding,
)
from updater_server.matching.page import Run, Sides
from updater_server.sales import cancelling, ledger, questions
from updater_server.wire.journal_record import NotARecord, Record, RecordKind

STEP_ROWS = 500
_INTENTS = (RecordKind.INTENT_OFFLINE, RecordKind.INTENT_ONLINE)

_POSTED = """
    SELECT t.id, t.kind, t.terminal_id, t.sequence, t.created_at,
        (SELECT SUM(e.amount_minor) FROM ledger_entry e JOIN account a ON a.id = e.account_id
            WHERE e.transaction_id = t.id AND a.name = 'voucher_sales') AS face,
        (SELECT SUM(e.amount_minor) FROM ledger_entry e JOIN account a ON a.id = e.account_id
            WHERE e.transaction_id = t.id AND a.name = 'commission') AS commission,
        (SELECT COUNT(*) FROM ledger_transaction d WHERE d.terminal_id = t.terminal_id
            AND d.sequence = t.sequence AND d.kind IN ('sale', 'stock_sale')
            AND d.id <= :transactions) AS times,
        j.sequence AS told, COALESCE(j.raw, l.raw) AS raw
    FROM ledger_transaction t
    LEFT JOIN journal_record j ON j.terminal_id = t.terminal_id AND j.sequence = t.sequence
        AND j.rowid <= :journal
    LEFT JOIN journal_late l ON l.terminal_id = t.terminal_id AND l.sequence = t.sequence
        AND l.rowid <= :late
    WHERE t.created_at >= :begins AND t.created_at < :ends AND t.id <= :transactions
        AND t.kind IN ('sale', 'stock_sale')
        AND (t.created_at > :at OR (t.created_at = :at AND t.id > :id))
    ORDER BY t.created_at, t.id LIMIT :rows"""


def ledger_step(connection: Connection, run: Run, at: list[int]) -> tuple[Sides, list[Finding]]:
    """Some of the ledger's sales of the day, in the order in which they were posted."""
    moment, last = at or (run.begins_at, 0)
    values = _bounds(run) | {
        "begins": run.begins_at, "ends": run.ends_at, "at": moment, "id": last, "rows": STEP_ROWS,
    }  # fmt: skip
    rows = connection.execute(questions.asked(connection, _POSTED), values).all()
    counts: dict[str, int] = {}
    found: list[Finding] = []
    for row in rows:
        new = _of_posted(run, row)
        found += new
        same = all(one.kind == LATE for one in new)
        name = "not told yet" if row.told is None else "matched" if same else "differ"
        counts[f"ledger {name}"] = counts.get(f"ledger {name}", 0) + 1
    is_last = len(rows) < STEP_ROWS
    return Sides([] if is_last else [rows[-1].created_at, rows[-1].id], counts), found


def _bounds(run: Run) -> dict[str, int]:
    return {name: run.cut[name] for name in ("transactions", "journal", "late")}


def _subject(terminal_id: bytes, sequence: int) -> str:
    return f"terminal {terminal_id.hex()} {sequence}"


def _of_posted(run: Run, row: Any) -> list[Finding]:
    whose = (_subject(row.terminal_id, row.sequence), row.terminal_id, row.sequence)
    terminal_id, sequence = row.terminal_id, row.sequence
    amount, commission = row.face or 0, -(row.commission or 0)
    sold = f"{row.kind.replace('_', ' ')} {sequence} of {amount}"
    if row.times > 1:
        back = _undone(terminal_id, amount, commission)
        text = f"{sold}: the ledger has it {row.times} times"
        return [Finding(DUPLICATE, *_with(whose, text), GIVE_BACK, back)]
    if row.told is None:
        return []
    try:
        record = None if row.raw is None else Record.parse(row.raw)
        if record is not None and record.kind in _INTENTS:
            _, told_amount, told_commission = record.fields(str, int, int)
    except NotARecord:
        record = None
    if record is None or record.kind not in _INTENTS:
        what = "has lost its record" if row.raw is None else "has no such sale there"
        return [Finding(ONLY_OURS, *_with(whose, f"{sold}: its terminal {what}"))]
    if (told_amount, told_commission) != (amount, commission):
        return [_differs(whose, row.kind, (amount, commission), (told_amount, told_commission))]
    if row.kind == "stock_sale" and 0 < record.time < run.begins_at:
        return [Finding(LATE, *_with(whose, f"{sold}: sold on a day before"), NONE)]
    return []


def _with(whose: tuple[str, bytes, int], text: str) -> tuple[str, str, bytes, int]:
    subject, terminal_id, sequence = whose
    return subject, text, terminal_id, sequence


def _differs(
    whose: tuple[str, bytes, int], kind: str, ours: tuple[int, int], theirs: tuple[int, int]
) -> Finding:
    _, terminal_id, sequence = whose
    text = (
        f"{kind.replace('_', ' ')} {sequence}: {ours[0]} less {ours[1]} in the ledger, "
        f"{theirs[0]} less {theirs[1]} by its terminal"
    )
    off = ledger.sale_entries(terminal_id, theirs[0] - ours[0], theirs[1] - ours[1])
    proposal = GIVE_BACK if off[ledger.float_account(terminal_id)] > 0 else CHARGE
    if not off[ledger.float_account(terminal_id)]:
        return Finding(AMOUNT, *_with(whose, text), NOTE)
    return Finding(AMOUNT, *_with(whose, text), proposal, _moving(off))


def _moving(entries: dict[str, int]) -> dict[str, int]:
    return {name: amount for name, amount in entries.items() if amount}


def _undone(terminal_id: bytes, amount: int, commission: int) -> dict[str, int]:
    sold = ledger.sale_entries(terminal_id, amount, commission)
    return {name: -minor for name, minor in sold.items() if minor}


# --- what the terminals told since the look at the day before ---

_NEW = """
    SELECT j.rowid AS place, j.terminal_id, j.sequence, j.raw FROM {table} j
    WHERE j.rowid > :at AND j.rowid <= :through AND +j.kind IN (2, 4, 5, 6) AND j.raw IS NOT NULL
    ORDER BY j.rowid LIMIT :rows"""
_STANDS = """
    SELECT t.kind, t.reference FROM ledger_transaction t WHERE t.id <= :transactions
    AND t.reference IN (:sale, :stock, :refund, :void)"""
_SOLD = """
    SELECT s.amount_minor, s.commission_minor FROM sale s
    WHERE s.terminal_id = :terminal_id AND s.sequence = :sequence AND s.recipient IS NULL"""


def journal_step(connection: Connection, run: Run, at: list[int]) -> tuple[Sides, list[Finding]]:
    """Some of the records that came since the look at the day before."""
    return _told(connection, run, at, "journal_record", "journal")


def late_step(connection: Connection, run: Run, at: list[int]) -> tuple[Sides, list[Finding]]:
    """Some of the records that had been lost and came after all."""
    return _told(connection, run, at, "journal_late", "late")


def _told(
    connection: Connection, run: Run, at: list[int], table: str, name: str
) -> tuple[Sides, list[Finding]]:
    values = {
        "at": at[0] if at else run.cut["since"][name], "through": run.cut[name], "rows": STEP_ROWS,
    }  # fmt: skip
    asked = questions.asked(connection, _NEW.format(table=table))
    rows = connection.execute(asked, values).all()
    found: list[Finding] = []
    counts: dict[str, int] = {}
    for row in rows:
        try:
            record = Record.parse(row.raw)
            one = _of_record(connection, run, row.terminal_id, record)
        except NotARecord:
            continue  # the alarm was raised when it came
        found += [] if one is None else [one]
        counted = "journal matched" if one is None else "journal differ"
        counts[counted] = counts.get(counted, 0) + 1
    return Sides([] if len(rows) < STEP_ROWS else [rows[-1].place], counts), found


def _of_record(
    connection: Connection, run: Run, terminal_id: bytes, record: Record
) -> Finding | None:
    """What a record says of a sale that the ledger does not."""
    sequence = record.sequence
    if record.kind != RecordKind.INTENT_OFFLINE:
        (sequence,) = record.fields(int)
    stands = _stands(connection, run, terminal_id, sequence)
    whose = (_subject(terminal_id, sequence), terminal_id, sequence)
    if record.kind == RecordKind.REFUSED:
        if stands != "kept":
            return None
        text = f"sale {sequence}: its terminal gave it up, and the ledger keeps its money"
        sold = _of_vault(connection, terminal_id, sequence)
        if sold is None:  # a supplier's: what it delivered is with its recipient
            return Finding(ONLY_OURS, *_with(whose, text))
        return Finding(ONLY_OURS, *_with(whose, text), GIVE_BACK, _undone(terminal_id, *sold))
    if stands == "kept" or (
        # it never left the terminal
        record.kind == RecordKind.DELIVERED
        and cancelling.was_told(connection, terminal_id, sequence)
    ):
        return None
    why = "the ledger gave its money back" if stands == "undone" else "the ledger has it not"
    did = {2: "sold it from stock", 4: "has what it brought", 6: "printed it"}[record.kind]
    text = f"sale {sequence}: its terminal {did}, and {why}"
    if record.kind == RecordKind.INTENT_OFFLINE:
        if stands == "undone":  # by the terminal's own word
            return None
        _, amount, commission = record.fields(str, int, int)
        owed = _moving(ledger.sale_entries(terminal_id, amount, commission))
        return Finding(ONLY_THEIRS, *_with(whose, text), CHARGE, owed)
    sold = _of_vault(connection, terminal_id, sequence)
    if sold is None:
        return Finding(ONLY_THEIRS, *_with(whose, text))
    owed = _moving(ledger.sale_entries(terminal_id, *sold))
    return Finding(ONLY_THEIRS, *_with(whose, text), CHARGE, owed)


def _stands(connection: Connection, run: Run, terminal_id: bytes, sequence: int) -> str:
    """Whether the ledger has kept the money of a sale, given it back ("undone"), or never had it
    ("none").
    """
    values = {
        "transactions": run.cut["transactions"],
        "sale": ledger.sale_reference(terminal_id, sequence),
        "stock": ledger.stock_sale_reference(terminal_id, sequence),
        "refund": ledger.refund_reference(terminal_id, sequence),
        "void": ledger.void_reference(terminal_id, sequence),
    }
    kinds = {
        row.kind for row in connection.execute(questions.asked(connection, _STANDS), values).all()
    }
    if not kinds & {"sale", "stock_sale"}:
        return "none"
    return "undone" if kinds & {"refund", "void"} else "kept"


def _of_vault(connection: Connection, terminal_id: bytes, sequence: int) -> tuple[int, int] | None:
    """Amount and commission of an online sale out of the vault; None if it is none."""
    asked = questions.asked(connection, _SOLD)
    values = {"terminal_id": terminal_id, "sequence": sequence}
    row = connection.execute(asked, values).one_or_none()
    return None if row is None else (row.amount_minor, row.commission_minor or 0)


STEPS: dict[str, Callable[[Connection, Run, list[int]], tuple[Sides, list[Finding]]]] = {
    "ledger": ledger_step,
    "journal": journal_step,
    "late": late_step,
}
"""The stages of a run that are about the terminals."""
