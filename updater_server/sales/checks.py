"""Does the money add up? The `check` command's questions, asked of the whole database. Reads
only.
"""

from __future__ import annotations

from sqlalchemy import Connection, text

from updater_server.wire.journal_record import FIRST_TAG, NotARecord, Record

_MUST_FIND_NOTHING = {
    "a ledger transaction does not sum to zero": """
        SELECT transaction_id FROM ledger_entry
        GROUP BY transaction_id HAVING SUM(amount_minor) <> 0""",
    "a float's running balance is not the sum of its entries": """
        SELECT id FROM (SELECT e.id, e.balance_after_minor AS told, a.name GLOB 'float:*' AS kept,
            SUM(e.amount_minor) OVER (PARTITION BY e.account_id ORDER BY e.id) AS summed
            FROM ledger_entry e JOIN account a ON a.id = e.account_id)
        WHERE told IS NOT CASE WHEN kept THEN summed END""",
    "a ledger entry belongs to no transaction": """
        SELECT e.id FROM ledger_entry e LEFT JOIN ledger_transaction t ON t.id = e.transaction_id
        WHERE t.id IS NULL""",
    "a delivered sale has no voucher of its own": """
        SELECT s.sequence FROM sale s LEFT JOIN voucher_assignment a ON a.voucher_id = s.voucher_id
        AND a.terminal_id = s.terminal_id AND a.sale_sequence = s.sequence
        WHERE s.state = 'delivered' AND a.voucher_id IS NULL""",
    "a sale is neither delivered nor refused": """
        SELECT sequence FROM sale WHERE state = 'reserved'""",
    "a delivered sale is not in the ledger, or with another amount": """
        SELECT s.sequence FROM sale s
        LEFT JOIN ledger_transaction t ON t.kind = 'sale' AND t.terminal_id = s.terminal_id
            AND t.sequence = s.sequence
        LEFT JOIN ledger_entry e ON e.transaction_id = t.id AND e.account_id =
            (SELECT id FROM account WHERE name = 'voucher_sales')
        WHERE s.state = 'delivered'
            AND (e.amount_minor IS NULL OR e.amount_minor <> s.amount_minor)""",
    "the ledger holds a sale that was not delivered": """
        SELECT t.id FROM ledger_transaction t
        LEFT JOIN sale s ON s.terminal_id = t.terminal_id AND s.sequence = t.sequence
        WHERE t.kind = 'sale' AND (s.state IS NULL OR s.state <> 'delivered')""",
    "a voucher sold from stock is not in the ledger": """
        SELECT o.sequence FROM stock_outcome o JOIN stock_batch b ON b.id = o.batch_id
        LEFT JOIN ledger_transaction t ON t.kind = 'stock_sale' AND t.terminal_id = b.terminal_id
            AND t.sequence = o.sequence
        WHERE o.outcome = 'sold' AND t.id IS NULL""",
    "the ledger holds a stock sale without its record": """
        SELECT t.id FROM ledger_transaction t
        LEFT JOIN journal_record j ON j.terminal_id = t.terminal_id AND j.sequence = t.sequence
        LEFT JOIN journal_late l ON l.terminal_id = t.terminal_id AND l.sequence = t.sequence
        WHERE t.kind IN ('stock_sale', 'refund') AND j.raw IS NULL AND l.raw IS NULL""",
    "a record came late that was not lost": """
        SELECT l.sequence FROM journal_late l LEFT JOIN journal_record j
        ON j.terminal_id = l.terminal_id AND j.sequence = l.sequence
        WHERE j.sequence IS NULL OR j.raw IS NOT NULL""",
    "a voucher is given away and still free, or gone and not given": """
        SELECT id FROM (SELECT v.id, v.free, i.state, x.voucher_id IS NOT NULL AS aside,
            (SELECT COUNT(*) FROM voucher_assignment a WHERE a.voucher_id = v.id)
            - (SELECT COUNT(*) FROM stock_return r WHERE r.voucher_id = v.id) AS held
            FROM voucher v LEFT JOIN voucher_import i ON i.id = v.import_id
            LEFT JOIN voucher_aside x ON x.voucher_id = v.id)
        WHERE held NOT IN (0, 1) OR (free AND (held OR aside)) OR (NOT free AND NOT held
            AND NOT aside AND (state IS NULL OR state = 'complete'))""",
    "an import does not have the vouchers it says": """
        SELECT i.id FROM voucher_import i WHERE i.state IN ('releasing', 'complete') AND i.count <>
        (SELECT COUNT(*) FROM voucher v WHERE v.import_id = i.id)""",
    "a voucher can be sold though its import is not whole or was recalled (run it again)": """
        SELECT v.id FROM voucher v JOIN voucher_import i ON i.id = v.import_id
        WHERE v.free AND i.state IN ('storing', 'recalled')""",
    "a voucher came back from stock and was sold from it": """
        SELECT r.voucher_id FROM stock_return r JOIN stock_outcome o ON o.batch_id = r.batch_id
        AND o.batch_index = r.batch_index AND o.outcome = 'sold'
        WHERE NOT EXISTS (SELECT 1 FROM stock_outcome s WHERE s.batch_id = r.batch_id
        AND s.batch_index = r.batch_index AND s.outcome = 'spoiled')""",
    "a stock batch was taken back unsent and its vouchers are not in the vault again": """
        SELECT b.id FROM stock_batch b JOIN voucher_assignment a ON a.batch_id = b.id
        LEFT JOIN stock_return r ON r.batch_id = b.id AND r.batch_index = a.batch_index
        LEFT JOIN voucher_aside x ON x.voucher_id = a.voucher_id
        WHERE b.withdrawn_at IS NOT NULL AND b.sent_at IS NULL
        AND r.voucher_id IS NULL AND x.voucher_id IS NULL""",
    "a deposit is not in the ledger, or with another amount": """
        SELECT d.reference FROM deposit d
        LEFT JOIN ledger_transaction t ON t.reference = 'topup:' || d.reference
            AND t.terminal_id = d.terminal_id
        LEFT JOIN ledger_entry e ON e.transaction_id = t.id
            AND e.account_id <> (SELECT id FROM account WHERE name = 'bank')
        WHERE e.amount_minor IS NULL OR e.amount_minor <> d.amount_minor""",
    "an undo is not what it undoes": """
        SELECT u.reference FROM deposit u JOIN deposit d ON d.reference = u.undoes
        WHERE u.terminal_id <> d.terminal_id OR u.amount_minor <> -d.amount_minor
            OR u.currency <> d.currency""",
    "the books hold deposits in several currencies": """
        SELECT MIN(currency) FROM deposit HAVING COUNT(DISTINCT currency) > 1""",
    "a sale was given back and its voucher may still be sold": """
        SELECT t.reference FROM ledger_transaction t
        LEFT JOIN sale s ON s.terminal_id = t.terminal_id AND s.sequence = t.sequence
        LEFT JOIN voucher_aside x ON x.voucher_id = s.voucher_id
        WHERE t.kind = 'void' AND x.voucher_id IS NULL""",
    "a stock batch does not have the vouchers it says": """
        SELECT b.id FROM stock_batch b WHERE b.count <>
        (SELECT COUNT(*) FROM voucher_assignment a WHERE a.batch_id = b.id)""",
    "a journal has a gap": """
        SELECT t.acknowledged_through FROM terminal t WHERE t.acknowledged_through <>
        (SELECT COUNT(*) FROM journal_record j WHERE j.terminal_id = t.id)""",
}


def problems(connection: Connection) -> list[str]:
    """Every broken promise found, in words; empty when all is well."""
    found = []
    for words, query in _MUST_FIND_NOTHING.items():
        broken = connection.execute(text(query)).fetchall()
        if broken:
            found.append(f"{words} ({len(broken)} times; first: {broken[0][0]})")
    total = connection.execute(text("SELECT SUM(amount_minor) FROM ledger_entry")).scalar()
    if total:
        found.append(f"the ledger is off by {total}")
    found += _broken_chains(connection)
    return found


def _broken_chains(connection: Connection) -> list[str]:
    found = []
    rows = connection.execute(
        text(
            "SELECT j.terminal_id, j.sequence, COALESCE(j.raw, l.raw) FROM journal_record j"
            " LEFT JOIN journal_late l USING (terminal_id, sequence)"
            " ORDER BY j.terminal_id, j.sequence"
        )
    )
    owner: bytes | None = None
    tag: bytes | None = None
    for terminal_id, sequence, raw in rows:
        if terminal_id != owner:
            owner, tag = terminal_id, FIRST_TAG
        if raw is None:
            tag = None
            continue
        try:
            record = Record.parse(raw)
            sound = record.sequence == sequence and (tag is None or record.follows(tag))
            tag = record.tag
        except NotARecord:
            sound, tag = False, None
        if not sound:
            found.append(f"journal of {terminal_id.hex()}: record {sequence} is not what was sent")
    return found
