"""Which free vouchers are taken next: the walks along the vault's index of free ones. For `vault`.

On PostgreSQL a voucher that is taken leaves its place in that index behind until the table is
vacuumed, and while anybody reads an old state (a back-up) not even that helps: a walk from the
beginning would pass every voucher sold since. So each process remembers where it took the last one
and goes on from there. That is where to look first, and never what is true: it is forgotten after
`FORGOTTEN_AFTER_S`, and before a product is sold out everything is looked through from the
beginning. What came meanwhile and expires sooner waits so long at most.
"""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    Integer,
    LargeBinary,
    Select,
    bindparam,
    cast,
    func,
    literal_column,
    select,
    tuple_,
    union_all,
    update,
)

from updater_server.sales.restore_state import HELD_THROUGH
from updater_server.store.engine import is_sqlite
from updater_server.store.prepared import Prepared
from updater_server.store.tables import voucher
from updater_server.store.tables.base import Big

FORGOTTEN_AFTER_S = 60
_END = 2**63 - 1

PIN = cast(voucher.c.pin_sealed, LargeBinary).label("pin_sealed")
"""SQLite types each value: what was spoiled may be text, and then no driver reads it."""
OPENABLE = (voucher.c.id, voucher.c.product_id, voucher.c.serial, voucher.c.expires_at, PIN)
"""What is asked of a voucher that is to be opened."""

_HELD = func.coalesce(HELD_THROUGH, 0)
_EXPIRES = voucher.c.expires_at
_WANTED = bindparam("wanted", type_=Integer)


def _free(*which: ColumnElement[bool]) -> Select[Any]:
    mine = voucher.c.product_id == bindparam("product")
    return select(voucher.c.id).where(mine, voucher.c.free, *which)


def _walk_on_sqlite(which: ColumnElement[bool], *order: ColumnElement[Any]) -> Prepared:
    """Along one index: ordered by one expression, the whole vault would be sorted."""
    chosen = _free(voucher.c.id > _HELD, which).order_by(*order).limit(_WANTED)
    taken = update(voucher).where(voucher.c.id.in_(chosen)).values(free=False)
    return Prepared(taken.returning(*OPENABLE))


_AFTER: ColumnElement[Any] = bindparam("after")
_ON_SQLITE = (
    _walk_on_sqlite(_EXPIRES > _AFTER, _EXPIRES, voucher.c.id),
    _walk_on_sqlite(_EXPIRES == 0, voucher.c.id),
)


def _locked(walk: Select[Any], skips: bool) -> Select[Any]:
    return walk.order_by(_EXPIRES, voucher.c.id).with_for_update(skip_locked=skips)


def _walk_on_postgresql(skips: bool) -> Prepared:
    """Both walks in one question: those that expire, and as many more of the others.

    Whatever PostgreSQL believes of the table, only the index of free ones can bring what is asked
    in its order: with `expires_at = 0 ORDER BY id` the primary key could too, past every voucher
    that was ever sold. And what was chosen is found by its key, as nothing is joined.
    """
    place = tuple_(_EXPIRES, voucher.c.id)
    since = bindparam("since", type_=Big), bindparam("since_id", type_=Big)
    lasting_since = func.greatest(bindparam("lasting_since", type_=Big), _HELD)
    never: ColumnElement[Any] = literal_column("0")
    first = _free(place > tuple_(*since), voucher.c.id > _HELD)
    others = _free(place > tuple_(never, lasting_since), never >= _EXPIRES)
    expiring = _locked(first.limit(_WANTED), skips).cte("expiring")
    rest = _WANTED - select(func.count()).select_from(expiring).scalar_subquery()
    lasting = _locked(others.limit(rest), skips).cte("lasting")
    chosen = union_all(select(expiring.c.id), select(lasting.c.id))
    found = func.any(func.array(chosen.scalar_subquery()))
    taken = update(voucher).where(voucher.c.id == found).values(free=False)
    return Prepared(taken.returning(*OPENABLE))


_SKIPPING = _walk_on_postgresql(skips=True)
# Those that others hold just now: they may give them back, so only this says "sold out".
_WAITING = _walk_on_postgresql(skips=False)


class _Place(NamedTuple):
    """Behind which vouchers to look first, and since when that is remembered."""

    expiring: tuple[int, int]
    lasting_id: int
    since: int

    def moved(self, rows: list[Any]) -> _Place:
        """Behind these as well."""
        expiring = max([self.expiring, *((r.expires_at, r.id) for r in rows if r.expires_at > 0)])
        lasting = max([self.lasting_id, *(row.id for row in rows if row.expires_at <= 0)])
        return self._replace(expiring=expiring, lasting_id=lasting)


_BEGINNING = _Place((0, 0), 0, 0)
_PLACES: weakref.WeakKeyDictionary[Engine, dict[tuple[str, int], _Place]]
_PLACES = weakref.WeakKeyDictionary()
"""By product and by how long a voucher must last: who needs it longer passes some by."""


def take(connection: Connection, product_id: str, count: int, now: int, spare_s: int) -> list[Any]:
    """Rows (`OPENABLE`) of up to `count` vouchers that were free and are not any more: those that
    expire first first, none that expires within `spare_s`.
    """
    wish = {"product": product_id, "after": now + spare_s}
    if is_sqlite(connection):
        return _along(_ON_SQLITE, connection, count, wish)
    places = _PLACES.setdefault(connection.engine, {})
    place = places.get((product_id, spare_s))
    if place is None or not 0 <= now - place.since < FORGOTTEN_AFTER_S:
        place = _BEGINNING._replace(since=now)
    rows = _along([_SKIPPING], connection, count, _behind(place, wish))
    if len(rows) < count:
        rest = count - len(rows)
        rows += _along([_SKIPPING, _WAITING], connection, rest, _behind(_BEGINNING, wish))
    places[product_id, spare_s] = place.moved(rows)
    return rows


def _behind(place: _Place, wish: dict[str, Any]) -> dict[str, Any]:
    since, since_id = max(place.expiring, (wish["after"], _END))
    return {
        "product": wish["product"],
        "since": since,
        "since_id": since_id,
        "lasting_since": place.lasting_id,
    }


def _along(
    walks: Sequence[Prepared], connection: Connection, count: int, values: dict[str, Any]
) -> list[Any]:
    rows: list[Any] = []
    for walk in walks:
        if len(rows) < count:
            found = walk.all(connection, **values, wanted=count - len(rows))
            rows += sorted(found, key=lambda row: (not row.expires_at, row.expires_at, row.id))
    return rows
