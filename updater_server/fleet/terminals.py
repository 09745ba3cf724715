"""Enrolment, technicians' tokens, and what each terminal reports of itself. For `device_api`, `app`
and `__main__`.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, insert, select, update

from updater_server import limits
from updater_server.channels import CHANNELS
from updater_server.errors import ConflictError, InputError
from updater_server.fleet.alarms import raise_alarm
from updater_server.messages import DEVICE_KEY_BYTES, TERMINAL_ID_BYTES, DeviceKeys
from updater_server.sales import ledger
from updater_server.server_key import ServerKey
from updater_server.tables import check_in, running_history, technician, terminal

DEFAULT_CHANNEL = "stable"
DEFAULT_CATALOGUE = "catalogue/default.json"
INITIAL_FLOAT_LIMIT_MINOR = limits.FIRST_FLOAT_MINOR[1]
_NAME = re.compile(r"[\w .@-]{1,64}")


def add_technician(connection: Connection, name: str, now: int) -> str:
    """A new technician's token; it is shown once and only its hash is kept.

    Raises:
        InputError: no usable name, or it is taken.
    """
    if not _NAME.fullmatch(name):
        raise InputError(f"{name!r} is no usable name")
    if connection.scalar(select(technician.c.id).where(technician.c.name == name)):
        raise InputError(f"there is a technician {name} already")
    token = secrets.token_urlsafe(24)
    connection.execute(
        insert(technician).values(name=name, token_sha256=_hash(token), created_at=now)
    )
    return token


def _hash(token: str) -> bytes:
    # The token has 192 random bits: a plain hash cannot be searched.
    return hashlib.sha256(token.encode()).digest()


def technician_of(connection: Connection, token: str) -> int | None:
    """The id of the technician whose token this is."""
    found = connection.scalar(
        select(technician.c.id).where(technician.c.token_sha256 == _hash(token))
    )
    return None if found is None else int(found)


@dataclass(frozen=True)
class Enrolment:
    """What a technician says about a new terminal."""

    terminal_id: bytes
    device_key: bytes
    hardware_class: str
    hardware_revision: int
    initial_float_minor: int
    channel: str = DEFAULT_CHANNEL
    catalogue: str = DEFAULT_CATALOGUE


def enrol(
    connection: Connection, key: ServerKey, enrolment: Enrolment, technician_id: int, now: int
) -> bool:
    """Enrol a terminal; False if exactly this was done before (a repeated request).

    Raises:
        InputError: a field is wrong.
        ConflictError: the terminal is enrolled with another key or other particulars.
    """
    if len(enrolment.terminal_id) != TERMINAL_ID_BYTES:
        raise InputError("a terminal id has 8 bytes")
    if len(enrolment.device_key) != DEVICE_KEY_BYTES:
        raise InputError("a device key has 32 bytes")
    if enrolment.channel not in CHANNELS:
        raise InputError(f"no channel {enrolment.channel}")
    if not re.fullmatch("[a-z0-9][a-z0-9-]{0,31}", enrolment.hardware_class):
        raise InputError(f"{enrolment.hardware_class!r} is no hardware class")
    if not re.fullmatch("catalogue/[a-z0-9][a-z0-9_-]{0,31}\\.json", enrolment.catalogue):
        raise InputError(f"{enrolment.catalogue!r} is no catalogue")
    if not 1 <= enrolment.hardware_revision <= 65535:
        raise InputError("a hardware revision is 1 to 65535")
    if not 0 <= enrolment.initial_float_minor <= INITIAL_FLOAT_LIMIT_MINOR:
        raise InputError(f"the first float is 0 to {INITIAL_FLOAT_LIMIT_MINOR}")
    known = connection.execute(
        select(terminal).where(terminal.c.id == enrolment.terminal_id)
    ).one_or_none()
    if known is not None:
        same_key = key.open("device key", enrolment.terminal_id, known.key_sealed)
        if same_key == enrolment.device_key and (
            known.hardware_class,
            known.hardware_revision,
            known.initial_float_minor,
        ) == (
            enrolment.hardware_class,
            enrolment.hardware_revision,
            enrolment.initial_float_minor,
        ):
            return False
        raise ConflictError("a terminal of this id is enrolled already, with other particulars")
    connection.execute(
        insert(terminal).values(
            id=enrolment.terminal_id,
            key_sealed=key.seal("device key", enrolment.terminal_id, enrolment.device_key),
            hardware_class=enrolment.hardware_class,
            hardware_revision=enrolment.hardware_revision,
            channel=enrolment.channel,
            catalogue=enrolment.catalogue,
            enrolled_at=now,
            enrolled_by=technician_id,
            initial_float_minor=enrolment.initial_float_minor,
            blocked=False,
            last_counter=0,
            acknowledged_through=0,
        )
    )
    if enrolment.initial_float_minor:
        ledger.top_up(
            connection,
            enrolment.terminal_id,
            enrolment.initial_float_minor,
            f"enrolment:{enrolment.terminal_id.hex()}",
            now,
        )
    return True


def device_keys(connection: Connection, key: ServerKey, terminal_id: bytes) -> DeviceKeys | None:
    """The keys of an enrolled terminal; None for a stranger."""
    sealed = connection.scalar(select(terminal.c.key_sealed).where(terminal.c.id == terminal_id))
    if sealed is None:
        return None
    return DeviceKeys.derive(terminal_id, key.open("device key", terminal_id, sealed))


def accept_counter(connection: Connection, terminal_id: bytes, counter: int, now: int) -> bool:
    """Use up a message counter: one statement decides, so of two equal ones only one is
    accepted.
    """
    accepted = connection.execute(
        update(terminal)
        .where(terminal.c.id == terminal_id, terminal.c.last_counter < counter)
        .values(last_counter=counter, last_seen_at=now)
    )
    return accepted.rowcount == 1


@dataclass(frozen=True)
class CheckIn:
    """Message kind 1."""

    terminal_time: int
    release: int
    slot: str
    trial: bool
    boot_count: int
    battery_mv: int
    signal: int
    failure_release: int | None
    failure_reason: str | None
    own_float_minor: int
    journal_oldest: int
    journal_next: int
    refused_files: list[tuple[str, str]] | None = None
    """[(file, reason), …] that it cannot work with; None: as it said before."""


def record_check_in(connection: Connection, terminal_id: bytes, report: CheckIn, now: int) -> None:
    """Keep the newest report, a line of history when what runs or what failed has changed, and an
    alarm for each file that the terminal newly refuses.
    """
    values: dict[str, Any] = {**report.__dict__, "at": now, "reconciled": None}
    del values["refused_files"]
    before = connection.execute(
        select(check_in).where(check_in.c.terminal_id == terminal_id)
    ).one_or_none()
    if report.refused_files is not None:
        values["refused_files"] = json.dumps(report.refused_files)
        known = json.loads(before.refused_files or "[]") if before else []
        for name, reason in report.refused_files:
            if [name, reason] not in known:
                text = f"it cannot work with {name}: {reason}"
                raise_alarm(connection, terminal_id, "file_refused", text, now)
    if before is None:
        connection.execute(insert(check_in).values(terminal_id=terminal_id, **values))
    else:
        connection.execute(
            update(check_in).where(check_in.c.terminal_id == terminal_id).values(**values)
        )
    watched = ("release", "slot", "trial", "failure_release", "failure_reason")
    now_runs = {name: getattr(report, name) for name in watched}
    if before is None or any(getattr(before, name) != now_runs[name] for name in watched):
        connection.execute(
            insert(running_history).values(terminal_id=terminal_id, at=now, **now_runs)
        )


def parse_terminal_id(text: str) -> bytes:
    """A terminal id as people write it: 16 hex digits.

    Raises:
        InputError: anything else.
    """
    if not re.fullmatch("[0-9a-fA-F]{16}", text):
        raise InputError(f"{text!r} is no terminal id: 16 hex digits")
    return bytes.fromhex(text)


def set_blocked(connection: Connection, terminal_id: bytes, blocked: bool) -> None:
    """Stop or allow a terminal's online sales.

    Raises:
        InputError: not enrolled.
    """
    _change(connection, terminal_id, blocked=blocked)


def set_merchant_text(connection: Connection, terminal_id: bytes, text: str | None) -> None:
    """What the merchant reads at the next check-in.

    Raises:
        InputError: not enrolled, or over 200 characters.
    """
    if text is not None and len(text) > limits.MERCHANT_TEXT[1]:
        raise InputError("the text has over 200 characters")
    _change(connection, terminal_id, merchant_text=text)


def _change(connection: Connection, terminal_id: bytes, **values: Any) -> None:
    changed = connection.execute(
        update(terminal).where(terminal.c.id == terminal_id).values(**values)
    )
    if changed.rowcount == 0:
        raise InputError(f"no terminal {terminal_id.hex()} is enrolled")


def overview(connection: Connection) -> list[dict[str, Any]]:
    """Every terminal with its newest report and float, last seen first."""
    rows = connection.execute(
        select(terminal, check_in)
        .outerjoin(check_in, check_in.c.terminal_id == terminal.c.id)
        .order_by(terminal.c.last_seen_at.desc())
    )
    shown = []
    for row in rows.mappings():
        item = {
            column.name: row[column] for table in (terminal, check_in) for column in table.columns
        }
        item["float_minor"] = ledger.float_minor(connection, row[terminal.c.id])
        del item["key_sealed"]
        shown.append(item)
    return shown
