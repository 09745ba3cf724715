"""canaries: the newest of each queue, and whether it came through"""

import sqlalchemy as sa
from alembic import op

revision: str = "0040"
down_revision: str | None = "0037"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Empty: the worker puts one into each queue that there is."""
    op.create_table(
        "canary",
        sa.Column("queue", sa.String(length=48), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("at", BIG, nullable=False),
        sa.Column("changed_at", BIG, nullable=False),
        sa.Column("after", BIG, nullable=False),
        sa.Column("lag_s", BIG, nullable=False),
        sa.Column("far", sa.String(length=300), nullable=False),
        sa.Column("error", sa.String(length=200), nullable=False),
        sa.CheckConstraint("state IN ('waiting', 'failed', 'came')", name=op.f("ck_canary_state")),
        sa.PrimaryKeyConstraint("queue", name=op.f("pk_canary")),
    )
