"""how long the log of sales and their counts are kept

Empty: for ever, as before. On PostgreSQL rows go from their tables each day then, so vacuum comes
after a fiftieth of a table and not after a fifth.
"""

import sqlalchemy as sa
from alembic import op

revision: str = "0046"
down_revision: str | None = "0045"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """A table of one row at most."""
    op.create_table(
        "view_kept",
        sa.Column("name", sa.String(length=16), nullable=False),
        sa.Column("months", BIG),
        sa.Column("since", BIG, nullable=False),
        sa.Column("looked_through", BIG, nullable=False),
        sa.Column("set_by", sa.String(length=64), nullable=False),
        sa.Column("set_at", BIG, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_view_kept")),
    )
    if op.get_bind().dialect.name == "postgresql":
        for table in ("sale_log", "sale_count"):
            op.execute(f"ALTER TABLE {table} SET (autovacuum_vacuum_scale_factor = 0.02)")
