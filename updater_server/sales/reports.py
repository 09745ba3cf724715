"""What suppliers tell by call-back: kept as it came, and taken for a reason to ask. For the
suppliers' face.

A report moves no money: nobody signs it, and it may be forged, doubled, late or about another sale.
It can bring one thing that we may not know: the supplier's own reference of a sale whose answer was
lost. That is taken over where only one open sale can be meant, and the question asked by it must
then be answered with the same recipient and amount.
"""

from __future__ import annotations

import hmac

from sqlalchemy import Connection, bindparam, insert, select, update

from updater_server.errors import InputError, VaultError
from updater_server.fleet.alarms import raise_alarm
from updater_server.sales import vends
from updater_server.sales.suppliers.base import NotAReport, Report
from updater_server.sales.vending import Desk
from updater_server.store.prepared import Prepared
from updater_server.store.tables import supplier_report, vend

__all__ = ["KEPT_OF_ONE", "NotAReport", "NotOurs", "take"]

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
    connection: Connection,
    desk: Desk,
    name: str,
    secret: str,
    body: bytes,
    now: int,
) -> int | None:
    """Take in one call-back; returns the open sale that its supplier should be asked about now.

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
    _keep(connection, name, report.reference, body, now)
    row = _NAMED.first(connection, supplier=name, reference=report.reference)
    if row is not None:
        return int(row.id) if row.state in vends.OPEN else None
    return _named_by(connection, name, report, now)


def _keep(connection: Connection, name: str, reference: str, body: bytes, now: int) -> None:
    known = _SAME.scalars(connection, supplier=name, reference=reference)
    if body not in known and len(known) < KEPT_OF_ONE:
        _KEPT.run(connection, supplier=name, supplier_reference=reference, at=now, body=body)


def _named_by(connection: Connection, name: str, report: Report, now: int) -> int | None:
    """The one open sale that a report under an unknown reference can mean, which has that
    reference from now on; None if there is none, or more than one.
    """
    if report.recipient is None:
        return None
    open_ones = connection.execute(
        select(vend.c.id, vend.c.state, vend.c.sent_at).where(
            vend.c.supplier == name,
            vend.c.recipient == report.recipient,
            vend.c.state == vends.UNKNOWN,
            vend.c.supplier_reference.is_(None),
        )
    ).all()
    if len(open_ones) != 1:
        if len(open_ones) > 1:
            text = f"{name}: a report of {report.reference} fits several sales; a statement decides"
            raise_alarm(connection, None, "supplier_answer", text, now)
        return None
    (only,) = open_ones
    connection.execute(
        update(vend).where(vend.c.id == only.id).values(supplier_reference=report.reference)
    )
    vends.say(connection, only.id, only.state, "report", f"named {report.reference}", now)
    return int(only.id)
