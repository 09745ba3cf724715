"""The terminals' journal records, as far as they are here."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, LargeBinary, String, Table, text

from updater_server.store.tables.base import Big, metadata

is_online = text("kind IN (3, 4, 5)")
"""Intents of online sales and what came of them, in the words of their index: SQLite takes that
for no others."""

journal_record = Table(
    "journal_record",
    metadata,
    Column("terminal_id", LargeBinary(8), ForeignKey("terminal.id"), primary_key=True),
    Column("sequence", Big, primary_key=True, autoincrement=False),
    Column("kind", Integer),  # null: lost on the terminal
    Column("raw", LargeBinary),
    Column("received_at", Big, nullable=False),
    Index("ix_journal_record_online", "terminal_id", "sequence", sqlite_where=is_online),
    Index("ix_journal_record_lost", "terminal_id", "sequence", sqlite_where=text("raw IS NULL")),
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
