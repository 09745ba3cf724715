"""Triggers: balanced transactions, rows that are never changed, sales and vouchers that only move
forward.
"""

from alembic import op

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels = None
depends_on = None

APPEND_ONLY = (
    "ledger_transaction",
    "ledger_entry",
    "voucher_assignment",
    "stock_outcome",
    "journal_record",
    "price",
)


def upgrade() -> None:
    dialect = op.get_bind().dialect.name
    if dialect != "sqlite":
        raise NotImplementedError(f"the guards are not written for {dialect} yet")
    for table in APPEND_ONLY:
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} BEGIN "
                f"SELECT RAISE(ABORT, '{table} is append-only'); END"
            )
    # Entries are written first (the foreign key waits for the commit), their transaction last:
    # so the transaction's row can be refused unless its entries balance, and closes them.
    op.execute(
        "CREATE TRIGGER ledger_transaction_balances BEFORE INSERT ON ledger_transaction "
        "WHEN (SELECT COUNT(*) < 2 OR SUM(amount_minor) <> 0 FROM ledger_entry "
        "WHERE transaction_id = NEW.id) "
        "BEGIN SELECT RAISE(ABORT, 'a ledger transaction must sum to zero'); END"
    )
    op.execute(
        "CREATE TRIGGER ledger_entry_closed BEFORE INSERT ON ledger_entry "
        "WHEN EXISTS (SELECT 1 FROM ledger_transaction WHERE id = NEW.transaction_id) "
        "BEGIN SELECT RAISE(ABORT, 'the ledger transaction is closed'); END"
    )
    op.execute(
        "CREATE TRIGGER sale_forward BEFORE UPDATE ON sale "
        "WHEN OLD.state <> 'reserved' OR NEW.state NOT IN ('delivered', 'refused') "
        "OR NEW.terminal_id <> OLD.terminal_id OR NEW.sequence <> OLD.sequence "
        "OR NEW.product_id <> OLD.product_id OR NEW.amount_minor <> OLD.amount_minor "
        "OR NEW.terminal_time <> OLD.terminal_time OR NEW.voucher_id IS NOT OLD.voucher_id "
        "BEGIN SELECT RAISE(ABORT, 'a sale only moves forward'); END"
    )
    op.execute(
        "CREATE TRIGGER sale_no_delete BEFORE DELETE ON sale "
        "BEGIN SELECT RAISE(ABORT, 'a sale is kept for ever'); END"
    )
    op.execute(
        "CREATE TRIGGER voucher_forward BEFORE UPDATE ON voucher "
        "WHEN OLD.free = 0 OR NEW.free <> 0 OR NEW.id <> OLD.id "
        "OR NEW.product_id <> OLD.product_id OR NEW.serial <> OLD.serial "
        "OR NEW.pin_sealed <> OLD.pin_sealed OR NEW.pin_digest <> OLD.pin_digest "
        "OR NEW.expires_at <> OLD.expires_at "
        "BEGIN SELECT RAISE(ABORT, 'a voucher is given once'); END"
    )
    op.execute(
        "CREATE TRIGGER voucher_no_delete BEFORE DELETE ON voucher "
        "BEGIN SELECT RAISE(ABORT, 'a voucher is kept for ever'); END"
    )
