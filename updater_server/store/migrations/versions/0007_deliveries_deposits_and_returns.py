"""deliveries under an id, vouchers set aside and returned, deposits, what operators did"""

import sqlalchemy as sa
from alembic import op

revision: str = "0007"
down_revision: str | None = "0006"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
APPEND_ONLY = (
    "server_constant",
    "voucher_aside",
    "stock_return",
    "deposit",
    "operator_log",
    "voucher_assignment",
)


def upgrade() -> None:
    _new_tables()
    _more_columns()
    _assignments_by_turn()
    _guards()


def _new_tables() -> None:
    op.create_table(
        "server_constant",
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("value", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_server_constant")),
    )
    op.create_table(
        "operator_log",
        sa.Column("id", BIG, nullable=False),
        sa.Column("at", BIG, nullable=False),
        sa.Column("operator", sa.String(length=64), nullable=False),
        sa.Column("action", sa.String(length=24), nullable=False),
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("details", sa.String(length=300), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_operator_log")),
    )
    op.create_index(op.f("ix_operator_log_subject"), "operator_log", ["subject"])
    op.create_table(
        "voucher_import",
        sa.Column("id", BIG, nullable=False),
        sa.Column("sha256", sa.LargeBinary(length=32), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=9), nullable=False),
        sa.Column("imported_by", sa.String(length=64), nullable=False),
        sa.Column("begun_at", BIG, nullable=False),
        sa.Column("finished_at", BIG),
        sa.CheckConstraint(
            "state IN ('storing', 'releasing', 'complete', 'recalled')",
            name=op.f("ck_voucher_import_state"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_voucher_import")),
    )
    op.create_index(op.f("ix_voucher_import_sha256"), "voucher_import", ["sha256"])
    op.create_table(
        "voucher_aside",
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
    op.create_table(
        "stock_return",
        sa.Column("batch_id", BIG, autoincrement=False, nullable=False),
        sa.Column("batch_index", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("voucher_id", BIG, nullable=False),
        sa.Column("note", sa.String(length=200), nullable=False),
        sa.Column("returned_by", sa.String(length=64), nullable=False),
        sa.Column("at", BIG, nullable=False),
        sa.ForeignKeyConstraint(
            ["batch_id"], ["stock_batch.id"], name=op.f("fk_stock_return_batch_id")
        ),
        sa.ForeignKeyConstraint(
            ["voucher_id"], ["voucher.id"], name=op.f("fk_stock_return_voucher_id")
        ),
        sa.PrimaryKeyConstraint("batch_id", "batch_index", name=op.f("pk_stock_return")),
    )
    op.create_index(op.f("ix_stock_return_voucher_id"), "stock_return", ["voucher_id"])
    op.create_table(
        "deposit",
        sa.Column("reference", sa.String(length=48), nullable=False),
        sa.Column("terminal_id", sa.LargeBinary(length=8), nullable=False),
        sa.Column("amount_minor", BIG, nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("posted_by", sa.String(length=64), nullable=False),
        sa.Column("undoes", sa.String(length=48)),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("float_after_minor", BIG, nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.ForeignKeyConstraint(
            ["terminal_id"], ["terminal.id"], name=op.f("fk_deposit_terminal_id")
        ),
        sa.ForeignKeyConstraint(["undoes"], ["deposit.reference"], name=op.f("fk_deposit_undoes")),
        sa.PrimaryKeyConstraint("reference", name=op.f("pk_deposit")),
        sa.UniqueConstraint("undoes", name=op.f("uq_deposit_undoes")),
    )
    op.create_index(op.f("ix_deposit_terminal_id"), "deposit", ["terminal_id"])


def _more_columns() -> None:
    op.add_column("voucher", sa.Column("operator", sa.String(length=40)))
    op.add_column("voucher", sa.Column("pin_mark", sa.LargeBinary(length=32)))
    op.execute("ALTER TABLE voucher ADD COLUMN import_id INTEGER REFERENCES voucher_import (id)")
    op.add_column("voucher", sa.Column("import_line", sa.Integer()))
    op.create_index(op.f("ix_voucher_pin_mark"), "voucher", ["pin_mark"])
    op.create_index(
        op.f("ix_voucher_import_id_import_line"), "voucher", ["import_id", "import_line"],
        unique=True,
    )  # fmt: skip
    op.add_column("stock_batch", sa.Column("sent_at", BIG))
    op.add_column("stock_batch", sa.Column("sent_sha256", sa.LargeBinary(length=32)))
    op.add_column("stock_batch", sa.Column("withdrawn_at", BIG))
    op.add_column("stock_batch", sa.Column("reference", sa.String(length=48)))
    op.create_index(op.f("ix_stock_batch_reference"), "stock_batch", ["reference"], unique=True)
    # Nobody knows which files left the server: take it that all did.
    op.execute("UPDATE stock_batch SET sent_at = created_at")


def _assignments_by_turn() -> None:
    op.create_table(
        "voucher_assignment_new",
        sa.Column("voucher_id", BIG, autoincrement=False, nullable=False),
        sa.Column("turn", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("terminal_id", sa.LargeBinary(length=8), nullable=False),
        sa.Column("sale_sequence", BIG),
        sa.Column("batch_id", BIG),
        sa.Column("batch_index", sa.Integer()),
        sa.Column("assigned_at", BIG, nullable=False),
        sa.CheckConstraint(
            "(batch_id IS NULL) = (batch_index IS NULL)",
            name=op.f("ck_voucher_assignment_batch_place"),
        ),
        sa.CheckConstraint(
            "(sale_sequence IS NULL) <> (batch_id IS NULL)",
            name=op.f("ck_voucher_assignment_one_use"),
        ),
        sa.ForeignKeyConstraint(
            ["batch_id"], ["stock_batch.id"], name=op.f("fk_voucher_assignment_batch_id")
        ),
        sa.ForeignKeyConstraint(
            ["terminal_id"], ["terminal.id"], name=op.f("fk_voucher_assignment_terminal_id")
        ),
        sa.ForeignKeyConstraint(
            ["voucher_id"], ["voucher.id"], name=op.f("fk_voucher_assignment_voucher_id")
        ),
        sa.PrimaryKeyConstraint("voucher_id", "turn", name=op.f("pk_voucher_assignment")),
        sa.UniqueConstraint(
            "batch_id", "batch_index", name=op.f("uq_voucher_assignment_batch_id_batch_index")
        ),
        sa.UniqueConstraint(
            "terminal_id",
            "sale_sequence",
            name=op.f("uq_voucher_assignment_terminal_id_sale_sequence"),
        ),
    )
    op.execute(
        "INSERT INTO voucher_assignment_new SELECT voucher_id, 0, terminal_id, sale_sequence, "
        "batch_id, batch_index, assigned_at FROM voucher_assignment"
    )
    op.execute("DROP TRIGGER voucher_assignment_no_update")
    op.execute("DROP TRIGGER voucher_assignment_no_delete")
    op.drop_table("voucher_assignment")
    op.rename_table("voucher_assignment_new", "voucher_assignment")


def _guards() -> None:
    for table in APPEND_ONLY:
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} BEGIN "
                f"SELECT RAISE(ABORT, '{table} is append-only'); END"
            )
    op.execute(
        "CREATE TRIGGER voucher_import_no_delete BEFORE DELETE ON voucher_import "
        "BEGIN SELECT RAISE(ABORT, 'an import is kept for ever'); END"
    )
    op.execute(
        "CREATE TRIGGER voucher_import_forward BEFORE UPDATE ON voucher_import "
        "WHEN NEW.id <> OLD.id OR NEW.sha256 <> OLD.sha256 OR NEW.count <> OLD.count "
        "OR OLD.state = 'recalled' OR (OLD.state = 'storing' AND NEW.state = 'complete') "
        "OR (OLD.state = 'complete' AND NEW.state <> 'recalled') "
        "OR (OLD.state = 'releasing' AND NEW.state = 'storing') "
        "OR (NEW.state = 'releasing' AND NEW.count <> "
        "(SELECT COUNT(*) FROM voucher WHERE import_id = NEW.id)) "
        "BEGIN SELECT RAISE(ABORT, 'an import only moves forward, and whole'); END"
    )
    # Free again only if nobody has it, it is not set aside, and its delivery is whole.
    op.execute("DROP TRIGGER voucher_forward")
    op.execute(
        "CREATE TRIGGER voucher_forward BEFORE UPDATE ON voucher WHEN NEW.id <> OLD.id "
        "OR NEW.product_id <> OLD.product_id OR NEW.serial <> OLD.serial "
        "OR NEW.pin_sealed <> OLD.pin_sealed OR NEW.expires_at <> OLD.expires_at "
        "OR NEW.import_id IS NOT OLD.import_id OR NEW.import_line IS NOT OLD.import_line "
        "OR (OLD.pin_mark IS NOT NULL AND (NEW.pin_digest <> OLD.pin_digest "
        "OR NEW.pin_mark IS NOT OLD.pin_mark OR NEW.operator IS NOT OLD.operator)) "
        "OR (OLD.free = 0 AND NEW.free <> 0 AND ("
        "EXISTS (SELECT 1 FROM voucher_aside WHERE voucher_id = OLD.id) "
        "OR (SELECT COUNT(*) FROM voucher_assignment WHERE voucher_id = OLD.id) "
        "<> (SELECT COUNT(*) FROM stock_return WHERE voucher_id = OLD.id) "
        "OR EXISTS (SELECT 1 FROM voucher_import WHERE id = OLD.import_id "
        "AND state NOT IN ('releasing', 'complete')))) "
        "BEGIN SELECT RAISE(ABORT, 'a voucher is given once'); END"
    )
    op.execute(
        "CREATE TRIGGER voucher_assignment_in_turn BEFORE INSERT ON voucher_assignment "
        "WHEN NEW.turn <> (SELECT COUNT(*) FROM stock_return WHERE voucher_id = NEW.voucher_id) "
        "OR EXISTS (SELECT 1 FROM voucher_aside WHERE voucher_id = NEW.voucher_id) "
        "BEGIN SELECT RAISE(ABORT, 'a voucher is given once'); END"
    )
    op.execute(
        "CREATE TRIGGER stock_return_of_unsold BEFORE INSERT ON stock_return "
        "WHEN NOT EXISTS (SELECT 1 FROM voucher_assignment a WHERE a.voucher_id = NEW.voucher_id "
        "AND a.batch_id = NEW.batch_id AND a.batch_index = NEW.batch_index AND a.turn = "
        "(SELECT COUNT(*) FROM stock_return WHERE voucher_id = NEW.voucher_id)) "
        "OR EXISTS (SELECT 1 FROM stock_outcome o WHERE o.batch_id = NEW.batch_id "
        "AND o.batch_index = NEW.batch_index AND o.outcome = 'sold' AND NOT EXISTS "
        "(SELECT 1 FROM stock_outcome s WHERE s.batch_id = NEW.batch_id "
        "AND s.batch_index = NEW.batch_index AND s.outcome = 'spoiled')) "
        "BEGIN SELECT RAISE(ABORT, 'only an unsold voucher comes back, once'); END"
    )
