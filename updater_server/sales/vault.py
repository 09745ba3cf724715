"""The voucher vault: PINs sealed at rest, each given away once. For `online`, `stock`, `incoming`
and the command line.

A voucher is at any time exactly one of: coming in (its delivery is not whole yet), free, given (to
a sale, or to a batch it has not come back from), or set aside for ever. One that does not open
under the server key, or that no terminal could take, is set aside and the next one is taken: it
never stands in anybody's way.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import (
    Connection,
    LargeBinary,
    bindparam,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.exc import NoResultFound

from updater_server.errors import VaultError
from updater_server.fleet.alarms import raise_alarm
from updater_server.sales import pins, taking
from updater_server.sales.restore_state import held_through
from updater_server.server_key import SealedValue, ServerKey
from updater_server.store.prepared import Prepared
from updater_server.store.tables import (
    stock_return,
    voucher,
    voucher_aside,
    voucher_assignment,
    voucher_import,
)
from updater_server.store.tables.base import Big
from updater_server.wire import limits

ONLINE_SHELF_LIFE_S = 86400
"""A voucher that expires sooner is not sold any more: a day ends elsewhere before it does in UTC,
and the customer must have time to load it."""
_USELESS_LIMIT = 200
"""Vouchers that one sale or batch looks past; the next one goes on from there."""


class UnfitVoucher(VaultError):
    """A voucher opens, and no terminal could take it; the text says why and holds no PIN."""


class VoucherElsewhere(VaultError):
    """Its PIN is not here: a restore forgot its delivery, and a terminal told that it has it."""


class Voucher(NamedTuple):
    """An opened voucher. Never log it."""

    voucher_id: int
    product_id: str
    pin: str
    serial: str
    expires_at: int

    def __repr__(self) -> str:
        return f"Voucher({self.product_id}, serial {self.serial}, PIN hidden)"


_REVEAL = Prepared(select(*taking.OPENABLE).where(voucher.c.id == bindparam("voucher_id")))


def take(
    connection: Connection, product_id: str, count: int, now: int, spare_s: int = 0
) -> list[int]:
    """Take up to `count` free vouchers out of the vault, those that expire first first; returns
    their ids.

    Those that expire within `spare_s` are left. The caller gives each away, or sets it aside, in
    the same transaction.
    """
    return [row.id for row in taking.take(connection, product_id, count, now, spare_s)]


def take_open(
    connection: Connection, key: ServerKey, product_id: str, count: int, now: int, spare_s: int
) -> list[Voucher]:
    """As `take`, opened; those that do not open, or that no terminal could take, are set aside with
    an alarm and others taken.
    """
    opened: list[Voucher] = []
    useless = 0
    while len(opened) < count and useless < _USELESS_LIMIT:
        rows = taking.take(connection, product_id, count - len(opened), now, spare_s)
        if not rows:
            break
        for row in rows:
            try:
                opened.append(_opened(key, row))
            except VaultError as error:
                useless += 1
                set_useless_aside(connection, row.id, error, now)
    return opened


_TURN = select(func.count()).where(stock_return.c.voucher_id == bindparam("given", type_=Big))
_GIVE = Prepared(
    insert(voucher_assignment).from_select(
        [
            *("voucher_id", "turn", "terminal_id", "sale_sequence", "batch_id", "batch_index"),
            "assigned_at",
        ],
        select(
            bindparam("given", type_=Big),
            _TURN.scalar_subquery(),
            bindparam("to", type_=LargeBinary),
            *(bindparam(name, type_=Big) for name in ("sale", "batch", "place", "now")),
        ),
    )
)


def give(
    connection: Connection,
    voucher_ids: Sequence[int],
    terminal_id: bytes,
    now: int,
    *,
    sale_sequence: int | None = None,
    batch_id: int | None = None,
) -> None:
    """Note for ever that these vouchers, which were taken, are a sale's or a batch's (in order)."""
    for index, voucher_id in enumerate(voucher_ids):
        _GIVE.run(
            connection,
            given=voucher_id,
            to=terminal_id,
            sale=sale_sequence,
            batch=batch_id,
            place=None if batch_id is None else index,
            now=now,
        )


def set_aside(
    connection: Connection, voucher_id: int, reason: str, operator: str, now: int
) -> bool:
    """Never sell this voucher (again); False if it was set aside before."""
    if connection.scalar(
        select(voucher_aside.c.at).where(voucher_aside.c.voucher_id == voucher_id)
    ):
        return False
    connection.execute(
        update(voucher).where(voucher.c.id == voucher_id, voucher.c.free).values(free=False)
    )
    connection.execute(
        insert(voucher_aside).values(voucher_id=voucher_id, reason=reason, set_by=operator, at=now)
    )
    return True


def is_recalled(connection: Connection, voucher_id: int) -> bool:
    """Whether the delivery that brought this voucher was recalled."""
    return (
        connection.scalar(
            select(voucher_import.c.id)
            .join(voucher, voucher.c.import_id == voucher_import.c.id)
            .where(voucher.c.id == voucher_id, voucher_import.c.state == "recalled")
        )
        is not None
    )


def set_useless_aside(connection: Connection, voucher_id: int, error: VaultError, now: int) -> None:
    """A voucher was not to be had (`reveal` raised `error`): aside with it, and an alarm."""
    is_unfit = isinstance(error, UnfitVoucher)
    if set_aside(connection, voucher_id, "unfit" if is_unfit else "unreadable", "server", now):
        product_id = connection.scalar(
            select(voucher.c.product_id).where(voucher.c.id == voucher_id)
        )
        if is_unfit:
            text = f"a voucher of {product_id} is set aside, no terminal could take it: {error}"
            raise_alarm(connection, None, "voucher_unfit", text, now)
            return
        text = f"vouchers of {product_id} do not open under this server key and are set aside"
        raise_alarm(connection, None, "voucher_unreadable", text, now)


def reveal(connection: Connection, key: ServerKey, voucher_id: int) -> Voucher:
    """Open one voucher.

    Raises:
        VaultError: it does not open under this server key.
        UnfitVoucher: it is none that a terminal could take.
    """
    row = _REVEAL.first(connection, voucher_id=voucher_id)
    if row is None:
        raise NoResultFound(f"there is no voucher {voucher_id}")
    return _opened(key, row)


def _opened(key: ServerKey, row: Any) -> Voucher:
    if not row.pin_sealed:
        raise VoucherElsewhere("its delivery is not here: a restore forgot it")
    pin = pins.open_sealed(key, row.product_id, row.serial, row.pin_sealed)
    expires_at = row.expires_at if type(row.expires_at) is int else -1
    unfit = limits.unfit_voucher(row.product_id, pin, row.serial, expires_at)
    if unfit:
        raise UnfitVoucher(unfit)
    return Voucher(row.id, row.product_id, pin, row.serial, row.expires_at)


def some_sealed(connection: Connection) -> list[SealedValue]:
    """A few vouchers as they are kept, to try a key on."""
    found = connection.execute(select(voucher).order_by(voucher.c.id).limit(20))
    return [
        SealedValue(pins.PURPOSE, pins.context(row.product_id, row.serial), row.pin_sealed)
        for row in found
    ]


def free_counts(connection: Connection, now: int) -> dict[str, int]:
    """Free and unexpired vouchers by product."""
    rows = connection.execute(
        select(voucher.c.product_id, func.count().label("free"))
        .where(voucher.c.free, voucher.c.id > held_through(connection))
        .where(or_(voucher.c.expires_at == 0, voucher.c.expires_at > now))
        .group_by(voucher.c.product_id)
        .order_by(voucher.c.product_id)
    )
    return {row.product_id: row.free for row in rows}


def aside_counts(connection: Connection) -> dict[tuple[str, str], int]:
    """How many vouchers are set aside, by product and reason."""
    rows = connection.execute(
        select(voucher.c.product_id, voucher_aside.c.reason, func.count().label("aside"))
        .join(voucher, voucher.c.id == voucher_aside.c.voucher_id)
        .group_by(voucher.c.product_id, voucher_aside.c.reason)
        .order_by(voucher.c.product_id, voucher_aside.c.reason)
    )
    return {(row.product_id, row.reason): row.aside for row in rows}
