"""Programs of partners: what they ordered, and what they are told of; telephones that may ask."""

from __future__ import annotations

from sqlalchemy import (
    Column,
    ForeignKey,
    Integer,
    LargeBinary,
    String,
    Table,
    UniqueConstraint,
)

from updater_server.store.tables.base import Big, metadata

api_order = Table(
    "api_order",  # which sale a program's order is, for ever
    metadata,
    Column("id", Big, primary_key=True),
    Column("token_id", Big, ForeignKey("api_token.id"), nullable=False),
    Column("order_key", String(72), nullable=False),  # the program's own, once for ever
    Column("terminal_id", LargeBinary(8), nullable=False),
    Column("sequence", Big, nullable=False),
    Column("created_at", Big, nullable=False),
    UniqueConstraint("token_id", "order_key"),
    UniqueConstraint("terminal_id", "sequence"),
)

webhook = Table(
    "webhook",  # who is told of what is posted, and how far it was told
    metadata,
    Column("name", String(32), primary_key=True),
    Column("party_id", Big, ForeignKey("party.id")),  # null: of everything
    Column("url", String(300), nullable=False),
    Column("secret_sealed", LargeBinary, nullable=False),
    Column("through", Big, nullable=False),  # the newest ledger transaction that it was told of
    Column("attempts", Integer, nullable=False),  # of what is next
    Column("next_at", Big, nullable=False),
    Column("first_failed_at", Big),
    Column("error", String(200), nullable=False),
    Column("stopped", Integer, nullable=False),
    Column("created_by", String(64), nullable=False),
    Column("created_at", Big, nullable=False),
)

webhook_dead = Table(
    "webhook_dead",  # what nobody took in a day: kept, and sent again by command
    metadata,
    Column("id", Big, primary_key=True),
    Column("webhook", String(32), ForeignKey("webhook.name"), nullable=False, index=True),
    Column("body", String, nullable=False),
    Column("error", String(200), nullable=False),
    Column("died_at", Big, nullable=False),
    Column("sent_at", Big),
)

telephone = Table(
    "telephone",  # of a party's people, who ask by USSD
    metadata,
    Column("number", String(16), primary_key=True),  # "+254712345678"
    Column("party_id", Big, ForeignKey("party.id"), nullable=False),
    Column("pin_hashed", LargeBinary, nullable=False),
    Column("wrong_pins", Integer, nullable=False),  # since the last right one
    Column("added_by", String(64), nullable=False),
    Column("added_at", Big, nullable=False),
    Column("withdrawn_at", Big),
)
