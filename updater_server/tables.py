"""The database's tables, in one place. For every module of the server; the schema itself is made by
the migrations.

Money is integers in minor units. Times are Unix seconds. Ids of terminals are their 8 bytes.
Rows of `ledger_*`, `journal_record`, `voucher_assignment` and `stock_outcome` are never updated or
deleted: triggers refuse it (migration 0001).
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    UniqueConstraint,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)
Big = BigInteger().with_variant(Integer, "sqlite")

technician = Table(
    "technician",
    metadata,
    Column("id", Big, primary_key=True),
    Column("name", String(64), nullable=False, unique=True),
    Column("token_sha256", LargeBinary(32), nullable=False, unique=True),
    Column("created_at", Big, nullable=False),
)

terminal = Table(
    "terminal",
    metadata,
    Column("id", LargeBinary(8), primary_key=True),
    Column("key_sealed", LargeBinary, nullable=False),
    Column("hardware_class", String(32), nullable=False),
    Column("hardware_revision", Integer, nullable=False),
    Column("channel", String(16), nullable=False),
    Column("catalogue", String(64), nullable=False),
    Column("enrolled_at", Big, nullable=False),
    Column("enrolled_by", Big, ForeignKey("technician.id"), nullable=False),
    Column("initial_float_minor", Big, nullable=False),
    Column("blocked", Boolean, nullable=False, default=False),
    Column("merchant_text", String(200)),
    Column("last_counter", Big, nullable=False, default=0),
    Column("last_seen_at", Big),
    Column("acknowledged_through", Big, nullable=False, default=0),
    Column("chain_tag", LargeBinary(8)),  # null: unknown, after a lost record
)

check_in = Table(
    "check_in",  # the newest of each terminal
    metadata,
    Column("terminal_id", LargeBinary(8), ForeignKey("terminal.id"), primary_key=True),
    Column("at", Big, nullable=False),
    Column("terminal_time", Big, nullable=False),
    Column("release", Big, nullable=False),
    Column("slot", String(1), nullable=False),
    Column("trial", Boolean, nullable=False),
    Column("boot_count", Big, nullable=False),
    Column("battery_mv", Integer, nullable=False),
    Column("signal", Integer, nullable=False),
    Column("failure_release", Big),
    Column("failure_reason", String(200)),
    Column("own_float_minor", Big, nullable=False),
    Column("journal_oldest", Big, nullable=False),
    Column("journal_next", Big, nullable=False),
    Column("reconciled", Boolean),  # null: not comparable yet
    Column("mismatches", Integer, nullable=False, default=0),  # in a row
    Column("refused_files", String),  # JSON [[file, reason], …]: what it does not work with
)

running_history = Table(
    "running_history",  # a row whenever what runs, or why something failed, changes
    metadata,
    Column("id", Big, primary_key=True),
    Column("terminal_id", LargeBinary(8), ForeignKey("terminal.id"), nullable=False, index=True),
    Column("at", Big, nullable=False),
    Column("release", Big, nullable=False),
    Column("slot", String(1), nullable=False),
    Column("trial", Boolean, nullable=False),
    Column("failure_release", Big),
    Column("failure_reason", String(200)),
)

alarm = Table(
    "alarm",
    metadata,
    Column("id", Big, primary_key=True),
    Column("terminal_id", LargeBinary(8), ForeignKey("terminal.id"), index=True),
    Column("code", String(32), nullable=False),
    Column("text", String(300), nullable=False),
    Column("first_at", Big, nullable=False),
    Column("last_at", Big, nullable=False),
    Column("count", Big, nullable=False, default=1),
    Column("closed_at", Big),
)

account = Table(
    "account",
    metadata,
    Column("id", Big, primary_key=True),
    Column("name", String(64), nullable=False, unique=True),
)

ledger_transaction = Table(
    "ledger_transaction",
    metadata,
    Column("id", Big, primary_key=True, autoincrement=False),
    Column("kind", String(16), nullable=False),
    Column("reference", String(64), nullable=False, unique=True),
    Column("terminal_id", LargeBinary(8), ForeignKey("terminal.id"), index=True),
    Column("sequence", Big),
    Column("created_at", Big, nullable=False),
)

ledger_entry = Table(
    "ledger_entry",
    metadata,
    Column("id", Big, primary_key=True),
    Column(
        "transaction_id",
        Big,
        ForeignKey("ledger_transaction.id", deferrable=True, initially="DEFERRED"),
        nullable=False,
        index=True,
    ),
    Column("account_id", Big, ForeignKey("account.id"), nullable=False, index=True),
    Column("amount_minor", Big, nullable=False),
    CheckConstraint("amount_minor <> 0", name="moves"),
)

price = Table(
    "price",  # every price any catalogue has ever shown
    metadata,
    Column("catalogue", String(64), primary_key=True),
    Column("product_id", String(32), primary_key=True),
    Column("amount_minor", Big, primary_key=True),
    Column("commission_minor", Big, primary_key=True),
    Column("first_seen_at", Big, nullable=False),
)

voucher = Table(
    "voucher",
    metadata,
    Column("id", Big, primary_key=True),
    Column("product_id", String(32), nullable=False),
    Column("serial", String(40), nullable=False),
    Column("pin_sealed", LargeBinary, nullable=False),
    Column("pin_digest", LargeBinary(32), nullable=False, unique=True),
    Column("expires_at", Big, nullable=False),
    Column("imported_at", Big, nullable=False),
    Column("free", Boolean, nullable=False, default=True),
    UniqueConstraint("product_id", "serial"),
    Index(None, "product_id", "free", "expires_at"),
)

voucher_set_aside = Table(
    "voucher_set_aside",  # out of the vault, and given to nobody: no terminal could take it
    metadata,
    Column("voucher_id", Big, ForeignKey("voucher.id"), primary_key=True, autoincrement=False),
    Column("reason", String(200), nullable=False),
    Column("set_aside_at", Big, nullable=False),
)

stock_batch = Table(
    "stock_batch",
    metadata,
    Column("id", Big, primary_key=True),
    Column("terminal_id", LargeBinary(8), ForeignKey("terminal.id"), nullable=False, index=True),
    Column("product_id", String(32), nullable=False),
    Column("face_minor", Big, nullable=False),
    Column("commission_minor", Big, nullable=False),
    Column("expires_at", Big, nullable=False),
    Column("count", Integer, nullable=False),
    Column("created_at", Big, nullable=False),
    Column("received_at", Big),
    Column("asked_for_at", Big),  # its file left the server then
    Column("closed_at", Big),  # offered no more; recalled, if it was received
    Column("closed_why", String(200)),
    Column("stopped_at", Big),  # the terminal's journal says that it sells from it no more
)

voucher_assignment = Table(
    "voucher_assignment",
    metadata,
    Column("voucher_id", Big, ForeignKey("voucher.id"), primary_key=True, autoincrement=False),
    Column("terminal_id", LargeBinary(8), ForeignKey("terminal.id"), nullable=False),
    Column("sale_sequence", Big),
    Column("batch_id", Big, ForeignKey("stock_batch.id")),
    Column("batch_index", Integer),
    Column("assigned_at", Big, nullable=False),
    UniqueConstraint("terminal_id", "sale_sequence"),
    UniqueConstraint("batch_id", "batch_index"),
    CheckConstraint("(sale_sequence IS NULL) <> (batch_id IS NULL)", name="one_use"),
    CheckConstraint("(batch_id IS NULL) = (batch_index IS NULL)", name="batch_place"),
)

sale = Table(
    "sale",  # online sales; key for ever
    metadata,
    Column("terminal_id", LargeBinary(8), ForeignKey("terminal.id"), primary_key=True),
    Column("sequence", Big, primary_key=True, autoincrement=False),
    Column("product_id", String(32), nullable=False),
    Column("amount_minor", Big, nullable=False),
    Column("terminal_time", Big, nullable=False),
    Column("state", String(9), nullable=False),
    Column("commission_minor", Big),
    Column("voucher_id", Big, ForeignKey("voucher.id")),
    Column("float_after_minor", Big),
    Column("refusal_code", String(32)),
    Column("refusal_text", String(200)),
    Column("created_at", Big, nullable=False, index=True),
    CheckConstraint("state IN ('reserved', 'delivered', 'refused')", name="state"),
)

journal_record = Table(
    "journal_record",
    metadata,
    Column("terminal_id", LargeBinary(8), ForeignKey("terminal.id"), primary_key=True),
    Column("sequence", Big, primary_key=True, autoincrement=False),
    Column("kind", Integer),  # null: lost on the terminal
    Column("raw", LargeBinary),
    Column("received_at", Big, nullable=False),
)

stock_outcome = Table(
    "stock_outcome",
    metadata,
    Column("batch_id", Big, ForeignKey("stock_batch.id"), primary_key=True, autoincrement=False),
    Column("batch_index", Integer, primary_key=True, autoincrement=False),
    Column("outcome", String(7), primary_key=True),
    Column("sequence", Big, nullable=False),
    Column("created_at", Big, nullable=False),
    CheckConstraint("outcome IN ('sold', 'spoiled')", name="outcome"),
)

bench_entry = Table(
    "bench_entry",  # what technicians did at their benches
    metadata,
    Column("id", Big, primary_key=True),
    Column("technician_id", Big, ForeignKey("technician.id"), nullable=False),
    Column("entry_id", String(64), nullable=False),
    Column("terminal_id", LargeBinary(8), nullable=False, index=True),  # empty: no identity yet
    Column("at", Big, nullable=False),
    Column("received_at", Big, nullable=False),
    Column("job", String(16), nullable=False),
    Column("result", String(200), nullable=False),
    Column("details", String, nullable=False),
    UniqueConstraint("technician_id", "entry_id"),
)
