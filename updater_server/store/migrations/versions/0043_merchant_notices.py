"""what merchants are told: deposits and messages, each once"""

import sqlalchemy as sa
from alembic import op

revision: str = "0043"
down_revision: str | None = "0041"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Empty: what was deposited before is not told any more; no terminal has said that it can keep
    notices.
    """
    op.create_table(
        "merchant_notice",
        sa.Column("terminal_id", sa.LargeBinary(length=8), nullable=False),
        sa.Column("number", BIG, nullable=False),
        sa.Column("text", sa.String(length=200)),
        sa.Column("amount_minor", BIG),
        sa.Column("reference", sa.String(length=48)),
        sa.Column("float_after_minor", BIG),
        sa.CheckConstraint(
            "(text IS NULL) = (amount_minor IS NOT NULL)", name=op.f("ck_merchant_notice_one_kind")
        ),
        sa.ForeignKeyConstraint(
            ["terminal_id"], ["terminal.id"], name=op.f("fk_merchant_notice_terminal_id")
        ),
        sa.PrimaryKeyConstraint("terminal_id", "number", name=op.f("pk_merchant_notice")),
    )
    op.add_column("terminal", sa.Column("notice_number", BIG, nullable=False, server_default="0"))
    op.add_column("terminal", sa.Column("notices_through", BIG))
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE TRIGGER merchant_notice_append_only BEFORE UPDATE OR DELETE OR TRUNCATE "
            "ON merchant_notice FOR EACH STATEMENT EXECUTE FUNCTION duka_append_only()"
        )
        return
    for verb in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER merchant_notice_no_{verb.lower()} BEFORE {verb} ON merchant_notice "
            "BEGIN SELECT RAISE(ABORT, 'merchant_notice is append-only'); END"
        )
