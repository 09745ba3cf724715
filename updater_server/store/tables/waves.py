"""Waves of releases on trial, the verdicts on them, and what was done. Rows are only ever added."""

from __future__ import annotations

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKey,
    Integer,
    LargeBinary,
    String,
    Table,
    UniqueConstraint,
)

from updater_server.store.tables.base import Big, metadata

wave_trial = Table(
    "wave_trial",  # as it was when the wave began
    metadata,
    Column("id", Big, primary_key=True),
    Column("channel", String(16), nullable=False),
    Column("release", Big, nullable=False),
    Column("wave", Big, nullable=False),  # 1 is the release's first on this channel
    Column("began_s", Big, nullable=False),
    Column("threshold", Integer, nullable=False),  # of the plan
    Column("within", Integer, nullable=False),
    Column("counting", Big, nullable=False),  # terminals of the channel that might have been drawn
    Column("in_beta", Big, nullable=False),
    Column("in_control", Big, nullable=False),
    Column("frozen", LargeBinary, nullable=False),  # deflated JSON: `verdict.records.Trial`
    Column("policy", String, nullable=False),  # JSON: `verdict.policy.Policy`
    UniqueConstraint("channel", "release", "wave", name="uq_wave_trial_channel"),
)

wave_verdict = Table(
    "wave_verdict",
    metadata,
    Column("trial_id", Big, ForeignKey("wave_trial.id"), primary_key=True, autoincrement=False),
    Column("number", Big, primary_key=True, autoincrement=False),
    Column("at_s", Big, nullable=False),  # of what was known until then
    Column("ruling", String(8), nullable=False),
    Column("content", LargeBinary, nullable=False),  # JSON: `verdict.ruling.Verdict`
    Column("made_s", Big, nullable=False),
    CheckConstraint("ruling IN ('pass', 'hold', 'halt')", name="ruling"),
)

wave_event = Table(
    "wave_event",  # each kind of event once a trial
    metadata,
    Column("id", Big, primary_key=True),
    Column("trial_id", Big, ForeignKey("wave_trial.id"), nullable=False),
    Column("at", Big, nullable=False),
    Column("what", String(16), nullable=False),
    Column("verdict", Big),  # its number; null: none had a part in it
    Column("by", String(64), nullable=False),
    Column("details", String(300), nullable=False),
    UniqueConstraint("trial_id", "what", name="uq_wave_event_trial_id"),
)
