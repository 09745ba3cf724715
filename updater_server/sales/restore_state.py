"""Whether this database was put back from a back-up, and what may not be done until its terminals
have told what it forgot. For `online`, `stock`, `vault`, `restoring` and
`forgotten`.
"""

from __future__ import annotations

from sqlalchemy import Connection, func, select

from updater_server.store.prepared import Prepared
from updater_server.store.tables import database_restore, restore_scope, restore_terminal

_OPEN = Prepared(
    select(database_restore.c.id)
    .where(database_restore.c.settled_at.is_(None))
    .order_by(database_restore.c.id.desc())
    .limit(1)
)
_HELD = Prepared(select(func.max(restore_scope.c.voucher_through)).where(~restore_scope.c.freed))


def open_restore(connection: Connection) -> int | None:
    """The restore that is not settled yet, the newest one, if any."""
    found: int | None = _OPEN.scalar(connection)
    return found


def held_through(connection: Connection) -> int:
    """Vouchers up to this id may have been sold in a time that was forgotten: none is given."""
    return int(_HELD.scalar(connection) or 0)


def batch_floor(connection: Connection) -> int:
    """New stock batches have ids above this one."""
    return int(connection.scalar(select(func.max(restore_scope.c.batch_floor))) or 0)


def must_tell_first(connection: Connection, terminal_id: bytes) -> bool:
    """Whether a terminal has not yet told what a restore made this server forget."""
    restore_id = open_restore(connection)
    if restore_id is None:
        return False
    waits = select(restore_terminal.c.terminal_id).where(
        restore_terminal.c.restore_id == restore_id,
        restore_terminal.c.terminal_id == terminal_id,
        restore_terminal.c.agreed_at.is_(None),
        restore_terminal.c.given_up_by.is_(None),
    )
    return connection.scalar(waits) is not None
