"""The database's tables, in one place. For every module of the server; the schema itself is made by
the migrations.

Money is integers in minor units. Times are Unix seconds. Ids of terminals are their 8 bytes.
Rows of `ledger_*`, `journal_*`, `voucher_assignment`, `voucher_aside`, `stock_outcome`,
`stock_return`, `deposit`, `operator_log` and `technician_event` are never updated or deleted:
triggers refuse it (migrations 0002 to 0009).
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
    Column("role", String(16), nullable=False, server_default="office"),
    Column("allowance_minor", Big, nullable=False, server_default="0"),  # opening floats, in all
    Column("daily_limit", Big, nullable=False, server_default="100"),
    Column("withdrawn_at", Big),
)

technician_event = Table(
    "technician_event",  # what was decided about a technician, and by whom
    metadata,
    Column("id", Big, primary_key=True),
    Column("technician_id", Big, ForeignKey("technician.id"), nullable=False, index=True),
    Column("at", Big, nullable=False),
    Column("what", String(64), nullable=False),
    Column("by", String(64), nullable=False),
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
    Column("merchant_name", String(32)),
    Column("last_counter", Big, nullable=False, default=0),
    Column("last_seen_at", Big),
    Column("acknowledged_through", Big, nullable=False, default=0),
    Column("chain_tag", LargeBinary(8)),  # null: unknown, after a lost record
    Index(None, "enrolled_by", "enrolled_at"),
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
    Column("failure_at", Big),
    Column("wait_release", Big),
    Column("wait_code", String(16)),
    Column("wait_since", Big),
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
    Column("created_at", Big, nullable=False, index=True),
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
    Column("pin_digest", LargeBinary(32), nullable=False, unique=True),  # of operator and PIN
    Column("expires_at", Big, nullable=False),
    Column("imported_at", Big, nullable=False),
    Column("free", Boolean, nullable=False, default=True),
    Column("operator", String(40)),
    Column("pin_mark", LargeBinary(32), index=True),  # of the PIN alone; null: not marked yet
    Column("import_id", Big, ForeignKey("voucher_import.id")),
    Column("import_line", Integer),
    UniqueConstraint("product_id", "serial"),
    Index(None, "product_id", "free", "expires_at"),
    Index(None, "import_id", "import_line", unique=True),
)

voucher_import = Table(
    "voucher_import",  # one delivery
    metadata,
    Column("id", Big, primary_key=True),
    Column("sha256", LargeBinary(32), nullable=False, index=True),
    Column("name", String(200), nullable=False),
    Column("count", Integer, nullable=False),
    Column("state", String(9), nullable=False),
    Column("imported_by", String(64), nullable=False),
    Column("begun_at", Big, nullable=False),
    Column("finished_at", Big),
    CheckConstraint("state IN ('storing', 'releasing', 'complete', 'recalled')", name="state"),
)

voucher_aside = Table(
    "voucher_aside",  # never sold any more
    metadata,
    Column("voucher_id", Big, ForeignKey("voucher.id"), primary_key=True, autoincrement=False),
    Column("reason", String(16), nullable=False),
    Column("set_by", String(64), nullable=False),
    Column("at", Big, nullable=False),
    CheckConstraint("reason IN ('unreadable', 'unfit', 'recalled', 'twin')", name="reason"),
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
    Column("sent_at", Big),  # null: its PINs never left the server
    Column("sent_sha256", LargeBinary(32)),
    Column("withdrawn_at", Big),  # offered no more; recalled, if it was sent
    Column("stopped_at", Big),  # the terminal's word that it sells from it no more
    Column("reference", String(48)),
    Index(None, "reference", unique=True),
)

voucher_assignment = Table(
    "voucher_assignment",
    metadata,
    Column("voucher_id", Big, ForeignKey("voucher.id"), primary_key=True, autoincrement=False),
    Column("turn", Integer, primary_key=True, autoincrement=False),  # returned so often before
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

journal_late = Table(
    "journal_late",  # records that had been reported as lost and came after all
    metadata,
    Column("terminal_id", LargeBinary(8), ForeignKey("terminal.id"), primary_key=True),
    Column("sequence", Big, primary_key=True, autoincrement=False),
    Column("kind", Integer, nullable=False),
    Column("raw", LargeBinary, nullable=False),
    Column("received_at", Big, nullable=False),
)

loss_accepted = Table(
    "loss_accepted",  # up to which record a person has dealt with what is lost
    metadata,
    Column("id", Big, primary_key=True),
    Column("terminal_id", LargeBinary(8), ForeignKey("terminal.id"), nullable=False, index=True),
    Column("through", Big, nullable=False),
    Column("who", String(64), nullable=False),
    Column("at", Big, nullable=False),
)

stock_outcome = Table(
    "stock_outcome",
    metadata,
    Column("batch_id", Big, ForeignKey("stock_batch.id"), primary_key=True, autoincrement=False),
    Column("batch_index", Integer, primary_key=True, autoincrement=False),
    Column("outcome", String(7), primary_key=True),
    Column("sequence", Big, nullable=False),
    Column("created_at", Big, nullable=False, index=True),
    CheckConstraint("outcome IN ('sold', 'spoiled')", name="outcome"),
)

stock_return = Table(
    "stock_return",  # vouchers of a batch that came back to the vault unsold
    metadata,
    Column("batch_id", Big, ForeignKey("stock_batch.id"), primary_key=True, autoincrement=False),
    Column("batch_index", Integer, primary_key=True, autoincrement=False),
    Column("voucher_id", Big, ForeignKey("voucher.id"), nullable=False, index=True),
    Column("note", String(200), nullable=False),
    Column("returned_by", String(64), nullable=False),
    Column("at", Big, nullable=False),
)

deposit = Table(
    "deposit",  # money between a merchant and us; the key is posted once for ever
    metadata,
    Column("reference", String(48), primary_key=True),
    Column("terminal_id", LargeBinary(8), ForeignKey("terminal.id"), nullable=False, index=True),
    Column("amount_minor", Big, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("posted_by", String(64), nullable=False),
    Column("undoes", String(48), ForeignKey("deposit.reference"), unique=True),
    Column("reason", String(200), nullable=False),
    Column("float_after_minor", Big, nullable=False),
    Column("created_at", Big, nullable=False),
)

operator_log = Table(
    "operator_log",  # who did what at the command line
    metadata,
    Column("id", Big, primary_key=True),
    Column("at", Big, nullable=False),
    Column("operator", String(64), nullable=False),
    Column("action", String(24), nullable=False),
    Column("subject", String(64), nullable=False, index=True),
    Column("details", String(300), nullable=False),
)

server_constant = Table(
    "server_constant",  # what is fixed for the life of a data folder
    metadata,
    Column("name", String(32), primary_key=True),
    Column("value", String(64), nullable=False),
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
    Index(None, "technician_id", "received_at"),
)

server_mark = Table(
    "server_mark",  # written and read back to see whether the database can be written
    metadata,
    Column("name", String(32), primary_key=True),
    Column("value", String(64), nullable=False),
    Column("at", Big, nullable=False),
)

database_restore = Table(
    "database_restore",  # each time this database was put back from a back-up
    metadata,
    Column("id", Big, primary_key=True),
    Column("backup_id", String(64), nullable=False),
    Column("backup_at", Big, nullable=False),
    Column("restored_at", Big, nullable=False),
    Column("settled_at", Big),  # null: what the terminals know newer is not here yet
)

restore_scope = Table(
    "restore_scope",  # what a restore cannot know: which vouchers and batch numbers were used since
    metadata,
    Column("restore_id", Big, ForeignKey("database_restore.id"), primary_key=True),
    Column("voucher_through", Big, nullable=False),  # those up to here may have been sold
    Column("batch_floor", Big, nullable=False),  # new batches get higher numbers
    Column("freed", Boolean, nullable=False, default=False),  # the vouchers may be sold again
    Column("settled_by", String(64)),
)

restore_terminal = Table(
    "restore_terminal",  # the terminals that must tell again what they did
    metadata,
    Column("restore_id", Big, ForeignKey("database_restore.id"), primary_key=True),
    Column("terminal_id", LargeBinary(8), ForeignKey("terminal.id"), primary_key=True),
    Column("own_float_minor", Big),  # as it was before it heard a float of the restored server
    Column("before_sequence", Big),
    Column("agreed_at", Big),
    Column("given_up_by", String(64)),
)

restore_stock = Table(
    "restore_stock",  # batches that terminals have and the restored server never heard of
    metadata,
    Column("terminal_id", LargeBinary(8), ForeignKey("terminal.id"), primary_key=True),
    Column("batch_id", Big, primary_key=True, autoincrement=False),
    Column("state", String(7), nullable=False),
    CheckConstraint("state IN ('wanted', 'missing', 'filled')", name="state"),
)

restore_serial = Table(
    "restore_serial",  # what a terminal said is in such a batch
    metadata,
    Column("terminal_id", LargeBinary(8), ForeignKey("terminal.id"), primary_key=True),
    Column("batch_id", Big, primary_key=True, autoincrement=False),
    Column("batch_index", Integer, primary_key=True, autoincrement=False),
    Column("serial", String(64), nullable=False),
)
