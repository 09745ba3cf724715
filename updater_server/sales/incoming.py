"""What comes into the vault: rows of deliveries, held against the vouchers that are there already,
and sealed. For `imports` and the command line.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, func, insert, or_, select, update

from updater_server.errors import InputError, VaultError
from updater_server.fleet.operators import words
from updater_server.sales import delivery_file, pins, sandbox, vault
from updater_server.sales.delivery_file import Row
from updater_server.sales.restore_state import hold
from updater_server.server_key import MAGIC, MARK_BYTES, ServerKey
from updater_server.store.engine import new_id
from updater_server.store.tables import voucher, voucher_assignment, voucher_import


def sealed_row(
    key: ServerKey, row: Row, operator: str, import_id: int, free: bool, now: int
) -> dict[str, Any]:
    """A voucher as the vault keeps it."""
    return {
        "product_id": row.product_id,
        "serial": row.serial,
        "pin_sealed": pins.seal(key, row.product_id, row.serial, row.pin),
        "pin_digest": pins.digest(key, operator, row.pin),
        "pin_mark": pins.mark(key, row.pin),
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
    """Which of these rows (some hundreds) are in the vault already, or in the wrong books.

    One operator's PIN is one voucher, under whatever product and with however many zeros in front.
    """
    by_mark = {pins.mark(key, row.pin): row for row in rows}
    misplaced = sandbox.misplaced(connection, [row.serial for row in rows])
    refused = [
        f"line {row.line}: serial {row.serial} {misplaced[row.serial]}"
        for row in rows
        if row.serial in misplaced
    ]
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
                voucher.c.product_id == product_id,
                voucher.c.serial.in_(list(by_serial)),
                func.length(voucher.c.pin_sealed) > 0,  # else `store` gives it its PIN
            )
        ):
            line = by_serial[serial].line
            text = f"line {line}: this PIN or serial {serial} is in the vault already"
            if not any(other.startswith(f"line {line}:") for other in refused):
                refused.append(text)
    return Twins(refused, elsewhere)


def store(connection: Connection, values: Sequence[dict[str, Any]]) -> None:
    """Put rows (`sealed_row`) into the vault. One that is there without its PIN, as a restore
    forgot its delivery and a terminal told of it, gets its PIN and stays given.
    """
    serials = [value["serial"] for value in values]
    known = connection.execute(
        select(voucher.c.id, voucher.c.product_id, voucher.c.serial).where(
            voucher.c.serial.in_(serials), func.length(voucher.c.pin_sealed) == 0
        )
    )
    told = {(row.product_id, row.serial): row.id for row in known}
    new = [value for value in values if (value["product_id"], value["serial"]) not in told]
    if new:
        connection.execute(insert(voucher), new)
    for value in values:
        voucher_id = told.get((value["product_id"], value["serial"]))
        if voucher_id is not None:
            kept = {name: value[name] for name in value if name != "free"}
            connection.execute(update(voucher).where(voucher.c.id == voucher_id).values(**kept))


def import_csv(
    connection: Connection,
    key: ServerKey,
    text: str,
    now: int,
    operators: Mapping[str, str] | None = None,
    never_here: bool = False,
) -> int:
    """Take in a small delivery in one transaction, all rows or none; returns how many came in.

    `operators` is operator by product, as the price lists say; without it all PINs are one
    operator's. Doubts are the caller's: `delivery_file.read` tells them.

    `never_here`: see `imports.run`.

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
    store(
        connection,
        [
            sealed_row(key, row, (operators or {}).get(row.product_id, ""), import_id, True, now)
            for row in rows
        ],
    )
    if not never_here:
        hold_all(connection, import_id)
    return len(rows)


def hold_all(connection: Connection, import_id: int) -> None:
    """While a restore is open: what came in with an import may have been here, and sold, in the
    time that it forgot.
    """
    here = select(func.max(voucher.c.id)).where(voucher.c.import_id == import_id)
    hold(connection, int(connection.scalar(here) or 0))


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
    return new_id(made)


_IS_MARKED = func.substr(voucher.c.pin_sealed, 1, len(MAGIC)) == MAGIC


def usual_lengths(connection: Connection, product_id: str) -> set[int]:
    """How long the PINs of a product are that came in last."""
    newest = (
        select(func.length(voucher.c.pin_sealed).label("bytes"), _IS_MARKED.label("is_marked"))
        .where(voucher.c.product_id == product_id, func.length(voucher.c.pin_sealed) > 0)
        .order_by(voucher.c.id.desc())
        .limit(1000)
        .subquery()
    )
    found = connection.execute(select(newest.c.bytes, newest.c.is_marked).distinct())
    return {size - pins.SEALING_BYTES - MARK_BYTES * bool(marked) for size, marked in found}


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
            opened = vault.reveal(connection, key, voucher_id)
        except VaultError:
            continue
        mark, digest = pins.mark(key, opened.pin), pins.digest(key, "", opened.pin)
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
            vault.set_aside(connection, twin if given else voucher_id, "twin", "server", now)
        count += 1
    return count
