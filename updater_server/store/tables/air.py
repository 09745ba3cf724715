"""What each terminal spent over the air, by month and purpose: `telemetry.air` adds it up."""

from __future__ import annotations

from sqlalchemy import Column, LargeBinary, Table

from updater_server.store.tables.base import Big, metadata

air_month = Table(
    "air_month",
    metadata,
    Column("terminal_id", LargeBinary(8), primary_key=True),
    Column("month", Big, primary_key=True, index=True),  # 202611: UTC
    Column("through_s", Big, nullable=False),  # what ended until then is in it
    *(
        Column(name, Big, nullable=False)  # bytes, headers and all; `sms` is messages
        for name in ("sale", "sync", "check_in", "poll", "metadata", "update", "wasted", "sms")
    ),
)
