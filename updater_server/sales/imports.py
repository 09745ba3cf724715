"""A supplier's delivery from file to vault: looked at whole, confirmed, taken in step by step.

For the command line. While it comes in the shop goes on: rows are stored in short transactions with
pauses between them, and none is sold before all are there. A run that ends half-way is gone on with
by the next one of the same file (its SHA-256), or the import is recalled.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, Row, func, select, update

from updater_server.errors import InputError, StateError
from updater_server.fleet import operators
from updater_server.sales import delivery_file, incoming
from updater_server.sales.prices import PriceLists, PricesUnavailable
from updater_server.server_key import ServerKey
from updater_server.store.engine import writing
from updater_server.store.tables import (
    stock_return,
    voucher,
    voucher_aside,
    voucher_assignment,
    voucher_import,
)

CHUNK = 500
"""Vouchers in one transaction: some ten milliseconds in which no sale can be made."""
SHORTEST_PAUSE_S = 0.03


@dataclass
class Look:
    """What a person is shown before a delivery comes in; `delivery` is what would come in."""

    delivery: delivery_file.Delivery
    operators: dict[str, str]
    before: Row[Any] | None
    """The newest import of this very file."""
    read_at: int
    """The time that expiries were held against: of an unfinished import, when it was begun."""

    @property
    def is_complete(self) -> bool:
        """Whether this very file is in the vault already."""
        return self.before is not None and self.before.state == "complete"

    @property
    def unfinished(self) -> int | None:
        """The import that a run of this file would go on with."""
        going_on = self.before is not None and self.before.state in ("storing", "releasing")
        return int(self.before.id) if self.before is not None and going_on else None


def look(
    connection: Connection,
    key: ServerKey,
    prices: PriceLists,
    data: bytes,
    now: int,
    unlisted: Iterable[str] = (),
) -> Look:
    """Look at a whole delivery, and at what the vault and the price lists say to it. Changes
    nothing.

    Products that no price list has are errors unless they are named in `unlisted`.

    Raises:
        InputError: it is no delivery at all (encoding, header).
    """
    before = connection.execute(
        select(voucher_import)
        .where(voucher_import.c.sha256 == hashlib.sha256(data).digest())
        .order_by(voucher_import.c.id.desc())
        .limit(1)
    ).one_or_none()
    # What was begun can be finished, however long it took.
    read_at = before.begun_at if before is not None and before.state != "recalled" else now
    found = delivery_file.read(data, read_at)
    known: dict[str, str] = {}
    printed: dict[str, set[int]] = {}
    try:
        for _, catalogue in sorted(prices.all().items()):
            for product in catalogue.products:
                known.setdefault(product.product_id, product.operator)
                printed.setdefault(product.product_id, set()).add(sum(product.pin_groups))
    except PricesUnavailable as error:
        found.doubts.append(f"products cannot be held against the price lists: {error}")
    for product_id in found.products:
        if product_id not in known and product_id not in unlisted:
            found.refuse(
                f"no price list has a product {product_id}: mend it, or add "
                f"--unlisted {product_id} if its price list is yet to come"
            )
        delivery_file.doubt_lengths(
            found, product_id, printed.get(product_id, set()), "its price list prints"
        )
        usual = incoming.usual_lengths(connection, product_id)
        if usual != printed.get(product_id):
            delivery_file.doubt_lengths(found, product_id, usual, "the vault has")
    seen = Look(found, known, before, read_at)
    if before is not None and before.state == "recalled":
        found.refuse(f"this very file came in as import {before.id} and was recalled")
    elif not found.error_count and not seen.is_complete:
        _look_for_twins(connection, key, seen)
    return seen


def _look_for_twins(connection: Connection, key: ServerKey, seen: Look) -> None:
    through = _through(connection, seen.unfinished)
    elsewhere = 0
    for rows in _chunks(row for row in seen.delivery.rows(seen.read_at) if row.line > through):
        twins = incoming.twins(connection, key, rows, seen.operators)
        elsewhere += twins.elsewhere
        for text in twins.refused:
            seen.delivery.refuse(text)
    if elsewhere:
        seen.delivery.doubts.append(
            f"{elsewhere:,} PINs are in the vault under another operator's product"
        )


def _chunks(rows: Iterable[delivery_file.Row]) -> Iterable[list[delivery_file.Row]]:
    chunk: list[delivery_file.Row] = []
    for row in rows:
        chunk.append(row)
        if len(chunk) == CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _through(connection: Connection, import_id: int | None) -> int:
    if import_id is None:
        return 0
    return int(
        connection.scalar(
            select(func.max(voucher.c.import_line)).where(voucher.c.import_id == import_id)
        )
        or 0
    )


def run(
    engine: Engine,
    key: ServerKey,
    seen: Look,
    name: str,
    operator: str,
    now: int,
    progress: Callable[[int], None] = lambda stored: None,
    never_here: bool = False,
) -> int:
    """Take in what was looked at; returns the import's id. It may be ended at any point and run
    again. While a restore is open it waits for its end, as it may have been here, and sold, in the
    time that was forgotten; `never_here`: it was not.

    Raises:
        InputError: a voucher came into the vault since it was looked at; the import stays
            unfinished, and nothing of it is sold.
        StateError: another run of this import is under way, it was recalled meanwhile, or another
            import is unfinished (two could hold the same voucher, and neither would end).
    """
    if seen.delivery.error_count:
        raise InputError(seen.delivery.errors[0])
    with writing(engine) as connection:
        import_id = seen.unfinished
        other = connection.execute(
            select(voucher_import)
            .where(voucher_import.c.state.in_(("storing", "releasing")))
            .where(voucher_import.c.id != (import_id or 0))
            .limit(1)
        ).one_or_none()
        if other is not None:
            raise StateError(
                f"import {other.id} ({other.name}, {other.imported_by}) is unfinished: give its "
                f"file to `vouchers import` again, or `vouchers recall {other.id}`"
            )
        if import_id is None:
            import_id = incoming.begin_import(
                connection, seen.delivery, name, operator, "storing", now
            )
        text = f"{seen.delivery.count} vouchers, SHA-256 {seen.delivery.sha256}"
        operators.note(connection, operator, "import", f"import {import_id}", text, now)
        through = _through(connection, import_id)
    stored = 0
    for rows in _chunks(seen.delivery.rows(seen.read_at)):
        stored += len(rows)
        rows = [row for row in rows if row.line > through]
        if rows:
            _store(engine, key, seen, import_id, rows, through, now)
            through = rows[-1].line
            progress(stored)
    _release(engine, import_id, now, never_here)
    return import_id


def _store(
    engine: Engine,
    key: ServerKey,
    seen: Look,
    import_id: int,
    rows: list[delivery_file.Row],
    through: int,
    now: int,
) -> None:
    known = seen.operators
    values = [
        incoming.sealed_row(key, row, known.get(row.product_id, ""), import_id, False, now)
        for row in rows
    ]
    begun = time.monotonic()
    with writing(engine) as connection:
        state = connection.scalar(
            select(voucher_import.c.state).where(voucher_import.c.id == import_id)
        )
        if state != "storing" or _through(connection, import_id) != through:
            raise StateError(
                f"import {import_id} is {state}, and not as this run left it: another run of it is "
                "under way or ended; see `vouchers imports`"
            )
        twins = incoming.twins(connection, key, rows, known)
        if twins.refused:
            raise InputError(f"{twins.refused[0]}; `vouchers recall {import_id}` ends this import")
        incoming.store(connection, values)
    give_way(begun)


def give_way(begun: float) -> None:
    """Pause after a transaction that took the lock at `begun` (`time.monotonic`)."""
    # As long as the lock was held: whoever sells has at least half of the time.
    time.sleep(max(SHORTEST_PAUSE_S, time.monotonic() - begun))


def nobodys() -> Any:
    """Vouchers of an import that are neither free, nor given, nor set aside."""
    given = (
        select(func.count())
        .where(voucher_assignment.c.voucher_id == voucher.c.id)
        .scalar_subquery()
    )
    returned = (
        select(func.count()).where(stock_return.c.voucher_id == voucher.c.id).scalar_subquery()
    )
    aside = select(voucher_aside.c.at).where(voucher_aside.c.voucher_id == voucher.c.id).exists()
    return ~voucher.c.free & (given == returned) & ~aside


def _release(engine: Engine, import_id: int, now: int, never_here: bool) -> None:
    with writing(engine) as connection:
        if not never_here:
            incoming.hold_all(connection, import_id)
        connection.execute(
            update(voucher_import)
            .where(voucher_import.c.id == import_id, voucher_import.c.state == "storing")
            .values(state="releasing")
        )
    last = 0
    while True:
        begun = time.monotonic()
        with writing(engine) as connection:
            ids = list(
                connection.scalars(
                    select(voucher.c.id)
                    .where(voucher.c.import_id == import_id, voucher.c.id > last, nobodys())
                    .order_by(voucher.c.id)
                    .limit(CHUNK)
                )
            )
            state = connection.scalar(
                select(voucher_import.c.state).where(voucher_import.c.id == import_id)
            )
            if state == "recalled":
                raise StateError(f"import {import_id} was recalled meanwhile")
            if ids:
                connection.execute(update(voucher).where(voucher.c.id.in_(ids)).values(free=True))
                last = ids[-1]
            else:
                connection.execute(
                    update(voucher_import)
                    .where(voucher_import.c.id == import_id, voucher_import.c.state == "releasing")
                    .values(state="complete", finished_at=now)
                )
        if not ids:
            return
        give_way(begun)


def listed(connection: Connection) -> list[dict[str, Any]]:
    """Every import with what became of it, newest first."""
    rows = connection.execute(select(voucher_import).order_by(voucher_import.c.id.desc()))
    shown = []
    for row in rows.mappings().all():
        here = voucher.c.import_id == row["id"]
        stored = connection.scalar(select(func.count()).where(here))
        free = connection.scalar(select(func.count()).where(here, voucher.c.free))
        aside = connection.scalar(
            select(func.count())
            .select_from(voucher_aside)
            .join(voucher, voucher.c.id == voucher_aside.c.voucher_id)
            .where(here)
        )
        shown.append({**row, "stored": stored, "free": free, "aside": aside})
    return shown
