"""Whether this database was put back from a back-up, and what may not be done until its terminals
have told what it forgot. For `online`, `stock`, `vault`, `restoring` and
`forgotten`.
"""

from __future__ import annotations

from sqlalchemy import Connection, func, or_, select, update

from updater_server.store.prepared import Prepared
from updater_server.store.tables import database_restore, restore_scope, restore_terminal

_OPEN_RESTORE = (
    select(database_restore.c.id)
    .where(database_restore.c.settled_at.is_(None))
    .order_by(database_restore.c.id.desc())
    .limit(1)
)
OPEN_RESTORE = _OPEN_RESTORE.scalar_subquery()
"""What `open_restore` tells, for a question that needs it."""
_OPEN = Prepared(_OPEN_RESTORE)
_HELD_THROUGH = select(func.max(restore_scope.c.voucher_through)).where(~restore_scope.c.freed)
HELD_THROUGH = _HELD_THROUGH.scalar_subquery()
"""What `held_through` tells, for a question that needs it: null for nothing."""
_HELD = Prepared(_HELD_THROUGH)
_BATCHES_THROUGH = select(func.max(restore_scope.c.batch_floor)).where(~restore_scope.c.freed)
BATCHES_HELD = func.coalesce(_BATCHES_THROUGH.scalar_subquery(), 0)
"""Batches of stock up to this id that no terminal has confirmed are not offered: one may have been
taken back, and its vouchers sold to others, in a time that was forgotten.
"""


_CLOCKS_APART_S = 300
"""A terminal's clock may be ahead of the server's by so much."""


def open_restore(connection: Connection) -> int | None:
    """The restore that is not settled yet, the newest one, if any."""
    found: int | None = _OPEN.scalar(connection)
    return found


def held_through(connection: Connection) -> int:
    """Vouchers up to this id may have been sold in a time that was forgotten: none is given."""
    return int(_HELD.scalar(connection) or 0)


def hold(connection: Connection, voucher_id: int) -> None:
    """While a restore is open: vouchers up to this one, too, may have been sold in the time that it
    forgot. Else nothing.
    """
    connection.execute(
        update(restore_scope)
        .where(restore_scope.c.restore_id == _OPEN_RESTORE.scalar_subquery())
        .where(restore_scope.c.voucher_through < voucher_id)
        .values(voucher_through=voucher_id)
    )


def batch_floor(connection: Connection) -> int:
    """New stock batches have ids above this one."""
    return int(connection.scalar(select(func.max(restore_scope.c.batch_floor))) or 0)


def must_tell_first(connection: Connection, terminal_id: bytes) -> bool:
    """Whether a terminal has not yet told what a restore made this server forget."""
    restore_id = open_restore(connection)
    return restore_id is not None and must_tell_of(connection, terminal_id, restore_id)


def must_tell_of(connection: Connection, terminal_id: bytes, restore_id: int) -> bool:
    """Whether a terminal has not yet told what this restore made the server forget."""
    waits = select(restore_terminal.c.terminal_id).where(
        restore_terminal.c.restore_id == restore_id,
        restore_terminal.c.terminal_id == terminal_id,
        restore_terminal.c.agreed_at.is_(None),
        restore_terminal.c.given_up_by.is_(None),
    )
    return connection.scalar(waits) is not None


def may_be_with_supplier(connection: Connection, recipient: str | None, time: int) -> bool:
    """Whether a restore is open and a sale to a recipient that a terminal began at `time` may have
    been sent to its supplier before: neither refused nor cancelled, it waits for an answer.
    """
    if recipient is None:
        return False
    began = _OPEN_RESTORE.with_only_columns(database_restore.c.restored_at)
    restored_at = connection.scalar(began)
    return restored_at is not None and time <= restored_at + _CLOCKS_APART_S


def may_have_forgotten(
    connection: Connection, terminal_id: bytes, sequence: int, time: int
) -> bool:
    """Whether a restore, over or not, may have made this server forget what became of a sale that a
    terminal began with record `sequence` at `time`. While it is open: of any sale.
    """
    of_then = or_(
        restore_terminal.c.before_sequence > sequence,
        restore_terminal.c.before_sequence.is_(None) & (database_restore.c.restored_at > time),
    )
    forgot = (
        select(database_restore.c.id)
        .outerjoin(
            restore_terminal,
            (restore_terminal.c.restore_id == database_restore.c.id)
            & (restore_terminal.c.terminal_id == terminal_id),
        )
        .where(
            database_restore.c.settled_at.is_(None)
            | (restore_terminal.c.terminal_id.is_not(None) & of_then)
        )
        .limit(1)
    )
    return connection.scalar(forgot) is not None
