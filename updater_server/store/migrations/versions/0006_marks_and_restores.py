"""a row that start-up and /health write and read back; restores, kept for ever; indexes for what
the dashboard asks of a day
"""

import sqlalchemy as sa
from alembic import op

revision: str = "0006"
down_revision: str | None = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    big = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "server_mark",
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("value", sa.String(length=64), nullable=False),
        sa.Column("at", big, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_server_mark")),
    )
    op.create_table(
        "database_restore",
        sa.Column("id", big, nullable=False),
        sa.Column("backup_id", sa.String(length=64), nullable=False),
        sa.Column("backup_at", big, nullable=False),
        sa.Column("restored_at", big, nullable=False),
        sa.Column("settled_at", big),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_database_restore")),
    )
    for table in ("ledger_transaction", "stock_outcome"):
        op.create_index(op.f(f"ix_{table}_created_at"), table, ["created_at"])
    op.execute(
        "CREATE TRIGGER database_restore_no_delete BEFORE DELETE ON database_restore BEGIN "
        "SELECT RAISE(ABORT, 'a restore is kept for ever'); END"
    )
    op.execute(
        "CREATE TRIGGER database_restore_settles_once BEFORE UPDATE ON database_restore "
        "WHEN OLD.settled_at IS NOT NULL OR NEW.settled_at IS NULL OR NEW.id <> OLD.id "
        "OR NEW.backup_id <> OLD.backup_id OR NEW.backup_at <> OLD.backup_at "
        "OR NEW.restored_at <> OLD.restored_at "
        "BEGIN SELECT RAISE(ABORT, 'a restore is only settled, once'); END"
    )
