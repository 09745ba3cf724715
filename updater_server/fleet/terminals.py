"""The terminals that are enrolled: who each is, its keys, and what people decide about it. For
every module that deals with one terminal.
"""

from __future__ import annotations

import difflib
import re
from typing import Any

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy import Connection, bindparam, func, select, update
from sqlalchemy.exc import NoResultFound

from updater_server.channels import CHANNELS
from updater_server.errors import InputError
from updater_server.server_key import ServerKey
from updater_server.store.prepared import Prepared
from updater_server.store.tables import terminal
from updater_server.wire import limits
from updater_server.wire.sealed import DeviceKeys

PURPOSE = "device key"
"""What device keys are sealed for (`ServerKey.seal`)."""
DEFAULT_CHANNEL = "stable"
DEFAULT_CATALOGUE = "catalogue/default.json"
MERCHANT_NAME_LETTERS = limits.MERCHANT_NAME[1]
"""As the terminal's settings allow (docs/formats/terminal-files.md)."""


_MINE = terminal.c.id == bindparam("terminal_id")
_KNOWN = Prepared(select(terminal).where(_MINE))
_IS_BLOCKED = Prepared(select(terminal.c.blocked).where(_MINE))
_SEALED = Prepared(select(terminal.c.key_sealed).where(_MINE))
_ACCEPT = Prepared(
    update(terminal)
    .where(_MINE, terminal.c.last_counter < bindparam("counter"))
    .values(last_counter=bindparam("counter"), last_seen_at=bindparam("now"))
    .returning(terminal)
)


def known(connection: Connection, terminal_id: bytes) -> Any:
    """A terminal's row of the table `terminal`; None for a stranger."""
    return _KNOWN.first(connection, terminal_id=terminal_id)


def get(connection: Connection, terminal_id: bytes) -> Any:
    """The row of a terminal that is enrolled: it sent an authentic message, say.

    Raises:
        sqlalchemy.exc.NoResultFound: it is not.
    """
    found = known(connection, terminal_id)
    if found is None:
        raise NoResultFound(f"no terminal {terminal_id.hex()} is enrolled")
    return found


def check_place(channel: str, catalogue: str, merchant: str | None) -> None:
    """See that channel, price list and shop name are possible.

    Raises:
        InputError: one is not.
    """
    if channel not in CHANNELS:
        raise InputError(f"no channel {channel}: {', '.join(CHANNELS)}")
    if not re.fullmatch("catalogue/[a-z0-9][a-z0-9_-]{0,31}\\.json", catalogue):
        raise InputError(f"{catalogue!r} is no catalogue")
    if merchant is not None and not (
        1 <= len(merchant) <= MERCHANT_NAME_LETTERS and merchant.isprintable()
    ):
        raise InputError(f"a shop's name has 1 to {MERCHANT_NAME_LETTERS} letters")


def device_keys(connection: Connection, key: ServerKey, terminal_id: bytes) -> DeviceKeys | None:
    """The keys of an enrolled terminal; None for a stranger."""
    device_key = _device_key(connection, key, terminal_id)
    return None if device_key is None else DeviceKeys.derive(terminal_id, device_key)


class KeyRing:
    """The keys of terminals that spoke lately, derived once. Safe to call from several threads."""

    def __init__(self, limit: int = 4096) -> None:
        self._limit = limit
        self._known: dict[bytes, tuple[bytes, DeviceKeys]] = {}

    def find(self, terminal_id: bytes) -> DeviceKeys | None:
        """Its keys, if they are here; `still` must hold for them in the transaction that acts."""
        kept = self._known.get(terminal_id)
        return kept[1] if kept else None

    def learn(
        self, connection: Connection, key: ServerKey, terminal_id: bytes
    ) -> DeviceKeys | None:
        """Its keys from the database; None for a stranger.

        Raises:
            VaultError: its device key does not open.
        """
        sealed = _SEALED.scalar(connection, terminal_id=terminal_id)
        if sealed is None:
            return None
        device_key = key.open(PURPOSE, terminal_id, sealed)
        derived = DeviceKeys.derive(terminal_id, device_key)
        if len(self._known) >= self._limit:
            self._known = {}
        self._known[terminal_id] = (sealed, derived)
        return derived

    def still(self, key: ServerKey, terminal_id: bytes, sealed: bytes) -> bool:
        """Whether the keys that are here are of this sealed device key, which may have been sealed
        anew meanwhile; else they are forgotten.

        Raises:
            VaultError: it does not open.
        """
        kept = self._known.get(terminal_id)
        if kept is not None and kept[0] == sealed:
            return True
        self._known.pop(terminal_id, None)
        if kept is None:
            return False
        device_key = key.open(PURPOSE, terminal_id, sealed)
        if DeviceKeys.derive(terminal_id, device_key) != kept[1]:
            return False
        self._known[terminal_id] = (sealed, kept[1])
        return True


def cable_key(connection: Connection, key: ServerKey, terminal_id: bytes, info: bytes) -> bytes:
    """What a terminal and the server alone know for one purpose on the cable; 32 bytes.

    Source: docs/formats/serial.md.

    Raises:
        InputError: not enrolled.
    """
    device_key = _device_key(connection, key, terminal_id)
    if device_key is None:
        raise InputError(f"no terminal {terminal_id.hex()} is enrolled")
    return HKDF(SHA256(), 32, salt=terminal_id, info=info).derive(device_key)


def _device_key(connection: Connection, key: ServerKey, terminal_id: bytes) -> bytes | None:
    sealed = _SEALED.scalar(connection, terminal_id=terminal_id)
    return None if sealed is None else key.open(PURPOSE, terminal_id, sealed)


def accept_counter(connection: Connection, terminal_id: bytes, counter: int, now: int) -> Any:
    """Use up a message counter: one statement decides, so of two equal ones only one is accepted.
    Returns the terminal's row (`get`); None if the counter was used.
    """
    return _ACCEPT.first(connection, terminal_id=terminal_id, counter=counter, now=now)


def parse_terminal_id(text: str) -> bytes:
    """A terminal id as people write it: 16 hex digits.

    Raises:
        InputError: anything else.
    """
    if not re.fullmatch("[0-9a-fA-F]{16}", text):
        raise InputError(f"{text!r} is no terminal id: 16 hex digits")
    return bytes.fromhex(text)


def set_blocked(connection: Connection, terminal_id: bytes, blocked: bool) -> None:
    """Stop or allow everything that is worth money (`is_blocked`). One that is let go again is not
    stolen any more.

    Raises:
        InputError: not enrolled.
    """
    changed: dict[str, Any] = {"blocked": blocked}
    if not blocked:
        changed["stolen_at"] = None
    _change(connection, terminal_id, **changed)


def set_stolen(connection: Connection, terminal_id: bytes, now: int) -> None:
    """It was reported stolen: it is blocked, wipes its stock at its next word, and says so.

    Raises:
        InputError: not enrolled.
    """
    since = func.coalesce(terminal.c.stolen_at, now)
    _change(connection, terminal_id, blocked=True, stolen_at=since)


def is_blocked(connection: Connection, terminal_id: bytes) -> bool:
    """Whether a terminal gets nothing that is worth money: no sale, no stock, no float.

    What it sold is still taken in, and what it was answered before is answered again.
    """
    return bool(_IS_BLOCKED.scalar(connection, terminal_id=terminal_id))


def find(connection: Connection, text: str) -> bytes:
    """The terminal that a person means: its id, or the beginning of it (4 digits or more) if only
    one terminal's begins so.

    Raises:
        InputError: none or several; the text names the nearest.
    """
    wanted = text.strip().lower()
    if not re.fullmatch("[0-9a-f]{4,16}", wanted):
        raise InputError(f"{text!r} is no terminal id: 16 hex digits, or the first 4 or more")
    hexadecimal = func.lower(func.hex(terminal.c.id))
    found = list(
        connection.scalars(
            select(terminal.c.id)
            .where(hexadecimal.like(f"{wanted}%"))
            .order_by(terminal.c.id)
            .limit(6)
        )
    )
    if len(found) == 1:
        return bytes(found[0])
    if found:
        names = ", ".join(item.hex() for item in found[:5])
        raise InputError(
            f"several terminals begin with {wanted}: {names}{', …' if len(found) > 5 else ''}"
        )
    known = [item.hex() for item in connection.scalars(select(terminal.c.id))]
    near = difflib.get_close_matches(wanted, known, 3, 0.7)
    hint = f"; did you mean {' or '.join(near)}?" if near else ""
    raise InputError(f"no terminal {wanted} is enrolled{hint}")


def set_merchant_text(connection: Connection, terminal_id: bytes, text: str | None) -> None:
    """What the merchant reads at the next check-in, on a release that keeps no notices
    (`merchant_notices`).

    Raises:
        InputError: not enrolled, over 200 characters, or not printable.
    """
    if text is not None and len(text) > limits.MERCHANT_TEXT[1]:
        raise InputError("the text has over 200 characters")
    if text is not None and not text.isprintable():
        raise InputError("the text holds characters that no screen shows")
    _change(connection, terminal_id, merchant_text=text)


def set_place(
    connection: Connection,
    terminal_id: bytes,
    channel: str | None,
    catalogue: str | None,
    merchant: str | None,
) -> None:
    """Keep what a technician's new settings make of a terminal; None leaves a field as it is.

    Raises:
        InputError: not enrolled, or a value is impossible.
    """
    check_place(channel or DEFAULT_CHANNEL, catalogue or DEFAULT_CATALOGUE, merchant)
    named = {"channel": channel, "catalogue": catalogue, "merchant_name": merchant}
    changed = {name: value for name, value in named.items() if value is not None}
    if changed:
        _change(connection, terminal_id, **changed)


def _change(connection: Connection, terminal_id: bytes, **values: Any) -> None:
    changed = connection.execute(
        update(terminal).where(terminal.c.id == terminal_id).values(**values)
    )
    if changed.rowcount == 0:
        raise InputError(f"no terminal {terminal_id.hex()} is enrolled")
