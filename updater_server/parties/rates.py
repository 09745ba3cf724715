"""What a party earns, by day: a table of rates to which rows are only added. For `days` and the
command line.
"""

from __future__ import annotations

import re
from datetime import date

from sqlalchemy import Connection, insert, or_, select

from updater_server.errors import InputError
from updater_server.fleet import operators
from updater_server.parties import tree
from updater_server.parties.tree import Party
from updater_server.store.tables import closed_day, commission_rate

WHOLE_PPM = 1_000_000
_PER_CENT = re.compile(r"([0-9]{1,3})(?:\.([0-9]{1,4}))? ?%")

Table = dict[tuple[int, str | None], int]
"""(party, product; None for every other) → millionths of the face value."""


def parse(words: str) -> int:
    """A rate as people write it, "0.5 %", in millionths.

    Raises:
        InputError: no such rate, or over a hundred per cent.
    """
    found = _PER_CENT.fullmatch(words.strip())
    if not found:
        raise InputError(f"{words[:20]!r} is no rate: write it like 0.5% (at most 4 decimals)")
    whole, rest = found.groups()
    rate_ppm = int(whole) * 10_000 + int(((rest or "") + "0000")[:4])
    if rate_ppm > WHOLE_PPM:
        raise InputError(f"{words[:20]!r}: a rate is at most 100%")
    return rate_ppm


def show(rate_ppm: int) -> str:
    """A rate as people write it."""
    whole, rest = divmod(rate_ppm, 10_000)
    return f"{whole}.{rest:04d}".rstrip("0").rstrip(".") + "%"


def add(
    connection: Connection,
    who: Party,
    product_id: str | None,
    rate_ppm: int,
    first_day: str,
    operator: str,
    now: int,
) -> None:
    """From `first_day` on a party earns this rate, on one product or on all without one of their
    own.

    Raises:
        InputError: it is no day, the day is closed, or this party and those above and below it
            would together earn more than was sold.
    """
    try:
        date.fromisoformat(first_day)
    except ValueError as error:
        raise InputError(f"{first_day[:20]!r} is no day: say it like 2026-12-01") from error
    closed = connection.scalar(select(closed_day.c.day).order_by(closed_day.c.day.desc()).limit(1))
    if closed is not None and first_day <= closed:
        raise InputError(f"{closed} is closed: a rate begins on a later day")
    values = {"party_id": who.id, "product_id": product_id, "rate_ppm": rate_ppm}
    connection.execute(
        insert(commission_rate).values(
            **values, first_day=first_day, set_by=operator, created_at=now
        )
    )
    _must_leave_something(connection, product_id)
    details = f"{show(rate_ppm)} of {product_id or 'everything'} from {first_day}"
    operators.note(connection, operator, "rate", who.code, details, now)


def of_day(connection: Connection, day: str) -> Table:
    """What holds on a day: for each party and product the row with the last first day, of those the
    newest.
    """
    rows = connection.execute(
        select(commission_rate.c.party_id, commission_rate.c.product_id, commission_rate.c.rate_ppm)
        .where(commission_rate.c.first_day <= day)
        .order_by(commission_rate.c.first_day, commission_rate.c.id)
    )
    return {(row.party_id, row.product_id): row.rate_ppm for row in rows}


def rate(table: Table, party_id: int, product_id: str) -> int:
    """What a party earns on a product, in millionths."""
    own = table.get((party_id, product_id))
    return table.get((party_id, None), 0) if own is None else own


def _must_leave_something(connection: Connection, product_id: str | None) -> None:
    """Raises InputError: on some day all on one way down would earn more than was sold."""
    known = tree.all_parties(connection)
    rows = connection.execute(
        select(commission_rate.c.first_day, commission_rate.c.product_id).where(
            or_(commission_rate.c.product_id == product_id, commission_rate.c.product_id.is_(None))
            if product_id
            else commission_rate.c.id > 0
        )
    ).all()
    products = {row.product_id or "" for row in rows} | {""}
    for day in {row.first_day for row in rows}:
        table = of_day(connection, day)
        for product in products:
            earned: dict[int, int] = {}
            for one in known:  # those above come first
                above = earned[one.parent_id] if one.parent_id is not None else 0
                earned[one.id] = above + rate(table, one.id, product)
                if earned[one.id] > WHOLE_PPM:
                    raise InputError(
                        f"with that, {one.code} and those above it would earn "
                        f"{show(earned[one.id])} of what is sold from {day} on"
                    )
