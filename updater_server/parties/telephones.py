"""Telephones of a party's people, who ask from any telephone what their floats and sales are: known
by their number, and by a PIN that is kept hashed. For `faces.partners` and the commands.

A number can be forged by who runs a network, and a SIM can change hands: so nothing is said without
the PIN, and after `PINS` wrong ones nothing at all until the operator has looked.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, insert, select, update

from updater_server.errors import ConflictError, InputError
from updater_server.fleet import operators
from updater_server.fleet.alarms import raise_alarm
from updater_server.parties import tree
from updater_server.parties.tree import Party
from updater_server.store.tables import party, sale, telephone, terminal_owner

PINS = 5
PIN_DIGITS = 6
_NUMBER = re.compile("\\+[1-9][0-9]{6,14}")
_SALT_BYTES = 16


@dataclass(frozen=True)
class Asker:
    """Whose telephone it is."""

    number: str
    party: Party


def add(connection: Connection, number: str, whose: Party, by: str, now: int) -> str:
    """Let a telephone ask for a party; returns its PIN, which is shown once. The same number again
    gets a new PIN.

    Raises:
        InputError: it is no number in international form.
        ConflictError: it is another party's.
    """
    if not _NUMBER.fullmatch(number):
        raise InputError(f"{number[:20]!r} is no number like +254712345678")
    pin = f"{secrets.randbelow(10**PIN_DIGITS):0{PIN_DIGITS}d}"
    row = _row(connection, number)
    if row is not None and row.withdrawn_at is None and row.party_id != whose.id:
        raise ConflictError(f"{number} is another party's: withdraw it there first")
    values: dict[str, Any] = {
        "party_id": whose.id,
        "pin_hashed": _hashed(pin, secrets.token_bytes(_SALT_BYTES)),
        "wrong_pins": 0,
        "added_by": by,
        "added_at": now,
        "withdrawn_at": None,
    }
    if row is None:
        connection.execute(insert(telephone).values(number=number, **values))
    else:
        connection.execute(update(telephone).where(telephone.c.number == number).values(**values))
    operators.note(connection, by, "telephone", number, whose.code, now)
    return pin


def withdraw(connection: Connection, number: str, by: str, now: int) -> None:
    """It may ask no more. Raises InputError: it might not before."""
    changed = connection.execute(
        update(telephone)
        .where(telephone.c.number == number, telephone.c.withdrawn_at.is_(None))
        .values(withdrawn_at=now)
    )
    if changed.rowcount != 1:
        raise InputError(f"{number[:20]!r} asks for nobody")
    operators.note(connection, by, "telephone withdrawn", number, "", now)


def asker(connection: Connection, number: str, pin: str, now: int) -> Asker | None:
    """Who asks, if the PIN is right; None says nothing of why not. Counts the wrong ones."""
    row = _row(connection, number)
    if row is None or row.withdrawn_at is not None or row.wrong_pins >= PINS:
        return None
    kept = bytes(row.pin_hashed)
    if hmac.compare_digest(_hashed(pin, kept[:_SALT_BYTES]), kept):
        if row.wrong_pins:
            _count(connection, number, 0)
        return Asker(number, tree.by_id(connection, row.party_id))
    _count(connection, number, row.wrong_pins + 1)
    if row.wrong_pins + 1 == PINS:
        text = f"telephone {number}: {PINS} wrong PINs, it is told nothing until it gets a new one"
        raise_alarm(connection, None, "telephone_locked", text, now)
    return None


def _count(connection: Connection, number: str, wrong: int) -> None:
    connection.execute(
        update(telephone).where(telephone.c.number == number).values(wrong_pins=wrong)
    )


def _row(connection: Connection, number: str) -> Any:
    return connection.execute(select(telephone).where(telephone.c.number == number)).one_or_none()


def _hashed(pin: str, salt: bytes) -> bytes:
    """Salt and hash; slow, as a PIN is short."""
    return salt + hashlib.scrypt(pin.encode(), salt=salt, n=2**12, r=8, p=1, dklen=32)


def listing(connection: Connection) -> list[dict[str, Any]]:
    """Every telephone, without its PIN."""
    shown = [column for column in telephone.c if column.name != "pin_hashed"]
    rows = connection.execute(
        select(*shown, party.c.code)
        .join(party, party.c.id == telephone.c.party_id)
        .order_by(telephone.c.number)
    )
    return [dict(row) for row in rows.mappings()]


# --- what a party's people may ask ---


def terminals_of(connection: Connection, whose: Party, most: int) -> list[bytes]:
    """The terminals that are a party's now, the first `most` by their ids."""
    ever = select(terminal_owner.c.terminal_id).where(terminal_owner.c.party_id == whose.id)
    found = sorted({bytes(row) for row in connection.scalars(ever)})
    mine = []
    for terminal_id in found:
        owner = tree.owner_of(connection, terminal_id)
        if owner is not None and owner.id == whose.id:
            mine.append(terminal_id)
        if len(mine) == most:
            break
    return mine


def last_sales(connection: Connection, terminals: list[bytes], most: int) -> list[Any]:
    """The newest online sales of these terminals."""
    rows: list[Any] = []
    for terminal_id in terminals:
        query = select(sale).where(sale.c.terminal_id == terminal_id)
        rows += connection.execute(query.order_by(sale.c.sequence.desc()).limit(most)).all()
    return sorted(rows, key=lambda row: -row.created_at)[:most]


def sales_numbered(connection: Connection, terminals: list[bytes], sequence: int) -> list[Any]:
    """The sales of this number, one a terminal at most."""
    found = []
    for terminal_id in terminals:
        query = select(sale).where(sale.c.terminal_id == terminal_id)
        row = connection.execute(query.where(sale.c.sequence == sequence)).one_or_none()
        if row is not None:
            found.append(row)
    return found
