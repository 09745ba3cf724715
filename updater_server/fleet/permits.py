"""Permits for what changes a terminal by cable. For the technicians' face.

Formats: docs/formats/serial.md (permit), docs/formats/enrolment.md (HTTP).
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass

from sqlalchemy import Connection

from updater_server.errors import InputError
from updater_server.fleet import technicians, technicians_log, terminals
from updater_server.server_key import ServerKey

ACTIONS = ("unlock", "retire", "file", "settings")
_WITH_CONTENT = ("file", "settings")
CHALLENGE_BYTES = 16
PROOF_BYTES = 16
PERMIT_BYTES = 16
FILE_BYTES = 32


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
    entry = technicians_log.Entry(entry_id, now, wish.action, "permitted", details)
    technicians_log.keep(connection, technician_id, wish.terminal_id, entry, now)
    if wish.content is not None:
        drawn = hashlib.sha256(drawn + wish.content).digest()[:CHALLENGE_BYTES]
    return _mac(permit_key, wish.action, drawn)


def _mac(permit_key: bytes, action: str, challenge: bytes) -> bytes:
    return hmac.digest(permit_key, action.encode() + challenge, "sha256")[:PERMIT_BYTES]
