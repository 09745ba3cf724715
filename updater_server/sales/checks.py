"""Does the money add up? The `check` command's questions, asked of the whole database. Reads
only.
"""

from __future__ import annotations

from sqlalchemy import Connection, text

from updater_server.sales.journal import FIRST_TAG, NotARecord, Record

_MUST_FIND_NOTHING = {
    "a ledger transaction does not sum to zero": """
        SELECT transaction_id FROM ledger_entry
        GROUP BY transaction_id HAVING SUM(amount_minor) <> 0""",
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
        WHERE t.kind IN ('stock_sale', 'refund') AND j.raw IS NULL""",
    "a voucher is given away and still free, or gone and not given": """
        SELECT v.id FROM voucher v LEFT JOIN voucher_assignment a ON a.voucher_id = v.id
        LEFT JOIN voucher_set_aside s ON s.voucher_id = v.id
        WHERE v.free = (a.voucher_id IS NOT NULL OR s.voucher_id IS NOT NULL)""",
    "a voucher is given away and set aside": """
        SELECT a.voucher_id FROM voucher_assignment a
        JOIN voucher_set_aside s ON s.voucher_id = a.voucher_id""",
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
        text("SELECT terminal_id, sequence, raw FROM journal_record ORDER BY terminal_id, sequence")
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
