"""An electricity utility that speaks XMLVend 2.1: a customer's name before money moves, a credit
vend, and advice about a vend whose answer was lost.

What is unclear is asked about by the name that our message had (`msgID`): the utility repeats its
last response, tokens and all. Where it has none, nobody knows whether the message comes yet; so it
is taken back (reversal advice), and only what the utility says is reversed ends as *rejected*.
Messages are tables of fields (`xmlvend_fields`).
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from updater_server.errors import InputError
from updater_server.sales.suppliers import http, xmlvend_slip
from updater_server.sales.suppliers import xmlvend_fields as table
from updater_server.sales.suppliers.base import (
    Delivered,
    Known,
    NotAReport,
    NotSent,
    Order,
    Outcome,
    Question,
    Rejected,
    Report,
    Statement,
    Unclear,
    major,
    minor,
    note,
    six_digits,
)
from updater_server.sales.suppliers.net import REAL, Net
from updater_server.sales.suppliers.xml_reading import Node

KIND = "xmlvend"
_DONE, _FAULT = 200, 500
_TURNED_AWAY = (401, 403, 404, 405, 415)
"""It was not let in, or there is nobody of that kind: nothing was looked at."""
REFUSALS = {
    "UnknownMeterEx": "supplier_refused",
    "BlockedMeterEx": "supplier_refused",
    "MSNOCheckDigitEx": "supplier_refused",
    "InsufficientMeterDataEx": "supplier_refused",
    "DebtEx": "supplier_refused",
    "MinVendEx": "supplier_refused",
    "MaxVendEx": "supplier_refused",
    "VendorCreditEx": "supplier_down",
    "ClientIDAuthorisationEx": "supplier_down",
    "RequestAuthorisationEx": "supplier_down",
    "UseCaseSupportEx": "supplier_down",
}
"""Faults by which a utility says that it did nothing; any other says nothing for sure."""
_NEVER_SEEN = "LastRespAdviceEx"
_NAME_LETTERS = 48


@dataclass(frozen=True)
class Utility:
    """Where it is and who we are to it."""

    address: http.Address
    client: str
    """Our EAN there (`clientID`), 13 digits."""
    terminal: str
    """Our `terminalID` there; empty: the terminal's own, as our reference names it."""
    operator: str
    password: str
    deadline_s: float = 20.0
    never_seen: str = _NEVER_SEEN
    """By which fault it says that it has no response to repeat."""
    minor_digits: int = 2
    """Of the currency in its statements."""

    @staticmethod
    def made(settings: dict[str, Any], secrets: dict[str, str]) -> Utility:
        """From what is kept of a supplier. The key that it gave us is our password there.

        Raises:
            InputError: something is missing, or wrong.
        """
        try:
            utility = Utility(
                http.Address.parse(str(settings["url"])),
                str(settings["client"]),
                str(settings.get("terminal", "")),
                str(settings["username"]),
                secrets["api_key"],
                float(settings.get("deadline_s", 20.0)),
                str(settings.get("never_seen", _NEVER_SEEN)),
                int(settings.get("minor_digits", 2)),
            )
        except (KeyError, ValueError) as error:
            raise InputError(
                f"an xmlvend supplier needs url, client, username and a key: {error}"
            ) from error
        if not re.fullmatch("[0-9]{13}", utility.client) or not 0 < utility.deadline_s <= 60:
            raise InputError("client is an EAN of 13 digits; deadline_s is at most 60")
        if utility.never_seen in REFUSALS:
            raise InputError(f"never_seen: {utility.never_seen} has another meaning")
        return utility


class XmlVend:
    """The adapter (`base.Supplier`, `base.KnowsCustomers`)."""

    def __init__(self, utility: Utility, net: Net = REAL) -> None:
        self._utility = utility
        self._net = net
        self._numbers = itertools.count(1)

    def spelled(self, recipient: str) -> str:
        """`base.Supplier.spelled`: as it was typed."""
        return recipient

    # --- what is asked ---

    def look_up(self, question: Question) -> Known | Rejected | Unclear:
        """`base.KnowsCustomers.look_up`: `confirmCustomerReq`."""
        named = _message_id(question.at, question.recipient[-6:])
        values = {**self._who(named, ""), "meter": question.recipient}
        until = self._net.now() + self._utility.deadline_s
        told = self._asked(table.CONFIRM, values, named, until)
        if not isinstance(told, Node):
            return told if isinstance(told, Rejected) else Unclear(told.reason)
        try:
            if told.name != "confirmCustomerResp":
                raise table.NotAMessage(f"{told.name} is no answer to that")
            found = table.fields(told, table.CONFIRMED)
        except table.NotAMessage as error:
            return Unclear(note(str(error)))
        if found["meter"] != question.recipient:
            return Unclear("the answer is about another meter", suspicious=True)
        least, most = (
            minor(f"XXX {found.get(name, '0')}", "XXX", question.minor_digits) or 0
            for name in ("least", "most")
        )
        name = note(found.get("name", "")).strip()[:_NAME_LETTERS]
        return Known(name, least, most)

    def send(self, order: Order) -> Outcome:
        """`base.Supplier.send`: `creditVendReq`."""
        named = _name_of(order)
        amount = major(order.amount_minor, order.minor_digits)
        values = {
            **self._who(named, order.reference),
            "meter": order.recipient,
            "amount": amount,
            "currency": order.currency,
        }
        until = self._net.now() + self._utility.deadline_s
        told = self._asked(table.VEND, values, named, until)
        return self._sold(order, told) if isinstance(told, Node) else told

    def can_ask(self, order: Order) -> bool:
        """Always: by the name of the message that asked for it."""
        return bool(order.reference)

    def ask(self, order: Order) -> Outcome:
        """`base.Supplier.ask`: its last response to that message, or its word that it is taken
        back.
        """
        until = self._net.now() + self._utility.deadline_s
        told = self._advice(table.LAST_RESPONSE, order, until)
        if not isinstance(told, Node):
            is_unseen = isinstance(told, Unclear) and told.reason == self._utility.never_seen
            return self._taken_back(order, until) if is_unseen else _no_word(told)
        last = told.one("lastResponse")
        if last is None:
            return Unclear("an advice without a last response")
        if not self._is_to(last, _name_of(order)):
            return Unclear("the last response is to another message", suspicious=True)
        if last.kind == "XMLVendFaultResp":
            return _fault(last)
        return self._sold(order, last)

    def _taken_back(self, order: Order, until: float) -> Outcome:
        told = self._advice(table.REVERSAL, order, until)
        if not isinstance(told, Node):
            return _no_word(told)
        if told.attributes.get("txReversed") in ("true", "1"):
            return Rejected("it had no answer to it, and took it back")
        return Unclear("it had no answer to it, and did not take it back")

    def _advice(self, message: table.Part, order: Order, until: float) -> Node | Outcome:
        """The answer to an advice about an order; it is that and no other."""
        about = _name_of(order)
        named = _message_id(int(self._net.unix()), f"{next(self._numbers) % 10**6:06d}")
        values = self._who(named, order.reference) | {
            "about_time": about[0],
            "about_number": about[1],
        }
        told = self._asked(message, values, named, until)
        if not isinstance(told, Node):
            return told
        try:
            found = table.fields(told, table.ADVICE)
        except table.NotAMessage as error:
            return Unclear(note(str(error)))
        if (found["about_time"], int(found["about_number"])) != (about[0], int(about[1])):
            return Unclear("advice about another message", suspicious=True)
        return told

    def _who(self, named: tuple[str, str], reference: str) -> dict[str, str]:
        utility = self._utility
        terminal = utility.terminal or reference.rpartition("-")[0] or "office"
        return {
            "client": utility.client,
            "terminal": terminal,
            "operator": utility.operator,
            "password": utility.password,
            "time": named[0],
            "number": named[1],
        }

    def _asked(
        self, message: table.Part, values: dict[str, str], named: tuple[str, str], until: float
    ) -> Node | Rejected | NotSent | Unclear:
        """The utility's answer to a message of ours, and to no other."""
        address = self._utility.address
        headers = (
            ("content-type", "text/xml; charset=utf-8"),
            ("soapaction", f'"{table.action(message)}"'),
        )
        body = table.write(message, values)
        request = http.Request("POST", "" if address.path else "/", headers, body)
        try:
            status, answer = http.exchange(address, request, until - self._net.now(), self._net)
        except http.NothingSent as error:
            return NotSent(str(error))
        except http.NoAnswer as error:
            return Unclear(str(error))
        if status in _TURNED_AWAY:
            return Rejected(f"HTTP {status}", "supplier_down")
        if status not in (_DONE, _FAULT):
            return Unclear(f"HTTP {status}")
        try:
            told = table.unwrap(answer)
        except table.NotAMessage as error:
            return Unclear(note(str(error)))
        if not self._is_to(told, named):
            return Unclear("the answer is to another message", suspicious=True)
        return _fault(told) if "fault" in told.name.lower() else told

    @staticmethod
    def _is_to(told: Node, named: tuple[str, str]) -> bool:
        try:
            found = table.fields(told, table.ANSWER)
        except table.NotAMessage:
            return False
        return (found["time"], int(found["number"])) == (named[0], int(named[1]))

    # --- what is answered ---

    def _sold(self, order: Order, told: Node) -> Outcome:
        """Tokens for that meter and that money, or nothing is clear."""
        try:
            slip = xmlvend_slip.read(told)
        except table.NotAMessage as error:
            return Unclear(note(f"no slip: {error}"), suspicious=True)
        if slip.meter != order.recipient:
            return Unclear("the answer is about another meter", suspicious=True)
        paid = minor(f"{order.currency} {slip.tendered}", order.currency, order.minor_digits)
        if paid != order.amount_minor:
            return Unclear(note(f"the answer is about {slip.tendered}"), suspicious=True)
        return Delivered(slip.receipt, slip.tokens[0], slip.details())

    def read_report(self, body: bytes) -> Report:
        """There are none."""
        raise NotAReport(f"this supplier reports nothing, and these are {len(body)} bytes")

    def read_statement(self, data: bytes) -> Statement:
        """`base.Supplier.read_statement` (`xmlvend_slip.statement`)."""
        return xmlvend_slip.statement(data, self._utility.minor_digits)


def _message_id(at: int, number: str) -> tuple[str, str]:
    """A message's name: a second, and six digits."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y%m%d%H%M%S"), number


def _name_of(order: Order) -> tuple[str, str]:
    """The name of the message that orders it: the same on any day and any server, so that who
    forgot that it was sent still finds it.
    """
    return _message_id(order.asked_at, six_digits(order.reference))


def _fault(told: Node) -> Rejected | Unclear:
    """What a fault says: nothing was done, or nothing for sure."""
    fault = next(told.all("fault"), None)
    kind = "" if fault is None else fault.kind
    words = "" if fault is None else fault.value("desc") or ""
    if kind in REFUSALS:
        return Rejected(note(f"{kind}: {words}"), REFUSALS[kind])
    return Unclear(note(kind) or "a fault without a kind")


def _no_word(told: Rejected | NotSent | Unclear | Outcome) -> Outcome:
    """An advice that was refused or not sent says nothing of the vend."""
    if isinstance(told, Unclear):
        return told
    return Unclear(note(f"no advice: {getattr(told, 'reason', '')}"))
