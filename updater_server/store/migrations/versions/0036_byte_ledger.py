"""what each terminal spent over the air, by month and purpose"""

import sqlalchemy as sa
from alembic import op

revision: str = "0036"
down_revision: str | None = "0033"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_PURPOSES = ("sale", "sync", "check_in", "poll", "metadata", "update", "wasted", "sms")


def upgrade() -> None:
    """Nothing was added up yet."""
    op.create_table(
        "air_month",
        sa.Column("terminal_id", sa.LargeBinary(length=8), nullable=False),
        sa.Column("month", BIG, nullable=False),
        sa.Column("through_s", BIG, nullable=False),
        *(sa.Column(name, BIG, nullable=False) for name in _PURPOSES),
        sa.PrimaryKeyConstraint("terminal_id", "month", name=op.f("pk_air_month")),
    )
    op.create_index(op.f("ix_air_month_month"), "air_month", ["month"])
