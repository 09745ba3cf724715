"""The server itself: who did what at the command line, and what it notes about itself."""

from __future__ import annotations

from sqlalchemy import Column, LargeBinary, String, Table

from updater_server.store.tables.base import Big, metadata

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

number = Table(
    "number",  # the last one given of what is numbered before it is written
    metadata,
    Column("name", String(32), primary_key=True),
    Column("value", Big, nullable=False),
)

server_constant = Table(
    "server_constant",  # what is fixed for the life of a data folder
    metadata,
    Column("name", String(32), primary_key=True),
    Column("value", String(64), nullable=False),
)

wrapped_secret = Table(
    "wrapped_secret",  # what seals (0: what makes digests and signs), wrapped under `server.key`
    metadata,
    Column("number", Big, primary_key=True, autoincrement=False),
    Column("mark", LargeBinary(8), nullable=False),  # what stands before all that it sealed
    Column("wrapped", LargeBinary(60), nullable=False),
    Column("wrapped_under", String(16), nullable=False),  # the fingerprint of that key
    Column("wrapped_at", Big, nullable=False),
    Column("made_at", Big, nullable=False),
    Column("made_by", String(64), nullable=False),
)

check_point = Table(
    "check_point",  # up to where `check` found the books right; sealed under the server key
    metadata,
    Column("id", Big, primary_key=True),
    Column("at", Big, nullable=False),
    Column("content", String, nullable=False),  # JSON
    Column("seal", String(64), nullable=False),
)

server_mark = Table(
    "server_mark",  # written and read back to see whether the database can be written
    metadata,
    Column("name", String(32), primary_key=True),
    Column("value", String(64), nullable=False),
    Column("at", Big, nullable=False),
)
