"""The technicians' benches: permits for what changes a terminal by cable, and what was done there.

For `app`. Formats: docs/formats/serial.md (permit), docs/formats/enrolment.md (HTTP).
"""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy import Connection, insert, select

from updater_server.errors import InputError
from updater_server.fleet import terminals
from updater_server.server_key import ServerKey
from updater_server.tables import bench_entry, terminal

ACTIONS = ("unlock", "retire", "file")
CHALLENGE_BYTES = 16
PERMIT_BYTES = 16
ENTRY_LIMIT_BYTES = 4096
ENTRIES_LIMIT = 200
_TIME_LIMIT = 1 << 63


@dataclass(frozen=True)
class Entry:
    """One job at a bench. The bench makes `entry_id` once, so sending twice does no harm."""

    entry_id: str
    at: int
    job: str
    result: str
    details: dict[str, Any]


def permit(
    connection: Connection,
    key: ServerKey,
    terminal_id: bytes,
    action: str,
    challenge: bytes,
    technician_id: int,
    now: int,
) -> bytes:
    """What `terminal_id` must be told to carry out `action`; noted with the technician's name.

    A terminal that is to be retired sells nothing online from now on.

    Raises:
        InputError: no such action or terminal, or the challenge is not 16 bytes.
    """
    if action not in ACTIONS:
        raise InputError(f"no permit is needed or given for {action!r}")
    if len(challenge) != CHALLENGE_BYTES:
        raise InputError(f"a challenge has {CHALLENGE_BYTES} bytes")
    sealed = connection.scalar(select(terminal.c.key_sealed).where(terminal.c.id == terminal_id))
    if sealed is None:
        raise InputError(f"no terminal {terminal_id.hex()} is enrolled")
    device_key = key.open("device key", terminal_id, sealed)
    permit_key = HKDF(SHA256(), 32, salt=terminal_id, info=b"duka technician 1").derive(device_key)
    made = hmac.new(permit_key, action.encode() + challenge, hashlib.sha256).digest()
    if action == "retire":
        terminals.set_blocked(connection, terminal_id, True)
    entry = Entry(f"permit-{challenge.hex()}", now, action, "permitted", {})
    take_entries(connection, technician_id, {terminal_id: [entry]}, now)
    return made[:PERMIT_BYTES]


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
            details = json.dumps(entry.details, sort_keys=True)
            if not 0 <= entry.at < _TIME_LIMIT:
                raise InputError(f"the bench entry {entry.entry_id[:64]!r} has no usable time")
            if not 1 <= len(entry.entry_id) <= 64 or len(details) > ENTRY_LIMIT_BYTES:
                raise InputError(
                    f"the bench entry {entry.entry_id[:64]!r} is malformed or too long"
                )
            known = select(bench_entry.c.id).where(
                bench_entry.c.technician_id == technician_id,
                bench_entry.c.entry_id == entry.entry_id,
            )
            if connection.scalar(known) is not None:
                continue
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
            new += 1
    return new
