"""What merchants are told on their terminals: deposits and the office's messages."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, ForeignKey, LargeBinary, String, Table

from updater_server.store.tables.base import Big, metadata

merchant_notice = Table(
    "merchant_notice",
    metadata,
    Column("terminal_id", LargeBinary(8), ForeignKey("terminal.id"), primary_key=True),
    Column("number", Big, primary_key=True, autoincrement=False),  # when it was said, or one more
    Column("text", String(200)),  # null: money moved
    Column("amount_minor", Big),
    Column("reference", String(48)),
    Column("float_after_minor", Big),
    CheckConstraint("(text IS NULL) = (amount_minor IS NOT NULL)", name="one_kind"),
)
