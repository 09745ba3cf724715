"""A server that was put back from a back-up: what it has forgotten, the terminals tell it again.
For the terminals' face, `backup` and the command line.

From the restore until every terminal has told its journal, or a person has given it up:
- a terminal sells nothing online before its journal is whole here and its float agrees;
- no voucher that was free in the back-up is given to anybody: it may have been sold since;
- stock batches get numbers that were not used since, and those of the back-up count as sent;
- a sale that only the terminal remembers is booked from its journal, once, with its voucher.
`forgotten` books what they tell. Source of what is asked: docs/server.md, "After a restore".
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, func, insert, select, update

from updater_server.errors import InputError
from updater_server.fleet import check_ins
from updater_server.fleet.alarms import raise_alarm
from updater_server.sales.reconcile import floats_in_any_order
from updater_server.sales.restore_state import batch_floor, held_through, open_restore
from updater_server.store.engine import count_on_from, new_id
from updater_server.store.tables import (
    check_in,
    database_restore,
    restore_scope,
    restore_stock,
    restore_terminal,
    stock_batch,
    terminal,
    voucher,
)

BATCHES_SKIPPED = 1_000_000
"""Numbers of stock batches left out at a restore: more than were made since the back-up."""


def begin(connection: Connection, backup_id: str, backup_at: int, now: int) -> None:
    """Mark that this database was put back, and note what it cannot know any more."""
    made = connection.execute(
        insert(database_restore).values(backup_id=backup_id, backup_at=backup_at, restored_at=now)
    )
    restore_id = new_id(made)
    superseded = database_restore.c.settled_at.is_(None) & (database_restore.c.id < restore_id)
    older = list(connection.scalars(select(database_restore.c.id).where(superseded)))
    connection.execute(
        update(restore_scope)
        .where(restore_scope.c.restore_id.in_(older))
        .values(settled_by=_superseded_by(restore_id))
    )
    connection.execute(update(database_restore).where(superseded).values(settled_at=now))
    highest = connection.scalar(select(func.max(stock_batch.c.id))) or 0
    floor = max(highest, batch_floor(connection)) + BATCHES_SKIPPED
    count_on_from(connection, stock_batch.name, floor)
    connection.execute(
        insert(restore_scope).values(
            restore_id=restore_id,
            voucher_through=connection.scalar(select(func.max(voucher.c.id))) or 0,
            batch_floor=floor,
            freed=False,
        )
    )
    # Whether a batch that had not left was fetched since is not known: it counts as one that had,
    # so that nothing of it comes back to the vault while a terminal may sell it.
    connection.execute(
        update(stock_batch)
        .where(stock_batch.c.sent_at.is_(None), stock_batch.c.withdrawn_at.is_(None))
        .values(sent_at=now)
    )
    everyone = list(connection.scalars(select(terminal.c.id)))
    if everyone:
        connection.execute(
            insert(restore_terminal),
            [{"restore_id": restore_id, "terminal_id": one} for one in everyone],
        )
    text = f"restored: {len(everyone)} terminals must tell again what they did (`restored status`)"
    raise_alarm(connection, None, "restored", text, now)


def _superseded_by(restore_id: int) -> str:
    return f"restore {restore_id}"


def look(connection: Connection, terminal_id: bytes, now: int) -> None:
    """After a check-in or records: has this terminal told everything, and does its float agree?

    The float counts that it had when it had first told everything: later it takes over ours.
    """
    restore_id = open_restore(connection)
    if restore_id is None:
        return
    mine = (restore_terminal.c.restore_id == restore_id) & (
        restore_terminal.c.terminal_id == terminal_id
    )
    row = connection.execute(select(restore_terminal).where(mine)).one_or_none()
    restored_at = connection.scalar(
        select(database_restore.c.restored_at).where(database_restore.c.id == restore_id)
    )
    if row is None or row.agreed_at is not None:
        return
    own, before = row.own_float_minor, row.before_sequence
    if own is None:
        report = connection.execute(
            select(check_in.c.own_float_minor, check_ins.NEEDED, check_in.c.at).where(
                check_in.c.terminal_id == terminal_id
            )
        ).one_or_none()
        if report is None or restored_at is None or report.at < restored_at:
            return
        own, before = report.own_float_minor, report.journal_needed
        connection.execute(
            update(restore_terminal).where(mine).values(own_float_minor=own, before_sequence=before)
        )
    known = connection.scalar(
        select(terminal.c.acknowledged_through).where(terminal.c.id == terminal_id)
    )
    if known is None or known < before - 1:
        return
    possible = floats_in_any_order(connection, terminal_id, before, restored_at or now)
    if own in possible:
        connection.execute(update(restore_terminal).where(mine).values(agreed_at=now))
        return
    text = (
        f"after the restore its float was {own}, and the books say "
        f"{max(possible)}: post the deposits made since "
        "the back-up again, with their references"
    )
    raise_alarm(connection, terminal_id, "restore_float", text, now)


def status(connection: Connection) -> list[dict[str, Any]]:
    """Of the open restore, each terminal with `state`: agreed, given up, float differs, journal
    missing (with how many records), or not heard of.
    """
    restore_id = open_restore(connection)
    rows = connection.execute(
        select(
            restore_terminal,
            terminal.c.acknowledged_through,
            terminal.c.last_seen_at,
            check_in.c.journal_oldest,
        )
        .join(terminal, terminal.c.id == restore_terminal.c.terminal_id)
        .outerjoin(check_in, check_in.c.terminal_id == terminal.c.id)
        .where(restore_terminal.c.restore_id == restore_id)
        .order_by(restore_terminal.c.terminal_id)
    )
    return [{**row._mapping, "state": _state(row)} for row in rows]


def _state(row: Any) -> str:
    if row.agreed_at is not None:
        return "agreed"
    if row.given_up_by is not None:
        return f"given up by {row.given_up_by}"
    if row.own_float_minor is None:
        return "not heard of since"
    missing = row.before_sequence - 1 - row.acknowledged_through
    if missing > 0:
        gone = (row.journal_oldest or 0) - row.acknowledged_through - 1
        if gone > 0:
            first = row.acknowledged_through + 1
            return (
                f"records {first} to {first + gone - 1} left its journal: "
                f"`terminal lost --accept-through {first + gone - 1}`"
            )
        return f"{missing} records to come"
    return "its float differs"


def give_up(connection: Connection, terminal_id: bytes, by: str, now: int) -> None:
    """Go on without what a terminal has not told, or with a float that differs.

    Raises:
        InputError: no restore is open, or this terminal is not waited for.
    """
    restore_id = open_restore(connection)
    changed = connection.execute(
        update(restore_terminal)
        .where(
            restore_terminal.c.restore_id == restore_id,
            restore_terminal.c.terminal_id == terminal_id,
            restore_terminal.c.agreed_at.is_(None),
        )
        .values(given_up_by=by[:64])
    )
    if changed.rowcount == 0:
        raise InputError(f"nothing is waited for from {terminal_id.hex()}")
    text = f"after the restore {by[:64]} went on without what it had still to tell"
    raise_alarm(connection, terminal_id, "restore_given_up", text, now)


def settle(connection: Connection, free_held: bool, by: str, now: int) -> int:
    """End the restore; returns how many vouchers stay set aside.

    If every terminal has agreed, all vouchers may be sold again. Else those that the back-up had as
    free stay set aside for good, unless `free_held`: a terminal that was given up may have sold
    some of them.

    Raises:
        InputError: no restore is open, or a terminal is still waited for.
    """
    restore_id = open_restore(connection)
    if restore_id is None:
        raise InputError("no restore is open")
    not_agreed = [row for row in status(connection) if row["agreed_at"] is None]
    waits = [row["terminal_id"].hex() for row in not_agreed if row["given_up_by"] is None]
    if waits:
        raise InputError(
            f"{len(waits)} terminals have not told everything, {waits[0]} for instance: wait, or "
            "`restored give-up` each"
        )
    missing = connection.scalar(select(func.count()).where(restore_stock.c.state == "missing"))
    freed = free_held or not (not_agreed or missing)
    connection.execute(
        update(restore_scope)
        .where(restore_scope.c.restore_id == restore_id)
        .values(freed=freed, settled_by=by[:64])
    )
    connection.execute(
        update(database_restore).where(database_restore.c.id == restore_id).values(settled_at=now)
    )
    if freed:
        connection.execute(
            update(restore_scope)
            .where(restore_scope.c.settled_by == _superseded_by(restore_id))
            .values(freed=True)
        )
    held = select(func.count()).where(voucher.c.free, voucher.c.id <= held_through(connection))
    return int(connection.scalar(held) or 0)
