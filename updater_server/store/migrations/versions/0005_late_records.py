"""journal records that were said to be lost and came after all; what a person accepted as lost"""

import sqlalchemy as sa
from alembic import op

revision: str = "0005"
down_revision: str | None = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    big = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "journal_late",
        sa.Column("terminal_id", sa.LargeBinary(length=8), nullable=False),
        sa.Column("sequence", big, autoincrement=False, nullable=False),
        sa.Column("kind", sa.Integer(), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.Column("received_at", big, nullable=False),
        sa.ForeignKeyConstraint(
            ["terminal_id"], ["terminal.id"], name=op.f("fk_journal_late_terminal_id")
        ),
        sa.PrimaryKeyConstraint("terminal_id", "sequence", name=op.f("pk_journal_late")),
    )
    op.create_table(
        "loss_accepted",
        sa.Column("id", big, nullable=False),
        sa.Column("terminal_id", sa.LargeBinary(length=8), nullable=False),
        sa.Column("through", big, nullable=False),
        sa.Column("who", sa.String(length=64), nullable=False),
        sa.Column("at", big, nullable=False),
        sa.ForeignKeyConstraint(
            ["terminal_id"], ["terminal.id"], name=op.f("fk_loss_accepted_terminal_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_loss_accepted")),
    )
    op.create_index(op.f("ix_loss_accepted_terminal_id"), "loss_accepted", ["terminal_id"])
    for table in ("journal_late", "loss_accepted"):
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} BEGIN "
                f"SELECT RAISE(ABORT, '{table} is append-only'); END"
            )
