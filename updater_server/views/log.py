"""The log of sales, newest first, by whatever people ask for; paged by key. For the command line.

Each way has an index that alone says which rows come next (`tests/views`); only those that are
shown are read.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, or_, select

from updater_server.errors import InputError
from updater_server.sales.people import Sellers
from updater_server.store.tables import sale_log
from updater_server.views import keeping

WAYS = ("party_id", "recipient", "serial", "supplier_reference")
PAGE_ROWS = 1000


@dataclass(frozen=True)
class Wanted:
    """Which rows: those with `way` = `value` ("": all of them), of a time, behind a row."""

    way: str = ""
    value: int | str = ""
    since: int = 0
    until: int = 2**62
    """Unix seconds; from the first up to, and without, the second."""
    before: tuple[int, int] | None = None
    """`at` and `id` of the last row of the page before."""


def keys(wanted: Wanted, limit: int) -> Select[tuple[int, int]]:
    """Which rows come next: (`id`, `at`), by an index alone.

    Raises:
        InputError: no such way, or no such page.
    """
    if wanted.way not in ("", *WAYS) or not 1 <= limit <= PAGE_ROWS:
        raise InputError(f"a page has 1 to {PAGE_ROWS} rows, by one of {', '.join(WAYS)}")
    found: list[ColumnElement[bool]] = []
    if wanted.way:
        found.append(sale_log.c[wanted.way] == wanted.value)
    found += [sale_log.c.at >= wanted.since, sale_log.c.at < wanted.until]
    if wanted.before is not None:
        at, row_id = wanted.before
        found.append(sale_log.c.at <= at)
        found.append(or_(sale_log.c.at < at, and_(sale_log.c.at == at, sale_log.c.id < row_id)))
    query = select(sale_log.c.id, sale_log.c.at).where(*found)
    return query.order_by(sale_log.c.at.desc(), sale_log.c.id.desc()).limit(limit)


def page(connection: Connection, wanted: Wanted, limit: int = 50) -> list[dict[str, Any]]:
    """A page of the log; the last row says where the next one begins (`Wanted.before`). `seller` is
    who sold it at its terminal, "" the owner, or nobody knows: the terminal's journal says it later
    than the sale is posted.

    Raises:
        InputError: as `keys`, or of a time that is not kept any more.
    """
    keeping.refuse_before(connection, wanted.since, wanted.until)
    wanted = replace(wanted, since=max(wanted.since, keeping.kept(connection).since))
    ids = [row.id for row in connection.execute(keys(wanted, limit))]
    rows = connection.execute(select(sale_log).where(sale_log.c.id.in_(ids))).mappings()
    by_id = {row["id"]: dict(row) for row in rows}
    sellers = Sellers(connection)
    for row in by_id.values():
        row["seller"] = sellers.name(row["terminal_id"], row["sequence"])
    return [by_id[one] for one in ids]
