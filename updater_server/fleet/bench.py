"""The technicians' benches: permits for what changes a terminal by cable, and what was done there.

For `app`. Formats: docs/formats/serial.md (permit), docs/formats/enrolment.md (HTTP).
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import secrets
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, insert, select

from updater_server.errors import InputError
from updater_server.fleet import technicians, terminals
from updater_server.server_key import ServerKey
from updater_server.tables import bench_entry

ACTIONS = ("unlock", "retire", "file", "settings")
_WITH_CONTENT = ("file", "settings")
CHALLENGE_BYTES = 16
PROOF_BYTES = 16
PERMIT_BYTES = 16
FILE_BYTES = 32
ENTRY_LIMIT_BYTES = 4096
ENTRIES_LIMIT = 200
_UINT32 = (1 << 32) - 1
_ENTRY_ID = re.compile("[0-9A-Za-z_-]{1,64}")


@dataclass(frozen=True)
class Entry:
    """One job at a bench. The bench makes `entry_id` once, so sending twice does no harm."""

    entry_id: str
    at: int
    job: str
    result: str
    details: dict[str, Any]


@dataclass(frozen=True)
class Wish:
    """What a technician wants a permit for. `challenge` is what the terminal said: the number and
    its proof that it drew it; `content` the SHA-256 of the file or settings, for those actions.
    """

    terminal_id: bytes
    action: str
    challenge: bytes
    content: bytes | None = None


def permit(
    connection: Connection, key: ServerKey, wish: Wish, technician_id: int, now: int
) -> bytes:
    """What the terminal must be told to carry out the wish; noted with the technician's name.

    A terminal that is to be retired sells nothing online from now on. As the terminal itself must
    have drawn the challenge, a token without a terminal on the cable reaches none.

    Raises:
        InputError: no such action or terminal, or the challenge is not the terminal's.
        LimitReached: the technician has had too many today.
    """
    if wish.action not in ACTIONS:
        raise InputError(f"no permit is needed or given for {wish.action!r}")
    if (wish.content is not None) != (wish.action in _WITH_CONTENT):
        raise InputError(f"a permit of {wish.action} names content: {_WITH_CONTENT} do")
    if wish.content is not None and len(wish.content) != FILE_BYTES:
        raise InputError(f"the hash of the content has {FILE_BYTES} bytes")
    if len(wish.challenge) != CHALLENGE_BYTES + PROOF_BYTES:
        raise InputError(f"a challenge has {CHALLENGE_BYTES + PROOF_BYTES} bytes")
    permit_key = terminals.cable_key(connection, key, wish.terminal_id, b"duka technician 1")
    drawn, proof = wish.challenge[:CHALLENGE_BYTES], wish.challenge[CHALLENGE_BYTES:]
    if not hmac.compare_digest(_mac(permit_key, "challenge", drawn), proof):
        raise InputError("the challenge is not this terminal's: is it the one on the cable?")
    technicians.count_permit(connection, technician_id, now)
    if wish.action == "retire":
        terminals.set_blocked(connection, wish.terminal_id, True)
    details = {"content": wish.content.hex()} if wish.content is not None else {}
    entry_id = technicians.PERMIT_ENTRY + secrets.token_hex(16)
    _keep(
        connection,
        technician_id,
        wish.terminal_id,
        Entry(entry_id, now, wish.action, "permitted", details),
        now,
    )
    if wish.content is not None:
        drawn = hashlib.sha256(drawn + wish.content).digest()[:CHALLENGE_BYTES]
    return _mac(permit_key, wish.action, drawn)


def _mac(permit_key: bytes, action: str, challenge: bytes) -> bytes:
    return hmac.digest(permit_key, action.encode() + challenge, "sha256")[:PERMIT_BYTES]


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
    _keep(connection, technician_id, terminal_id, Entry(entry_id, now, job, "ok", details), now)


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
            if not 0 <= entry.at <= _UINT32:
                raise InputError(f"the bench entry {entry.entry_id} has an impossible time")
            known = select(bench_entry.c.id).where(
                bench_entry.c.technician_id == technician_id,
                bench_entry.c.entry_id == entry.entry_id,
            )
            if connection.scalar(known) is None:
                _keep(connection, technician_id, terminal_id, entry, now)
                new += 1
    return new


def _keep(
    connection: Connection, technician_id: int, terminal_id: bytes, entry: Entry, now: int
) -> None:
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
