"""Another secret that seals (`wrapped`): what is sealed under the one before is sealed anew, piece
by piece, while servers sell; then the one before is dropped. For the command line.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import Column, Connection, Table, bindparam, delete, func, select, update
from sqlalchemy.exc import IntegrityError

from updater_server import server_key, wrapped
from updater_server.errors import StateError, VaultError
from updater_server.fleet import operators
from updater_server.fleet import terminals as fleet_terminals
from updater_server.parties import webhooks
from updater_server.sales import pins, supplier_setup, vend_rows
from updater_server.server_key import FOREVER, ServerKey, number_of
from updater_server.service import Service
from updater_server.store.engine import reading, writing
from updater_server.store.tables import (
    supplier,
    terminal,
    vend,
    voucher,
    webhook,
    wrapped_secret,
)

PIECE_ROWS = 200
"""Sealed anew in one transaction: some 10 ms in which nobody else writes."""
KNOWN_AFTER_S = 300
"""Servers look once a minute whether there is another secret (`serve`)."""


class Place(NamedTuple):
    """A column in which something sealed is."""

    table: Table
    column: Column[Any]
    purpose: str
    context: Callable[[Any], bytes]
    """Of a row, what it is sealed to."""


PLACES = (
    Place(
        voucher, voucher.c.pin_sealed, pins.PURPOSE,
        lambda row: pins.context(row["product_id"], row["serial"]),
    ),
    Place(terminal, terminal.c.key_sealed, fleet_terminals.PURPOSE, lambda row: bytes(row["id"])),
    Place(
        supplier, supplier.c.secrets_sealed, supplier_setup.PURPOSE,
        lambda row: row["name"].encode(),
    ),
    Place(vend, vend.c.answer_sealed, vend_rows.PURPOSE, vend_rows.context),
    Place(webhook, webhook.c.secret_sealed, webhooks.PURPOSE, lambda row: row["name"].encode()),
)  # fmt: skip
"""All of them."""


@dataclass
class Counted:
    """What became of the values of one place."""

    name: str
    seen: int = 0
    anew: int = 0
    shut: int = 0
    """They do not open under any secret, and stay as they are."""


def add(service: Service, by: str) -> int:
    """The number of the secret that seals from now on: a new one, or, if one before it is still
    here, the newest there is (a change that is under way).

    Raises:
        StateError: `server.key` is not this database's.
    """
    now = service.now()
    with writing(service.engine) as connection:
        key = server_key.load(service.folder.server_key)
        secrets = wrapped.unwrapped(connection, key)
        sealing = [number for number in secrets if number != FOREVER]
        number = max(sealing)
        if len(sealing) == 1:
            number += 1
            wrapped.keep(connection, key, number, os.urandom(server_key.KEY_BYTES), by, now)
            operators.note(connection, by, "key renew", str(number), "a new secret seals", now)
    service.key.refresh()
    return number


def reseal(service: Service, tell: Callable[[Counted], None]) -> list[Counted]:
    """Seal anew all that is not sealed under the newest secret; what is done stays done, so that it
    can be cut and begun again. `tell` hears after each piece.

    Raises:
        BusyError: too much else was written; begin again.
    """
    return [_reseal(service, place, tell) for place in PLACES]


def _reseal(service: Service, place: Place, tell: Callable[[Counted], None]) -> Counted:
    counted = Counted(place.table.name)
    (own,) = place.table.primary_key.columns
    query = select(place.table).order_by(own).limit(PIECE_ROWS)
    wanted = query
    while True:
        with reading(service.engine) as connection:
            rows = connection.execute(wanted).mappings().all()
        if not rows:
            return counted
        old = [row for row in rows if _is_old(service.key, row[place.column.name])]
        if old:
            _anew(service, place, old, counted)
        counted.seen += len(rows)
        tell(counted)
        wanted = query.where(own > rows[-1][own.name])


def _is_old(key: ServerKey, sealed: bytes | None) -> bool:
    return sealed is not None and len(sealed) > 0 and number_of(bytes(sealed)) != key.newest


def _anew(service: Service, place: Place, rows: list[Any], counted: Counted) -> None:
    """One transaction: each of these, unless somebody changed it meanwhile."""
    (own,) = place.table.primary_key.columns
    changed = []
    for row in rows:
        before, context = bytes(row[place.column.name]), place.context(row)
        try:
            value = service.key.open(place.purpose, context, before)
        except VaultError:
            counted.shut += 1
            continue
        sealed = service.key.seal(place.purpose, context, value)
        if service.key.open(place.purpose, context, sealed) != value:
            raise StateError(f"a sealed {place.purpose} does not come out as it went in")
        changed.append({"mine": row[own.name], "before": before, "anew": sealed})
    statement = (
        update(place.table)
        .where(own == bindparam("mine"), place.column == bindparam("before"))
        .values({place.column: bindparam("anew")})
    )
    if changed:
        with writing(service.engine) as connection:
            counted.anew += connection.execute(statement, changed).rowcount


def drop(service: Service, by: str) -> int:
    """Forget the secret before the newest; its number.

    Raises:
        StateError: there is none, the newest is too young for every server to know it, or
            something is sealed under it; nothing was changed.
    """
    now = service.now()
    try:
        with writing(service.engine) as connection:
            found = select(wrapped_secret).where(wrapped_secret.c.number != FOREVER)
            rows = connection.execute(found.order_by(wrapped_secret.c.number)).all()
            if len(rows) < 2:
                raise StateError("there is one secret that seals: `key renew` makes another")
            if now - rows[-1].made_at < KNOWN_AFTER_S:
                raise StateError(
                    f"servers may not know the new secret yet: again in {KNOWN_AFTER_S // 60} min"
                )
            number = int(rows[0].number)
            connection.execute(delete(wrapped_secret).where(wrapped_secret.c.number == number))
            operators.note(connection, by, "key drop", str(number), "nothing is sealed so", now)
    except IntegrityError as error:
        raise StateError(
            f"something is sealed under secret {number} yet: `key renew` goes on with it, and says "
            "what does not open"
        ) from error
    service.key.refresh()
    return number


def listed(connection: Connection) -> list[dict[str, Any]]:
    """The secrets of a database, without what they are: number, when and by whom made, how many
    values of each place are sealed under each. It looks at every one.
    """
    found = select(wrapped_secret).order_by(wrapped_secret.c.number)
    rows = [dict(row) for row in connection.execute(found).mappings()]
    for row in rows:
        row["sealed"] = {
            place.table.name: connection.scalar(_under(place, row["mark"]))
            for place in PLACES
            if row["number"] != FOREVER
        }
    return rows


def _under(place: Place, mark: bytes) -> Any:
    front = func.substr(place.column, 1, len(server_key.MAGIC))
    query = select(func.count()).select_from(place.table).where(func.length(place.column) > 0)
    if not mark:
        return query.where(front != server_key.MAGIC)
    return query.where(func.substr(place.column, 1, server_key.MARK_BYTES) == mark)
