"""up to where the books were checked, and indexes of what is rare and looked at each time"""

import sqlalchemy as sa
from alembic import op

revision: str = "0014"
down_revision: str | None = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """No point is made: the first check after it looks at all."""
    big = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "check_point",
        sa.Column("id", big, nullable=False),
        sa.Column("at", big, nullable=False),
        sa.Column("content", sa.String(), nullable=False),
        sa.Column("seal", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_check_point")),
    )
    for verb in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER check_point_no_{verb.lower()} BEFORE {verb} ON check_point BEGIN "
            "SELECT RAISE(ABORT, 'check_point is append-only'); END"
        )
    op.create_index(
        "ix_sale_reserved", "sale", ["state"], sqlite_where=sa.text("state = 'reserved'")
    )
    op.create_index(
        "ix_stock_batch_unsent",
        "stock_batch",
        ["id"],
        sqlite_where=sa.text("withdrawn_at IS NOT NULL AND sent_at IS NULL"),
    )
    op.create_index("ix_voucher_aside_at", "voucher_aside", ["at"])
