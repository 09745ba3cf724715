"""Sales that somebody else makes: who is asked, for which product, and what became of each."""

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

is_open = text("state IN ('reserved', 'sent', 'unknown')")
"""A sale that is not decided yet, in the words of its index."""

supplier = Table(
    "supplier",
    metadata,
    Column("name", String(16), primary_key=True),
    Column("kind", String(16), nullable=False),  # which adapter speaks to it
    Column("settings", String(1000), nullable=False),  # JSON, nothing secret
    Column("secrets_sealed", LargeBinary, nullable=False),
    Column("stopped", Boolean, nullable=False, default=False),
    Column("changed_at", Big, nullable=False),
    Column("changed_by", String(64), nullable=False),
)

supplier_product = Table(
    "supplier_product",  # who makes which product
    metadata,
    Column("product_id", String(32), primary_key=True),
    Column("supplier", String(16), ForeignKey("supplier.name")),  # null: nobody any more
    Column("code", String(64), nullable=False),  # what the supplier calls it; may be empty
    Column("changed_at", Big, nullable=False),
    Column("changed_by", String(64), nullable=False),
)

vend = Table(
    "vend",  # the supplier's half of a sale
    metadata,
    Column("id", Big, primary_key=True),
    Column("terminal_id", LargeBinary(8), ForeignKey("terminal.id"), nullable=False),
    Column("sequence", Big, nullable=False),
    Column("supplier", String(16), nullable=False),
    Column("code", String(64), nullable=False),
    Column("recipient", String(20), nullable=False),
    Column("amount_minor", Big, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("minor_digits", Integer, nullable=False),
    Column("reference", String(40), nullable=False, unique=True),  # ours, told to the supplier
    Column("state", String(9), nullable=False),
    Column("supplier_reference", String(64)),
    Column("answer_sealed", LargeBinary),  # of a delivered one
    Column("created_at", Big, nullable=False),
    Column("sent_at", Big),
    Column("decided_at", Big),
    Column("tries", Integer, nullable=False, default=0),  # how often it was asked about
    Column("next_at", Big, nullable=False),  # when to look after it again
    UniqueConstraint("terminal_id", "sequence"),
    UniqueConstraint("supplier", "supplier_reference"),  # one delivery is one sale's
    CheckConstraint(
        "state IN ('reserved', 'sent', 'unknown', 'delivered', 'rejected')", name="state"
    ),
    Index("ix_vend_open", "next_at", sqlite_where=is_open, postgresql_where=is_open),
    Index("ix_vend_recipient", "supplier", "recipient", "state"),
)

vend_event = Table(
    "vend_event",  # each arrow of a sale and each word about it, for ever
    metadata,
    Column("id", Big, primary_key=True),
    Column("vend_id", Big, ForeignKey("vend.id"), nullable=False, index=True),
    Column("at", Big, nullable=False),
    Column("state", String(9), nullable=False),  # after it
    Column("source", String(10), nullable=False),
    Column("note", String(200), nullable=False),
)

supplier_report = Table(
    "supplier_report",  # call-backs as they came in under the supplier's secret
    metadata,
    Column("id", Big, primary_key=True),
    Column("supplier", String(16), nullable=False),
    Column("supplier_reference", String(64), nullable=False),
    Column("at", Big, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Index(None, "supplier", "supplier_reference"),
)
