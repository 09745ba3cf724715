"""Who owns what: the trade above the terminals, what it earns, and days that are closed. Rows are
only ever added: what held on a day can be told on any later one.
"""

from __future__ import annotations

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
)

from updater_server.store.tables.base import Big, metadata

party = Table(
    "party",  # a distributor, an agent or a merchant
    metadata,
    Column("id", Big, primary_key=True),
    Column("code", String(32), nullable=False, unique=True),
    Column("name", String(64), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("parent_id", Big, ForeignKey("party.id"), index=True),
    Column("created_by", String(64), nullable=False),
    Column("created_at", Big, nullable=False),
    CheckConstraint("kind IN ('distributor', 'agent', 'merchant')", name="kind"),
)

terminal_owner = Table(
    "terminal_owner",  # the newest row of a terminal that is not of the future holds
    metadata,
    Column("id", Big, primary_key=True),
    Column("terminal_id", LargeBinary(8), ForeignKey("terminal.id"), nullable=False),
    Column("party_id", Big, ForeignKey("party.id"), nullable=False, index=True),
    Column("since", Big, nullable=False),
    Column("set_by", String(64), nullable=False),
    Index(None, "terminal_id", "since"),
)

commission_rate = Table(
    "commission_rate",  # what a party earns on what is sold under it, by day
    metadata,
    Column("id", Big, primary_key=True),
    Column("party_id", Big, ForeignKey("party.id"), nullable=False, index=True),
    Column("product_id", String(32)),  # null: every product without a rate of its own
    Column("rate_ppm", Integer, nullable=False),  # millionths of the face value
    Column("first_day", String(10), nullable=False),
    Column("set_by", String(64), nullable=False),
    Column("created_at", Big, nullable=False),
    CheckConstraint("rate_ppm BETWEEN 0 AND 1000000", name="rate"),
)

credit_limit = Table(
    "credit_limit",  # how far below zero a float may go, and until when; the newest row holds
    metadata,
    Column("id", Big, primary_key=True),
    Column("party_id", Big, ForeignKey("party.id"), nullable=False, index=True),
    Column("limit_minor", Big, nullable=False),
    Column("currency", String(3), nullable=False, server_default=""),  # "": the books' first
    Column("expires_at", Big, nullable=False),
    Column("set_by", String(64), nullable=False),
    Column("reason", String(200), nullable=False),
    Column("created_at", Big, nullable=False),
    CheckConstraint("limit_minor >= 0", name="limit"),
)

movement = Table(
    "movement",  # money of a party: deposits, paybacks, transfers; the key is posted once for ever
    metadata,
    Column("reference", String(48), primary_key=True),
    Column("kind", String(8), nullable=False),
    Column("from_account", String(64), nullable=False),
    Column("to_account", String(64), nullable=False),
    Column("amount_minor", Big, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("bank_line", String(64), unique=True),  # of the bank's own statement
    Column("reverses", String(48), ForeignKey("movement.reference"), unique=True),
    Column("posted_by", String(64), nullable=False),
    Column("reason", String(200), nullable=False),
    Column("created_at", Big, nullable=False, index=True),
    CheckConstraint("amount_minor > 0", name="moves"),
    CheckConstraint("from_account <> to_account", name="accounts"),
    CheckConstraint("kind IN ('deposit', 'payback', 'transfer', 'reversal')", name="kind"),
)

closed_day = Table(
    "closed_day",
    metadata,
    Column("day", String(10), primary_key=True),
    Column("begins_at", Big, nullable=False),
    Column("ends_at", Big, nullable=False),
    Column("closed_by", String(64), nullable=False),
    Column("closed_at", Big, nullable=False),
)

closed_sum = Table(
    "closed_sum",  # what a closed day came to in one currency
    metadata,
    Column("day", String(10), ForeignKey("closed_day.day"), primary_key=True),
    Column("currency", String(3), primary_key=True),
    Column("sold_minor", Big, nullable=False),  # face value, what was given back taken off
    Column("earned_minor", Big, nullable=False),
)

day_share = Table(
    "day_share",  # what a party earned on one product on one day
    metadata,
    Column("day", String(10), ForeignKey("closed_day.day"), primary_key=True),
    Column("party_id", Big, ForeignKey("party.id"), primary_key=True, autoincrement=False),
    Column("product_id", String(32), primary_key=True),
    Column("currency", String(3), primary_key=True),
    Column("sold_minor", Big, nullable=False),
    Column("rate_ppm", Integer, nullable=False),
    Column("share_minor", Big, nullable=False),
)

api_token = Table(
    "api_token",  # what a program of ours or of a party may do; the token itself is kept nowhere
    metadata,
    Column("id", Big, primary_key=True),
    Column("name", String(64), nullable=False, unique=True),
    Column("token_sha256", LargeBinary(32), nullable=False, unique=True),
    Column("party_id", Big, ForeignKey("party.id")),  # null: the operator's
    Column("may_move", Integer, nullable=False),
    Column("created_by", String(64), nullable=False),
    Column("created_at", Big, nullable=False),
    Column("withdrawn_at", Big),
    Column("till_id", LargeBinary(8)),  # by which it sells, if it does
)
