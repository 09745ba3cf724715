"""what terminals refuse: unfit vouchers set aside, batches recalled, files reported"""

import sqlalchemy as sa
from alembic import op

revision: str = "0011"
down_revision: str | None = "0010"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("stock_batch", sa.Column("stopped_at", BIG))
    op.add_column("check_in", sa.Column("refused_files", sa.String()))
    _one_more_reason()


def _one_more_reason() -> None:
    # SQLite changes no constraint: the table is made anew. Triggers of other tables name this one,
    # and a rename would be refused while they find no table of that name.
    op.execute("PRAGMA legacy_alter_table = ON")
    op.create_table(
        "voucher_aside_new",
        sa.Column("voucher_id", BIG, autoincrement=False, nullable=False),
        sa.Column("reason", sa.String(length=16), nullable=False),
        sa.Column("set_by", sa.String(length=64), nullable=False),
        sa.Column("at", BIG, nullable=False),
        sa.CheckConstraint(
            "reason IN ('unreadable', 'unfit', 'recalled', 'twin')",
            name=op.f("ck_voucher_aside_reason"),
        ),
        sa.ForeignKeyConstraint(
            ["voucher_id"], ["voucher.id"], name=op.f("fk_voucher_aside_voucher_id")
        ),
        sa.PrimaryKeyConstraint("voucher_id", name=op.f("pk_voucher_aside")),
    )
    op.execute(
        "INSERT INTO voucher_aside_new SELECT voucher_id, reason, set_by, at FROM voucher_aside"
    )
    for verb in ("update", "delete"):
        op.execute(f"DROP TRIGGER voucher_aside_no_{verb}")
    op.drop_table("voucher_aside")
    op.rename_table("voucher_aside_new", "voucher_aside")
    for verb in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER voucher_aside_no_{verb.lower()} BEFORE {verb} ON voucher_aside BEGIN "
            "SELECT RAISE(ABORT, 'voucher_aside is append-only'); END"
        )
    op.execute("PRAGMA legacy_alter_table = OFF")
