"""Up to where the books were found right, so that a check of today costs a day and not all years.
For the command line.

A point is a row that nobody can change, sealed under the server key: what it says was written by a
check that found nothing. It holds for the very database that it was written into: the last rows
that it counted must stand where they stood. After a restore, and where anything of this does not
fit, the whole is checked again.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

from sqlalchemy import Connection, insert, select

from updater_server.sales import questions
from updater_server.sales.checks import BEGINNING, Point
from updater_server.server_key import ServerKey
from updater_server.store.tables import check_point

_PURPOSE = "check point"


def newest(connection: Connection, key: ServerKey) -> tuple[Point, int | None, str]:
    """The last point, when it was made (None: there is none that holds), and why the whole must be
    checked although there is one ("" if it need not be).
    """
    row = connection.execute(
        select(check_point).order_by(check_point.c.id.desc()).limit(1)
    ).one_or_none()
    if row is None:
        return BEGINNING, None, ""
    why = _why_not(connection, key, row)
    if why:
        return BEGINNING, None, why
    content = json.loads(row.content)
    return Point(content["bounds"], content["totals"]), int(row.at), ""


def _why_not(connection: Connection, key: ServerKey, row: Any) -> str:
    """Why a point does not hold; "" if it does."""
    if not hmac.compare_digest(str(row.seal).encode(), _seal(key, row.at, row.content).encode()):
        return "the last point was not written by a check"
    content = json.loads(row.content)
    bounds = content["bounds"]
    if bounds.keys() != questions.BOUNDS.keys() or content["totals"].keys() != set(
        questions.TOTALS
    ):
        return "the last point is of another version"
    restored = (
        connection.execute(questions.asked(connection, questions.BOUNDS["restores"])).scalar() or 0
    )
    if restored != bounds["restores"]:
        return "the database was restored since the last point"
    if content["anchors"] != _anchors(connection, bounds):
        return "the database is not the one that was checked"
    return ""


def close(connection: Connection, key: ServerKey, point: Point, at: int) -> None:
    """Note that everything up to `point` was found right. `at` is Unix time."""
    bounds = dict(point.bounds)
    content = json.dumps(
        {
            "bounds": bounds,
            "totals": dict(point.totals),
            "anchors": _anchors(connection, bounds),
        },
        sort_keys=True,
    )
    connection.execute(
        insert(check_point).values(at=at, content=content, seal=_seal(key, at, content))
    )


def _anchors(connection: Connection, bounds: dict[str, int]) -> str:
    """What stands in the last rows that were checked, as one digest."""
    stood = hashlib.sha256()
    for name, query in questions.ANCHORS.items():
        found = connection.execute(
            questions.asked(connection, query), {"bound": bounds[name]}
        ).scalar()
        stood.update(f"{name} {bounds[name]} {found}\n".encode())
    return stood.hexdigest()


def _seal(key: ServerKey, at: int, content: str) -> str:
    return key.digest(_PURPOSE, f"{at}\n{content}".encode()).hex()
