"""Enrolment, and what each terminal reports of itself. For `device_api`, `app` and `__main__`."""

from __future__ import annotations

import difflib
import json
import re
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy import ColumnElement, Connection, and_, func, insert, select, true, update

from updater_server import limits
from updater_server.channels import CHANNELS
from updater_server.errors import ConflictError, InputError
from updater_server.fleet import technicians, updates
from updater_server.fleet.alarms import raise_alarm
from updater_server.messages import DEVICE_KEY_BYTES, TERMINAL_ID_BYTES, DeviceKeys
from updater_server.sales import ledger
from updater_server.server_key import ServerKey
from updater_server.tables import check_in, running_history, terminal

DEFAULT_CHANNEL = "stable"
DEFAULT_CATALOGUE = "catalogue/default.json"
INITIAL_FLOAT_LIMIT_MINOR = limits.FIRST_FLOAT_MINOR[1]
MERCHANT_NAME_LETTERS = limits.MERCHANT_NAME[1]
"""As the terminal's settings allow (docs/formats/terminal-files.md)."""


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
    merchant: str | None = None
    """The shop's name; None if it is not known yet."""


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


def enrol(
    connection: Connection, key: ServerKey, enrolment: Enrolment, technician_id: int, now: int
) -> bool:
    """Enrol a terminal; False if exactly this was done before (a repeated request).

    Raises:
        InputError: a field is wrong, or the office has not allowed so high a float.
        LimitReached: the technician enrolled too many today.
        ConflictError: the terminal is enrolled with another key or other particulars.
    """
    if len(enrolment.terminal_id) != TERMINAL_ID_BYTES:
        raise InputError("a terminal id has 8 bytes")
    if len(enrolment.device_key) != DEVICE_KEY_BYTES:
        raise InputError("a device key has 32 bytes")
    check_place(enrolment.channel, enrolment.catalogue, enrolment.merchant)
    if not re.fullmatch("[a-z0-9][a-z0-9-]{0,31}", enrolment.hardware_class):
        raise InputError(f"{enrolment.hardware_class!r} is no hardware class")
    if not limits.within(enrolment.hardware_revision, limits.HARDWARE_REVISION):
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
            known.channel,
            known.catalogue,
            known.merchant_name,
        ) == (
            enrolment.hardware_class,
            enrolment.hardware_revision,
            enrolment.initial_float_minor,
            enrolment.channel,
            enrolment.catalogue,
            enrolment.merchant,
        ):
            return False
        raise ConflictError("a terminal of this id is enrolled already, with other particulars")
    technicians.count_enrolment(connection, technician_id, now)
    technicians.spend_allowance(connection, technician_id, enrolment.initial_float_minor)
    connection.execute(
        insert(terminal).values(
            id=enrolment.terminal_id,
            key_sealed=key.seal("device key", enrolment.terminal_id, enrolment.device_key),
            hardware_class=enrolment.hardware_class,
            hardware_revision=enrolment.hardware_revision,
            channel=enrolment.channel,
            catalogue=enrolment.catalogue,
            merchant_name=enrolment.merchant,
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
    device_key = _device_key(connection, key, terminal_id)
    return None if device_key is None else DeviceKeys.derive(terminal_id, device_key)


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
    sealed = connection.scalar(select(terminal.c.key_sealed).where(terminal.c.id == terminal_id))
    return None if sealed is None else key.open("device key", terminal_id, sealed)


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
    wait_release: int | None = None
    wait_code: str | None = None
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
    values |= updates.told(connection, terminal_id, before, values, now)
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
    watched = ["release", "slot", "trial"]
    failed = ["failure_release", "failure_reason"]
    now_runs = {name: getattr(report, name) for name in watched + failed}
    if report.failure_release is not None:
        watched += failed
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
    """Stop or allow everything that is worth money (`is_blocked`).

    Raises:
        InputError: not enrolled.
    """
    _change(connection, terminal_id, blocked=blocked)


def is_blocked(connection: Connection, terminal_id: bytes) -> bool:
    """Whether a terminal gets nothing that is worth money: no sale, no stock, no float.

    What it sold is still taken in, and what it was answered before is answered again.
    """
    return bool(connection.scalar(select(terminal.c.blocked).where(terminal.c.id == terminal_id)))


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
    """What the merchant reads at the next check-in.

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


@dataclass(frozen=True)
class Wanted:
    """Which terminals somebody asks to see."""

    prefix: str = ""
    """The first hex digits of the id; empty for all."""
    only: str = ""
    """One of `ONLY`; empty for all."""

    def clause(self) -> ColumnElement[bool]:
        """What a terminal's row (with its check-in) must fulfil.

        Raises:
            InputError: no hex digits, or no such choice.
        """
        clauses: list[ColumnElement[bool]] = [true()]
        if self.prefix:
            if not re.fullmatch("[0-9a-fA-F]{1,16}", self.prefix):
                raise InputError(f"{self.prefix[:40]!r} is not the beginning of a terminal id")
            clauses.append(
                terminal.c.id.between(
                    bytes.fromhex(self.prefix.ljust(16, "0")),
                    bytes.fromhex(self.prefix.ljust(16, "f")),
                )
            )
        if self.only:
            if self.only not in ONLY:
                raise InputError(f"no choice {self.only[:40]!r}: {', '.join(ONLY)}")
            clauses.append(ONLY[self.only])
        return and_(*clauses)


EVERY = Wanted()
ONLY: dict[str, ColumnElement[bool]] = {
    "trial": check_in.c.trial.is_(True),
    "failed": check_in.c.failure_release.is_not(None),
    "blocked": terminal.c.blocked.is_(True),
    "silent": terminal.c.last_seen_at.is_(None),
}
"""Choices of `Wanted.only`."""
PAGE_LIMIT = 500
"""Terminals in one answer."""
_JOINED = terminal.outerjoin(check_in, check_in.c.terminal_id == terminal.c.id)


def listed(
    connection: Connection, wanted: Wanted, after: bytes = b"", limit: int = PAGE_LIMIT
) -> list[dict[str, Any]]:
    """At most `limit` of the terminals wanted, by their ids, those after the id `after`."""
    ids = (
        select(terminal.c.id)
        .select_from(_JOINED)
        .where(wanted.clause(), terminal.c.id > after)
        .order_by(terminal.c.id)
        .limit(min(limit, PAGE_LIMIT))
    )
    return _details(connection, list(connection.scalars(ids)))


def last_seen(
    connection: Connection, wanted: Wanted, skip: int = 0, limit: int = PAGE_LIMIT
) -> list[dict[str, Any]]:
    """At most `limit` of the terminals wanted, last seen first, after the first `skip`."""
    ids = (
        select(terminal.c.id)
        .select_from(_JOINED)
        .where(wanted.clause())
        .order_by(terminal.c.last_seen_at.desc(), terminal.c.id)
        .limit(min(limit, PAGE_LIMIT))
        .offset(skip)
    )
    return _details(connection, list(connection.scalars(ids)))


def counted(connection: Connection, wanted: Wanted) -> tuple[int, int]:
    """(how many of the terminals wanted there are, how many of them run a release on trial)."""
    row = connection.execute(
        select(func.count(), func.count().filter(check_in.c.trial.is_(True)))
        .select_from(_JOINED)
        .where(wanted.clause())
    ).one()
    return int(row[0]), int(row[1])


def _details(connection: Connection, ids: list[bytes]) -> list[dict[str, Any]]:
    """Each terminal with its newest report and float, in the order of `ids`: two questions,
    however many they are.
    """
    rows = connection.execute(
        select(terminal, check_in).select_from(_JOINED).where(terminal.c.id.in_(ids))
    )
    floats = ledger.floats_minor(connection, ids)
    found = {}
    for row in rows.mappings():
        item = {
            column.name: row[column] for table in (terminal, check_in) for column in table.columns
        }
        item["float_minor"] = floats[row[terminal.c.id]]
        del item["key_sealed"]
        found[row[terminal.c.id]] = item
    return [found[terminal_id] for terminal_id in ids]
