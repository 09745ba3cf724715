"""what terminals refuse: vouchers set aside, batches offered no more, files reported"""

import sqlalchemy as sa
from alembic import op

revision: str = "0004"
down_revision: str | None = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    big = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "voucher_set_aside",
        sa.Column("voucher_id", big, autoincrement=False, nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("set_aside_at", big, nullable=False),
        sa.ForeignKeyConstraint(
            ["voucher_id"], ["voucher.id"], name=op.f("fk_voucher_set_aside_voucher_id")
        ),
        sa.PrimaryKeyConstraint("voucher_id", name=op.f("pk_voucher_set_aside")),
    )
    for verb in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER voucher_set_aside_no_{verb.lower()} BEFORE {verb} "
            "ON voucher_set_aside BEGIN "
            "SELECT RAISE(ABORT, 'voucher_set_aside is append-only'); END"
        )
    op.add_column("stock_batch", sa.Column("asked_for_at", big))
    op.add_column("stock_batch", sa.Column("closed_at", big))
    op.add_column("stock_batch", sa.Column("closed_why", sa.String(length=200)))
    op.add_column("stock_batch", sa.Column("stopped_at", big))
    op.add_column("check_in", sa.Column("refused_files", sa.String()))
