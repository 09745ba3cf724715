"""what a technician's token may do, who decided it, and the shop that a terminal stands in"""

import sqlalchemy as sa
from alembic import op

revision: str = "0009"
down_revision: str | None = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    big = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    # Whoever had a token before could do everything; the office takes back what it will.
    for column in (
        sa.Column("role", sa.String(length=16), nullable=False, server_default="office"),
        sa.Column("allowance_minor", big, nullable=False, server_default="0"),
        sa.Column("daily_limit", big, nullable=False, server_default="100"),
        sa.Column("withdrawn_at", big),
    ):
        op.add_column("technician", column)
    op.add_column("terminal", sa.Column("merchant_name", sa.String(length=32)))
    op.create_table(
        "technician_event",
        sa.Column("id", big, nullable=False),
        sa.Column("technician_id", big, nullable=False),
        sa.Column("at", big, nullable=False),
        sa.Column("what", sa.String(length=64), nullable=False),
        sa.Column("by", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["technician_id"], ["technician.id"], name=op.f("fk_technician_event_technician_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_technician_event")),
    )
    op.create_index(
        op.f("ix_technician_event_technician_id"), "technician_event", ["technician_id"]
    )
    op.create_index(
        op.f("ix_bench_entry_technician_id_received_at"),
        "bench_entry",
        ["technician_id", "received_at"],
    )
    op.create_index(
        op.f("ix_terminal_enrolled_by_enrolled_at"), "terminal", ["enrolled_by", "enrolled_at"]
    )
    for verb in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER technician_event_no_{verb.lower()} BEFORE {verb} ON technician_event "
            "BEGIN SELECT RAISE(ABORT, 'technician_event is append-only'); END"
        )
    op.execute(
        "CREATE TRIGGER technician_no_delete BEFORE DELETE ON technician "
        "BEGIN SELECT RAISE(ABORT, 'a technician is kept for ever'); END"
    )
