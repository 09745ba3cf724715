"""A supplier who delivers nothing: what a sandbox sells comes from it. The last two digits of the
number decide, so that a program can meet every end that a real sale may have.

    …01   refused at once
    …02   accepted, then delivered
    …03   accepted, then refused
    …04   its answer is lost; asked, it was delivered
    else  delivered at once

Only the books of a sandbox may have it: their database refuses every other supplier, and that of
real books refuses this one (`sales.sandbox`).
"""

from __future__ import annotations

import hashlib

from updater_server.sales.suppliers.base import (
    Accepted,
    Delivered,
    NotAReport,
    Order,
    Outcome,
    Rejected,
    Report,
    Statement,
    Unclear,
)

KIND = "sandbox"
_REFUSED = Rejected("the sandbox refuses numbers that end in 01 and 03")
_NO_WORDS = "the sandbox's supplier sends nothing by itself"


class Sandbox:
    """The adapter (`base.Supplier`). Without state: an order's end stands in its number."""

    def spelled(self, recipient: str) -> str:
        """`base.Supplier.spelled`: as it was typed."""
        return recipient

    def send(self, order: Order) -> Outcome:
        """`base.Supplier.send`."""
        ends: dict[str, Outcome] = {
            "01": _REFUSED,
            "02": Accepted(_reference(order)),
            "03": Accepted(_reference(order)),
            "04": Unclear("the sandbox loses the answer about numbers that end in 04"),
        }
        return ends.get(order.recipient[-2:]) or Delivered(_reference(order))

    def can_ask(self, order: Order) -> bool:
        """`base.Supplier.can_ask`."""
        return True

    def ask(self, order: Order) -> Outcome:
        """`base.Supplier.ask`."""
        return _REFUSED if order.recipient[-2:] in ("01", "03") else Delivered(_reference(order))

    def read_report(self, body: bytes) -> Report:
        """`base.Supplier.read_report`. Raises NotAReport: there are none."""
        raise NotAReport(_NO_WORDS)

    def read_statement(self, data: bytes) -> Statement:
        """`base.Supplier.read_statement`. Raises NotAReport: there are none."""
        raise NotAReport(_NO_WORDS)


def _reference(order: Order) -> str:
    return "sandbox-" + hashlib.sha256(order.reference.encode()).hexdigest()[:24]
