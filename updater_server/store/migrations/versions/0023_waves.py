"""waves on trial, their verdicts, and what was done about them; a schema for what terminals tell

Rows are only ever added. What terminals tell of themselves is no part of the books: on SQLite it is
in a file of its own, on PostgreSQL in a schema in which the server makes and drops its tables, one
a day.
"""

import sqlalchemy as sa
from alembic import op

revision: str = "0023"
down_revision: str | None = "0022"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
APPEND_ONLY = ("wave_trial", "wave_verdict", "wave_event")


def upgrade() -> None:
    """Nothing is on trial yet."""
    op.create_table(
        "wave_trial",
        sa.Column("id", BIG, nullable=False),
        sa.Column("channel", sa.String(length=16), nullable=False),
        sa.Column("release", BIG, nullable=False),
        sa.Column("wave", BIG, nullable=False),
        sa.Column("began_s", BIG, nullable=False),
        sa.Column("threshold", sa.Integer(), nullable=False),
        sa.Column("within", sa.Integer(), nullable=False),
        sa.Column("counting", BIG, nullable=False),
        sa.Column("in_beta", BIG, nullable=False),
        sa.Column("in_control", BIG, nullable=False),
        sa.Column("frozen", sa.LargeBinary(), nullable=False),
        sa.Column("policy", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_wave_trial")),
        sa.UniqueConstraint("channel", "release", "wave", name=op.f("uq_wave_trial_channel")),
    )
    op.create_table(
        "wave_verdict",
        sa.Column("trial_id", BIG, nullable=False),
        sa.Column("number", BIG, nullable=False),
        sa.Column("at_s", BIG, nullable=False),
        sa.Column("ruling", sa.String(length=8), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("made_s", BIG, nullable=False),
        sa.CheckConstraint(
            "ruling IN ('pass', 'hold', 'halt')", name=op.f("ck_wave_verdict_ruling")
        ),
        sa.ForeignKeyConstraint(
            ["trial_id"], ["wave_trial.id"], name=op.f("fk_wave_verdict_trial_id")
        ),
        sa.PrimaryKeyConstraint("trial_id", "number", name=op.f("pk_wave_verdict")),
    )
    op.create_table(
        "wave_event",
        sa.Column("id", BIG, nullable=False),
        sa.Column("trial_id", BIG, nullable=False),
        sa.Column("at", BIG, nullable=False),
        sa.Column("what", sa.String(length=16), nullable=False),
        sa.Column("verdict", BIG),
        sa.Column("by", sa.String(length=64), nullable=False),
        sa.Column("details", sa.String(length=300), nullable=False),
        sa.ForeignKeyConstraint(
            ["trial_id"], ["wave_trial.id"], name=op.f("fk_wave_event_trial_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_wave_event")),
        sa.UniqueConstraint("trial_id", "what", name=op.f("uq_wave_event_trial_id")),
    )
    _guard()


def _guard() -> None:
    on_postgresql = op.get_bind().dialect.name == "postgresql"
    for table in APPEND_ONLY:
        if on_postgresql:
            op.execute(
                f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE "
                f"ON {table} FOR EACH STATEMENT EXECUTE FUNCTION duka_append_only()"
            )
            continue
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} BEGIN "
                f"SELECT RAISE(ABORT, '{table} is append-only'); END"
            )
