"""Does the money add up? What the `check` command asks of the database, from the last closed point
on or from the beginning. Reads only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection

from updater_server.sales import questions
from updater_server.wire.journal_record import FIRST_TAG, NotARecord, Record


@dataclass(frozen=True)
class Point:
    """How far the books were found right, and what they came to there."""

    bounds: Mapping[str, int]
    """The last row of each table that was checked (`questions.BOUNDS`)."""
    totals: Mapping[str, int]
    """Of all rows up to there (`questions.TOTALS`)."""


BEGINNING = Point(dict.fromkeys(questions.BOUNDS, 0), dict.fromkeys(questions.TOTALS, 0))


def problems(connection: Connection, since: Point = BEGINNING) -> list[str]:
    """Every broken promise found behind a point, in words; empty when all is well. What is wrong
    before that point shows where the totals do not fit any more.
    """
    found = []
    for words, query in questions.MUST_FIND_NOTHING.items():
        broken = connection.execute(
            questions.asked(connection, query), _of(query, since.bounds)
        ).fetchall()
        if broken:
            found.append(f"{words} ({len(broken)} times; first: {broken[0][0]})")
    off = "SELECT SUM(amount_minor) FROM ledger_entry WHERE id > :entries"
    total = connection.execute(questions.asked(connection, off), _of(off, since.bounds)).scalar()
    if total:
        found.append(f"the ledger is off by {total}")
    found += _broken_chains(connection, since)
    return found or _wrong_totals(connection, totals(connection, since))


def now(connection: Connection, since: Point) -> Point:
    """The point that the books have come to, if nothing is wrong with them behind `since`."""
    bounds = {
        name: int(connection.execute(questions.asked(connection, query)).scalar() or 0)
        for name, query in questions.BOUNDS.items()
    }
    return Point(bounds, totals(connection, since))


def totals(connection: Connection, since: Point) -> dict[str, int]:
    """The totals of all rows: those of the point and what came since."""
    return {
        name: since.totals[name]
        + int(
            connection.execute(
                questions.asked(connection, query), _of(query, since.bounds)
            ).scalar()
            or 0
        )
        for name, query in questions.TOTALS.items()
    }


def _of(query: str, bounds: Mapping[str, int]) -> dict[str, int]:
    return {name: bound for name, bound in bounds.items() if f":{name}" in query}


def _wrong_totals(connection: Connection, summed: Mapping[str, int]) -> list[str]:
    """What no single row shows: vouchers that left the vault or came into it without a row that
    says why, floats that are not what was sold and paid in.
    """
    is_now = {
        name: int(connection.execute(questions.asked(connection, query)).scalar() or 0)
        for name, query in questions.NOW.items()
    }
    found = []
    given = summed["assignment_count"] - summed["return_count"]
    free = summed["voucher_count"] - given - is_now["aside"] - is_now["coming"]
    if free != is_now["free"]:
        found.append(f"the vault has {is_now['free']} free vouchers and should have {free}")
    off = is_now["floats_minor"] + summed["shared_minor"]
    if off:
        found.append(f"the floats are off by {off} from what was paid in and sold")
    return found


_EVERY_RECORD = """
    SELECT j.terminal_id, j.sequence, COALESCE(j.raw, l.raw) FROM journal_record j
    LEFT JOIN journal_late l ON l.terminal_id = j.terminal_id AND l.sequence = j.sequence
    ORDER BY j.terminal_id, j.sequence"""
_NEW_RECORDS = """
    WITH new AS (
        SELECT terminal_id, sequence FROM journal_record WHERE rowid > :journal UNION
        SELECT terminal_id, sequence FROM journal_late WHERE rowid > :late UNION
        SELECT terminal_id, sequence + 1 FROM journal_late WHERE rowid > :late)
    SELECT new.terminal_id, new.sequence, COALESCE(j.raw, l.raw) FROM new
    JOIN journal_record j ON j.terminal_id = new.terminal_id AND j.sequence = new.sequence
    LEFT JOIN journal_late l ON l.terminal_id = j.terminal_id AND l.sequence = j.sequence
    ORDER BY new.terminal_id, new.sequence"""
_ONE_RECORD = """
    SELECT COALESCE(j.raw, l.raw) FROM journal_record j
    LEFT JOIN journal_late l ON l.terminal_id = j.terminal_id AND l.sequence = j.sequence
    WHERE j.terminal_id = :terminal_id AND j.sequence = :sequence"""


def _records(connection: Connection, since: Point) -> Iterator[tuple[bytes, int, bytes | None]]:
    query = _NEW_RECORDS if since.bounds["journal"] or since.bounds["late"] else _EVERY_RECORD
    found = questions.asked(connection, query).execution_options(yield_per=1000)
    for row in connection.execute(found, _of(query, since.bounds)):
        yield row[0], row[1], row[2]


def _tag_before(connection: Connection, terminal_id: bytes, sequence: int) -> bytes | None:
    """The tag that a record follows; None if what is before it is lost, or is no record."""
    if sequence == 1:
        return FIRST_TAG
    asked = {"terminal_id": terminal_id, "sequence": sequence - 1}
    raw = connection.execute(questions.asked(connection, _ONE_RECORD), asked).scalar()
    try:
        return None if raw is None else Record.parse(raw).tag
    except NotARecord:
        return None


def _broken_chains(connection: Connection, since: Point) -> list[str]:
    found = []
    before: tuple[bytes, int] | None = None
    tag: bytes | None = None
    for terminal_id, sequence, raw in _records(connection, since):
        if before != (terminal_id, sequence - 1):
            tag = _tag_before(connection, terminal_id, sequence)
        before = (terminal_id, sequence)
        if raw is None:
            tag = None
            continue
        try:
            record = Record.parse(raw)
            sound = record.sequence == sequence and (tag is None or record.follows(tag))
            tag = record.tag
        except NotARecord:
            sound, tag = False, None
        if not sound:
            found.append(f"journal of {terminal_id.hex()}: record {sequence} is not what was sent")
    return found
