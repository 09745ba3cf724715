"""What must find nothing in sound books: the questions of `checks`, in SQL.

Each has bounds (`:sales`, `:journal`, …): the rows up to there were found right before, and are
not asked about again; with all of them 0 the whole database is. A row's `rowid` says when it came:
these tables only ever grow. What may be changed in an old row (a voucher that is free or not, an
import's state) is either rare and asked about each time, or shows in the totals.

`NOT INDEXED`, `INDEXED BY` and `CROSS JOIN` say where to begin: at the rows behind the bound.
SQLite, which does not know how few they are, would rather go through an index of all.
They are written for SQLite; `asked` says them in PostgreSQL's words.
"""

from __future__ import annotations

import re

from sqlalchemy import Connection, TextClause, text

from updater_server.store.engine import is_sqlite

_ON_POSTGRESQL = (
    (r"\browid\b", "arrival"),
    (r"\bNOT INDEXED\b|\bINDEXED BY \w+", ""),
    (r"\bCROSS JOIN\b", "JOIN"),
    (r"\+(?=[a-z]\.)", ""),  # "not by this index"
)


def asked(connection: Connection, query: str) -> TextClause:
    """A question in the words of this database."""
    if not is_sqlite(connection):
        for pattern, words in _ON_POSTGRESQL:
            query = re.sub(pattern, words, query)
    return text(query)


MUST_FIND_NOTHING = {
    "a ledger transaction does not sum to zero": """
        SELECT transaction_id FROM ledger_entry WHERE transaction_id IN
            (SELECT transaction_id FROM ledger_entry NOT INDEXED WHERE id > :entries)
        GROUP BY transaction_id HAVING SUM(amount_minor) <> 0""",
    "a float's running balance is not the sum of its entries": """
        SELECT id FROM (SELECT e.id, e.balance_after_minor AS told,
            substr(a.name, 1, 6) = 'float:' AS kept,
            COALESCE((SELECT b.balance_after_minor FROM ledger_entry b
                WHERE b.account_id = e.account_id AND b.id <= :entries
                ORDER BY b.id DESC LIMIT 1), 0)
            + SUM(e.amount_minor) OVER (PARTITION BY e.account_id ORDER BY e.id) AS summed
            FROM ledger_entry e NOT INDEXED JOIN account a ON a.id = e.account_id
            WHERE e.id > :entries) AS every
        WHERE told IS DISTINCT FROM CASE WHEN kept THEN summed END""",
    "a ledger entry belongs to no transaction": """
        SELECT e.id FROM ledger_entry e LEFT JOIN ledger_transaction t ON t.id = e.transaction_id
        WHERE e.id > :entries AND t.id IS NULL""",
    "a ledger transaction has a number that was not given": """
        SELECT value FROM number WHERE name = 'ledger_transaction'
        AND value < (SELECT MAX(id) FROM ledger_transaction)""",
    "a delivered sale has no voucher of its own": """
        SELECT s.sequence FROM sale s LEFT JOIN voucher_assignment a ON a.voucher_id = s.voucher_id
        AND a.terminal_id = s.terminal_id AND a.sale_sequence = s.sequence
        WHERE s.rowid > :sales AND s.state = 'delivered' AND a.voucher_id IS NULL
        AND s.recipient IS NULL""",
    "a sale is neither delivered nor refused, and no supplier is to decide": """
        SELECT s.sequence FROM sale s LEFT JOIN vend v ON v.terminal_id = s.terminal_id
        AND v.sequence = s.sequence WHERE s.state = 'reserved'
        AND (v.id IS NULL OR v.state IN ('delivered', 'rejected'))""",
    "a sale and its supplier's half contradict each other": """
        SELECT v.id FROM vend v LEFT JOIN sale s ON s.terminal_id = v.terminal_id
        AND s.sequence = v.sequence WHERE v.id > :vends AND (s.state IS NULL
        OR s.recipient IS NULL OR s.amount_minor <> v.amount_minor
        OR s.state <> CASE v.state WHEN 'delivered' THEN 'delivered'
            WHEN 'rejected' THEN 'refused' ELSE 'reserved' END)""",
    "a delivered sale to a recipient has no supplier's half": """
        SELECT s.sequence FROM sale s LEFT JOIN vend v ON v.terminal_id = s.terminal_id
        AND v.sequence = s.sequence WHERE s.rowid > :sales AND s.recipient IS NOT NULL
        AND s.state = 'delivered' AND v.id IS NULL""",
    "what is reserved for a sale is not what it costs, or is kept though it is decided": """
        SELECT v.id FROM vend v JOIN sale s ON s.terminal_id = v.terminal_id
        AND s.sequence = v.sequence WHERE v.id > :vends
        AND CASE WHEN v.state IN ('delivered', 'rejected') THEN 0
            ELSE s.amount_minor - s.commission_minor END
        <> COALESCE((SELECT SUM(e.amount_minor) FROM ledger_transaction t
            JOIN ledger_entry e ON e.transaction_id = t.id
            JOIN account a ON a.id = e.account_id AND a.name = 'reserved'
            WHERE t.terminal_id = v.terminal_id AND t.sequence = v.sequence), 0)""",
    "a supplier has not decided a sale for more than three days": """
        SELECT v.id FROM vend v WHERE v.state IN ('reserved', 'sent', 'unknown')
        AND v.created_at + 259200 < (SELECT MAX(created_at) FROM ledger_transaction)""",
    "a sale was sent to a supplier more than once": """
        SELECT vend_id FROM vend_event WHERE vend_id > :vends AND state = 'sent'
        AND source = 'server' GROUP BY vend_id HAVING COUNT(*) > 1""",
    "a delivered sale is not in the ledger, or with another amount": """
        SELECT s.sequence FROM sale s
        LEFT JOIN ledger_transaction t ON +t.kind = 'sale' AND t.terminal_id = s.terminal_id
            AND t.sequence = s.sequence
        LEFT JOIN ledger_entry e ON e.transaction_id = t.id AND e.account_id IN
            (SELECT id FROM account WHERE name = 'voucher_sales')
        WHERE s.rowid > :sales AND s.state = 'delivered'
            AND (e.amount_minor IS NULL OR e.amount_minor <> s.amount_minor)""",
    "the ledger holds a sale that was not delivered": """
        SELECT t.id FROM ledger_transaction t
        LEFT JOIN sale s ON s.terminal_id = t.terminal_id AND s.sequence = t.sequence
        WHERE t.id > :transactions AND t.kind = 'sale'
            AND (s.state IS NULL OR s.state <> 'delivered')""",
    "a voucher sold from stock is not in the ledger": """
        SELECT o.sequence FROM stock_outcome o JOIN stock_batch b ON b.id = o.batch_id
        LEFT JOIN ledger_transaction t ON t.kind = 'stock_sale' AND t.terminal_id = b.terminal_id
            AND t.sequence = o.sequence
        WHERE o.rowid > :outcomes AND o.outcome = 'sold' AND t.id IS NULL""",
    "the ledger holds a stock sale without its record": """
        SELECT t.id FROM ledger_transaction t
        LEFT JOIN journal_record j ON j.terminal_id = t.terminal_id AND j.sequence = t.sequence
        LEFT JOIN journal_late l ON l.terminal_id = t.terminal_id AND l.sequence = t.sequence
        WHERE t.id > :transactions AND +t.kind IN ('stock_sale', 'refund')
            AND j.raw IS NULL AND l.raw IS NULL""",
    "a record came late that was not lost": """
        SELECT l.sequence FROM journal_late l LEFT JOIN journal_record j
        ON j.terminal_id = l.terminal_id AND j.sequence = l.sequence
        WHERE l.rowid > :late AND (j.sequence IS NULL OR j.raw IS NOT NULL)""",
    "a voucher is given away and still free, or gone and not given": """
        SELECT id FROM (SELECT v.id, v.free, i.state, x.voucher_id IS NOT NULL AS aside,
            (SELECT COUNT(*) FROM voucher_assignment a WHERE a.voucher_id = v.id)
            - (SELECT COUNT(*) FROM stock_return r WHERE r.voucher_id = v.id) AS held
            FROM (SELECT id FROM voucher WHERE id > :vouchers
                UNION SELECT voucher_id FROM voucher_assignment NOT INDEXED
                    WHERE rowid > :assignments
                UNION SELECT voucher_id FROM stock_return NOT INDEXED WHERE rowid > :returns
                UNION SELECT voucher_id FROM voucher_aside WHERE at >= :asides_at
                UNION SELECT id FROM voucher WHERE import_id > :imports) AS new
            CROSS JOIN voucher v ON v.id = new.id
            LEFT JOIN voucher_import i ON i.id = v.import_id
            LEFT JOIN voucher_aside x ON x.voucher_id = v.id) AS every
        WHERE held NOT IN (0, 1) OR (free AND (held <> 0 OR aside)) OR (NOT free AND held = 0
            AND NOT aside AND (state IS NULL OR state = 'complete'))""",
    "an import does not have the vouchers it says": """
        SELECT i.id FROM voucher_import i WHERE i.state IN ('releasing', 'complete')
        AND (i.id > :imports OR i.id IN (SELECT import_id FROM voucher WHERE id > :vouchers))
        AND i.count <> (SELECT COUNT(*) FROM voucher v WHERE v.import_id = i.id)""",
    "a voucher can be sold though its import is not whole or was recalled (run it again)": """
        SELECT v.id FROM voucher_import i CROSS JOIN voucher v ON v.import_id = i.id
        WHERE i.state IN ('storing', 'recalled') AND (i.id > :imports OR :recalled <>
            (SELECT COUNT(*) FROM voucher_import WHERE state = 'recalled'))
        AND +v.free""",
    "a voucher came back from stock and was sold from it": """
        SELECT voucher_id FROM (
            SELECT * FROM stock_return WHERE rowid > :returns UNION
            SELECT r.* FROM stock_outcome o JOIN stock_return r ON r.batch_id = o.batch_id
            AND r.batch_index = o.batch_index WHERE o.rowid > :outcomes) r
        WHERE EXISTS (SELECT 1 FROM stock_outcome o WHERE o.batch_id = r.batch_id
            AND o.batch_index = r.batch_index AND o.outcome = 'sold')
        AND NOT EXISTS (SELECT 1 FROM stock_outcome s WHERE s.batch_id = r.batch_id
            AND s.batch_index = r.batch_index AND s.outcome = 'spoiled')""",
    "a stock batch was taken back unsent and its vouchers are not in the vault again": """
        SELECT b.id FROM stock_batch b INDEXED BY ix_stock_batch_unsent
        CROSS JOIN voucher_assignment a ON a.batch_id = b.id
        LEFT JOIN stock_return r ON r.batch_id = b.id AND r.batch_index = a.batch_index
        LEFT JOIN voucher_aside x ON x.voucher_id = a.voucher_id
        WHERE b.withdrawn_at IS NOT NULL AND b.sent_at IS NULL
        AND r.voucher_id IS NULL AND x.voucher_id IS NULL""",
    "a deposit is not in the ledger, or with another amount": """
        SELECT d.reference FROM deposit d
        LEFT JOIN ledger_transaction t ON t.reference = 'topup:' || d.reference
            AND t.terminal_id = d.terminal_id
        LEFT JOIN ledger_entry e ON e.transaction_id = t.id
            AND e.account_id NOT IN (SELECT id FROM account WHERE name = 'bank')
        WHERE d.rowid > :deposits
            AND (e.amount_minor IS NULL OR e.amount_minor <> d.amount_minor)""",
    "an undo is not what it undoes": """
        SELECT u.reference FROM deposit u JOIN deposit d ON d.reference = u.undoes
        WHERE u.rowid > :deposits AND (u.terminal_id <> d.terminal_id
            OR u.amount_minor <> -d.amount_minor OR u.currency <> d.currency)""",
    "a deposit is in another currency than its terminal": """
        SELECT d.reference FROM deposit d JOIN terminal t ON t.id = d.terminal_id
        WHERE d.rowid > :deposits AND d.currency <> t.currency""",
    "a ledger transaction is in several currencies": """
        SELECT e.transaction_id FROM ledger_entry e JOIN account a ON a.id = e.account_id
        WHERE e.transaction_id IN
            (SELECT transaction_id FROM ledger_entry NOT INDEXED WHERE id > :entries)
        GROUP BY e.transaction_id HAVING MIN(a.currency) <> MAX(a.currency)""",
    "a float is in another currency than its terminal": """
        SELECT a.name FROM account a JOIN terminal t ON a.name = 'float:' || lower(hex(t.id))
        WHERE a.currency <> t.currency""",
    "a sale was given back and its voucher may still be sold": """
        SELECT t.reference FROM ledger_transaction t
        LEFT JOIN sale s ON s.terminal_id = t.terminal_id AND s.sequence = t.sequence
        LEFT JOIN voucher_aside x ON x.voucher_id = s.voucher_id
        WHERE t.id > :transactions AND t.kind = 'void' AND x.voucher_id IS NULL""",
    "a stock batch does not have the vouchers it says": """
        SELECT b.id FROM stock_batch b WHERE (b.id > :batches
            OR b.id IN (SELECT batch_id FROM voucher_assignment WHERE rowid > :assignments))
        AND b.count <> (SELECT COUNT(*) FROM voucher_assignment a WHERE a.batch_id = b.id)""",
    "a journal has a gap": """
        WITH new AS (SELECT terminal_id, COUNT(*) AS records FROM journal_record
            NOT INDEXED WHERE rowid > :journal GROUP BY terminal_id)
        SELECT t.acknowledged_through FROM terminal t LEFT JOIN new ON new.terminal_id = t.id
        WHERE t.acknowledged_through <> COALESCE(new.records, 0) + COALESCE((
            SELECT j.sequence FROM journal_record j WHERE j.terminal_id = t.id
            AND j.rowid <= :journal ORDER BY j.sequence DESC LIMIT 1), 0)""",
    "a party's movement is not in the ledger, or with another amount": """
        SELECT m.reference FROM movement m
        LEFT JOIN ledger_transaction t ON t.reference = 'topup:' || m.reference
        LEFT JOIN ledger_entry g ON g.transaction_id = t.id
            AND g.account_id IN (SELECT id FROM account WHERE name = m.from_account
                AND m.currency IN (currency, ''))
        LEFT JOIN ledger_entry r ON r.transaction_id = t.id
            AND r.account_id IN (SELECT id FROM account WHERE name = m.to_account
                AND m.currency IN (currency, ''))
        WHERE m.created_at >= :movements_at AND (g.amount_minor IS NULL
            OR g.amount_minor <> -m.amount_minor OR r.amount_minor IS NULL
            OR r.amount_minor <> m.amount_minor)""",
    "a reversal is not what it reverses": """
        SELECT u.reference FROM movement u JOIN movement m ON m.reference = u.reverses
        WHERE u.created_at >= :movements_at AND (u.from_account <> m.to_account
            OR u.to_account <> m.from_account OR u.amount_minor <> m.amount_minor
            OR u.currency <> m.currency OR m.kind = 'reversal')""",
    "a closed day sold something else than the ledger has": """
        SELECT c.day FROM (SELECT d.day, d.begins_at, d.ends_at, k.currency,
            COALESCE(s.sold_minor, 0) AS sold_minor FROM closed_day d
            JOIN (SELECT DISTINCT currency FROM account WHERE name = 'voucher_sales') k ON TRUE
            LEFT JOIN closed_sum s ON s.day = d.day AND s.currency = k.currency) c
        WHERE (c.ends_at > :closed_through OR c.day IN (
            SELECT d.day FROM ledger_transaction t JOIN closed_day d
            ON d.begins_at <= t.created_at AND d.ends_at > t.created_at
            WHERE t.id > :transactions AND t.created_at < :closed_through))
        AND c.sold_minor <> (SELECT COALESCE(SUM(e.amount_minor), 0) FROM ledger_transaction t
            JOIN ledger_entry e ON e.transaction_id = t.id
            AND e.account_id IN (SELECT id FROM account WHERE name = 'voucher_sales'
                AND currency = c.currency)
            WHERE t.created_at >= c.begins_at AND t.created_at < c.ends_at)""",
    "a party's share of a day is not in the ledger, or another": """
        SELECT s.day || ' ' || s.party_id FROM (SELECT d.day, d.party_id, d.currency,
            SUM(d.share_minor) AS earned FROM day_share d JOIN closed_day c ON c.day = d.day
            WHERE c.ends_at > :closed_through GROUP BY d.day, d.party_id, d.currency) s
        LEFT JOIN ledger_transaction t ON t.reference IN ('share:' || s.day || ':' || s.party_id,
            'share:' || s.day || ':' || s.party_id || ':' || s.currency)
        LEFT JOIN ledger_entry e ON e.transaction_id = t.id AND e.account_id = (SELECT id
            FROM account WHERE name = 'float:party:' || s.party_id AND currency = s.currency)
        WHERE COALESCE(e.amount_minor, 0) <> s.earned""",
    "an accepted finding is not in the ledger, or one that was only noted is": """
        SELECT d.finding_id FROM matching_decision d
        LEFT JOIN matching_finding f ON f.id = d.finding_id
        LEFT JOIN ledger_transaction t ON t.reference = 'correction:' || d.finding_id
        WHERE d.decided_at >= :decided_at AND ((d.decision <> 'note') <> (t.id IS NOT NULL)
            OR (t.id IS NOT NULL AND (t.terminal_id IS DISTINCT FROM f.terminal_id
                OR t.sequence IS DISTINCT FROM f.sequence)))""",
    "the ledger holds a correction that nobody accepted": """
        SELECT t.reference FROM ledger_transaction t LEFT JOIN matching_decision d
        ON t.reference = 'correction:' || d.finding_id
        WHERE t.id > :transactions AND t.kind = 'correction' AND d.finding_id IS NULL""",
}

BOUNDS = {
    "transactions": "SELECT MAX(id) FROM ledger_transaction",
    "entries": "SELECT MAX(id) FROM ledger_entry",
    "sales": "SELECT MAX(rowid) FROM sale",
    "outcomes": "SELECT MAX(rowid) FROM stock_outcome",
    "journal": "SELECT MAX(rowid) FROM journal_record",
    "late": "SELECT MAX(rowid) FROM journal_late",
    "vouchers": "SELECT MAX(id) FROM voucher",
    "assignments": "SELECT MAX(rowid) FROM voucher_assignment",
    "returns": "SELECT MAX(rowid) FROM stock_return",
    "asides_at": "SELECT MAX(at) - 172800 FROM voucher_aside",  # a clock may be put back
    "imports": """
        SELECT COALESCE(MIN(id) - 1, (SELECT MAX(id) FROM voucher_import)) FROM voucher_import
        WHERE state IN ('storing', 'releasing')""",
    "recalled": "SELECT COUNT(*) FROM voucher_import WHERE state = 'recalled'",
    "deposits": "SELECT MAX(rowid) FROM deposit",
    "batches": "SELECT MAX(id) FROM stock_batch",
    "vends": """
        SELECT COALESCE(MIN(id) - 1, (SELECT MAX(id) FROM vend)) FROM vend
        WHERE state IN ('reserved', 'sent', 'unknown')""",
    "restores": "SELECT MAX(id) FROM database_restore",
    "movements_at": "SELECT MAX(created_at) - 172800 FROM movement",
    "closed_through": "SELECT MAX(ends_at) FROM closed_day",
    "decided_at": "SELECT MAX(decided_at) - 172800 FROM matching_decision",
}
"""How far the books go now."""

ANCHORS = {
    "transactions": "SELECT reference FROM ledger_transaction WHERE id = :bound",
    "entries": "SELECT transaction_id || ' ' || amount_minor FROM ledger_entry WHERE id = :bound",
    "sales": "SELECT hex(terminal_id) || ' ' || sequence FROM sale WHERE rowid = :bound",
    "outcomes": """
        SELECT batch_id || ' ' || batch_index || outcome FROM stock_outcome WHERE rowid = :bound""",
    "journal": """
        SELECT hex(terminal_id) || ' ' || sequence || ' ' || COALESCE(hex(raw), '')
        FROM journal_record WHERE rowid = :bound""",
    "late": "SELECT hex(terminal_id) || ' ' || sequence FROM journal_late WHERE rowid = :bound",
    "vouchers": "SELECT product_id || ' ' || serial FROM voucher WHERE id = :bound",
    "assignments": """
        SELECT voucher_id || ' ' || turn FROM voucher_assignment WHERE rowid = :bound""",
    "returns": "SELECT batch_id || ' ' || batch_index FROM stock_return WHERE rowid = :bound",
    "deposits": "SELECT reference FROM deposit WHERE rowid = :bound",
    "batches": "SELECT hex(terminal_id) || ' ' || product_id FROM stock_batch WHERE id = :bound",
    "vends": "SELECT reference FROM vend WHERE id = :bound",
}
"""What stood in the last row that was checked: another row under its number is another database."""

TOTALS = {
    "voucher_count": "SELECT COUNT(*) FROM voucher WHERE id > :vouchers",
    "assignment_count": "SELECT COUNT(*) FROM voucher_assignment WHERE rowid > :assignments",
    "return_count": "SELECT COUNT(*) FROM stock_return WHERE rowid > :returns",
    "shared_minor": """
        SELECT SUM(e.amount_minor) FROM ledger_entry e JOIN account a ON a.id = e.account_id
        WHERE e.id > :entries AND substr(a.name, 1, 6) <> 'float:'""",
}
"""What is added to the totals by the rows behind the bounds."""

NOW = {
    "free": """
        WITH RECURSIVE p(product_id) AS (SELECT MIN(product_id) FROM voucher UNION ALL
            SELECT (SELECT MIN(v.product_id) FROM voucher v WHERE v.product_id > p.product_id)
            FROM p WHERE p.product_id IS NOT NULL)
        SELECT SUM((SELECT COUNT(*) FROM voucher v
            WHERE v.product_id = p.product_id AND v.free = TRUE)) FROM p""",
    "aside": """
        SELECT COUNT(*) FROM voucher_aside x
        WHERE (SELECT COUNT(*) FROM voucher_assignment a WHERE a.voucher_id = x.voucher_id)
            = (SELECT COUNT(*) FROM stock_return r WHERE r.voucher_id = x.voucher_id)""",
    "coming": """
        SELECT COUNT(*) FROM voucher_import i CROSS JOIN voucher v ON v.import_id = i.id
        WHERE i.state <> 'complete' AND NOT +v.free
        AND NOT EXISTS (SELECT 1 FROM voucher_aside x WHERE x.voucher_id = v.id)
        AND (SELECT COUNT(*) FROM voucher_assignment a WHERE a.voucher_id = v.id)
            = (SELECT COUNT(*) FROM stock_return r WHERE r.voucher_id = v.id)""",
    "floats_minor": """
        SELECT SUM((SELECT e.balance_after_minor FROM ledger_entry e WHERE e.account_id = a.id
            ORDER BY e.id DESC LIMIT 1)) FROM account a WHERE substr(a.name, 1, 6) = 'float:'""",
}
"""What the totals are held against, as it is now."""
