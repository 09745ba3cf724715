"""What a terminal ran at a time, as it was and as it was known then, from what it said of itself.
For `cli.fleet`.

Two times are kept apart. A terminal says what it runs now and then, so of the time between two
reports that differ only the bounds are known: it changed after the one (`heard_at`) and by the
other (`at`). And what is known today of yesterday was not known yesterday, when the report had not
come. Every question therefore has a time (`when`) and a day of asking (`known_at`); nothing that
came in later changes the answer that was given on that day.

The terminal's journal is a second witness: it tells of every start with the release that started,
by the terminal's own clock, and comes when the terminal next has a network.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, or_, select

from updater_server.errors import InputError
from updater_server.fleet.updates import NEVER_RAN
from updater_server.store.tables import check_in, journal_record, running_history, sale
from updater_server.wire.journal_record import NotARecord, Record, RecordKind


@dataclass(frozen=True)
class Runs:
    """What a terminal said that it runs. `at`: when the server heard of it (Unix s); what is None
    nobody said.
    """

    at: int
    release: int
    slot: str
    trial: bool
    channel: str | None
    catalogue: str | None
    image: str | None
    settings: str | None
    heard_at: int | None
    terminal_time: int | None
    boot_count: int | None
    failure_release: int | None
    failure_reason: str | None


@dataclass(frozen=True)
class AsOf:
    """What ran at `when`, by what was known at `known_at`.

    `was` held then, or until a moment before: None, if nothing had been said yet. With `by`, it had
    changed into that at the latest when `by` was heard of, and perhaps before `when`. `told_again`:
    the first report after `when` that said the same; None if there was none by `known_at`.
    """

    when: int
    known_at: int
    was: Runs | None
    by: Runs | None
    told_again: int | None

    @property
    def is_certain(self) -> bool:
        """Whether only `was` can have run at `when`."""
        return self.was is not None and self.by is None and self.told_again is not None


@dataclass(frozen=True)
class Ran:
    """A terminal that ran a release: when the server first and last heard of that, and whether it
    only came back from it.
    """

    terminal_id: bytes
    first_at: int
    last_at: int
    failed: bool


@dataclass(frozen=True)
class Boot:
    """A start as the terminal's journal tells of it: `time` by its own clock (0: unknown)."""

    sequence: int
    time: int
    release: int
    received_at: int


_OWN = select(
    journal_record.c.sequence,
    journal_record.c.kind,
    journal_record.c.raw,
    journal_record.c.received_at,
)
_COLUMNS = [running_history.c[name] for name in Runs.__dataclass_fields__]


def as_of(connection: Connection, terminal_id: bytes, when: int, known_at: int) -> AsOf:
    """What this terminal ran at `when`, by what the server had heard until `known_at`."""
    mine = select(*_COLUMNS).where(
        running_history.c.terminal_id == terminal_id, running_history.c.at <= known_at
    )
    newest_first = running_history.c.id.desc()
    found = connection.execute(
        mine.where(running_history.c.at <= when).order_by(newest_first).limit(1)
    ).one_or_none()
    after = connection.execute(
        mine.where(running_history.c.at > when).order_by(running_history.c.id).limit(1)
    ).one_or_none()
    was = Runs(*found) if found else None
    then = Runs(*after) if after else None
    if then is not None and then.heard_at is not None and then.heard_at >= when:
        return AsOf(when, known_at, was, None, then.heard_at)
    if then is not None:
        return AsOf(when, known_at, was, then, None)
    if was is not None and was.at == when:
        return AsOf(when, known_at, was, None, when)
    newest = connection.scalar(
        select(check_in.c.at).where(
            check_in.c.terminal_id == terminal_id, check_in.c.at.between(when, known_at)
        )
    )
    return AsOf(when, known_at, was, None, newest if was is not None else None)


def timeline(connection: Connection, terminal_id: bytes, limit: int = 100) -> list[Runs]:
    """The newest changes of what a terminal said it runs, newest first."""
    rows = connection.execute(
        select(*_COLUMNS)
        .where(running_history.c.terminal_id == terminal_id)
        .order_by(running_history.c.id.desc())
        .limit(limit)
    )
    return [Runs(*row) for row in rows]


def last_check_in(connection: Connection, terminal_id: bytes) -> int | None:
    """When a terminal last said what it runs; None if it never did."""
    return connection.scalar(select(check_in.c.at).where(check_in.c.terminal_id == terminal_id))


def ever_ran(connection: Connection, releases: list[int]) -> list[Ran]:
    """Every terminal that ever said that it runs one of these releases, or came back from it."""
    history = running_history.c
    rows = connection.execute(
        select(
            history.terminal_id,
            history.at,
            history.release,
            history.failure_release,
            history.failure_reason,
        )
        .where(or_(history.release.in_(releases), history.failure_release.in_(releases)))
        .order_by(history.terminal_id, history.id)
    )
    found: dict[bytes, Ran] = {}
    for row in rows:
        runs = row.release in releases
        if not runs and row.failure_reason in NEVER_RAN:
            continue
        terminal_id = bytes(row.terminal_id)
        known = found.get(terminal_id)
        failed = not runs if known is None else known.failed and not runs
        first_at = row.at if known is None else known.first_at
        found[terminal_id] = Ran(terminal_id, first_at, row.at, failed)
    return list(found.values())


def boot_before(
    connection: Connection, terminal_id: bytes, sequence: int, known_at: int
) -> Boot | None:
    """The start after which a record of the journal was written, as far as it had come here by
    `known_at`; None if there is none, or if a record between may have been another start.
    """
    rows = connection.execute(
        _OWN.where(
            journal_record.c.terminal_id == terminal_id,
            journal_record.c.sequence <= sequence,
            journal_record.c.received_at <= known_at,
            or_(journal_record.c.kind == RecordKind.BOOT, journal_record.c.raw.is_(None)),
        )
        .order_by(journal_record.c.sequence.desc())
        .limit(1)
    )
    return _boot(rows.one_or_none())


def boot_at(connection: Connection, terminal_id: bytes, when: int, known_at: int) -> Boot | None:
    """The last start before `when` by the terminal's own clock, as far as it had come here by
    `known_at`; None if its journal tells of none.
    """
    rows = connection.execute(
        _OWN.where(
            journal_record.c.terminal_id == terminal_id,
            journal_record.c.kind == RecordKind.BOOT,
            journal_record.c.received_at <= known_at,
        ).order_by(journal_record.c.sequence.desc())
    )
    for row in rows:
        boot = _boot(row)
        if boot is not None and 0 < boot.time <= when:
            return boot
    return None


def _boot(row: Any) -> Boot | None:
    if row is None or row.raw is None:
        return None
    try:
        record = Record.parse(bytes(row.raw))
        _, release = record.fields(int, int)
    except NotARecord:
        return None
    return Boot(record.sequence, record.time, release, int(row.received_at))


def time_of_sale(connection: Connection, terminal_id: bytes, sequence: int) -> tuple[int, str]:
    """(when it was made, by whose clock) of a sale: its sequence in the terminal's journal.

    Raises:
        InputError: this terminal made no sale under that number, as far as is known.
    """
    decided = connection.scalar(
        select(sale.c.created_at).where(
            sale.c.terminal_id == terminal_id, sale.c.sequence == sequence
        )
    )
    if decided is not None:
        return int(decided), "decided by the server"
    row: Any = connection.execute(
        _OWN.where(
            journal_record.c.terminal_id == terminal_id, journal_record.c.sequence == sequence
        )
    ).one_or_none()
    if row is None or row.raw is None or row.kind != RecordKind.INTENT_OFFLINE:
        raise InputError(
            f"{terminal_id.hex()} made no sale under number {sequence}, as far as is known"
        )
    return Record.parse(bytes(row.raw)).time, "sold from stock, by the terminal's own clock"
