"""What a program sells by its till: one sale for each of its order keys, for ever. For
`faces.partners`.

The till is a terminal in the books, with a float, an owner and a price list; its sales are online
sales like any other. Only its numbers are given here and not by a device.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, insert, select

from updater_server.channels.entry import Product
from updater_server.errors import BusyError, ConflictError, InputError
from updater_server.fleet import terminals
from updater_server.parties.tokens import Caller
from updater_server.sales import online
from updater_server.sales.online import Answer, SaleRequest
from updater_server.sales.prices import PriceLists
from updater_server.sales.restore_state import open_restore
from updater_server.sales.vending import Desk
from updater_server.server_key import ServerKey
from updater_server.store.engine import one_at_a_time
from updater_server.store.tables import api_order, sale

KEY = re.compile("[0-9A-Za-z_.:-]{4,64}")
_BEGINNING = 1_767_225_600
"""2026-01-01: the numbers of a till's sales follow the time from here, so that a server that was
restored gives none of them a second time."""
_A_SECOND = 8
TOPUP = "topup"


@dataclass(frozen=True)
class Shelf:
    """What a sale needs of the server."""

    key: ServerKey
    prices: PriceLists
    desk: Desk | None
    now: int


def new_key() -> str:
    """For an order that came without one: it is one sale, and cannot be asked for again."""
    return "none:" + secrets.token_urlsafe(16)


def order(
    connection: Connection,
    shelf: Shelf,
    asks: Caller,
    key: str,
    recipient: str,
    amount_minor: int,
) -> tuple[int, Answer]:
    """The sale of this key, begun or told again: its number, and how it stands. Its supplier is
    asked once the transaction is on the disk.

    Raises:
        InputError: the program has no till, or the key is none.
        ConflictError: the key was used for another number or amount.
        BusyError: a restore is not settled: what was ordered before it is not known here.
        PricesUnavailable: nothing was decided.
    """
    if asks.till_id is None:
        raise InputError("this token sells nothing: it has no till")
    if not KEY.fullmatch(key):
        raise InputError("an order key has 4 to 64 letters, digits, dots and dashes")
    if open_restore(connection) is not None:
        raise BusyError("the office is being restored: nothing is sold now")
    one_at_a_time(connection, f"till {asks.till_id.hex()}")
    now = shelf.now
    owner = terminals.get(connection, asks.till_id)
    known = connection.execute(
        select(api_order.c.sequence, sale)
        .join(
            sale,
            (sale.c.terminal_id == api_order.c.terminal_id)
            & (sale.c.sequence == api_order.c.sequence),
        )
        .where(api_order.c.token_id == asks.id, api_order.c.order_key == key)
    ).one_or_none()
    if known is not None:
        if (known.recipient, known.amount_minor) != (recipient, amount_minor):
            raise ConflictError(f"the key {key} was used for another number or amount")
        answer = online.stored(connection, shelf.key, asks.till_id, known.sequence, now)
        return int(known.sequence), answer
    request = _request(connection, shelf, owner, recipient, amount_minor)
    answer = online.sell(connection, shelf.key, shelf.prices, owner, request, now, shelf.desk)
    if isinstance(answer, online.Refused) and answer.code in online.NOT_KEPT:
        raise BusyError(answer.text)
    connection.execute(
        insert(api_order).values(
            token_id=asks.id,
            order_key=key,
            terminal_id=asks.till_id,
            sequence=request.sequence,
            created_at=now,
        )
    )
    return request.sequence, answer


def product_for(shelf: Shelf, owner: Any, recipient: str, amount_minor: int) -> Product:
    """The one top-up on the till's price list that takes this number and amount; of several the
    first.

    Raises:
        InputError: there is none.
        PricesUnavailable: no list can be read.
    """
    for product in shelf.prices.catalogue(owner.catalogue).products:
        takes = product.recipient is not None and product.recipient.takes(recipient)
        if product.kind == TOPUP and takes and _commission(product, amount_minor) is not None:
            return product
    raise InputError("no top-up takes this number and amount")


def _commission(product: Product, amount_minor: int) -> int | None:
    """What a sale of this amount earns; None if there can be none."""
    commission_minor = product.commission_minor
    if product.open is not None:
        commission_minor = amount_minor * product.open.commission_permille // 1000
    return commission_minor if product.costs(amount_minor, commission_minor) else None


def _request(
    connection: Connection,
    shelf: Shelf,
    owner: Any,
    recipient: str,
    amount_minor: int,
) -> SaleRequest:
    product = product_for(shelf, owner, recipient, amount_minor)
    newest = connection.scalar(
        select(func.max(api_order.c.sequence)).where(api_order.c.terminal_id == owner.id)
    )
    sequence = max(int(newest or 0) + 1, (shelf.now - _BEGINNING) * _A_SECOND)
    commission_minor = _commission(product, amount_minor) or 0
    return SaleRequest(
        sequence, product.product_id, amount_minor, commission_minor, shelf.now, recipient
    )


def find(connection: Connection, asks: Caller, sequence: int) -> Any:
    """The row of a sale that this program ordered; None if it ordered none of this number."""
    return connection.execute(
        select(sale)
        .join(
            api_order,
            (sale.c.terminal_id == api_order.c.terminal_id)
            & (sale.c.sequence == api_order.c.sequence),
        )
        .where(api_order.c.token_id == asks.id, api_order.c.sequence == sequence)
    ).one_or_none()
