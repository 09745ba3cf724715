"""Books in which nothing is real: a sandbox, where programs are tried. For whoever makes or reads
such books.

A sandbox has a database and a key of its own. What its books are is said once, before anything is
in them, and the database then holds both sides to it (migration 0033): in a sandbox there is no
terminal but programs' tills, no supplier but the one that delivers nothing, and no voucher whose
serial number does not begin with `SERIAL`; elsewhere none that does.
"""

from __future__ import annotations

from sqlalchemy import Connection, insert, select

from updater_server.errors import StateError
from updater_server.store.tables import ledger_transaction, server_constant, terminal, voucher

SERIAL = "SANDBOX-"
"""How the serial number of each voucher of a sandbox begins."""
_NAME, _VALUE = "books", "sandbox"


def is_one(connection: Connection) -> bool:
    """Whether these books are a sandbox's."""
    said = select(server_constant.c.value).where(server_constant.c.name == _NAME)
    return connection.scalar(said) == _VALUE


def declare(connection: Connection) -> None:
    """These new books are a sandbox's, for ever; said before, it changes nothing.

    Raises:
        StateError: there is something in them.
    """
    if is_one(connection):
        return
    for table in (terminal, voucher, ledger_transaction):
        if connection.execute(select(table.c.id).limit(1)).first() is not None:
            raise StateError("these books were begun: no sandbox can be made of them")
    connection.execute(insert(server_constant).values(name=_NAME, value=_VALUE))


def misplaced(connection: Connection, serials: list[str]) -> dict[str, str]:
    """Which of these serial numbers cannot come into these books, and why: they are a sandbox's, or
    these are one's.
    """
    inside = is_one(connection)
    why = (
        f"is no sandbox's (those begin with {SERIAL}): nothing real comes into a sandbox"
        if inside
        else "is a voucher of a sandbox: it never leaves it"
    )
    return {serial: why for serial in serials if serial.startswith(SERIAL) != inside}
