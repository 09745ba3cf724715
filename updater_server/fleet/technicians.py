"""Who may do what with a terminal on a cable: technicians, their tokens, roles and limits. For
the faces, `permits`, `enrolment` and the operator's command line.

A token is a bearer's: whoever has it is that technician. So it does little by itself. It mints no
float (the office grants an allowance), reaches no terminal that is not on the cable (a permit needs
the terminal's own challenge), vouches for no record (exports carry the terminal's seal), can be
taken back, and ends for the day at its limit. What was decided about a technician, and by whom, is
a row of `technician_event` for ever.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, insert, select, update

from updater_server.errors import InputError, StateError
from updater_server.store.engine import new_id
from updater_server.store.tables import bench_entry, technician, technician_event, terminal
from updater_server.wire import limits

BENCH, OFFICE, VIEWER, RELEASE = "bench", "office", "viewer", "release"
ROLES = (BENCH, OFFICE, VIEWER, RELEASE)
"""`bench` enrols, repairs and hands in what a terminal sealed; `office` reads the fleet as well.
`viewer` sees the board, and `release`, a release manager's, may halt there; neither does anything
else.
"""
DAY_S = 86_400
DAILY_LIMIT = 100
"""Enrolments, and permits, that a token may ask for within a day unless the office says other."""
DAILY_LIMIT_HIGHEST = limits.DAILY_REQUESTS[1]
ALLOWANCE_LIMIT_MINOR = limits.ALLOWANCE_MINOR[1]
PERMIT_ENTRY = "permit:"
"""What the id of a permit's note in `bench_entry` begins with; no bench may use it."""
_NAME = re.compile(r"[\w .@-]{{{},{}}}".format(*limits.TECHNICIAN_NAME))


class LimitReached(StateError):
    """A technician asked for more than a day's limit. The text is for the technician; the office
    gets an alarm."""

    def __init__(self, text: str, technician_id: int, what: str) -> None:
        super().__init__(text)
        self.technician_id = technician_id
        self.what = what


@dataclass(frozen=True)
class Technician:
    """Who is asking."""

    technician_id: int
    name: str
    role: str


def add(connection: Connection, name: str, role: str, by: str, now: int) -> str:
    """A new technician's token; it is shown once and only its hash is kept.

    Raises:
        InputError: no usable name or role, or the name is taken.
    """
    if not _NAME.fullmatch(name):
        raise InputError(f"{name!r} is no usable name: 1 to 64 letters, digits, spaces or . @ -")
    if role not in ROLES:
        raise InputError(f"{role!r} is no role: {', '.join(ROLES)}")
    if connection.scalar(select(technician.c.id).where(technician.c.name == name)):
        raise InputError(f"there is a technician {name} already")
    token = secrets.token_urlsafe(24)
    made = connection.execute(
        insert(technician).values(
            name=name,
            role=role,
            token_sha256=_hash(token),
            created_at=now,
            allowance_minor=0,
            daily_limit=DAILY_LIMIT,
        )
    )
    _note(connection, new_id(made), f"added as {role}", by, now)
    return token


def renew(connection: Connection, name: str, by: str, now: int) -> str:
    """Another token for a technician, also for one whose token was withdrawn; the old one is dead.

    Raises:
        InputError: there is no such technician.
    """
    token = secrets.token_urlsafe(24)
    _change(connection, name, token_sha256=_hash(token), withdrawn_at=None)
    _note(connection, id_of(connection, name), "token renewed", by, now)
    return token


def withdraw(connection: Connection, name: str, by: str, now: int) -> None:
    """Take a technician's token back: it opens nothing from now on. What they did stays noted.

    Raises:
        InputError: there is no such technician.
    """
    _change(connection, name, withdrawn_at=now, allowance_minor=0)
    _note(connection, id_of(connection, name), "token withdrawn", by, now)


def set_role(connection: Connection, name: str, role: str, by: str, now: int) -> None:
    """Change what a technician's token opens.

    Raises:
        InputError: no such technician or role.
    """
    if role not in ROLES:
        raise InputError(f"{role!r} is no role: {', '.join(ROLES)}")
    _change(connection, name, role=role)
    _note(connection, id_of(connection, name), f"role {role}", by, now)


def allow_float(connection: Connection, name: str, amount_minor: int, by: str, now: int) -> None:
    """Set what a technician may still hand out as opening floats, in all. Saying it twice is once.

    Raises:
        InputError: no such technician, or the amount is below zero or absurd.
    """
    if not 0 <= amount_minor <= ALLOWANCE_LIMIT_MINOR:
        raise InputError(f"an allowance is 0 to {ALLOWANCE_LIMIT_MINOR} minor units")
    _change(connection, name, allowance_minor=amount_minor)
    _note(connection, id_of(connection, name), f"allowance {amount_minor}", by, now)


def set_daily_limit(connection: Connection, name: str, limit: int, by: str, now: int) -> None:
    """Set how many enrolments, and how many permits, a technician gets within a day.

    Raises:
        InputError: no such technician, or no sensible limit.
    """
    if not 0 <= limit <= DAILY_LIMIT_HIGHEST:
        raise InputError(f"a daily limit is 0 to {DAILY_LIMIT_HIGHEST}")
    _change(connection, name, daily_limit=limit)
    _note(connection, id_of(connection, name), f"daily limit {limit}", by, now)


def spend_allowance(connection: Connection, technician_id: int, amount_minor: int) -> None:
    """Take an opening float from a technician's allowance.

    Raises:
        InputError: the office has not allowed so much; nothing was taken.
    """
    if amount_minor == 0:
        return
    taken = connection.execute(
        update(technician)
        .where(technician.c.id == technician_id, technician.c.allowance_minor >= amount_minor)
        .values(allowance_minor=technician.c.allowance_minor - amount_minor)
    )
    if taken.rowcount == 0:
        left = connection.scalar(
            select(technician.c.allowance_minor).where(technician.c.id == technician_id)
        )
        raise InputError(
            f"the office allows you opening floats of {left or 0} more minor units, not "
            f"{amount_minor}: enrol with a float of 0, or ask the office (`technician allow`)"
        )


def count_enrolment(connection: Connection, technician_id: int, now: int) -> None:
    """See that one more enrolment is within the day's limit.

    Raises:
        LimitReached: it is not.
    """
    used = select(func.count()).where(
        terminal.c.enrolled_by == technician_id, terminal.c.enrolled_at > now - DAY_S
    )
    _within(connection, technician_id, connection.scalar(used) or 0, "enrolments")


def count_permit(connection: Connection, technician_id: int, now: int) -> None:
    """See that one more permit is within the day's limit.

    Raises:
        LimitReached: it is not.
    """
    used = select(func.count()).where(
        bench_entry.c.technician_id == technician_id,
        bench_entry.c.received_at > now - DAY_S,
        bench_entry.c.entry_id.startswith(PERMIT_ENTRY, autoescape=True),
    )
    _within(connection, technician_id, connection.scalar(used) or 0, "permits")


def _within(connection: Connection, technician_id: int, used: int, what: str) -> None:
    limit = connection.scalar(
        select(technician.c.daily_limit).where(technician.c.id == technician_id)
    )
    if used >= (limit or 0):
        raise LimitReached(
            f"that is more than the {limit} {what} a day that the office allows you",
            technician_id,
            what,
        )


def of_token(connection: Connection, token: str) -> Technician | None:
    """The technician whose token this is; None for a stranger, and for one who was withdrawn."""
    found = connection.execute(
        select(technician.c.id, technician.c.name, technician.c.role).where(
            technician.c.token_sha256 == _hash(token), technician.c.withdrawn_at.is_(None)
        )
    ).one_or_none()
    return None if found is None else Technician(int(found.id), found.name, found.role)


def listing(connection: Connection) -> list[dict[str, Any]]:
    """Every technician: `name`, `role`, `created_at`, `withdrawn_at`, `allowance_minor`,
    `daily_limit`."""
    columns = [column for column in technician.columns if column.name != "token_sha256"]
    rows = connection.execute(select(*columns).order_by(technician.c.name))
    return [dict(row) for row in rows.mappings()]


def _hash(token: str) -> bytes:
    # The token has 192 random bits: a plain hash cannot be searched.
    return hashlib.sha256(token.encode()).digest()


def id_of(connection: Connection, name: str) -> int:
    """The number of a technician that there is."""
    found = connection.scalar(select(technician.c.id).where(technician.c.name == name))
    assert found is not None
    return int(found)


def _change(connection: Connection, name: str, **values: Any) -> None:
    changed = connection.execute(
        update(technician).where(technician.c.name == name).values(**values)
    )
    if changed.rowcount == 0:
        raise InputError(f"there is no technician {name}: see `technician list`")


def _note(connection: Connection, technician_id: int, what: str, by: str, now: int) -> None:
    connection.execute(
        insert(technician_event).values(technician_id=technician_id, at=now, what=what, by=by[:64])
    )
