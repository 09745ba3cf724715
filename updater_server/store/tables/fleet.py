"""Terminals, what they report of themselves, technicians and alarms."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
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

_FAILED = "failure_release IS NOT NULL"
_LOOPING = "looping_since IS NOT NULL"

technician = Table(
    "technician",
    metadata,
    Column("id", Big, primary_key=True),
    Column("name", String(64), nullable=False, unique=True),
    Column("token_sha256", LargeBinary(32), nullable=False, unique=True),
    Column("created_at", Big, nullable=False),
    Column("role", String(16), nullable=False, server_default="office"),
    Column("allowance_minor", Big, nullable=False, server_default="0"),  # opening floats, in all
    Column("daily_limit", Big, nullable=False, server_default="100"),
    Column("withdrawn_at", Big),
)

technician_event = Table(
    "technician_event",  # what was decided about a technician, and by whom
    metadata,
    Column("id", Big, primary_key=True),
    Column("technician_id", Big, ForeignKey("technician.id"), nullable=False, index=True),
    Column("at", Big, nullable=False),
    Column("what", String(64), nullable=False),
    Column("by", String(64), nullable=False),
)

terminal = Table(
    "terminal",
    metadata,
    Column("id", LargeBinary(8), primary_key=True),
    Column("key_sealed", LargeBinary, nullable=False),
    Column("hardware_class", String(32), nullable=False),
    Column("hardware_revision", Integer, nullable=False),
    Column("channel", String(16), nullable=False),
    Column("catalogue", String(64), nullable=False),
    Column("enrolled_at", Big, nullable=False),
    Column("enrolled_by", Big, ForeignKey("technician.id"), nullable=False),
    Column("initial_float_minor", Big, nullable=False),
    Column("blocked", Boolean, nullable=False, default=False),
    Column("merchant_text", String(200)),  # for releases that keep no notices
    Column("merchant_name", String(32)),
    Column("last_counter", Big, nullable=False, default=0),
    Column("last_seen_at", Big),
    Column("acknowledged_through", Big, nullable=False, default=0),
    Column("chain_tag", LargeBinary(8)),  # null: unknown, after a lost record
    Column("currency", String(3), nullable=False, server_default=""),  # "": not said yet
    Column("stolen_at", Big),  # when it was reported stolen; it is blocked, too
    Column("notice_number", Big, nullable=False, server_default="0"),  # of its newest notice
    Column("notices_through", Big),  # which it says it has; null: its release keeps none
    Index(None, "enrolled_by", "enrolled_at"),
)

check_in = Table(
    "check_in",  # the newest of each terminal
    metadata,
    Column("terminal_id", LargeBinary(8), ForeignKey("terminal.id"), primary_key=True),
    Column("at", Big, nullable=False),
    Column("terminal_time", Big, nullable=False),
    Column("release", Big, nullable=False),
    Column("slot", String(1), nullable=False),
    Column("trial", Boolean, nullable=False),
    Column("boot_count", Big, nullable=False),
    Column("battery_mv", Integer, nullable=False),
    Column("signal", Integer, nullable=False),
    Column("failure_release", Big),
    Column("failure_reason", String(200)),
    Column("failure_at", Big),
    Column("wait_release", Big),
    Column("wait_code", String(16)),
    Column("wait_since", Big),
    Column("own_float_minor", Big, nullable=False),
    Column("journal_oldest", Big, nullable=False),
    Column("journal_next", Big, nullable=False),
    Column("journal_needed", Big),  # null: `journal_next`
    Column("reconciled", Boolean),  # null: not comparable yet
    Column("mismatches", Integer, nullable=False, default=0),  # in a row
    Column("credits_known_through", Big),  # ledger transactions; null: nobody knows
    Column("refused_files", String),  # JSON [[file, reason], …]: what it does not work with
    Column("channel", String(16)),
    Column("catalogue", String(64)),
    Column("image", String(64)),  # SHA-256 in hex; null: it did not say
    Column("settings", String(64)),  # SHA-256 in hex; null: it did not say
    Column("boots_from", Big),  # its boot_count when its starts began to be counted
    Column("boots_since", Big),  # and when that was
    Column("looping_since", Big),  # null: it does not start again and again
    Index(
        "ix_check_in_failed",
        "failure_release",
        sqlite_where=text(_FAILED),
        postgresql_where=text(_FAILED),
    ),
    Index(
        "ix_check_in_looping",
        "looping_since",
        sqlite_where=text(_LOOPING),
        postgresql_where=text(_LOOPING),
    ),
)

running_history = Table(
    "running_history",  # a row whenever what a terminal says it runs, or why it failed, changes
    metadata,
    Column("id", Big, primary_key=True),
    Column("terminal_id", LargeBinary(8), ForeignKey("terminal.id"), nullable=False, index=True),
    Column("at", Big, nullable=False, index=True),  # when the server heard of it
    Column("release", Big, nullable=False, index=True),
    Column("slot", String(1), nullable=False),
    Column("trial", Boolean, nullable=False),
    Column("failure_release", Big),
    Column("failure_reason", String(200)),
    Column("channel", String(16)),
    Column("catalogue", String(64)),
    Column("image", String(64)),
    Column("settings", String(64)),
    Column("heard_at", Big),  # the report before, which said otherwise; null: none
    Column("terminal_time", Big),  # by the terminal's own clock, right or wrong
    Column("boot_count", Big),
    Column("release_before", Big),
    Index(
        "ix_running_history_failed",
        "failure_release",
        sqlite_where=text(_FAILED),
        postgresql_where=text(_FAILED),
    ),
)

alarm = Table(
    "alarm",
    metadata,
    Column("id", Big, primary_key=True),
    Column("terminal_id", LargeBinary(8), ForeignKey("terminal.id"), index=True),
    Column("code", String(32), nullable=False),
    Column("text", String(300), nullable=False),
    Column("first_at", Big, nullable=False),
    Column("last_at", Big, nullable=False),
    Column("count", Big, nullable=False, default=1),
    Column("closed_at", Big),
    Column("owner", String(64)),
    Column("acknowledged_by", String(64)),
    Column("acknowledged_at", Big),
    Index("ix_alarm_open", "code", "terminal_id", sqlite_where=text("closed_at IS NULL")),
)

bench_entry = Table(
    "bench_entry",  # what technicians did at their benches
    metadata,
    Column("id", Big, primary_key=True),
    Column("technician_id", Big, ForeignKey("technician.id"), nullable=False),
    Column("entry_id", String(64), nullable=False),
    Column("terminal_id", LargeBinary(8), nullable=False, index=True),  # empty: no identity yet
    Column("at", Big, nullable=False),
    Column("received_at", Big, nullable=False),
    Column("job", String(16), nullable=False),
    Column("result", String(200), nullable=False),
    Column("details", String, nullable=False),
    UniqueConstraint("technician_id", "entry_id"),
    Index(None, "technician_id", "received_at"),
)
