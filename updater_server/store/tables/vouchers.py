"""The vault: vouchers, the deliveries that brought them, and whom each was given to."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    UniqueConstraint,
    text,
)

from updater_server.store.tables.base import Big, metadata

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
    Column("at", Big, nullable=False, index=True),
    CheckConstraint("reason IN ('unreadable', 'unfit', 'recalled', 'twin')", name="reason"),
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
    Index(
        "ix_stock_batch_waiting",
        "terminal_id",
        "id",
        sqlite_where=text("received_at IS NULL AND withdrawn_at IS NULL"),
    ),
    Index(
        "ix_stock_batch_unsent",
        "id",
        sqlite_where=text("withdrawn_at IS NOT NULL AND sent_at IS NULL"),
    ),
    Index(
        "ix_stock_batch_recalled",
        "terminal_id",
        "id",
        sqlite_where=text(
            "withdrawn_at IS NOT NULL AND stopped_at IS NULL AND sent_at IS NOT NULL"
        ),
    ),
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
    Column("recipient", String(20)),  # of what a supplier makes
    CheckConstraint("state IN ('reserved', 'delivered', 'refused')", name="state"),
    Index("ix_sale_reserved", "state", sqlite_where=text("state = 'reserved'")),
)
