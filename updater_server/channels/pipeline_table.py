"""The pipeline as plain values and as a table: what JSON, CSV, page and command are made of, so
that they cannot differ. Pure.
"""

from __future__ import annotations

import csv
import io
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from updater_server.channels import pipeline
from updater_server.channels.history import History
from updater_server.channels.pipeline import Passage, Stage
from updater_server.channels.policy import CHANNELS

_TIMES = ("listed_at", "out_at", "everybody_at", "halted_at", "resumed_at", "unlisted_at")
COLUMNS = (
    *("release", "class", "version", "commit", "built_at", "state"),
    *(f"{channel}_{name}" for channel in CHANNELS for name in (*_TIMES, "let_out_by", "halted_by")),
    *(f"{name}_lead_s" for name in (*CHANNELS, "everybody")),
)
"""Of the CSV. Times are UTC, lengths of time seconds."""


def as_values(found: History, now: int) -> dict[str, Any]:
    """Everything, as JSON-like values; times are Unix s."""
    passages = pipeline.passages(found)
    return {
        "now": now,
        "window_days": pipeline.WINDOW_DAYS,
        "counted": asdict(pipeline.counted(passages, now)),
        "releases": [_passage(found, passage) for passage in passages],
        "doubts": found.doubts,
    }


def state_of(found: History, passage: Passage) -> str:
    """How a release stands, and why if it is stopped."""
    hardware_class = passage.entry.hardware.hardware_class
    newest = pipeline.newest_on(found, passage.furthest.channel, hardware_class)
    return passage.state(newest)


def _passage(found: History, passage: Passage) -> dict[str, Any]:
    entry = passage.entry
    return {
        "release": passage.release,
        "class": entry.hardware.hardware_class,
        "version": entry.version,
        "commit": entry.commit,
        "image": entry.image.sha256,
        "built_at": entry.built,
        "asks": passage.asks,
        "state": state_of(found, passage),
        "stages": {channel: asdict(stage) for channel, stage in passage.stages.items()},
        "lead_s": passage.lead_s(),
    }


def as_csv(found: History) -> str:
    """A line a release."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\r\n")  # RFC 4180
    writer.writeheader()
    for passage in pipeline.passages(found):
        writer.writerow(_row(found, passage))
    return text.getvalue()


def _row(found: History, passage: Passage) -> dict[str, Any]:
    entry = passage.entry
    row: dict[str, Any] = {
        "release": passage.release,
        "class": entry.hardware.hardware_class,
        "version": entry.version,
        "commit": entry.commit,
        "built_at": _utc(entry.built),
        "state": _plain(state_of(found, passage)),
    }
    for channel, stage in passage.stages.items():
        row |= {f"{channel}_{name}": _utc(getattr(stage, name)) for name in _TIMES}
        row[f"{channel}_let_out_by"] = _plain(_by(stage))
        row[f"{channel}_halted_by"] = _plain(stage.halted_by)
    return row | {f"{name}_lead_s": seconds for name, seconds in passage.lead_s().items()}


def _by(stage: Stage) -> str:
    return stage.let_out_by or stage.listed_by


def _plain(text: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    return f"'{text}" if text[:1] in "=+-@\t\r" and text else text


def _utc(at: int | None) -> str:
    return "" if at is None else datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
