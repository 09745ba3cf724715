"""What a database that was put back from a back-up does not know any more."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Integer,
    LargeBinary,
    String,
    Table,
)

from updater_server.store.tables.base import Big, metadata

database_restore = Table(
    "database_restore",  # each time this database was put back from a back-up
    metadata,
    Column("id", Big, primary_key=True),
    Column("backup_id", String(64), nullable=False),
    Column("backup_at", Big, nullable=False),
    Column("restored_at", Big, nullable=False),
    Column("settled_at", Big),  # null: what the terminals know newer is not here yet
)

restore_scope = Table(
    "restore_scope",  # what a restore cannot know: which vouchers and batch numbers were used since
    metadata,
    Column("restore_id", Big, ForeignKey("database_restore.id"), primary_key=True),
    Column("voucher_through", Big, nullable=False),  # those up to here may have been sold
    Column("batch_floor", Big, nullable=False),  # new batches get higher numbers
    Column("freed", Boolean, nullable=False, default=False),  # the vouchers may be sold again
    Column("settled_by", String(64)),
)

restore_terminal = Table(
    "restore_terminal",  # the terminals that must tell again what they did
    metadata,
    Column("restore_id", Big, ForeignKey("database_restore.id"), primary_key=True),
    Column("terminal_id", LargeBinary(8), ForeignKey("terminal.id"), primary_key=True),
    Column("own_float_minor", Big),  # as it was before it heard a float of the restored server
    Column("before_sequence", Big),
    Column("agreed_at", Big),
    Column("given_up_by", String(64)),
)

restore_stock = Table(
    "restore_stock",  # batches that terminals have and the restored server never heard of
    metadata,
    Column("terminal_id", LargeBinary(8), ForeignKey("terminal.id"), primary_key=True),
    Column("batch_id", Big, primary_key=True, autoincrement=False),
    Column("state", String(7), nullable=False),
    CheckConstraint("state IN ('wanted', 'missing', 'filled')", name="state"),
)

restore_serial = Table(
    "restore_serial",  # what a terminal said is in such a batch
    metadata,
    Column("terminal_id", LargeBinary(8), ForeignKey("terminal.id"), primary_key=True),
    Column("batch_id", Big, primary_key=True, autoincrement=False),
    Column("batch_index", Integer, primary_key=True, autoincrement=False),
    Column("serial", String(64), nullable=False),
)
