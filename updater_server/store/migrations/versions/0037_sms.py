"""short messages: terminals' numbers, and words of the office to them"""

import sqlalchemy as sa
from alembic import op

revision: str = "0037"
down_revision: str | None = "0036"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Empty: a number is learned from a terminal's own message, or set by hand."""
    op.create_table(
        "sms_number",
        sa.Column("terminal_id", sa.LargeBinary(length=8), nullable=False),
        sa.Column("number", sa.String(length=16), nullable=False),
        sa.Column("set_by", sa.String(length=64), nullable=False),
        sa.Column("at", BIG, nullable=False),
        sa.PrimaryKeyConstraint("terminal_id", name=op.f("pk_sms_number")),
    )
    op.create_table(
        "sms_word",
        sa.Column("id", BIG, nullable=False),
        sa.Column("terminal_id", sa.LargeBinary(length=8), nullable=False),
        sa.Column("counter", BIG, nullable=False),
        sa.Column("says", sa.Integer(), nullable=False),
        sa.Column("said_by", sa.String(length=64), nullable=False),
        sa.Column("at", BIG, nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("done_at", BIG),
        sa.CheckConstraint(
            "state IN ('waiting', 'sent', 'given_up')", name=op.f("ck_sms_word_state")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sms_word")),
    )
    op.create_index(
        op.f("ix_sms_word_terminal_id_counter"), "sms_word", ["terminal_id", "counter"], unique=True
    )
    op.create_index(op.f("ix_sms_word_state_id"), "sms_word", ["state", "id"])
