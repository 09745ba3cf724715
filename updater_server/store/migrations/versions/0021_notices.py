"""who has taken an alarm on, and what people were told of it"""

import sqlalchemy as sa
from alembic import op

revision: str = "0021"
down_revision: str | None = "0020"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Nobody was told of anything yet."""
    op.add_column("alarm", sa.Column("owner", sa.String(length=64)))
    op.add_column("alarm", sa.Column("acknowledged_by", sa.String(length=64)))
    op.add_column("alarm", sa.Column("acknowledged_at", BIG))
    op.create_table(
        "notice_told",
        sa.Column("receiver", sa.String(length=32), nullable=False),
        sa.Column("code", sa.String(length=32), nullable=False),
        sa.Column("firing", sa.Integer(), nullable=False),
        sa.Column("through", BIG, nullable=False),
        sa.Column("at", BIG, nullable=False),
        sa.PrimaryKeyConstraint("receiver", "code", name=op.f("pk_notice_told")),
    )
    op.create_table(
        "notice",
        sa.Column("id", BIG, nullable=False),
        sa.Column("receiver", sa.String(length=32), nullable=False),
        sa.Column("content", sa.String(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_at", BIG, nullable=False),
        sa.Column("error", sa.String(length=200), nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.Column("done_at", BIG),
        sa.CheckConstraint(
            "state IN ('waiting', 'sent', 'given_up')", name=op.f("ck_notice_state")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice")),
    )
    op.create_index(op.f("ix_notice_receiver_created_at"), "notice", ["receiver", "created_at"])
    op.create_index(op.f("ix_notice_state_receiver_id"), "notice", ["state", "receiver", "id"])
