"""The supplier's own name of a sale whose answer was lost, from the call-backs that were kept. For
`reports`, when one comes, and for `vending`, when an answer came or was lost: either may be first.

A name is taken over only where one sale alone can be meant. While a sale to the same recipient
waits for its answer nobody is named: that answer may claim the report. The question that is then
asked by the name must be answered with the same recipient and amount.
"""

from __future__ import annotations

from sqlalchemy import Connection, bindparam, exists, select, update

from updater_server.fleet.alarms import raise_alarm
from updater_server.sales import vends
from updater_server.sales.suppliers.base import NotAReport, Supplier
from updater_server.store.prepared import Prepared
from updater_server.store.tables import supplier_report, vend

_OF_RECIPIENT = (
    (vend.c.supplier == bindparam("supplier"))
    & (vend.c.recipient == bindparam("recipient"))
    & vend.c.supplier_reference.is_(None)
)
_NAMELESS = Prepared(
    select(vend.c.id, vend.c.state, vend.c.sent_at)
    .where(_OF_RECIPIENT, (vend.c.state == vends.SENT) | (vend.c.state == vends.UNKNOWN))
    .order_by(vend.c.id)
)
_UNCLAIMED = Prepared(
    select(supplier_report.c.supplier_reference, supplier_report.c.body)
    .where(
        supplier_report.c.supplier == bindparam("supplier"),
        supplier_report.c.at >= bindparam("since"),
        ~exists().where(
            vend.c.supplier == supplier_report.c.supplier,
            vend.c.supplier_reference == supplier_report.c.supplier_reference,
        ),
    )
    .order_by(supplier_report.c.id)
)


def is_any(connection: Connection, supplier: str, recipient: str) -> bool:
    """Whether there is a sale to this recipient that its supplier cannot be asked about."""
    return bool(_NAMELESS.all(connection, supplier=supplier, recipient=recipient))


def name(
    connection: Connection, adapter: Supplier, supplier: str, recipient: str, now: int
) -> int | None:
    """Give the open sale to this recipient whose answer was lost the name that kept reports have
    for it, and return it: its supplier can be asked about it now. None where there is no such sale
    or report, or more than one of either; of those people are told, and a statement decides.
    """
    nameless = _NAMELESS.all(connection, supplier=supplier, recipient=recipient)
    if not nameless or any(row.state == vends.SENT for row in nameless):
        return None
    since = min(row.sent_at for row in nameless)
    references = {
        reference
        for reference, body in _UNCLAIMED.all(connection, supplier=supplier, since=since)
        if _recipient_of(adapter, body) == recipient
    }
    if not references:
        return None
    if len(nameless) > 1 or len(references) > 1:
        text = (
            f"{supplier}: {len(references)} reports fit {len(nameless)} sales to one recipient "
            f"({min(references)}); a statement decides"
        )
        raise_alarm(connection, None, "supplier_answer", text, now)
        return None
    (only,), (reference,) = nameless, references
    connection.execute(
        update(vend).where(vend.c.id == only.id).values(supplier_reference=reference)
    )
    vends.say(connection, only.id, only.state, "report", f"named {reference}", now)
    return int(only.id)


def _recipient_of(adapter: Supplier, body: bytes) -> str | None:
    try:
        return adapter.read_report(body).recipient
    except NotAReport:  # its adapter has changed since
        return None
