"""The voucher vault: PINs sealed at rest, each given away once. For `sales.switch`, `sales.stock`,
`sales.imports` and the command line.

A voucher is at any time exactly one of: coming in (its delivery is not whole yet), free, given (to
a sale, or to a batch it has not come back from), or set aside for ever. One that does not open
under the server key, or that no terminal could take, is set aside and the next one is taken: it
never stands in anybody's way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, LargeBinary, cast, func, insert, or_, select, update

from updater_server import limits
from updater_server.errors import InputError, VaultError
from updater_server.fleet.alarms import raise_alarm
from updater_server.fleet.operators import words
from updater_server.sales import delivery_file
from updater_server.sales.delivery_file import Row
from updater_server.sales.restore_state import held_through
from updater_server.server_key import SealedValue, ServerKey
from updater_server.tables import (
    stock_return,
    voucher,
    voucher_aside,
    voucher_assignment,
    voucher_import,
)

ONLINE_SHELF_LIFE_S = 86400
"""A voucher that expires sooner is not sold any more: a day ends elsewhere before it does in UTC,
and the customer must have time to load it."""
_USELESS_LIMIT = 200
"""Vouchers that one sale or batch looks past; the next one goes on from there."""
_SEALING_BYTES = 12 + 16
"""What sealing adds to a PIN (`ServerKey.seal`)."""


class UnfitVoucher(VaultError):
    """A voucher opens, and no terminal could take it; the text says why and holds no PIN."""


class Voucher(NamedTuple):
    """An opened voucher. Never log it."""

    voucher_id: int
    product_id: str
    pin: str
    serial: str
    expires_at: int

    def __repr__(self) -> str:
        return f"Voucher({self.product_id}, serial {self.serial}, PIN hidden)"


def _context(product_id: str, serial: str) -> bytes:
    return f"{product_id}\0{serial}".encode()


def _mark(key: ServerKey, pin: str) -> bytes:
    # A PIN that lost its leading zeros in a spreadsheet is the same PIN.
    return key.digest("pin mark", pin.lstrip("0").encode())


def _digest(key: ServerKey, operator: str, pin: str) -> bytes:
    return key.digest("pin digest", f"{operator}\0{pin.lstrip('0')}".encode())


def sealed_row(
    key: ServerKey, row: Row, operator: str, import_id: int, free: bool, now: int
) -> dict[str, object]:
    """A voucher as the vault keeps it."""
    return {
        "product_id": row.product_id,
        "serial": row.serial,
        "pin_sealed": key.seal("voucher", _context(row.product_id, row.serial), row.pin.encode()),
        "pin_digest": _digest(key, operator, row.pin),
        "pin_mark": _mark(key, row.pin),
        "operator": operator,
        "expires_at": row.expires_at,
        "imported_at": now,
        "free": free,
        "import_id": import_id,
        "import_line": row.line,
    }


class Twins(NamedTuple):
    """Vouchers of a delivery that the vault knows: by lines, with what is the same."""

    refused: list[str]
    elsewhere: int  # the same PIN under another operator: may be chance


def twins(
    connection: Connection, key: ServerKey, rows: Sequence[Row], operators: Mapping[str, str]
) -> Twins:
    """Which of these rows (some hundreds) are in the vault already.

    One operator's PIN is one voucher, under whatever product and with however many zeros in front.
    """
    by_mark = {_mark(key, row.pin): row for row in rows}
    refused = []
    elsewhere = 0
    known = connection.execute(
        select(voucher.c.pin_mark, voucher.c.operator, voucher.c.product_id).where(
            voucher.c.pin_mark.in_(list(by_mark))
        )
    )
    for found in known:
        row = by_mark[found.pin_mark]
        if found.operator and operators.get(row.product_id, "") not in ("", found.operator):
            elsewhere += 1
            continue
        where = "" if found.product_id == row.product_id else f", as {found.product_id}"
        refused.append(
            f"line {row.line}: this PIN or serial {row.serial} is in the vault already{where}"
        )
    for product_id in {row.product_id for row in rows}:
        by_serial = {row.serial: row for row in rows if row.product_id == product_id}
        for serial in connection.scalars(
            select(voucher.c.serial).where(
                voucher.c.product_id == product_id, voucher.c.serial.in_(list(by_serial))
            )
        ):
            line = by_serial[serial].line
            text = f"line {line}: this PIN or serial {serial} is in the vault already"
            if not any(other.startswith(f"line {line}:") for other in refused):
                refused.append(text)
    return Twins(refused, elsewhere)


def import_csv(
    connection: Connection,
    key: ServerKey,
    text: str,
    now: int,
    operators: Mapping[str, str] | None = None,
) -> int:
    """Take in a small delivery in one transaction, all rows or none; returns how many came in.

    `operators` is operator by product, as the price lists say; without it all PINs are one
    operator's. Doubts are the caller's: `delivery_file.read` tells them.

    Raises:
        InputError: a row is wrong, or a PIN or serial is in the vault (or earlier in the file)
            already; the text names the line, never a PIN.
    """
    delivery = delivery_file.read(text.encode(), now)
    if delivery.errors:
        raise InputError(delivery.errors[0])
    rows = list(delivery.rows(now))
    found = twins(connection, key, rows, operators or {})
    if found.refused:
        raise InputError(found.refused[0])
    import_id = begin_import(connection, delivery, "", "", "complete", now)
    connection.execute(
        insert(voucher),
        [
            sealed_row(key, row, (operators or {}).get(row.product_id, ""), import_id, True, now)
            for row in rows
        ],
    )
    return len(rows)


def begin_import(
    connection: Connection,
    delivery: delivery_file.Delivery,
    name: str,
    operator: str,
    state: str,
    now: int,
) -> int:
    """Note a delivery; returns its import id."""
    made = connection.execute(
        insert(voucher_import).values(
            sha256=bytes.fromhex(delivery.sha256),
            name=words(name, 200),
            count=delivery.count,
            state=state,
            imported_by=operator,
            begun_at=now,
            finished_at=now if state == "complete" else None,
        )
    )
    assert made.inserted_primary_key is not None
    return int(made.inserted_primary_key[0])


def usual_lengths(connection: Connection, product_id: str) -> set[int]:
    """How long the PINs of a product are that came in last."""
    newest = (
        select(func.length(voucher.c.pin_sealed).label("bytes"))
        .where(voucher.c.product_id == product_id, func.length(voucher.c.pin_sealed) > 0)
        .order_by(voucher.c.id.desc())
        .limit(1000)
        .subquery()
    )
    return {size - _SEALING_BYTES for size in connection.scalars(select(newest.c.bytes).distinct())}


def take(
    connection: Connection, product_id: str, count: int, now: int, spare_s: int = 0
) -> list[int]:
    """Take up to `count` free vouchers out of the vault, those that expire first first; returns
    their ids.

    Those that expire within `spare_s` are left. The caller gives each away, or sets it aside, in
    the same transaction.
    """
    mine = select(voucher.c.id).where(voucher.c.product_id == product_id, voucher.c.free)
    mine = mine.where(voucher.c.id > held_through(connection))
    # Two walks along one index: ordered by one expression, the whole vault would be sorted.
    expiring = mine.where(voucher.c.expires_at > now + spare_s).order_by(
        voucher.c.expires_at, voucher.c.id
    )
    ids = list(connection.scalars(expiring.limit(count)))
    if len(ids) < count:
        lasting = mine.where(voucher.c.expires_at == 0).order_by(voucher.c.id)
        ids += connection.scalars(lasting.limit(count - len(ids)))
    if ids:
        connection.execute(update(voucher).where(voucher.c.id.in_(ids)).values(free=False))
    return ids


def take_open(
    connection: Connection, key: ServerKey, product_id: str, count: int, now: int, spare_s: int
) -> list[Voucher]:
    """As `take`, opened; those that do not open, or that no terminal could take, are set aside with
    an alarm and others taken.
    """
    opened: list[Voucher] = []
    useless = 0
    while len(opened) < count and useless < _USELESS_LIMIT:
        ids = take(connection, product_id, count - len(opened), now, spare_s)
        if not ids:
            break
        for voucher_id in ids:
            try:
                opened.append(reveal(connection, key, voucher_id))
            except VaultError as error:
                useless += 1
                set_useless_aside(connection, voucher_id, error, now)
    return opened


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
    returned = {
        row.voucher_id: row.turns
        for row in connection.execute(
            select(stock_return.c.voucher_id, func.count().label("turns"))
            .where(stock_return.c.voucher_id.in_(voucher_ids))
            .group_by(stock_return.c.voucher_id)
        )
    }
    connection.execute(
        insert(voucher_assignment),
        [
            {
                "voucher_id": voucher_id,
                "turn": returned.get(voucher_id, 0),
                "terminal_id": terminal_id,
                "sale_sequence": sale_sequence,
                "batch_id": batch_id,
                "batch_index": None if batch_id is None else index,
                "assigned_at": now,
            }
            for index, voucher_id in enumerate(voucher_ids)
        ],
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
    row = connection.execute(
        select(
            voucher.c.id,
            voucher.c.product_id,
            voucher.c.serial,
            voucher.c.expires_at,
            # SQLite types each value: what was spoiled may be text, and then no driver reads it.
            cast(voucher.c.pin_sealed, LargeBinary).label("pin_sealed"),
        ).where(voucher.c.id == voucher_id)
    ).one()
    pin = key.open("voucher", _context(row.product_id, row.serial), row.pin_sealed)
    try:
        text = pin.decode("ascii")
    except UnicodeDecodeError as error:
        raise VaultError("a voucher's PIN is no text") from error
    expires_at = row.expires_at if type(row.expires_at) is int else -1
    unfit = limits.unfit_voucher(row.product_id, text, row.serial, expires_at)
    if unfit:
        raise UnfitVoucher(unfit)
    return Voucher(row.id, row.product_id, text, row.serial, row.expires_at)


def some_sealed(connection: Connection) -> list[SealedValue]:
    """A few vouchers as they are kept, to try a key on."""
    found = connection.execute(select(voucher).order_by(voucher.c.id).limit(20))
    return [
        SealedValue("voucher", _context(row.product_id, row.serial), row.pin_sealed)
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


def mark_old(connection: Connection, key: ServerKey, now: int) -> int:
    """Mark the vouchers that came in before PINs were kept apart by operator; returns how many.

    Their operator is not known: their PINs count as everybody's. Of two products' vouchers with one
    PIN the free one is set aside; one that does not open keeps its old digest.
    """
    count = 0
    for voucher_id in list(
        connection.scalars(select(voucher.c.id).where(voucher.c.pin_mark.is_(None)))
    ):
        try:
            opened = reveal(connection, key, voucher_id)
        except VaultError:
            continue
        mark, digest = _mark(key, opened.pin), _digest(key, "", opened.pin)
        twin = connection.scalar(
            select(voucher.c.id).where(
                or_(voucher.c.pin_digest == digest, voucher.c.pin_mark == mark)
            )
        )
        values: dict[str, object] = {"pin_mark": mark, "operator": ""}
        if twin is None:
            values["pin_digest"] = digest
        connection.execute(update(voucher).where(voucher.c.id == voucher_id).values(**values))
        if twin is not None:
            given = connection.scalar(
                select(voucher_assignment.c.voucher_id).where(
                    voucher_assignment.c.voucher_id == voucher_id
                )
            )
            set_aside(connection, twin if given else voucher_id, "twin", "server", now)
        count += 1
    return count
