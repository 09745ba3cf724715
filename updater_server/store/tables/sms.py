"""Short messages: on which number each terminal is reached, and what the office says to it."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Index, Integer, LargeBinary, String, Table

from updater_server.store.tables.base import Big, metadata

sms_number = Table(
    "sms_number",
    metadata,
    Column("terminal_id", LargeBinary(8), primary_key=True),
    Column("number", String(16), nullable=False),
    Column("set_by", String(64), nullable=False),  # "": it asked from there
    Column("at", Big, nullable=False),
)

sms_word = Table(
    "sms_word",
    metadata,
    Column("id", Big, primary_key=True),
    Column("terminal_id", LargeBinary(8), nullable=False),
    Column("counter", Big, nullable=False),
    Column("says", Integer, nullable=False),
    Column("said_by", String(64), nullable=False),
    Column("at", Big, nullable=False),
    Column("state", String(8), nullable=False),
    Column("done_at", Big),
    CheckConstraint("state IN ('waiting', 'sent', 'given_up')", name="state"),
    Index(None, "terminal_id", "counter", unique=True),
    Index(None, "state", "id"),
)
