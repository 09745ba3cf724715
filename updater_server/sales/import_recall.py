"""Taking a whole delivery back: nothing of it is sold any more, and what left the vault is named.
For the command line.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, func, insert, select, update

from updater_server.errors import InputError
from updater_server.fleet import operators
from updater_server.sales import batches, imports
from updater_server.store.engine import reading, writing
from updater_server.store.tables import (
    stock_batch,
    stock_outcome,
    stock_return,
    voucher,
    voucher_aside,
    voucher_assignment,
    voucher_import,
)


@dataclass
class Recalled:
    """What a recall found: set aside for ever, and what had left the vault before."""

    set_aside: int
    batches_taken_back: list[tuple[int, bytes]]
    gone: list[dict[str, Any]]
    """Serial, product, terminal, and `where`: sold, in stock, spoiled."""


def recall(engine: Engine, import_id: int, operator: str, reason: str, now: int) -> Recalled:
    """Sell nothing of an import any more, whole or not; what was sold or went to terminals is
    named. It may be ended at any point and run again.

    Raises:
        InputError: no such import.
    """
    with writing(engine) as connection:
        if (
            connection.scalar(select(voucher_import.c.id).where(voucher_import.c.id == import_id))
            is None
        ):
            raise InputError(f"there is no import {import_id}: see `vouchers imports`")
        connection.execute(
            update(voucher_import)
            .where(voucher_import.c.id == import_id, voucher_import.c.state != "recalled")
            .values(state="recalled")
        )
        operators.note(connection, operator, "recall", f"import {import_id}", reason, now)
        taken_back = _take_back_unsent(connection, import_id, operator, now)
    last = 0
    while True:
        begun = time.monotonic()
        with writing(engine) as connection:
            ids = list(
                connection.scalars(
                    select(voucher.c.id)
                    .where(voucher.c.import_id == import_id, voucher.c.id > last)
                    .where(voucher.c.free | imports.nobodys())
                    .order_by(voucher.c.id)
                    .limit(imports.CHUNK)
                )
            )
            connection.execute(update(voucher).where(voucher.c.id.in_(ids)).values(free=False))
            if ids:
                connection.execute(
                    insert(voucher_aside),
                    [
                        {"voucher_id": i, "reason": "recalled", "set_by": operator, "at": now}
                        for i in ids
                    ],
                )
        if not ids:
            break
        last = ids[-1]
        imports.give_way(begun)
    with reading(engine) as connection:
        aside = connection.scalar(
            select(func.count())
            .select_from(voucher_aside)
            .join(voucher, voucher.c.id == voucher_aside.c.voucher_id)
            .where(voucher.c.import_id == import_id)
        )
        return Recalled(aside or 0, taken_back, _gone(connection, import_id))


def _take_back_unsent(
    connection: Connection, import_id: int, operator: str, now: int
) -> list[tuple[int, bytes]]:
    unsent = connection.execute(
        select(stock_batch.c.id, stock_batch.c.terminal_id)
        .join(voucher_assignment, voucher_assignment.c.batch_id == stock_batch.c.id)
        .join(voucher, voucher.c.id == voucher_assignment.c.voucher_id)
        .where(voucher.c.import_id == import_id)
        .where(stock_batch.c.sent_at.is_(None), stock_batch.c.withdrawn_at.is_(None))
        .distinct()
    ).all()
    for batch in unsent:
        batches.withdraw(connection, batch.id, operator, f"import {import_id} was recalled", now)
    return [(int(batch.id), bytes(batch.terminal_id)) for batch in unsent]


def _gone(connection: Connection, import_id: int) -> list[dict[str, Any]]:
    returned = (
        select(func.count()).where(stock_return.c.voucher_id == voucher.c.id).scalar_subquery()
    )
    rows = connection.execute(
        select(
            voucher.c.product_id,
            voucher.c.serial,
            voucher_assignment.c.terminal_id,
            voucher_assignment.c.sale_sequence,
            func.max(stock_outcome.c.outcome).label("outcome"),  # "spoiled" comes behind "sold"
        )
        .join(voucher_assignment, voucher_assignment.c.voucher_id == voucher.c.id)
        .outerjoin(
            stock_outcome,
            (stock_outcome.c.batch_id == voucher_assignment.c.batch_id)
            & (stock_outcome.c.batch_index == voucher_assignment.c.batch_index),
        )
        .where(voucher.c.import_id == import_id, voucher_assignment.c.turn == returned)
        .group_by(
            voucher.c.id, voucher_assignment.c.terminal_id, voucher_assignment.c.sale_sequence
        )
        .order_by(voucher.c.id)
    )
    return [
        {
            "product": row.product_id,
            "serial": row.serial,
            "terminal": row.terminal_id,
            "where": "sold" if row.sale_sequence is not None else row.outcome or "in stock",
        }
        for row in rows
    ]
