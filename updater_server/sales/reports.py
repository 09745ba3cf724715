"""What suppliers tell by call-back: kept as it came, and taken for a reason to ask. For the
suppliers' face.

A report moves no money: nobody signs it, and it may be forged, doubled, late or about another sale.
It can bring one thing that we may not know: the supplier's own reference of a sale whose answer was
lost (`naming`). It is kept and committed before anybody asks what it is about, so that the report
and the loss of the answer, which may be learned at the same moment in two processes, never miss
each other: whoever is second sees both.
"""

from __future__ import annotations

import hmac

from sqlalchemy import Connection, bindparam, insert, select

from updater_server.errors import InputError, VaultError
from updater_server.sales import naming, vends
from updater_server.sales.suppliers.base import NotAReport, Report
from updater_server.sales.vending import Desk
from updater_server.store.prepared import Prepared
from updater_server.store.tables import supplier_report, vend

__all__ = ["KEPT_OF_ONE", "NotAReport", "NotOurs", "about", "take"]

KEPT_OF_ONE = 8
"""Reports of one reference that are kept: the first ones say all."""

_NAMED = Prepared(
    select(vend.c.id, vend.c.state).where(
        vend.c.supplier == bindparam("supplier"),
        vend.c.supplier_reference == bindparam("reference"),
    )
)
_SAME = Prepared(
    select(supplier_report.c.body)
    .where(
        supplier_report.c.supplier == bindparam("supplier"),
        supplier_report.c.supplier_reference == bindparam("reference"),
    )
    .limit(KEPT_OF_ONE)
)
_KEPT = Prepared(insert(supplier_report), ["supplier", "supplier_reference", "at", "body"])


class NotOurs(Exception):
    """No such supplier, or not under its secret."""


def take(
    connection: Connection, desk: Desk, name: str, secret: str, body: bytes, now: int
) -> Report:
    """Keep one call-back; commit, and then ask what it is `about`.

    Raises:
        NotOurs: see above; nothing was kept.
        NotAReport: its content is none.
    """
    try:
        kept = desk.kept(connection, name)
    except (InputError, VaultError) as error:
        raise NotOurs from error
    if not hmac.compare_digest(secret.encode(), kept.report_secret.encode()):
        raise NotOurs
    report = desk.adapter(connection, name).read_report(body)
    known = _SAME.scalars(connection, supplier=name, reference=report.reference)
    if body not in known and len(known) < KEPT_OF_ONE:
        _KEPT.run(connection, supplier=name, supplier_reference=report.reference, at=now, body=body)
    return report


def about(connection: Connection, desk: Desk, name: str, report: Report, now: int) -> int | None:
    """The open sale that its supplier should be asked about now, as this report came. In another
    transaction than `take`.
    """
    row = _NAMED.first(connection, supplier=name, reference=report.reference)
    if row is not None:
        return int(row.id) if row.state in vends.OPEN else None
    if report.recipient is None:
        return None
    return naming.name(connection, desk.adapter(connection, name), name, report.recipient, now)
