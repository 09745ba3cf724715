"""what a restored server has forgotten and asks of its terminals again"""

import sqlalchemy as sa
from alembic import op

revision: str = "0010"
down_revision: str | None = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    big = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "restore_scope",
        sa.Column("restore_id", big, nullable=False),
        sa.Column("voucher_through", big, nullable=False),
        sa.Column("batch_floor", big, nullable=False),
        sa.Column("freed", sa.Boolean(), nullable=False),
        sa.Column("settled_by", sa.String(length=64)),
        sa.ForeignKeyConstraint(
            ["restore_id"], ["database_restore.id"], name=op.f("fk_restore_scope_restore_id")
        ),
        sa.PrimaryKeyConstraint("restore_id", name=op.f("pk_restore_scope")),
    )
    op.create_table(
        "restore_terminal",
        sa.Column("restore_id", big, nullable=False),
        sa.Column("terminal_id", sa.LargeBinary(length=8), nullable=False),
        sa.Column("own_float_minor", big),
        sa.Column("before_sequence", big),
        sa.Column("agreed_at", big),
        sa.Column("given_up_by", sa.String(length=64)),
        sa.ForeignKeyConstraint(
            ["restore_id"], ["database_restore.id"], name=op.f("fk_restore_terminal_restore_id")
        ),
        sa.ForeignKeyConstraint(
            ["terminal_id"], ["terminal.id"], name=op.f("fk_restore_terminal_terminal_id")
        ),
        sa.PrimaryKeyConstraint("restore_id", "terminal_id", name=op.f("pk_restore_terminal")),
    )
    op.create_table(
        "restore_stock",
        sa.Column("terminal_id", sa.LargeBinary(length=8), nullable=False),
        sa.Column("batch_id", big, nullable=False),
        sa.Column("state", sa.String(length=7), nullable=False),
        sa.CheckConstraint(
            "state IN ('wanted', 'missing', 'filled')", name=op.f("ck_restore_stock_state")
        ),
        sa.ForeignKeyConstraint(
            ["terminal_id"], ["terminal.id"], name=op.f("fk_restore_stock_terminal_id")
        ),
        sa.PrimaryKeyConstraint("terminal_id", "batch_id", name=op.f("pk_restore_stock")),
    )
    op.create_table(
        "restore_serial",
        sa.Column("terminal_id", sa.LargeBinary(length=8), nullable=False),
        sa.Column("batch_id", big, nullable=False),
        sa.Column("batch_index", sa.Integer(), nullable=False),
        sa.Column("serial", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["terminal_id"], ["terminal.id"], name=op.f("fk_restore_serial_terminal_id")
        ),
        sa.PrimaryKeyConstraint(
            "terminal_id", "batch_id", "batch_index", name=op.f("pk_restore_serial")
        ),
    )
