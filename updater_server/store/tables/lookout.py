"""What the worker saw of the fleet: for the board, and to know what is usual."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, String, Table

from updater_server.store.tables.base import Big, metadata

fleet_picture = Table(
    "fleet_picture",  # the newest of each kind; it can be made anew at any time
    metadata,
    Column("name", String(16), primary_key=True),
    Column("at", Big, nullable=False),
    Column("content", String, nullable=False),  # JSON
)

region_heard = Table(
    "region_heard",  # how many terminals of a region were heard, every ten minutes, for some weeks
    metadata,
    Column("region", String(32), primary_key=True),
    Column("at", Big, primary_key=True, index=True),
    Column("heard", String(100), nullable=False),  # JSON: within each of `regions.WINDOWS_S`
)

canary = Table(
    "canary",  # the newest message of our own in each queue: `fleet.canaries`
    metadata,
    Column("queue", String(48), primary_key=True),
    Column("state", String(8), nullable=False),
    Column("at", Big, nullable=False),
    Column("changed_at", Big, nullable=False),
    Column("after", Big, nullable=False),
    Column("lag_s", Big, nullable=False),
    Column("far", String(300), nullable=False),
    Column("error", String(200), nullable=False),
    CheckConstraint("state IN ('waiting', 'failed', 'came')", name="state"),
)
