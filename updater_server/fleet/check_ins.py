"""What each terminal reports of itself when it checks in. For the terminals' face.

The newest report is kept, and a line of history whenever what the terminal runs, or what failed, is
other than it said before: a terminal to which nothing happens writes none. `as_of` reads them.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import Connection, Row, bindparam, func, insert, select, update

from updater_server.fleet import starts, updates
from updater_server.fleet.alarms import raise_alarm
from updater_server.store.prepared import Prepared
from updater_server.store.tables import check_in, running_history


@dataclass(frozen=True)
class CheckIn:
    """Message kind 1."""

    terminal_time: int
    release: int
    slot: str
    trial: bool
    boot_count: int
    battery_mv: int
    signal: int
    failure_release: int | None
    failure_reason: str | None
    own_float_minor: int
    journal_oldest: int
    journal_next: int
    journal_needed: int | None = None
    """From this number on it wrote settlements alone, which the server knows; None: `journal_next`.
    """
    wait_release: int | None = None
    wait_code: str | None = None
    refused_files: list[tuple[str, str]] | None = None
    """[(file, reason), …] that it cannot work with; None: as it said before."""
    image: str | None = None
    """SHA-256 of the image that runs, in hex; None: as it said before in this start, if it did."""
    settings: str | None = None
    """SHA-256 of its settings, in hex; None likewise."""


NEEDED = func.coalesce(check_in.c.journal_needed, check_in.c.journal_next).label("journal_needed")
"""With all records before this one a terminal has told everything that it had done."""
_BEFORE = Prepared(select(check_in).where(check_in.c.terminal_id == bindparam("terminal_id")))
_TOLD = [field.name for field in fields(CheckIn)]
_TOLD += ["at", "reconciled", "failure_at", "wait_since", "channel", "catalogue"]
_TOLD += starts.COLUMNS
_AGAIN = Prepared(
    update(check_in)
    .where(check_in.c.terminal_id == bindparam("terminal"))
    .values({name: bindparam(f"new_{name}") for name in _TOLD})
)
_RUNS = ("release", "slot", "trial", "channel", "catalogue", "image", "settings")
_FAILED = ("failure_release", "failure_reason")


def record_check_in(connection: Connection, owner: Any, report: CheckIn, now: int) -> None:
    """Keep the newest report of `owner` (its row of `terminal`), a line of history when what runs
    or what failed has changed, and an alarm for each file that the terminal newly refuses.
    """
    terminal_id = bytes(owner.id)
    values: dict[str, Any] = {**report.__dict__, "at": now, "reconciled": None}
    values |= {"channel": owner.channel, "catalogue": owner.catalogue}
    del values["refused_files"]
    before = _BEFORE.first(connection, terminal_id=terminal_id)
    if before is not None and _is_same_start(before, report):
        for name in ("image", "settings"):
            values[name] = values[name] or getattr(before, name)
    values |= updates.told(connection, terminal_id, before, values, now)
    values |= starts.counted(before, report.boot_count, now)
    if report.refused_files is not None:
        values["refused_files"] = json.dumps(report.refused_files)
        known = json.loads(before.refused_files or "[]") if before else []
        for name, reason in report.refused_files:
            if [name, reason] not in known:
                text = f"it cannot work with {name}: {reason}"
                raise_alarm(connection, terminal_id, "file_refused", text, now)
    if before is None:
        connection.execute(insert(check_in).values(terminal_id=terminal_id, **values))
    else:
        values.setdefault("refused_files", before.refused_files)
        _AGAIN.run(connection, terminal=terminal_id, **{f"new_{k}": v for k, v in values.items()})
    _remember(connection, terminal_id, before, report, values)


def _is_same_start(before: Row[Any], report: CheckIn) -> bool:
    same = before.boot_count == report.boot_count and before.release == report.release
    return bool(same and before.slot == report.slot)


def _remember(
    connection: Connection,
    terminal_id: bytes,
    before: Row[Any] | None,
    report: CheckIn,
    values: dict[str, Any],
) -> None:
    """A line of history, if this report says anything else than the one before."""
    runs = {name: values[name] for name in _RUNS}
    failed = {name: getattr(report, name) for name in _FAILED}
    watched = runs | (failed if report.failure_release is not None else {})
    if before is not None and all(getattr(before, name) == watched[name] for name in watched):
        return
    connection.execute(
        insert(running_history).values(
            terminal_id=terminal_id,
            at=values["at"],
            heard_at=before.at if before else None,
            terminal_time=report.terminal_time,
            boot_count=report.boot_count,
            release_before=before.release if before else None,
            **runs,
            **failed,
        )
    )
