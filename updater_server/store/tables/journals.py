"""The terminals' journal records, as far as they are here."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Integer, LargeBinary, String, Table

from updater_server.store.tables.base import Big, metadata

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
