"""What is kept of a sale at its supplier, read: the row, the order that it was, what was given. For
`vends`, which moves it, and for those who tell of it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from sqlalchemy import Connection, RowMapping, select

from updater_server.errors import VaultError
from updater_server.sales.suppliers.base import Order
from updater_server.sales.vend_names import pin_of, serial_of
from updater_server.server_key import ServerKey
from updater_server.store.tables import sale, vend


@dataclass(frozen=True)
class Given:
    """What a delivered sale's customer gets."""

    pin: str
    serial: str
    details: tuple[tuple[str, str], ...]


WITH_TIME = select(vend, sale.c.terminal_time).join(
    sale, (sale.c.terminal_id == vend.c.terminal_id) & (sale.c.sequence == vend.c.sequence)
)


def find(connection: Connection, vend_id: int) -> RowMapping:
    """A sale's row at its supplier, with the terminal's own time of it."""
    return connection.execute(WITH_TIME.where(vend.c.id == vend_id)).mappings().one()


def of_sale(connection: Connection, terminal_id: bytes, sequence: int) -> RowMapping | None:
    """The row of a terminal's sale; None if no supplier makes it."""
    return (
        connection.execute(
            select(vend).where(vend.c.terminal_id == terminal_id, vend.c.sequence == sequence)
        )
        .mappings()
        .one_or_none()
    )


def order_of(row: RowMapping) -> Order:
    """What its supplier is told of a sale."""
    return Order(
        row["reference"], row["code"], row["recipient"], row["amount_minor"], row["currency"],
        row["minor_digits"], row["sent_at"] or row["created_at"], row["supplier_reference"],
        row["terminal_time"],
    )  # fmt: skip


def given(key: ServerKey, row: RowMapping) -> Given:
    """What the customer of a delivered sale gets, the same each time.

    Raises:
        VaultError: it does not open.
    """
    if row["answer_sealed"] is None:
        raise VaultError("what was delivered is not here: a restore forgot it")
    token, details = json.loads(key.open("vend", context(row), row["answer_sealed"]))
    reference = row["supplier_reference"]
    pairs = tuple((str(label), str(value)) for label, value in details)
    return Given(token or pin_of(reference), serial_of(reference), pairs)


def context(row: RowMapping) -> bytes:
    """To what its sealed answer belongs."""
    return str(row["reference"]).encode()
