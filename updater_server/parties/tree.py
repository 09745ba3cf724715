"""Operator → distributors → agents → merchants → terminals. For the commands and the other files of
this room.

A party stays where it was made, for ever; a terminal may change hands, and who had it when is kept.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from sqlalchemy import Connection, insert, select

from updater_server.errors import ConflictError, InputError
from updater_server.fleet import operators
from updater_server.store.engine import new_id
from updater_server.store.tables import party, party_region, terminal_owner

KINDS = ("distributor", "agent", "merchant")
"""From the operator down: a party stands under one of a kind before its own."""
DEPTH = 8
"""Agents may stand under agents, but not for ever."""
_CODE = re.compile(r"[A-Z0-9][A-Z0-9-]{1,31}")


@dataclass(frozen=True)
class Party:
    """A distributor, an agent or a merchant."""

    id: int
    code: str
    name: str
    kind: str
    parent_id: int | None

    @property
    def account(self) -> str:
        """The name of its float in the ledger."""
        return f"float:party:{self.id}"


_COLUMNS = (party.c.id, party.c.code, party.c.name, party.c.kind, party.c.parent_id)


def code_of(text: str) -> str:
    """A party's code as it is kept: capital letters.

    Raises:
        InputError: not 2 to 32 letters, digits and `-`.
    """
    code = text.strip().upper()
    if not _CODE.fullmatch(code):
        raise InputError(f"{text[:40]!r} is no code: 2 to 32 letters, digits and -")
    return code


def add(
    connection: Connection, code: str, name: str, kind: str, under: str, operator: str, now: int
) -> Party:
    """Take a party on; `under` is the code of its parent, "" for the operator itself. The same
    again changes nothing.

    Raises:
        InputError: the code, the name, the kind or the place is wrong.
        ConflictError: the code is another party's.
    """
    code, name = code_of(code), name.strip()
    if not 1 <= len(name) <= 64 or not name.isprintable():
        raise InputError(f"{name[:40]!r} is no name: 1 to 64 letters")
    if kind not in KINDS:
        raise InputError(f"{kind[:20]!r}: a party is a {', an '.join(KINDS[:2])} or a merchant")
    parent = find(connection, under) if under else None
    if parent is not None:
        if parent.kind == "merchant" or KINDS.index(parent.kind) > KINDS.index(kind):
            raise InputError(f"{parent.code} is a {parent.kind}: no {kind} stands under it")
        if len(chain(connection, parent)) >= DEPTH:
            raise InputError(f"{parent.code} is {DEPTH} levels down: no party stands under it")
    parent_id = None if parent is None else parent.id
    known = _with_code(connection, code)
    if known is not None:
        if (known.name, known.kind, known.parent_id) == (name, kind, parent_id):
            return known
        raise ConflictError(f"{code} is taken: {known.kind} {known.name}")
    values = {"code": code, "name": name, "kind": kind, "parent_id": parent_id}
    made = connection.execute(insert(party).values(**values, created_by=operator, created_at=now))
    operators.note(connection, operator, "party", code, f"{kind} {name}", now)
    return Party(new_id(made), code, name, kind, parent_id)


def _with_code(connection: Connection, code: str) -> Party | None:
    row = connection.execute(select(*_COLUMNS).where(party.c.code == code)).one_or_none()
    return None if row is None else Party(*row)


def find(connection: Connection, code: str) -> Party:
    """The party with this code. Raises InputError: there is none."""
    known = _with_code(connection, code_of(code))
    if known is None:
        raise InputError(f"there is no party {code[:40]!r}: see `party list`")
    return known


def by_id(connection: Connection, party_id: int) -> Party:
    """The party with this id, which is there."""
    return Party(*connection.execute(select(*_COLUMNS).where(party.c.id == party_id)).one())


def all_parties(connection: Connection) -> list[Party]:
    """Every party, those above before those under them."""
    rows = connection.execute(select(*_COLUMNS).order_by(party.c.id))
    return [Party(*row) for row in rows]


def chain(connection: Connection, lowest: Party) -> list[Party]:
    """A party and those above it, nearest first."""
    found = [lowest]
    while found[-1].parent_id is not None:
        found.append(by_id(connection, found[-1].parent_id))
    return found


def set_region(connection: Connection, who: Party, region: str, operator: str, now: int) -> None:
    """Say where a party is from now on, and all under it that say nothing else.

    Raises:
        InputError: no name of a region.
    """
    region = region.strip()
    if not (1 <= len(region) <= 32 and region.isprintable()):
        raise InputError(f"{region[:40]!r} is no region: 1 to 32 letters")
    connection.execute(
        insert(party_region).values(party_id=who.id, region=region, since=now, set_by=operator)
    )
    operators.note(connection, operator, "region", who.code, region, now)


def give_terminal(
    connection: Connection, terminal_id: bytes, owner: Party, operator: str, now: int
) -> None:
    """From now on this terminal is that merchant's; the same again changes nothing.

    Raises:
        InputError: the party is no merchant.
    """
    if owner.kind != "merchant":
        raise InputError(f"{owner.code} is a {owner.kind}: terminals are a merchant's")
    held = owner_of(connection, terminal_id)
    if held is not None and held.id == owner.id:
        return
    values = {"terminal_id": terminal_id, "party_id": owner.id, "since": now, "set_by": operator}
    connection.execute(insert(terminal_owner).values(**values))
    before = f" (was {held.code}'s)" if held is not None else ""
    operators.note(connection, operator, "owner", terminal_id.hex(), f"{owner.code}{before}", now)


def owner_of(connection: Connection, terminal_id: bytes) -> Party | None:
    """Whose a terminal is now; None if nobody's."""
    newest = (
        select(terminal_owner.c.party_id)
        .where(terminal_owner.c.terminal_id == terminal_id)
        .order_by(terminal_owner.c.id.desc())
        .limit(1)
    )
    party_id = connection.scalar(newest)
    return None if party_id is None else by_id(connection, party_id)
