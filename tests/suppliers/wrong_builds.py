"""Servers that are wrong on purpose, each in a way that costs somebody money; the torture must
notice every one.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any
from unittest import mock
from urllib.parse import parse_qsl

from sqlalchemy import select

from updater_server.sales import ledger, reports, vend_rows, vending, vends
from updater_server.sales.suppliers import airtime, xmlvend, xmlvend_slip
from updater_server.sales.suppliers.base import Accepted, Delivered, Order, Rejected, Unclear
from updater_server.sales.vending import Desk
from updater_server.store.engine import writing
from updater_server.store.tables import vend


@dataclass(frozen=True)
class WrongBuild:
    """`says`: which of the verdict's lists shows it, after so many sales."""

    name: str
    made: Callable[[], AbstractContextManager[object]]
    says: str
    supplier: str = "airtime"
    sales: int = 120


def _sends_again() -> AbstractContextManager[object]:
    real = airtime.Airtime.send

    def send(self: airtime.Airtime, order: Order) -> Any:
        outcome = real(self, order)
        return real(self, order) if isinstance(outcome, Unclear) else outcome

    return mock.patch.object(airtime.Airtime, "send", send)


def _sends_again_after_a_restart() -> AbstractContextManager[object]:
    real = Desk._ask

    def ask(self: Desk, vend_id: int, name: str) -> None:
        with writing(self._engine) as connection:
            row = vend_rows.find(connection, vend_id)
            adapter = self.adapter(connection, name)
        if row["state"] == vends.SENT and row["supplier_reference"] is None:
            self._settle(vend_id, adapter.send(vend_rows.order_of(row)), "query")
            return
        real(self, vend_id, name)

    return mock.patch.object(Desk, "_ask", ask)


def _sends_again_at_each_report() -> AbstractContextManager[object]:
    def ask(self: airtime.Airtime, order: Order) -> Any:
        return self.send(order)

    return mock.patch.object(airtime.Airtime, "ask", ask)


def _believes_a_report() -> AbstractContextManager[object]:
    real, take = reports.about, reports.take
    bodies: dict[str, bytes] = {}

    def remember(connection: Any, desk: Any, name: str, secret: str, body: bytes, now: int) -> Any:
        report = take(connection, desk, name, secret, body, now)
        bodies[report.reference] = body
        return report

    def about(connection: Any, desk: Any, name: str, report: Any, now: int) -> Any:
        found = real(connection, desk, name, report, now)
        if found is not None:
            told = dict(parse_qsl(bodies[report.reference].decode()))
            said = (
                Delivered(told["requestId"])
                if told["status"] == "Success"
                else Rejected(told["description"])
            )
            vends.settle(connection, desk._key, found, said, "query", now)
        return None

    return mock.patch.multiple(reports, take=remember, about=about)


def _gives_back_what_is_unknown() -> AbstractContextManager[object]:
    real = vends.settle

    def settle(connection: Any, key: Any, vend_id: int, outcome: Any, *more: Any) -> str:
        if isinstance(outcome, Unclear):
            outcome = Rejected(outcome.reason)
        return real(connection, key, vend_id, outcome, *more)

    return mock.patch.object(vends, "settle", settle)


def _takes_sent_for_delivered() -> AbstractContextManager[object]:
    real = vends.settle

    def settle(connection: Any, key: Any, vend_id: int, outcome: Any, *more: Any) -> str:
        if isinstance(outcome, Accepted):
            outcome = Delivered(outcome.reference)
        return real(connection, key, vend_id, outcome, *more)

    return mock.patch.object(vends, "settle", settle)


def _loses_what_is_reserved() -> AbstractContextManager[object]:
    def look(self: Desk) -> int:
        now = self._now()
        with writing(self._engine) as connection:
            rows = connection.execute(
                select(vend.c.id, vend.c.supplier)
                .where(vend.c.state.in_((vends.SENT, vends.UNKNOWN)), vend.c.next_at <= now)
                .limit(vending.LOOK_LIMIT)
            ).all()
        for vend_id, name in rows:
            self.ask(vend_id, name, is_news=False)
        return len(rows)

    return mock.patch.object(Desk, "look", look)


def _sends_before_it_is_written() -> AbstractContextManager[object]:
    """SENT is written with the answer: a crash between leaves RESERVED, which is given back."""

    def send(self: Desk, vend_id: int, name: str) -> None:
        with writing(self._engine) as connection:
            adapter = self.adapter(connection, name)
            order = vend_rows.order_of(vend_rows.find(connection, vend_id))
        outcome = self._told(name, adapter.send, order)
        with writing(self._engine) as connection:
            vends.begin_sending(connection, vend_id, self._now())
        self._settle(vend_id, outcome, "answer")

    return mock.patch.object(Desk, "_send", send)


def _keeps_the_money_of_a_refusal() -> AbstractContextManager[object]:
    def entries(terminal_id: bytes, amount_minor: int, commission_minor: int) -> dict[str, int]:
        cost_minor = amount_minor - commission_minor
        return {ledger.BANK: -cost_minor, ledger.RESERVED: cost_minor}

    real = vends._give_back

    def give_back(*given: Any) -> str:
        with mock.patch.object(ledger, "reserve_entries", entries):
            return real(*given)

    return mock.patch.object(vends, "_give_back", give_back)


def _pays_at_delivery() -> AbstractContextManager[object]:
    """Nothing is reserved: the float pays when it is delivered."""

    def nothing(terminal_id: bytes, amount_minor: int, commission_minor: int) -> dict[str, int]:
        return {}

    return mock.patch.object(ledger, "reserve_entries", nothing)


def _takes_never_seen_for_no() -> AbstractContextManager[object]:
    """The utility has no response to repeat, so nothing was vended; it comes a moment later."""

    def taken_back(self: xmlvend.XmlVend, order: Order, until: float) -> Any:
        return Rejected("it never saw it")

    return mock.patch.object(xmlvend.XmlVend, "_taken_back", taken_back)


def _vends_again_without_advice() -> AbstractContextManager[object]:
    def taken_back(self: xmlvend.XmlVend, order: Order, until: float) -> Any:
        return self.send(dataclasses.replace(order, asked_at=order.asked_at + 1))

    return mock.patch.object(xmlvend.XmlVend, "_taken_back", taken_back)


def _leaves_out_new_keys() -> AbstractContextManager[object]:
    return mock.patch.object(xmlvend_slip, "_keys", lambda credits: ())


def _prints_anybodys_tokens() -> AbstractContextManager[object]:
    """It takes each slip under its message's name for its own, whosever meter it is for."""

    def sold(self: xmlvend.XmlVend, order: Order, told: Any) -> Any:
        slip = xmlvend_slip.read(told)
        return Delivered(slip.receipt, slip.tokens[0], slip.details())

    return mock.patch.object(xmlvend.XmlVend, "_sold", sold)


WRONG_BUILDS = (
    WrongBuild("sends again after a time-out", _sends_again, "doubled"),
    # What these send again calls for more of the same: of twice as many sales they make five times
    # the work.
    WrongBuild("sends again after a restart", _sends_again_after_a_restart, "doubled", sales=60),
    WrongBuild("sends again at each report", _sends_again_at_each_report, "doubled", sales=60),
    WrongBuild("believes a report", _believes_a_report, "lost"),
    WrongBuild("gives back what is unknown", _gives_back_what_is_unknown, "lost"),
    WrongBuild("takes sent for delivered", _takes_sent_for_delivered, "lost"),
    WrongBuild("loses what is reserved at a crash", _loses_what_is_reserved, "unresolved"),
    WrongBuild("sends before SENT is written", _sends_before_it_is_written, "lost"),
    WrongBuild("keeps the money of a refusal", _keeps_the_money_of_a_refusal, "problems"),
    WrongBuild("pays only at delivery", _pays_at_delivery, "problems"),
    WrongBuild("takes never seen for no", _takes_never_seen_for_no, "lost", "xmlvend"),
    WrongBuild("vends again without advice", _vends_again_without_advice, "doubled", "xmlvend"),
    WrongBuild("prints anybody's tokens", _prints_anybodys_tokens, "lost", "xmlvend"),
    WrongBuild("leaves out new keys of a meter", _leaves_out_new_keys, "lost", "xmlvend"),
)
