"""What was done at the technicians' benches, and for them, kept with their names. For the
technicians' face and `permits`. Format: docs/formats/enrolment.md (HTTP).
"""

from __future__ import annotations

import json
import re
import secrets
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, insert, select

from updater_server.errors import InputError
from updater_server.store.tables import bench_entry
from updater_server.wire import limits

ENTRY_LIMIT_BYTES = 4096
ENTRIES_LIMIT = 200
_ENTRY_ID = re.compile("[0-9A-Za-z_-]{1,64}")


@dataclass(frozen=True)
class Entry:
    """One job at a bench. The bench makes `entry_id` once, so sending twice does no harm."""

    entry_id: str
    at: int
    job: str
    result: str
    details: dict[str, Any]


def note(
    connection: Connection,
    technician_id: int,
    terminal_id: bytes,
    job: str,
    details: dict[str, Any],
    now: int,
) -> None:
    """Write down what the server itself did for a technician."""
    entry_id = f"server:{secrets.token_hex(16)}"
    keep(connection, technician_id, terminal_id, Entry(entry_id, now, job, "ok", details), now)


def take_entries(
    connection: Connection, technician_id: int, jobs: dict[bytes, list[Entry]], now: int
) -> int:
    """Keep jobs of a bench, by terminal (b"" for a board without an identity); return how many
    were new.

    Raises:
        InputError: an entry is too large or malformed; then none is kept.
    """
    new = 0
    for terminal_id, entries in jobs.items():
        for entry in entries:
            if not _ENTRY_ID.fullmatch(entry.entry_id):
                raise InputError(
                    f"the bench entry {entry.entry_id[:64]!r} is malformed: an id is 1 to 64 "
                    "letters, digits, - or _"
                )
            if not 0 <= entry.at <= limits.UINT32:
                raise InputError(f"the bench entry {entry.entry_id} has an impossible time")
            known = select(bench_entry.c.id).where(
                bench_entry.c.technician_id == technician_id,
                bench_entry.c.entry_id == entry.entry_id,
            )
            if connection.scalar(known) is None:
                keep(connection, technician_id, terminal_id, entry, now)
                new += 1
    return new


def keep(
    connection: Connection, technician_id: int, terminal_id: bytes, entry: Entry, now: int
) -> None:
    """Write an entry down, with whose it is.

    Raises:
        InputError: it is too large, or cannot be written down.
    """
    try:
        details = json.dumps(entry.details, sort_keys=True)
        (entry.job + entry.result).encode()
    except (RecursionError, UnicodeEncodeError, ValueError) as error:
        raise InputError(f"the bench entry {entry.entry_id} cannot be written down") from error
    if len(details) > ENTRY_LIMIT_BYTES:
        raise InputError(f"the bench entry {entry.entry_id} is over {ENTRY_LIMIT_BYTES} bytes")
    connection.execute(
        insert(bench_entry).values(
            technician_id=technician_id,
            entry_id=entry.entry_id,
            terminal_id=terminal_id,
            at=entry.at,
            received_at=now,
            job=entry.job[:16],
            result=entry.result[:200],
            details=details,
        )
    )
