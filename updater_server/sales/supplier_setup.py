"""Who makes which product: the operator's own setting on this server. For the command line, and
for `online` and `vending`, which read it.
"""

from __future__ import annotations

import json
import re
import secrets
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, update

from updater_server.errors import InputError
from updater_server.sales.suppliers import kinds
from updater_server.sales.suppliers.base import Supplier
from updater_server.sales.suppliers.net import REAL, Net
from updater_server.server_key import ServerKey
from updater_server.store.prepared import Prepared
from updater_server.store.tables import supplier, supplier_product
from updater_server.wire import limits

_NAME = re.compile("[a-z][a-z0-9-]{0,15}")
PURPOSE = "supplier"
"""What its secrets are sealed for (`ServerKey.seal`)."""
_REPORT_SECRET = "report_secret"  # noqa: S105 the name of one
_CODE = re.compile("[0-9A-Za-z_.-]{0,64}")


@dataclass(frozen=True)
class Route:
    """Who makes a product."""

    supplier: str
    code: str
    stopped: bool


_ROUTE = Prepared(
    select(supplier_product.c.supplier, supplier_product.c.code, supplier.c.stopped)
    .join(supplier, supplier.c.name == supplier_product.c.supplier)
    .where(supplier_product.c.product_id == bindparam("product_id"))
)


def route(connection: Connection, product_id: str) -> Route | None:
    """Who makes this product; None if nobody was told to."""
    row = _ROUTE.first(connection, product_id=product_id)
    return None if row is None else Route(row.supplier, row.code, bool(row.stopped))


@dataclass(frozen=True)
class Kept:
    """A supplier as it is kept, opened."""

    name: str
    kind: str
    settings: dict[str, Any]
    secrets: dict[str, str]
    changed_at: int

    @property
    def report_secret(self) -> str:
        """What stands in the path of its call-backs."""
        return self.secrets[_REPORT_SECRET]

    def adapter(self, net: Net = REAL) -> Supplier:
        """What speaks to it. Raises InputError."""
        return kinds.made(self.kind, self.settings, self.secrets, net)


_SUPPLIER = Prepared(select(supplier).where(supplier.c.name == bindparam("name")))


def sealed(connection: Connection, name: str) -> Any:
    """A supplier's row as it is stored, to be opened by `opened`; None if there is none."""
    return _SUPPLIER.first(connection, name=name)


def opened(key: ServerKey, row: Any) -> Kept:
    """A supplier of its row.

    Raises:
        VaultError: its secrets do not open under this server key.
    """
    secret = json.loads(key.open(PURPOSE, row.name.encode(), row.secrets_sealed))
    return Kept(row.name, row.kind, json.loads(row.settings), secret, row.changed_at)


def kept(connection: Connection, key: ServerKey, name: str) -> Kept | None:
    """A supplier by its name; None if there is none.

    Raises:
        VaultError: its secrets do not open under this server key.
    """
    row = sealed(connection, name)
    return None if row is None else opened(key, row)


def put(
    connection: Connection,
    key: ServerKey,
    name: str,
    kind: str,
    settings: dict[str, Any],
    secret_settings: dict[str, str],
    by: str,
    now: int,
) -> Kept:
    """Make a supplier known, or change how it is spoken to. Its call-backs keep their secret.

    Raises:
        InputError: its name or settings are wrong.
    """
    if not _NAME.fullmatch(name):
        raise InputError("a supplier's name has up to 16 letters a-z, digits and dashes")
    kinds.made(kind, settings, secret_settings)
    before = kept(connection, key, name)
    report_secret = before.report_secret if before else secrets.token_urlsafe(24)
    every = {**secret_settings, _REPORT_SECRET: report_secret}
    text = json.dumps(settings, sort_keys=True)
    if len(text) > 1000:
        raise InputError("a supplier's settings have up to 1000 letters")
    values = {
        "kind": kind,
        "settings": text,
        "secrets_sealed": key.seal(PURPOSE, name.encode(), json.dumps(every).encode()),
        "changed_at": now,
        "changed_by": by,
    }
    if before is None:
        connection.execute(insert(supplier).values(name=name, stopped=False, **values))
    else:
        connection.execute(update(supplier).where(supplier.c.name == name).values(**values))
    return Kept(name, kind, settings, every, now)


def stop(connection: Connection, name: str, stopped: bool, by: str, now: int) -> None:
    """Sell nothing of this supplier's any more, or again. What is open goes on.

    Raises:
        InputError: there is none of this name.
    """
    changed = connection.execute(
        update(supplier)
        .where(supplier.c.name == name)
        .values(stopped=stopped, changed_at=now, changed_by=by)
    )
    if changed.rowcount != 1:
        raise InputError(f"there is no supplier {name!r}")


def set_route(
    connection: Connection, product_id: str, name: str | None, code: str, by: str, now: int
) -> None:
    """Let a supplier make a product; None: nobody.

    Raises:
        InputError: no such supplier, or no such product or code can be.
    """
    if not limits.PRODUCT_ID_PATTERN.fullmatch(product_id):
        raise InputError(f"{product_id!r} is no product id")
    if not _CODE.fullmatch(code):
        raise InputError("a supplier's code has up to 64 letters, digits, dots and dashes")
    known = select(supplier.c.name).where(supplier.c.name == name)
    if name is not None and connection.scalar(known) is None:
        raise InputError(f"there is no supplier {name!r}")
    values = {"supplier": name, "code": code, "changed_at": now, "changed_by": by}
    changed = connection.execute(
        update(supplier_product).where(supplier_product.c.product_id == product_id).values(**values)
    )
    if changed.rowcount == 0:
        connection.execute(insert(supplier_product).values(product_id=product_id, **values))


def listed(connection: Connection) -> list[Any]:
    """Every supplier with its products, by name."""
    rows = connection.execute(
        select(
            supplier.c.name, supplier.c.kind, supplier.c.stopped, supplier.c.settings,
            supplier_product.c.product_id, supplier_product.c.code,
        )
        .outerjoin(supplier_product, supplier_product.c.supplier == supplier.c.name)
        .order_by(supplier.c.name, supplier_product.c.product_id)
    )  # fmt: skip
    return list(rows)
