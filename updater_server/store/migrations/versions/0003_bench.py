"""what technicians did at their benches: append-only"""

import sqlalchemy as sa
from alembic import op

revision: str = "0003"
down_revision: str | None = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    big = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "bench_entry",
        sa.Column("id", big, nullable=False),
        sa.Column("technician_id", big, nullable=False),
        sa.Column("entry_id", sa.String(length=64), nullable=False),
        sa.Column("terminal_id", sa.LargeBinary(length=8), nullable=False),
        sa.Column("at", big, nullable=False),
        sa.Column("received_at", big, nullable=False),
        sa.Column("job", sa.String(length=16), nullable=False),
        sa.Column("result", sa.String(length=200), nullable=False),
        sa.Column("details", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["technician_id"], ["technician.id"], name=op.f("fk_bench_entry_technician_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bench_entry")),
        sa.UniqueConstraint(
            "technician_id", "entry_id", name=op.f("uq_bench_entry_technician_id_entry_id")
        ),
    )
    op.create_index(op.f("ix_bench_entry_terminal_id"), "bench_entry", ["terminal_id"])
    for verb in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER bench_entry_no_{verb.lower()} BEFORE {verb} ON bench_entry BEGIN "
            "SELECT RAISE(ABORT, 'bench_entry is append-only'); END"
        )
