"""How much was sold, by hour or by day, and by what people ask for. For the command line.

Hours and days are those of the operator's time zone; sums of the quarters of an hour that `fold`
keeps. What was given back counts on its own, with its sign.
"""

from __future__ import annotations

import csv
import io
import json
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, func, select

from updater_server.errors import InputError
from updater_server.parties import days, tree
from updater_server.store.tables import sale_count
from updater_server.views import keeping

BY = {
    "product": "product_id",
    "agent": "agent_id",
    "region": "region",
    "supplier": "supplier",
    "release": "release",
}
"""What they may be told apart by."""
LIMIT_DAYS = 400
_FIGURES = ("number", "face_minor", "commission_minor")


def rows(
    connection: Connection, first_day: str, last_day: str, each: str, by: list[str]
) -> list[dict[str, Any]]:
    """One row for each hour or day (`each`), kind, currency and what is told apart (`by`), in
    order. Money in minor units.

    Raises:
        InputError: no such days, too many, or not kept any more; nothing like `each` or `by`.
    """
    if each not in ("hour", "day") or not set(by) <= set(BY):
        raise InputError(f"each hour or day, by {', '.join(BY)}")
    zone = days.zone(connection) or ZoneInfo("UTC")
    begins, _ = days.bounds(first_day, zone)
    _, ends = days.bounds(last_day, zone)
    if not 0 < ends - begins <= LIMIT_DAYS * 86_400 + 7200:
        raise InputError(f"1 to {LIMIT_DAYS} days, the first one first")
    keeping.refuse_before(connection, begins, ends)
    columns = [sale_count.c.kind, sale_count.c.currency, *(sale_count.c[BY[name]] for name in by)]
    found = connection.execute(
        select(
            sale_count.c.begins_at,
            *columns,
            *(func.sum(sale_count.c[name]).label(name) for name in _FIGURES),
        )
        .where(sale_count.c.begins_at >= begins, sale_count.c.begins_at < ends)
        .group_by(sale_count.c.begins_at, *columns)
    )
    agents = {one.id: one.code for one in tree.all_parties(connection)} if "agent" in by else {}
    summed: dict[tuple[Any, ...], list[int]] = {}
    for row in found.mappings():
        told = [
            agents.get(row["agent_id"], "") if name == "agent" else row[BY[name]] for name in by
        ]
        key = (_begin(row["begins_at"], each, zone), row["kind"], row["currency"], *told)
        sums = summed.setdefault(key, [0, 0, 0])
        for place, name in enumerate(_FIGURES):
            sums[place] += int(row[name])
    names = ("begins", "kind", "currency", *by)
    return [
        dict(zip(names, key, strict=True)) | dict(zip(_FIGURES, summed[key], strict=True))
        for key in sorted(summed)
    ]


def _begin(at: int, each: str, zone: ZoneInfo) -> str:
    here = datetime.fromtimestamp(at, zone)
    if each == "day":
        return here.date().isoformat()
    return (here - timedelta(minutes=here.minute)).isoformat(timespec="minutes")


def as_csv(found: list[dict[str, Any]]) -> str:
    """For a spreadsheet; "" for nothing."""
    if not found:
        return ""
    out = io.StringIO()
    writer = csv.DictWriter(out, list(found[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(found)
    return out.getvalue()


def as_json(found: list[dict[str, Any]]) -> str:
    """For a program: one array."""
    return json.dumps(found, indent=1) + "\n"
