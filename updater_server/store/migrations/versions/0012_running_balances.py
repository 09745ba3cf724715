"""a float's running balance, which the database holds to its entries"""

import sqlalchemy as sa
from alembic import op

revision: str = "0012"
down_revision: str | None = "0011"
branch_labels = None
depends_on = None

_APPEND_ONLY = (
    "CREATE TRIGGER ledger_entry_no_update BEFORE UPDATE ON ledger_entry BEGIN "
    "SELECT RAISE(ABORT, 'ledger_entry is append-only'); END"
)
# What the entry before it says, if there is one, and its own amount; nothing, if the account is
# one that every sale posts to.
_FOLLOWS = (
    "CREATE TRIGGER ledger_entry_balance BEFORE INSERT ON ledger_entry "
    "WHEN NEW.balance_after_minor IS NOT (SELECT CASE WHEN name GLOB 'float:*' THEN COALESCE("
    "(SELECT balance_after_minor FROM ledger_entry WHERE account_id = NEW.account_id "
    "ORDER BY id DESC LIMIT 1), 0) + NEW.amount_minor END FROM account WHERE id = NEW.account_id) "
    "BEGIN SELECT RAISE(ABORT, 'a running balance follows from the entry before it'); END"
)


def upgrade() -> None:
    """Balances after every entry that is there, then the guard for those that come."""
    op.add_column(
        "ledger_entry",
        sa.Column("balance_after_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite")),
    )
    op.execute("DROP TRIGGER ledger_entry_no_update")
    op.execute(
        "UPDATE ledger_entry SET balance_after_minor = summed.running FROM (SELECT e.id, "
        "SUM(e.amount_minor) OVER (PARTITION BY e.account_id ORDER BY e.id) AS running "
        "FROM ledger_entry e JOIN account a ON a.id = e.account_id "
        "WHERE a.name GLOB 'float:*') AS summed WHERE summed.id = ledger_entry.id"
    )
    op.execute(_APPEND_ONLY)
    op.execute(_FOLLOWS)
    op.drop_index("ix_ledger_entry_transaction_id", table_name="ledger_entry")
    op.create_index(
        "ix_ledger_entry_transaction_id_account_id",
        "ledger_entry",
        ["transaction_id", "account_id"],
    )
    op.drop_index("ix_ledger_transaction_terminal_id", table_name="ledger_transaction")
    op.create_index(
        "ix_ledger_transaction_terminal_id_sequence",
        "ledger_transaction",
        ["terminal_id", "sequence"],
    )
    op.create_index(
        "ix_ledger_transaction_credits",
        "ledger_transaction",
        ["terminal_id"],
        sqlite_where=sa.text("kind IN ('top_up', 'refund')"),
    )
