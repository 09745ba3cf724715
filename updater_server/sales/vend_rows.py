"""What is kept of a sale at its supplier, read: the row, the order that it was, what was given. For
`vends`, which moves it, and for those who tell of it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, RowMapping, bindparam, func, select

from updater_server.errors import VaultError
from updater_server.sales.suppliers.base import Order
from updater_server.sales.vend_names import pin_of, serial_of
from updater_server.server_key import ServerKey
from updater_server.store.prepared import Prepared
from updater_server.store.tables import sale, vend
from updater_server.store.tables.suppliers import is_open

PURPOSE = "vend"
"""What a delivery is sealed for (`ServerKey.seal`)."""
Row = Mapping[str, Any]
"""Of the table `vend`, by its columns."""


@dataclass(frozen=True)
class Given:
    """What a delivered sale's customer gets."""

    pin: str
    serial: str
    details: tuple[tuple[str, str], ...]


WITH_TIME = select(vend, sale.c.terminal_time).join(
    sale, (sale.c.terminal_id == vend.c.terminal_id) & (sale.c.sequence == vend.c.sequence)
)


_FIND = Prepared(WITH_TIME.where(vend.c.id == bindparam("vend_id")))
_OF_SALE = Prepared(
    select(vend).where(
        vend.c.terminal_id == bindparam("terminal_id"), vend.c.sequence == bindparam("sequence")
    )
)


def find(connection: Connection, vend_id: int) -> Row:
    """A sale's row at its supplier, with the terminal's own time of it."""
    found: Row = _FIND.first(connection, vend_id=vend_id)._asdict()
    return found


def of_sale(connection: Connection, terminal_id: bytes, sequence: int) -> Row | None:
    """The row of a terminal's sale; None if no supplier makes it."""
    found = _OF_SALE.first(connection, terminal_id=terminal_id, sequence=sequence)
    return None if found is None else dict(found._asdict())


_SAME = Prepared(
    select(vend.c.id)
    .where(
        vend.c.supplier == bindparam("supplier"),
        vend.c.recipient == bindparam("recipient"),
        is_open,
        vend.c.amount_minor == bindparam("amount_minor"),
    )
    .limit(1)
)


def is_open_for(connection: Connection, supplier: str, recipient: str, amount_minor: int) -> bool:
    """Whether a sale of the same amount to the same recipient is not decided yet: a second one
    could not be told from it.
    """
    found = _SAME.scalar(
        connection, supplier=supplier, recipient=recipient, amount_minor=amount_minor
    )
    return found is not None


def open_ones(connection: Connection) -> list[RowMapping]:
    """Every sale that is not decided, the oldest first."""
    found = select(vend).where(is_open).order_by(vend.c.created_at, vend.c.id)
    return list(connection.execute(found).mappings().all())


def due_since(connection: Connection, now: int) -> dict[str, int]:
    """By supplier: since when the oldest sale waits that is due to be looked after; without those
    that have none.
    """
    oldest = select(vend.c.supplier, func.min(vend.c.next_at)).where(is_open, vend.c.next_at <= now)
    return {name: int(at) for name, at in connection.execute(oldest.group_by(vend.c.supplier))}


def order_of(row: Row) -> Order:
    """What its supplier is told of a sale."""
    return Order(
        row["reference"], row["code"], row["recipient"], row["amount_minor"], row["currency"],
        row["minor_digits"], row["sent_at"] or row["created_at"], row["supplier_reference"],
        row["terminal_time"],
    )  # fmt: skip


def given(key: ServerKey, row: Row) -> Given:
    """What the customer of a delivered sale gets, the same each time.

    Raises:
        VaultError: it does not open.
    """
    if row["answer_sealed"] is None:
        raise VaultError("what was delivered is not here: a restore forgot it")
    token, details = json.loads(key.open(PURPOSE, context(row), row["answer_sealed"]))
    reference = row["supplier_reference"]
    pairs = tuple((str(label), str(value)) for label, value in details)
    return Given(token or pin_of(reference), serial_of(reference), pairs)


def context(row: Row) -> bytes:
    """To what its sealed answer belongs."""
    return str(row["reference"]).encode()
