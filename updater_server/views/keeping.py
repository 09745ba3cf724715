"""How long the log of sales and their counts are kept. For `fold`, what reads them, the worker and
the command line.

The ledger is for ever; these are made of it, and grow as fast. An operator says how many whole
months they go back. A month goes in one moment for who reads; its rows go after it, piece by piece,
none of which anybody waits for. Why not as partitions: docs/decisions/0091.
"""

from __future__ import annotations

import threading
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Engine, delete, func, insert, select, update

from updater_server.errors import InputError
from updater_server.fleet import operators
from updater_server.parties import days
from updater_server.store.engine import one_at_a_time, writing
from updater_server.store.tables import sale_count, sale_log, view_kept

PIECE_ROWS = 500
MOST_MONTHS = 240
LOCK = "sale_log"
"""Who writes log or counts goes one at a time about this."""
_NAME = "sales"


class Kept(NamedTuple):
    """What log and counts hold."""

    months: int | None
    """Whole months before this one; None: all."""
    since: int
    """The first second (Unix time) that they tell of; 0: of all."""
    looked_through: int
    """Up to which transaction there is nothing for them in the ledger."""


def kept(connection: Connection) -> Kept:
    """What they hold now."""
    row = connection.execute(select(view_kept).where(view_kept.c.name == _NAME)).first()
    return Kept(None, 0, 0) if row is None else Kept(row.months, row.since, row.looked_through)


def set_months(connection: Connection, months: int, by: str, now: int) -> None:
    """Keep so many whole months before this one; 0: all, from what there is now on. Who reads sees
    it at once, and what was dropped comes back by a rebuild.

    Raises:
        InputError: more months than `MOST_MONTHS`, or fewer than none.
    """
    if not 0 <= months <= MOST_MONTHS:
        raise InputError(f"1 to {MOST_MONTHS} months, or 0 to keep all")
    one_at_a_time(connection, LOCK)
    before = kept(connection)
    if connection.scalar(select(func.count()).select_from(view_kept)) == 0:
        connection.execute(
            insert(view_kept).values(
                name=_NAME, months=None, since=0, looked_through=0, set_by=by, set_at=now
            )
        )
    since = max(before.since, _begins(connection, months, now))
    _note(connection, months=months or None, since=since, set_by=by, set_at=now)
    operators.note(connection, by, "sales keep", "views", f"{months or 'all'} months", now)


def begin_anew(connection: Connection, now: int) -> None:
    """As `kept` is before a rebuild: what was dropped under an older word comes back."""
    months = kept(connection).months
    _note(connection, since=_begins(connection, months, now), looked_through=0)


def look_past(connection: Connection, transaction_id: int) -> None:
    """Up to this transaction of the ledger there is nothing to be kept."""
    _note(connection, looked_through=max(kept(connection).looked_through, transaction_id))


def _note(connection: Connection, **values: object) -> None:
    connection.execute(update(view_kept).where(view_kept.c.name == _NAME).values(**values))


def _begins(connection: Connection, months: int | None, now: int) -> int:
    """The first second of the month, where the operator is, so many months before this one."""
    if not months:
        return 0
    where = days.zone(connection) or ZoneInfo("UTC")
    here = datetime.fromtimestamp(now, where)
    year, month = divmod(here.year * 12 + here.month - 1 - months, 12)
    return int(datetime(year, month + 1, 1, tzinfo=where).timestamp())


def refuse_before(connection: Connection, since: int, until: int) -> None:
    """See that all of a time is in log and counts; `since` 0: as much as there is.

    Raises:
        InputError: it is not; the text says where older sales are.
    """
    begins = kept(connection).since
    if until <= begins or 0 < since < begins:
        where = days.zone(connection) or ZoneInfo("UTC")
        raise InputError(
            f"log and counts are kept from {days.day_of(begins, where)} on (`sales keep`): older "
            "sales are in the ledger for ever: `party statement`, and a day as a file by "
            "`reconcile export`; `sales keep` with more months and `sales rebuild` bring them back"
        )


def drop_old(engine: Engine, now: int, stop: threading.Event | None = None) -> int:
    """Let the months go that are over, and what is left of those that went; how many rows of the
    log. Cut short, the next one goes on.
    """
    with writing(engine, beside=True) as connection:
        one_at_a_time(connection, LOCK)
        found = kept(connection)
        since = max(found.since, _begins(connection, found.months, now))
        if since != found.since:
            _note(connection, since=since)
    if not since:
        return 0
    dropped, behind = 0, 0
    while stop is None or not stop.is_set():
        gone, behind = _piece(engine, since, behind)
        dropped += gone
        if gone < PIECE_ROWS:
            break
    while stop is None or not stop.is_set():
        if not _quarter(engine, since):
            break
    return dropped


def _piece(engine: Engine, since: int, behind: int) -> tuple[int, int]:
    """The oldest rows of the log that are older than `since`; how many, and when the last was. None
    is older than `behind`, so that what went before is not looked through again.
    """
    with writing(engine, beside=True) as connection:
        one_at_a_time(connection, LOCK)
        old = (sale_log.c.at >= behind) & (sale_log.c.at < since)
        query = select(sale_log.c.id, sale_log.c.at).where(old)
        rows = connection.execute(
            query.order_by(sale_log.c.at, sale_log.c.id).limit(PIECE_ROWS)
        ).all()
        if not rows:
            return 0, behind
        ids = [row.id for row in rows]
        connection.execute(delete(sale_log).where(sale_log.c.id.in_(ids)))
        look_past(connection, max(ids))
    return len(rows), int(rows[-1].at)


def _quarter(engine: Engine, since: int) -> bool:
    """The oldest counts, of a quarter of an hour; False: none are too old."""
    with writing(engine, beside=True) as connection:
        one_at_a_time(connection, LOCK)
        oldest = connection.scalar(select(func.min(sale_count.c.begins_at)))
        if oldest is None or oldest >= since:
            return False
        connection.execute(delete(sale_count).where(sale_count.c.begins_at == oldest))
    return True
