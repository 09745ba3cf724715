"""What people were told of alarms, and what still waits to be sent."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Index, Integer, String, Table

from updater_server.store.tables.base import Big, metadata

notice_told = Table(
    "notice_told",  # what a receiver knows of one kind of alarm
    metadata,
    Column("receiver", String(32), primary_key=True),
    Column("code", String(32), primary_key=True),
    Column("firing", Integer, nullable=False),  # 1: was told that it began, 0: that it is over
    Column("through", Big, nullable=False),  # the newest alarm that was told of
    Column("at", Big, nullable=False),
)

notice = Table(
    "notice",
    metadata,
    Column("id", Big, primary_key=True),
    Column("receiver", String(32), nullable=False),
    Column("content", String, nullable=False),  # JSON: `notices.message.Message`
    Column("state", String(8), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_at", Big, nullable=False),
    Column("error", String(200), nullable=False),
    Column("created_at", Big, nullable=False),
    Column("done_at", Big),
    CheckConstraint("state IN ('waiting', 'sent', 'given_up')", name="state"),
    Index(None, "receiver", "created_at"),
    Index(None, "state", "receiver", "id"),
)
