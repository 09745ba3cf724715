"""sales that a supplier makes: who is asked, what became of each, and every word that was said"""

import sqlalchemy as sa
from alembic import op

revision: str = "0017"
down_revision: str | None = "0016"
branch_labels = None
depends_on = None

_OPEN = sa.text("state IN ('reserved', 'sent', 'unknown')")
_STEPS = (
    "(OLD.state = 'reserved' AND NEW.state IN ('sent', 'rejected')) "
    "OR (OLD.state = 'sent' AND NEW.state IN ('delivered', 'rejected', 'unknown')) "
    "OR (OLD.state = 'unknown' AND NEW.state IN ('delivered', 'rejected'))"
)
_FIXED = (
    "terminal_id", "sequence", "supplier", "code", "recipient", "amount_minor", "currency",
    "minor_digits", "reference", "created_at",
)  # fmt: skip


_MOVES = (
    f"NOT (NEW.state = OLD.state AND OLD.decided_at IS NULL OR {_STEPS}) OR "
    + " OR ".join(f"NEW.{name} <> OLD.{name}" for name in _FIXED)
    + " OR (OLD.supplier_reference IS NOT NULL "
    "AND NEW.supplier_reference IS DISTINCT FROM OLD.supplier_reference)"
)
_APPEND_ONLY = ("vend_event", "supplier_report")
_FORWARD = "a sale of a supplier only moves forward"
_RECIPIENT = "a sale keeps its recipient"


def _guards() -> None:
    """Of the database itself, whatever a program says."""
    if op.get_bind().dialect.name == "postgresql":
        _guards_on_postgresql()
        return
    op.execute(
        f"CREATE TRIGGER vend_forward BEFORE UPDATE ON vend "
        f"WHEN {_MOVES.replace('IS DISTINCT FROM', 'IS NOT')} "
        f"BEGIN SELECT RAISE(ABORT, '{_FORWARD}'); END"
    )
    op.execute(
        "CREATE TRIGGER vend_no_delete BEFORE DELETE ON vend "
        "BEGIN SELECT RAISE(ABORT, 'a sale is kept for ever'); END"
    )
    op.execute(
        "CREATE TRIGGER sale_recipient BEFORE UPDATE ON sale "
        "WHEN NEW.recipient IS NOT OLD.recipient "
        f"BEGIN SELECT RAISE(ABORT, '{_RECIPIENT}'); END"
    )
    for table in _APPEND_ONLY:
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} BEGIN "
                f"SELECT RAISE(ABORT, '{table} is append-only'); END"
            )


def _guards_on_postgresql() -> None:
    """By the functions that the guards of before are made of there."""
    do = op.get_bind().exec_driver_sql
    refused = "EXECUTE FUNCTION duka_refused"
    do(
        "CREATE TRIGGER vend_forward BEFORE UPDATE ON vend FOR EACH ROW "
        f"WHEN ({_MOVES}) {refused}('{_FORWARD}')"
    )
    do(
        "CREATE TRIGGER sale_recipient BEFORE UPDATE ON sale FOR EACH ROW "
        f"WHEN (NEW.recipient IS DISTINCT FROM OLD.recipient) {refused}('{_RECIPIENT}')"
    )
    do(
        "CREATE TRIGGER vend_kept BEFORE DELETE OR TRUNCATE ON vend "
        "FOR EACH STATEMENT EXECUTE FUNCTION duka_kept()"
    )
    for table in _APPEND_ONLY:
        do(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION duka_append_only()"
        )


def upgrade() -> None:
    """Nothing is filled: no sale of before was a supplier's."""
    big = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.add_column("sale", sa.Column("recipient", sa.String(length=20)))
    op.create_table(
        "supplier",
        sa.Column("name", sa.String(length=16), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("settings", sa.String(length=1000), nullable=False),
        sa.Column("secrets_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("stopped", sa.Boolean(), nullable=False),
        sa.Column("changed_at", big, nullable=False),
        sa.Column("changed_by", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_supplier")),
    )
    op.create_table(
        "supplier_product",
        sa.Column("product_id", sa.String(length=32), nullable=False),
        sa.Column("supplier", sa.String(length=16)),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("changed_at", big, nullable=False),
        sa.Column("changed_by", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("product_id", name=op.f("pk_supplier_product")),
        sa.ForeignKeyConstraint(
            ["supplier"], ["supplier.name"], name=op.f("fk_supplier_product_supplier")
        ),
    )
    _sales(big)
    _words(big)
    _guards()


def _sales(big: sa.types.TypeEngine[int]) -> None:
    op.create_table(
        "vend",
        sa.Column("id", big, nullable=False),
        sa.Column("terminal_id", sa.LargeBinary(length=8), nullable=False),
        sa.Column("sequence", big, nullable=False),
        sa.Column("supplier", sa.String(length=16), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("recipient", sa.String(length=20), nullable=False),
        sa.Column("amount_minor", big, nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("minor_digits", sa.Integer(), nullable=False),
        sa.Column("reference", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=9), nullable=False),
        sa.Column("supplier_reference", sa.String(length=64)),
        sa.Column("answer_sealed", sa.LargeBinary()),
        sa.Column("created_at", big, nullable=False),
        sa.Column("sent_at", big),
        sa.Column("decided_at", big),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("next_at", big, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vend")),
        sa.ForeignKeyConstraint(["terminal_id"], ["terminal.id"], name=op.f("fk_vend_terminal_id")),
        sa.UniqueConstraint("reference", name=op.f("uq_vend_reference")),
        sa.UniqueConstraint("terminal_id", "sequence", name=op.f("uq_vend_terminal_id")),
        sa.UniqueConstraint("supplier", "supplier_reference", name=op.f("uq_vend_supplier")),
        sa.CheckConstraint(
            "state IN ('reserved', 'sent', 'unknown', 'delivered', 'rejected')",
            name=op.f("ck_vend_state"),
        ),
    )
    op.create_index("ix_vend_open", "vend", ["next_at"], sqlite_where=_OPEN, postgresql_where=_OPEN)
    op.create_index("ix_vend_recipient", "vend", ["supplier", "recipient", "state"])


def _words(big: sa.types.TypeEngine[int]) -> None:
    op.create_table(
        "vend_event",
        sa.Column("id", big, nullable=False),
        sa.Column("vend_id", big, nullable=False),
        sa.Column("at", big, nullable=False),
        sa.Column("state", sa.String(length=9), nullable=False),
        sa.Column("source", sa.String(length=10), nullable=False),
        sa.Column("note", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vend_event")),
        sa.ForeignKeyConstraint(["vend_id"], ["vend.id"], name=op.f("fk_vend_event_vend_id")),
    )
    op.create_index("ix_vend_event_vend_id", "vend_event", ["vend_id"])
    op.create_table(
        "supplier_report",
        sa.Column("id", big, nullable=False),
        sa.Column("supplier", sa.String(length=16), nullable=False),
        sa.Column("supplier_reference", sa.String(length=64), nullable=False),
        sa.Column("at", big, nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_supplier_report")),
    )
    op.create_index(
        "ix_supplier_report_supplier", "supplier_report", ["supplier", "supplier_reference"]
    )
