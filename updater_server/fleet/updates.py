"""What terminals tell of updates that failed or wait. For `check_ins`.

A failure is told once, and stays: in the newest report until that release or a later one holds, in
`running_history` for ever, and, if it ran and went back, as one alarm for each release and reason,
whose count is how many terminals told of it.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, exists, select

from updater_server.fleet.alarms import raise_alarm
from updater_server.store.tables import running_history
from updater_server.wire import limits

WAIT_CODE_LENGTH = limits.WAIT_CODE[1]
FORK = "fork"
ROLLBACK = "rollback"
NEVER_RAN = frozenset(
    [
        "bootloader",
        "channel",
        "control",
        "damaged",
        "delta",
        "halted",
        "hardware_class",
        "hardware_revision",
        "image_hash",
        "journal",
        "malformed",
        "not_newer",
        "not_yet",
        "payload_hash",
        "refused",
        "security_version",
        "size",
        "stepping_stone",
        "storage",
        "too_long",
        "truncated",
        "window",
    ]
)
"""Reasons of releases that were passed over or could not be brought in (terminal-files.md)."""
WAITS = {
    "gate_sale": "a sale is open",
    "gate_idle": "the merchant works",
    "battery": "the battery is low",
    "unsynced": "too many sales wait for the server",
    "postponed": "it failed by no fault of its own",
    "ranges": "a box on its way sends no ranges",
    "payload": "its file is missing or spoiled",
    "storage": "no room, or flash that does not hold",
    "memory": "no memory",
    "link": "the link is lost in mid-download",
    "metadata": "signed lists are refused or missing",
    "prices": "the price list is missing or spoiled",
    "expired": "signatures have expired",
    "clock": "the time is not known",
    FORK: "the server serves another history",
}
"""What a code of check-in key 12 says to people (docs/formats/messages.md)."""


def told(
    connection: Connection,
    terminal_id: bytes,
    before: Row[Any] | None,
    report: dict[str, Any],
    now: int,
) -> dict[str, Any]:
    """The columns of `check_in` that a report with these columns leaves after `before`."""
    return _failure(connection, terminal_id, before, report, now) | _wait(
        connection, before, report, now
    )


def _failure(
    connection: Connection,
    terminal_id: bytes,
    before: Row[Any] | None,
    report: dict[str, Any],
    now: int,
) -> dict[str, Any]:
    release, reason = report["failure_release"], report["failure_reason"]
    if release is None:
        known = None if before is None else before.failure_release
        if before is None or known is None or (not report["trial"] and report["release"] >= known):
            return {"failure_release": None, "failure_reason": None, "failure_at": None}
        return {
            "failure_release": known,
            "failure_reason": before.failure_reason,
            "failure_at": before.failure_at,
        }
    is_known = connection.scalar(
        select(
            exists().where(
                running_history.c.terminal_id == terminal_id,
                running_history.c.failure_release == release,
            )
        )
    )
    if not is_known and reason not in NEVER_RAN:
        raise_alarm(connection, None, ROLLBACK, f"release {release}: {reason}", now)
    return {"failure_release": release, "failure_reason": reason, "failure_at": now}


def _wait(
    connection: Connection, before: Row[Any] | None, report: dict[str, Any], now: int
) -> dict[str, Any]:
    release, code = report["wait_release"], report["wait_code"]
    if code is None:
        return {"wait_release": None, "wait_code": None, "wait_since": None}
    if before is not None and (before.wait_release, before.wait_code) == (release, code):
        return {"wait_release": release, "wait_code": code, "wait_since": before.wait_since}
    if code == FORK:
        raise_alarm(
            connection,
            None,
            FORK,
            "terminals know other content under a version that is served: restored from a copy?",
            now,
        )
    return {"wait_release": release, "wait_code": code, "wait_since": now}
