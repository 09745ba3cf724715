"""Days of sales held against the terminals and the suppliers. Rows are only ever added: what was
found on a day, and who decided what about it, can be told on any later one.
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
    UniqueConstraint,
)

from updater_server.store.tables.base import Big, metadata

supplier_file = Table(
    "supplier_file",  # a supplier's own list of what it did for us, as it came
    metadata,
    Column("id", Big, primary_key=True),
    Column("supplier", String(16), nullable=False),
    Column("sha256", LargeBinary(32), nullable=False),
    Column("since", Big, nullable=False),
    Column("until", Big, nullable=False),
    Column("name", String(200), nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("taken_by", String(64), nullable=False),
    Column("taken_at", Big, nullable=False),
    UniqueConstraint("supplier", "sha256"),
    Index(None, "supplier", "until"),
)

matching_run = Table(
    "matching_run",  # one look at one day; what it looks at is fixed when it begins
    metadata,
    Column("id", Big, primary_key=True),
    Column("day", String(10), nullable=False),
    Column("round", Integer, nullable=False),
    Column("begins_at", Big, nullable=False),
    Column("ends_at", Big, nullable=False),
    Column("cut", String, nullable=False),  # JSON: the last rows that it looks at
    Column("begun_by", String(64), nullable=False),
    Column("begun_at", Big, nullable=False),
    UniqueConstraint("day", "round"),
)

matching_step = Table(
    "matching_step",  # how far a run has come
    metadata,
    Column("run_id", Big, ForeignKey("matching_run.id"), primary_key=True, autoincrement=False),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("content", String, nullable=False),  # JSON: where the next begins, what was counted
)

matching_finding = Table(
    "matching_finding",
    metadata,
    Column("id", Big, primary_key=True),
    Column("run_id", Big, ForeignKey("matching_run.id"), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("subject", String(120), nullable=False),  # which sale, of which side
    Column("terminal_id", LargeBinary(8), ForeignKey("terminal.id")),
    Column("sequence", Big),
    Column("text", String(300), nullable=False),
    Column("proposal", String(16), nullable=False),
    Column("entries", String, nullable=False),  # JSON: what would be posted; {} for nothing
    CheckConstraint(
        "kind IN ('only_ours', 'only_theirs', 'amount', 'number', 'duplicate', 'late', 'no_file')",
        name="kind",
    ),
    CheckConstraint("proposal IN ('give_back', 'charge', 'note', 'none')", name="proposal"),
    UniqueConstraint("run_id", "kind", "subject"),
    Index(None, "subject", "kind"),
)

matching_decision = Table(
    "matching_decision",  # a person's word on a finding; of one subject once for ever
    metadata,
    Column("finding_id", Big, ForeignKey("matching_finding.id"), primary_key=True,
           autoincrement=False),
    Column("kind", String(16), nullable=False),
    Column("subject", String(120), nullable=False),
    Column("decision", String(16), nullable=False),
    Column("reason", String(200), nullable=False),
    Column("decided_by", String(64), nullable=False),
    Column("decided_at", Big, nullable=False),
    CheckConstraint("decision IN ('give_back', 'charge', 'note')", name="decision"),
    UniqueConstraint("kind", "subject"),
)  # fmt: skip

matching_page = Table(
    "matching_page",  # a finished run in words and sums, signed
    metadata,
    Column("run_id", Big, ForeignKey("matching_run.id"), primary_key=True, autoincrement=False),
    Column("content", String, nullable=False),
    Column("signature", LargeBinary(64), nullable=False),
)
