"""What can be made anew from the other tables at any time: the log of sales, and their counts."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, LargeBinary, String, Table

from updater_server.store.tables.base import Big, metadata

sale_log = Table(
    "sale_log",  # each sale of the ledger, and each that was given back
    metadata,
    Column("id", Big, primary_key=True, autoincrement=False),  # of the ledger's transaction
    Column("at", Big, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("terminal_id", LargeBinary(8), nullable=False),
    Column("sequence", Big, nullable=False),  # of the sale
    Column("party_id", Big),  # whose terminal it was
    Column("product_id", String(32), nullable=False),
    Column("face_minor", Big, nullable=False),
    Column("commission_minor", Big, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("serial", String(64)),
    Column("recipient", String(20)),
    Column("supplier", String(16), nullable=False),  # "": our own vault
    Column("supplier_reference", String(64)),
    Index(None, "party_id", "at", "id"),
    Index(None, "at", "id"),
    Index(None, "recipient", "at", "id"),
    Index(None, "serial", "at", "id"),
    Index(None, "supplier_reference", "at", "id"),
)

sale_count = Table(
    "sale_count",  # how many in a quarter of an hour; each row of the log is in one of them, once
    metadata,
    Column("begins_at", Big, primary_key=True, autoincrement=False),
    Column("kind", String(16), primary_key=True),
    Column("product_id", String(32), primary_key=True),
    Column("agent_id", Big, primary_key=True, autoincrement=False),  # 0: under no agent
    Column("region", String(32), primary_key=True),  # "": none was said
    Column("supplier", String(16), primary_key=True),
    Column("release", Big, primary_key=True, autoincrement=False),  # 0: not known
    Column("currency", String(3), primary_key=True),
    Column("number", Big, nullable=False),
    Column("face_minor", Big, nullable=False),
    Column("commission_minor", Big, nullable=False),
)

view_kept = Table(
    "view_kept",  # how far back log and counts go; no row: to the beginning
    metadata,
    Column("name", String(16), primary_key=True),
    Column("months", Big),  # whole ones before this one; null: all
    Column("since", Big, nullable=False),
    Column("looked_through", Big, nullable=False),  # of the ledger: nothing to be kept up to there
    Column("set_by", String(64), nullable=False),
    Column("set_at", Big, nullable=False),
)

party_region = Table(
    "party_region",  # where a party and all under it are; the newest row not of the future holds
    metadata,
    Column("id", Big, primary_key=True),
    Column("party_id", Big, ForeignKey("party.id"), nullable=False, index=True),
    Column("region", String(32), nullable=False),
    Column("since", Big, nullable=False),
    Column("set_by", String(64), nullable=False),
)
