"""Journal intake: the terminals' records are stored for ever and posted to the ledger exactly once.
For the faces.

A record that contradicts what is stored (a fork of the chain) is refused and never acknowledged:
the terminal keeps it, an alarm tells a person. What is authentic but makes no sense is stored and
acknowledged, with an alarm: it happened, and refusing it would stop the terminal's journal for
ever.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, insert, update

from updater_server.errors import ConflictError, InputError
from updater_server.fleet import terminals
from updater_server.fleet.alarms import raise_alarm
from updater_server.sales import booking, forgotten, losses, records
from updater_server.sales.restore_state import must_tell_first
from updater_server.store.prepared import Prepared
from updater_server.store.tables import journal_record, terminal
from updater_server.wire.journal_record import FIRST_TAG, NotARecord, Record

_STORE = Prepared(insert(journal_record), ["terminal_id", "sequence", "kind", "raw", "received_at"])
_ACKNOWLEDGE = Prepared(
    update(terminal)
    .where(terminal.c.id == bindparam("terminal"))
    .values(acknowledged_through=bindparam("through"), chain_tag=bindparam("tag"))
)


def _numbered(raws: Sequence[bytes]) -> list[tuple[int, Record | None]]:
    """Each upload item with its sequence number; a lost one has no record.

    Raises:
        NotARecord: no record, or not contiguous, or nothing behind a lost one: a number that may
            still be written must not be called lost.
    """
    found = [Record.parse(raw) if raw else None for raw in raws]
    if not found:
        return []
    last = found[-1]
    if last is None:
        raise NotARecord("behind a lost record there must be one that is not lost")
    numbered: list[tuple[int, Record | None]] = []
    for sequence, record in enumerate(found, last.sequence - len(found) + 1):
        if sequence < 1 or (record and record.sequence != sequence):
            raise NotARecord("the records are not contiguous")
        numbered.append((sequence, record))
    return numbered


def take_in(
    connection: Connection,
    terminal_id: bytes,
    raws: Sequence[bytes],
    now: int,
    *,
    is_sealed: bool = False,
) -> int:
    """Store and post what is new; returns through which sequence number everything is stored.

    Records that are stored already are compared and passed over; one that was lost and comes now is
    stored and posted. A gap before the first new one leaves everything as it is.
    `is_sealed`: the terminal itself says this, under its seal; nobody else may call a record lost.

    Raises:
        InputError: something is not a record, or they are not contiguous, or called lost without
            the seal; nothing was stored.
        ConflictError: a record is not the one stored under its number, or the chain does not lead
            to it, or too many are lost. What came before it is stored and an alarm raised, so
            commit.
    """
    try:
        numbered = _numbered(raws)
    except NotARecord as error:
        raise InputError(str(error)) from error
    owner = terminals.get(connection, terminal_id)
    known: int = owner.acknowledged_through
    late, problem = _compared(connection, terminal_id, numbered, known, now)
    if problem:
        numbered = []  # what follows a fork is not believed
    lost = [sequence for sequence, record in numbered if sequence > known and record is None]
    if lost and numbered[0][0] <= known + 1:
        try:
            losses.declare(connection, terminal_id, lost, is_sealed, now)
        except ConflictError as error:
            problem = str(error)
            numbered = [item for item in numbered if item[0] < lost[0]]
    acknowledged, fault = _go_on(connection, owner, numbered, now)
    for record in losses.came_later(connection, terminal_id, late, is_sealed, now):
        booking.apply(connection, terminal_id, record, now)
        booking.apply_refusals_of(connection, terminal_id, record, now)
    if fault or problem:
        raise ConflictError(fault or problem)
    return acknowledged


def _go_on(
    connection: Connection,
    owner: Any,
    numbered: Sequence[tuple[int, Record | None]],
    now: int,
) -> tuple[int, str | None]:
    """Store and post what leads on from what is here; (through which sequence number everything is
    stored, what is wrong with the chain).
    """
    terminal_id: bytes = owner.id
    known: int = owner.acknowledged_through
    fault = None
    acknowledged, tag = known, FIRST_TAG if known == 0 else owner.chain_tag
    for sequence, record in numbered:
        if sequence <= known:
            continue
        if sequence > acknowledged + 1:
            # Who does not know yet that a restore made this server forget goes on where it was.
            if not must_tell_first(connection, terminal_id):
                text = f"records {acknowledged + 1} to {sequence - 1} were never received"
                raise_alarm(connection, terminal_id, "journal_gap", text, now)
            break
        if record and forgotten.waits_for_stock(connection, terminal_id, record):
            break  # its reply asks the terminal what is in that batch
        if record and tag is not None and not record.follows(tag):
            fault = f"the chain does not lead to record {sequence}"
            raise_alarm(connection, terminal_id, "journal_chain", fault, now)
            break
        _STORE.run(
            connection,
            terminal_id=terminal_id,
            sequence=sequence,
            kind=record.kind if record else None,
            raw=record.raw if record else None,
            received_at=now,
        )
        if record:
            booking.apply(connection, terminal_id, record, now)
        acknowledged, tag = sequence, record.tag if record else None
    _ACKNOWLEDGE.run(connection, terminal=terminal_id, through=acknowledged, tag=tag)
    return acknowledged, fault


def _compared(
    connection: Connection,
    terminal_id: bytes,
    numbered: Sequence[tuple[int, Record | None]],
    known: int,
    now: int,
) -> tuple[list[Record], str | None]:
    """Of the records up to `known` those that were lost until now, and what is wrong with one that
    is stored."""
    late = []
    for sequence, record in numbered:
        if sequence > known or record is None:
            continue
        stored = records.find(connection, terminal_id, sequence)
        if stored is None:
            late.append(record)
        elif stored.raw != record.raw:
            problem = f"record {sequence} is not the one stored: the journal was forked"
            raise_alarm(connection, terminal_id, "journal_fork", problem, now)
            return [], problem
    return late, None


def look_for_rewound_journal(
    connection: Connection, terminal_id: bytes, acknowledged: int, journal_next: int, now: int
) -> None:
    """Alarm if a terminal will write numbers that are stored here already: its flash is older."""
    if journal_next <= acknowledged:
        text = (
            f"its journal goes on with record {journal_next}, but {acknowledged} are stored: its "
            "flash was put back. Enrol it under a new id and move its float"
        )
        losses.forget_known_credits(connection, terminal_id)
        raise_alarm(connection, terminal_id, "journal_rewound", text, now)
