"""Tokens of programs: an operator's own, or a party's, which reaches that party and what stands
under it. For `faces.partners` and the command line.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, insert, select, update

from updater_server.errors import ConflictError, InputError
from updater_server.fleet import operators, terminals
from updater_server.parties import tree
from updater_server.parties.tree import Party
from updater_server.sales import sandbox
from updater_server.store.tables import api_token, party

TILL = "program"
"""The hardware class of a terminal that is none: a program sells by it."""
PREFIX = "duka_"
"""So that a token that was lost shows in what somebody searches."""
SANDBOX_PREFIX = PREFIX + "sandbox_"
"""Of a token that opens a sandbox alone."""


@dataclass(frozen=True)
class Caller:
    """Who asks: by name, for whom (None: the operator), and whether money may be moved. `till_id`:
    by which till it sells, if it does.
    """

    id: int
    name: str
    party: Party | None
    may_move: bool
    till_id: bytes | None = None


def add(
    connection: Connection,
    name: str,
    whose: Party | None,
    may_move: bool,
    operator: str,
    now: int,
    till_id: bytes | None = None,
) -> str:
    """A new token, which is kept nowhere; to be shown once. `till_id`: an enrolled terminal of the
    class `TILL`, which stands for the program in the books and sends no messages.

    Raises:
        InputError: no name; or no such till, or one that is a real terminal or not the party's.
        ConflictError: the name is taken.
    """
    name = operators.name(name)
    if connection.scalar(select(api_token.c.id).where(api_token.c.name == name)) is not None:
        raise ConflictError(f"a token of the name {name} was made before: take another name")
    if till_id is not None:
        _check_till(connection, till_id, whose, may_move)
    prefix = SANDBOX_PREFIX if sandbox.is_one(connection) else PREFIX
    token = prefix + secrets.token_urlsafe(32)
    connection.execute(
        insert(api_token).values(
            name=name,
            token_sha256=_digest(token),
            party_id=None if whose is None else whose.id,
            may_move=int(may_move),
            till_id=till_id,
            created_by=operator,
            created_at=now,
        )
    )
    details = f"{whose.code if whose else 'ours'}{', moves money' if may_move else ''}"
    operators.note(connection, operator, "token", name, details, now)
    return token


def _check_till(
    connection: Connection, till_id: bytes, whose: Party | None, may_move: bool
) -> None:
    till = terminals.known(connection, till_id)
    if till is None or till.hardware_class != TILL:
        raise InputError(f"{till_id.hex()} is not enrolled, or not of the class {TILL!r}")
    if not may_move:
        raise InputError("a program that sells moves money: --move")
    owner = tree.owner_of(connection, till_id)
    if whose is not None and (owner is None or owner.id != whose.id):
        raise InputError(f"the till {till_id.hex()} is not {whose.code}'s")
    taken = select(api_token.c.name).where(
        api_token.c.till_id == till_id, api_token.c.withdrawn_at.is_(None)
    )
    if connection.scalar(taken) is not None:
        raise InputError(f"the till {till_id.hex()} is another program's")


def withdraw(connection: Connection, name: str, operator: str, now: int) -> None:
    """Take a token back, at once. Raises InputError: there is none in force."""
    taken = connection.execute(
        update(api_token)
        .where(api_token.c.name == name, api_token.c.withdrawn_at.is_(None))
        .values(withdrawn_at=now)
    )
    if taken.rowcount != 1:
        raise InputError(f"no token {name[:40]!r} is in force: see `token list`")
    operators.note(connection, operator, "token withdrawn", name, "", now)


def of_token(connection: Connection, token: str) -> Caller | None:
    """Who holds this token; None if nobody does any more."""
    row = connection.execute(
        select(api_token).where(
            api_token.c.token_sha256 == _digest(token), api_token.c.withdrawn_at.is_(None)
        )
    ).one_or_none()
    if row is None:
        return None
    whose = None if row.party_id is None else tree.by_id(connection, row.party_id)
    return Caller(row.id, row.name, whose, bool(row.may_move), row.till_id)


def listing(connection: Connection) -> list[dict[str, Any]]:
    """Every token by name, without what opens anything."""
    rows = connection.execute(
        select(
            api_token.c.name,
            api_token.c.may_move,
            api_token.c.withdrawn_at,
            api_token.c.created_by,
            party.c.code,
        )
        .join(party, party.c.id == api_token.c.party_id, isouter=True)
        .order_by(api_token.c.name)
    )
    return [dict(row) for row in rows.mappings()]


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()
