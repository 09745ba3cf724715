"""days held against the terminals and the suppliers: files, runs, findings, decisions, pages"""

import sqlalchemy as sa
from alembic import op

revision: str = "0029"
down_revision: str | None = "0028"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
APPEND_ONLY = (
    *("supplier_file", "matching_run", "matching_step", "matching_finding"),
    *("matching_decision", "matching_page"),
)
_CREDITS = "kind IN ('top_up', 'refund', 'correction')"


def upgrade() -> None:
    """Nothing was held against anything yet. A correction makes floats larger, as a refund does."""
    _files_and_runs()
    _findings()
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
    op.drop_index("ix_ledger_transaction_credits", "ledger_transaction")
    op.create_index(
        "ix_ledger_transaction_credits",
        "ledger_transaction",
        ["terminal_id"],
        sqlite_where=sa.text(_CREDITS),
        postgresql_where=sa.text(_CREDITS),
    )


def _files_and_runs() -> None:
    op.create_table(
        "supplier_file",
        sa.Column("id", BIG, nullable=False),
        sa.Column("supplier", sa.String(length=16), nullable=False),
        sa.Column("sha256", sa.LargeBinary(length=32), nullable=False),
        sa.Column("since", BIG, nullable=False),
        sa.Column("until", BIG, nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("taken_by", sa.String(length=64), nullable=False),
        sa.Column("taken_at", BIG, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_supplier_file")),
        sa.UniqueConstraint("supplier", "sha256", name=op.f("uq_supplier_file_supplier_sha256")),
    )
    op.create_index(op.f("ix_supplier_file_supplier_until"), "supplier_file", ["supplier", "until"])
    op.create_table(
        "matching_run",
        sa.Column("id", BIG, nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("begins_at", BIG, nullable=False),
        sa.Column("ends_at", BIG, nullable=False),
        sa.Column("cut", sa.String(), nullable=False),
        sa.Column("begun_by", sa.String(length=64), nullable=False),
        sa.Column("begun_at", BIG, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_matching_run")),
        sa.UniqueConstraint("day", "round", name=op.f("uq_matching_run_day_round")),
    )
    op.create_table(
        "matching_step",
        sa.Column("run_id", BIG, autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("content", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["run_id"], ["matching_run.id"], name=op.f("fk_matching_step_run_id")
        ),
        sa.PrimaryKeyConstraint("run_id", "number", name=op.f("pk_matching_step")),
    )
    op.create_table(
        "matching_page",
        sa.Column("run_id", BIG, autoincrement=False, nullable=False),
        sa.Column("content", sa.String(), nullable=False),
        sa.Column("signature", sa.LargeBinary(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["run_id"], ["matching_run.id"], name=op.f("fk_matching_page_run_id")
        ),
        sa.PrimaryKeyConstraint("run_id", name=op.f("pk_matching_page")),
    )


def _findings() -> None:
    op.create_table(
        "matching_finding",
        sa.Column("id", BIG, nullable=False),
        sa.Column("run_id", BIG, nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("subject", sa.String(length=120), nullable=False),
        sa.Column("terminal_id", sa.LargeBinary(length=8)),
        sa.Column("sequence", BIG),
        sa.Column("text", sa.String(length=300), nullable=False),
        sa.Column("proposal", sa.String(length=16), nullable=False),
        sa.Column("entries", sa.String(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('only_ours', 'only_theirs', 'amount', 'number', 'duplicate', 'late', "
            "'no_file')",
            name=op.f("ck_matching_finding_kind"),
        ),
        sa.CheckConstraint(
            "proposal IN ('give_back', 'charge', 'note', 'none')",
            name=op.f("ck_matching_finding_proposal"),
        ),
        sa.ForeignKeyConstraint(
            ["run_id"], ["matching_run.id"], name=op.f("fk_matching_finding_run_id")
        ),
        sa.ForeignKeyConstraint(
            ["terminal_id"], ["terminal.id"], name=op.f("fk_matching_finding_terminal_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_matching_finding")),
        sa.UniqueConstraint(
            "run_id", "kind", "subject", name=op.f("uq_matching_finding_run_id_kind_subject")
        ),
    )
    op.create_index(
        op.f("ix_matching_finding_subject_kind"), "matching_finding", ["subject", "kind"]
    )
    op.create_table(
        "matching_decision",
        sa.Column("finding_id", BIG, autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("subject", sa.String(length=120), nullable=False),
        sa.Column("decision", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("decided_by", sa.String(length=64), nullable=False),
        sa.Column("decided_at", BIG, nullable=False),
        sa.CheckConstraint(
            "decision IN ('give_back', 'charge', 'note')",
            name=op.f("ck_matching_decision_decision"),
        ),
        sa.ForeignKeyConstraint(
            ["finding_id"], ["matching_finding.id"], name=op.f("fk_matching_decision_finding_id")
        ),
        sa.PrimaryKeyConstraint("finding_id", name=op.f("pk_matching_decision")),
        sa.UniqueConstraint("kind", "subject", name=op.f("uq_matching_decision_kind_subject")),
    )
