"""A terminal's enrolment: what a technician says of it, held against what is recorded for ever. For
`sales.opening`, which posts the first float with it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, insert

from updater_server.errors import ConflictError, InputError
from updater_server.fleet import technicians, terminals
from updater_server.server_key import ServerKey
from updater_server.store.tables import terminal
from updater_server.wire import limits
from updater_server.wire.sealed import DEVICE_KEY_BYTES, TERMINAL_ID_BYTES

INITIAL_FLOAT_LIMIT_MINOR = limits.FIRST_FLOAT_MINOR[1]


@dataclass(frozen=True)
class Enrolment:
    """What a technician says about a new terminal."""

    terminal_id: bytes
    device_key: bytes
    hardware_class: str
    hardware_revision: int
    initial_float_minor: int
    channel: str = terminals.DEFAULT_CHANNEL
    catalogue: str = terminals.DEFAULT_CATALOGUE
    merchant: str | None = None
    """The shop's name; None if it is not known yet."""

    def check(self) -> None:
        """See that each field is possible.

        Raises:
            InputError: one is not.
        """
        if len(self.terminal_id) != TERMINAL_ID_BYTES:
            raise InputError("a terminal id has 8 bytes")
        if len(self.device_key) != DEVICE_KEY_BYTES:
            raise InputError("a device key has 32 bytes")
        terminals.check_place(self.channel, self.catalogue, self.merchant)
        if not re.fullmatch("[a-z0-9][a-z0-9-]{0,31}", self.hardware_class):
            raise InputError(f"{self.hardware_class!r} is no hardware class")
        if not limits.within(self.hardware_revision, limits.HARDWARE_REVISION):
            raise InputError("a hardware revision is 1 to 65535")
        if not 0 <= self.initial_float_minor <= INITIAL_FLOAT_LIMIT_MINOR:
            raise InputError(f"the first float is 0 to {INITIAL_FLOAT_LIMIT_MINOR}")

    def particulars(self) -> dict[str, Any]:
        """The columns of `terminal` that stay as they were said."""
        return {
            "hardware_class": self.hardware_class,
            "hardware_revision": self.hardware_revision,
            "channel": self.channel,
            "catalogue": self.catalogue,
            "merchant_name": self.merchant,
            "initial_float_minor": self.initial_float_minor,
        }


def enrol(
    connection: Connection,
    key: ServerKey,
    enrolment: Enrolment,
    technician_id: int,
    now: int,
    currency: str = "",
) -> bool:
    """Enrol a terminal in a currency; False if exactly this was done before (a repeated request).
    Its first float is taken from the technician's allowance, and is the caller's to post.

    Raises:
        InputError: a field is wrong, or the office has not allowed so high a float.
        LimitReached: the technician enrolled too many today.
        ConflictError: the terminal is enrolled with another key or other particulars.
    """
    enrolment.check()
    known = terminals.known(connection, enrolment.terminal_id)
    if known is not None:
        if _is_the_same(key, enrolment, known):
            return False
        raise ConflictError("a terminal of this id is enrolled already, with other particulars")
    technicians.count_enrolment(connection, technician_id, now)
    technicians.spend_allowance(connection, technician_id, enrolment.initial_float_minor)
    connection.execute(
        insert(terminal).values(
            id=enrolment.terminal_id,
            key_sealed=key.seal(terminals.PURPOSE, enrolment.terminal_id, enrolment.device_key),
            **enrolment.particulars(),
            enrolled_at=now,
            enrolled_by=technician_id,
            blocked=False,
            last_counter=0,
            acknowledged_through=0,
            currency=currency,
        )
    )
    return True


def _is_the_same(key: ServerKey, enrolment: Enrolment, known: Row[Any]) -> bool:
    same_key = key.open(terminals.PURPOSE, enrolment.terminal_id, known.key_sealed)
    return same_key == enrolment.device_key and all(
        getattr(known, name) == value for name, value in enrolment.particulars().items()
    )
