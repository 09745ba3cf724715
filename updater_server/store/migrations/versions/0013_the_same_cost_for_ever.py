"""what keeps a message's cost from growing: numbers given by the database, credits that a terminal
is known to know, and indexes of what is open among much that is done
"""

import sqlalchemy as sa
from alembic import op

revision: str = "0013"
down_revision: str | None = "0012"
branch_labels = None
depends_on = None

_RISES = (
    "CREATE TRIGGER number_rises BEFORE UPDATE ON number "
    "WHEN NEW.value <= OLD.value OR NEW.name <> OLD.name "
    "BEGIN SELECT RAISE(ABORT, 'a number is given once'); END"
)
_STAYS = (
    "CREATE TRIGGER number_no_delete BEFORE DELETE ON number "
    "BEGIN SELECT RAISE(ABORT, 'a number is given once'); END"
)
# Whoever writes one under another number (a restore by hand, say): the next one is above it.
_FOLLOWS = (
    "CREATE TRIGGER number_follows AFTER INSERT ON ledger_transaction "
    "WHEN NEW.id > (SELECT value FROM number WHERE name = 'ledger_transaction') BEGIN "
    "UPDATE number SET value = NEW.id WHERE name = 'ledger_transaction'; END"
)
_OPEN = {
    "alarm": {"open": (["code", "terminal_id"], "closed_at IS NULL")},
    "journal_record": {
        "online": (["terminal_id", "sequence"], "kind IN (3, 4, 5)"),
        "lost": (["terminal_id", "sequence"], "raw IS NULL"),
    },
    "stock_batch": {
        "waiting": (["terminal_id", "id"], "received_at IS NULL AND withdrawn_at IS NULL"),
        "recalled": (
            ["terminal_id", "id"],
            "withdrawn_at IS NOT NULL AND stopped_at IS NULL AND sent_at IS NOT NULL",
        ),
    },
}


def upgrade() -> None:
    """The last number given is the highest that is there."""
    big = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "number",
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("value", big, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_number")),
    )
    op.execute(
        "INSERT INTO number SELECT 'ledger_transaction', COALESCE(MAX(id), 0) "
        "FROM ledger_transaction"
    )
    op.execute(_RISES)
    op.execute(_STAYS)
    op.execute(_FOLLOWS)
    op.add_column("check_in", sa.Column("credits_known_through", big))
    for table, indexes in _OPEN.items():
        for name, (columns, where) in indexes.items():
            op.create_index(f"ix_{table}_{name}", table, columns, sqlite_where=sa.text(where))
