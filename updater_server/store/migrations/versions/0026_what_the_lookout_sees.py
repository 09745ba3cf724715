"""what the worker saw of the fleet last, and how many terminals of each region are heard when"""

import sqlalchemy as sa
from alembic import op

revision: str = "0026"
down_revision: str | None = "0025"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Nothing was seen yet."""
    op.create_table(
        "fleet_picture",
        sa.Column("name", sa.String(length=16), nullable=False),
        sa.Column("at", BIG, nullable=False),
        sa.Column("content", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_fleet_picture")),
    )
    op.create_table(
        "region_heard",
        sa.Column("region", sa.String(length=32), nullable=False),
        sa.Column("at", BIG, nullable=False),
        sa.Column("heard", sa.String(length=100), nullable=False),
        sa.PrimaryKeyConstraint("region", "at", name=op.f("pk_region_heard")),
    )
    op.create_index(op.f("ix_region_heard_at"), "region_heard", ["at"])
