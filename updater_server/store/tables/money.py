"""The double-entry ledger, deposits, and every price ever shown."""

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
    UniqueConstraint,
    text,
)

from updater_server.store.tables.base import Big, metadata

currency = Table(
    "currency",  # what books may be kept in, in the order in which they began to be
    metadata,
    Column("id", Big, primary_key=True),
    Column("code", String(3), nullable=False, unique=True),
    Column("minor_digits", Integer, nullable=False),
    CheckConstraint("minor_digits BETWEEN 0 AND 4", name="digits"),
)

_of_terminal = text("substr(name, 1, 6) = 'float:' AND substr(name, 1, 12) <> 'float:party:'")

account = Table(
    "account",
    metadata,
    Column("id", Big, primary_key=True),
    Column("name", String(64), nullable=False),
    Column("currency", String(3), nullable=False, server_default=""),  # "": not said yet
    UniqueConstraint("name", "currency"),
    Index("ix_account_of_terminal", "name", unique=True, sqlite_where=_of_terminal),
)

is_credit = text("kind IN ('top_up', 'refund', 'correction')")
"""What makes a float larger, or in a correction smaller, without a record of its terminal: in the
words of its index, as SQLite takes that for no others."""

ledger_transaction = Table(
    "ledger_transaction",
    metadata,
    Column("id", Big, primary_key=True, autoincrement=False),
    Column("kind", String(16), nullable=False),
    Column("reference", String(64), nullable=False, unique=True),
    Column("terminal_id", LargeBinary(8), ForeignKey("terminal.id")),
    Column("sequence", Big),
    Column("created_at", Big, nullable=False, index=True),
    Index(None, "terminal_id", "sequence"),
    Index("ix_ledger_transaction_credits", "terminal_id", sqlite_where=is_credit),
)

ledger_entry = Table(
    "ledger_entry",
    metadata,
    Column("id", Big, primary_key=True),
    Column(
        "transaction_id",
        Big,
        ForeignKey("ledger_transaction.id", deferrable=True, initially="DEFERRED"),
        nullable=False,
    ),
    Column("account_id", Big, ForeignKey("account.id"), nullable=False, index=True),
    Column("amount_minor", Big, nullable=False),
    Column("balance_after_minor", Big),  # of a float; null: an account that all sales share
    CheckConstraint("amount_minor <> 0", name="moves"),
    Index(None, "transaction_id", "account_id"),
)

price = Table(
    "price",  # every price any catalogue has ever shown
    metadata,
    Column("catalogue", String(64), primary_key=True),
    Column("product_id", String(32), primary_key=True),
    Column("amount_minor", Big, primary_key=True),
    Column("commission_minor", Big, primary_key=True),
    Column("first_seen_at", Big, nullable=False),
)

deposit = Table(
    "deposit",  # money between a merchant and us; the key is posted once for ever
    metadata,
    Column("reference", String(48), primary_key=True),
    Column("terminal_id", LargeBinary(8), ForeignKey("terminal.id"), nullable=False, index=True),
    Column("amount_minor", Big, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("posted_by", String(64), nullable=False),
    Column("undoes", String(48), ForeignKey("deposit.reference"), unique=True),
    Column("reason", String(200), nullable=False),
    Column("float_after_minor", Big, nullable=False),
    Column("created_at", Big, nullable=False),
)
