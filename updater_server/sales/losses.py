"""Records that a terminal lost: what may be said to be lost, and what to do if it turns up. For
`sales.intake` and the command line.

Only the terminal itself says so, under its seal, and only a bounded number until a person has
looked. A lost record that comes later is proved by the chain: it must lead from what is stored
before it to what is stored behind it.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from sqlalchemy import Connection, and_, func, insert, select, update

from updater_server.errors import ConflictError, InputError
from updater_server.fleet.alarms import raise_alarm
from updater_server.sales import records
from updater_server.store.tables import (
    check_in,
    journal_late,
    journal_record,
    loss_accepted,
    terminal,
)
from updater_server.wire.journal_record import FIRST_TAG, Record

OPEN_LIMIT = 256
"""Lost records of one terminal that no person has accepted: two sectors of its flash, about."""


def accepted_through(connection: Connection, terminal_id: bytes) -> int:
    """Up to which record a person has accepted what is lost."""
    found = connection.scalar(
        select(func.max(loss_accepted.c.through)).where(loss_accepted.c.terminal_id == terminal_id)
    )
    return int(found or 0)


def open_losses(connection: Connection, terminal_id: bytes) -> list[int]:
    """Numbers of the records that are lost, did not come later, and nobody has accepted."""
    came = and_(
        journal_late.c.terminal_id == journal_record.c.terminal_id,
        journal_late.c.sequence == journal_record.c.sequence,
    )
    return list(
        connection.scalars(
            select(journal_record.c.sequence)
            .outerjoin(journal_late, came)
            .where(journal_record.c.terminal_id == terminal_id, journal_record.c.raw.is_(None))
            .where(journal_record.c.sequence > accepted_through(connection, terminal_id))
            .where(journal_late.c.sequence.is_(None))
            .order_by(journal_record.c.sequence)
        )
    )


def declare(
    connection: Connection, terminal_id: bytes, sequences: Sequence[int], is_sealed: bool, now: int
) -> None:
    """A terminal says that these records, which follow what is stored, are lost.

    Raises:
        InputError: it is not the terminal that says so.
        ConflictError: too many; the alarm is raised already, so commit.
    """
    if not is_sealed:
        raise InputError("only the terminal itself, under its seal, says that a record is lost")
    first, last = sequences[0], sequences[-1]
    was = f"{len(sequences)} of records {first} to {last} were"
    if first == last:
        was = f"record {first} was"
    accepted = accepted_through(connection, terminal_id)
    new = [sequence for sequence in sequences if sequence > accepted]
    if new and len(open_losses(connection, terminal_id)) + len(new) > OPEN_LIMIT:
        text = (
            f"{was} lost on the terminal, it says; with that more than {OPEN_LIMIT} are lost and "
            f"not accepted: look at the terminal, then `terminal lost --accept-through {last}`"
        )
        raise_alarm(connection, terminal_id, "journal_too_many_lost", text, now)
        raise ConflictError(text)
    forget_known_credits(connection, terminal_id)  # a settlement may be among them
    raise_alarm(connection, terminal_id, "journal_lost", f"{was} lost on the terminal", now)


def forget_known_credits(connection: Connection, terminal_id: bytes) -> None:
    """A terminal may know less than it did: `reconcile` looks through all of its credits again."""
    connection.execute(
        update(check_in)
        .where(check_in.c.terminal_id == terminal_id)
        .values(credits_known_through=None)
    )


def accept(connection: Connection, terminal_id: bytes, through: int, who: str, now: int) -> int:
    """A person has looked: what is lost up to `through` counts as dealt with; returns how many were
    not known to be lost and are given up now, so that the terminal can go on behind them.

    Whatever turns up later is booked all the same.

    Raises:
        InputError: `through` is beyond what the terminal said at its last check-in it has written.
    """
    written = connection.scalar(
        select(check_in.c.journal_next).where(check_in.c.terminal_id == terminal_id)
    )
    acknowledged = connection.scalar(
        select(terminal.c.acknowledged_through).where(terminal.c.id == terminal_id)
    )
    assert acknowledged is not None
    last = max(int(written or 1) - 1, acknowledged)
    if not 1 <= through <= last:
        raise InputError(f"the terminal has written records 1 to {last}, as far as it has said")
    connection.execute(
        insert(loss_accepted).values(terminal_id=terminal_id, through=through, who=who, at=now)
    )
    given_up = range(acknowledged + 1, through + 1)
    for sequence in given_up:
        connection.execute(
            insert(journal_record).values(
                terminal_id=terminal_id, sequence=sequence, received_at=now
            )
        )
    if given_up:
        connection.execute(
            update(terminal)
            .where(terminal.c.id == terminal_id)
            .values(acknowledged_through=through, chain_tag=None)
        )
        forget_known_credits(connection, terminal_id)
    return len(given_up)


def came_later(
    connection: Connection,
    terminal_id: bytes,
    found: Sequence[Record],
    is_sealed: bool,
    now: int,
) -> list[Record]:
    """Of records that are stored as lost, in order, those that are proved; they are stored.

    Without the terminal's seal a record counts only with what is stored on both sides of it.

    Raises:
        ConflictError: the chain does not lead through them; the alarm is raised already, so commit.
    """
    runs: list[list[Record]] = []
    for record in found:
        if runs and runs[-1][-1].sequence + 1 == record.sequence:
            runs[-1].append(record)
        else:
            runs.append([record])
    proved = []
    for run in runs:
        first, last = run[0].sequence, run[-1].sequence
        before = records.find(connection, terminal_id, first - 1)
        tag = FIRST_TAG if first == 1 else before.tag if before else None
        behind = records.find(connection, terminal_id, last + 1)
        fits = all(later.follows(earlier.tag) for earlier, later in pairwise(run))
        fits = fits and (tag is None or run[0].follows(tag))
        if not fits or (behind and not behind.follows(run[-1].tag)):
            text = f"records {first} to {last}, once lost, are not what the chain leads through"
            raise_alarm(connection, terminal_id, "journal_fork", text, now)
            raise ConflictError(text)
        if is_sealed or (tag is not None and behind):
            proved += run
    for record in proved:
        connection.execute(
            insert(journal_late).values(
                terminal_id=terminal_id,
                sequence=record.sequence,
                kind=record.kind,
                raw=record.raw,
                received_at=now,
            )
        )
    if proved:
        text = f"{len(proved)} records that were lost came: from {proved[0].sequence} on"
        raise_alarm(connection, terminal_id, "journal_supplied", text, now)
        connection.execute(
            update(terminal)
            .where(
                terminal.c.id == terminal_id,
                terminal.c.acknowledged_through == proved[-1].sequence,
            )
            .values(chain_tag=proved[-1].tag)
        )
    return proved
