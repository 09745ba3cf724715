"""A mobile operator by REST with call-backs, in the shape of Africa's Talking's airtime service.

The answer to an order says only that the operator has it (*Sent*) or will not have it (*Failed*);
what became of it comes by a call-back, which nobody signs, and is found by asking. So a call-back
is never believed: it is a reason to ask. An order whose answer was lost has no name at the operator
that we know; the call-back names it, or the operator's statement does.

Source: https://developers.africastalking.com, "Airtime".
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

from updater_server.errors import InputError
from updater_server.sales.suppliers import http
from updater_server.sales.suppliers.base import (
    REFERENCE,
    Accepted,
    Delivered,
    NotAReport,
    NotSent,
    Order,
    Outcome,
    Rejected,
    Report,
    Statement,
    StatementLine,
    Unclear,
    major,
    minor,
    note,
)
from updater_server.sales.suppliers.net import REAL, Net

KIND = "airtime"
REPORT_LIMIT_BYTES = 4096
_JSON = ("accept", "application/json")
_OPEN = ("Sent", "Queued", "Pending")
_REFUSED_STATUS = range(400, 500)
_STATES = {"Success": "delivered", "Failed": "rejected", **dict.fromkeys(_OPEN, "open")}


@dataclass(frozen=True)
class Account:
    """How we are known to the operator, and where it is."""

    address: http.Address
    username: str
    api_key: str
    country: str = ""
    """What stands for the 0 that a number begins with in its own country, say "254"."""
    deadline_s: float = 20.0
    minor_digits: int = 2
    """Of the currency in its statements."""
    find_path: str = "/version1/query/transaction/find"

    @staticmethod
    def made(settings: dict[str, Any], secrets: dict[str, str]) -> Account:
        """From what is kept of a supplier.

        Raises:
            InputError: something is missing, or wrong.
        """
        try:
            account = Account(
                http.Address.parse(str(settings["url"])),
                str(settings["username"]),
                secrets["api_key"],
                str(settings.get("country", "")),
                float(settings.get("deadline_s", 20.0)),
                int(settings.get("minor_digits", 2)),
                str(settings.get("find_path", Account.find_path)),
            )
        except (KeyError, ValueError) as error:
            raise InputError(
                f"an airtime supplier needs url, username, api_key: {error}"
            ) from error
        if not 0 < account.deadline_s <= 60:
            raise InputError("deadline_s is more than 0 and at most 60")
        return account


class Airtime:
    """The adapter (`base.Supplier`)."""

    def __init__(self, account: Account, net: Net = REAL) -> None:
        self._account = account
        self._net = net

    def spelled(self, recipient: str) -> str:
        """`base.Supplier.spelled`: with a plus and the country."""
        country = self._account.country
        if country and recipient.startswith("0"):
            return f"+{country}{recipient[1:]}"
        return f"+{recipient}"

    def send(self, order: Order) -> Outcome:
        """`base.Supplier.send`."""
        amount = f"{order.currency} {major(order.amount_minor, order.minor_digits)}"
        wanted = [{"phoneNumber": order.recipient, "amount": amount}]
        body = urlencode({"username": self._account.username, "recipients": json.dumps(wanted)})
        headers = (
            _JSON,
            ("apikey", self._account.api_key),
            ("content-type", "application/x-www-form-urlencoded"),
            ("idempotency-key", order.reference),
        )
        request = http.Request("POST", "/version1/airtime/send", headers, body.encode())
        try:
            status, answer = self._exchange(request)
        except http.NothingSent as error:
            return NotSent(str(error))
        except http.NoAnswer as error:
            return Unclear(str(error))
        return self._sent(order, status, answer)

    def _exchange(self, request: http.Request) -> tuple[int, bytes]:
        account = self._account
        return http.exchange(account.address, request, account.deadline_s, self._net)

    def _sent(self, order: Order, status: int, answer: bytes) -> Outcome:
        if status in _REFUSED_STATUS:
            return Rejected(note(f"HTTP {status}: {answer[:100]!r}"), "supplier_down")
        told = _object(answer)
        if status not in (200, 201) or told is None:
            return Unclear(f"HTTP {status} without an answer that can be read")
        entries, words = told.get("responses"), str(told.get("errorMessage"))
        if entries == [] and told.get("numSent") == 0 and words != "None":
            if "duplicate" in words.lower():  # of an order that is sent once
                return Unclear(note(words), suspicious=True)
            return Rejected(note(words))
        if not (isinstance(entries, list) and len(entries) == 1 and isinstance(entries[0], dict)):
            return Unclear("not one answer to one order", suspicious=True)
        return self._entry(order, entries[0])

    def _entry(self, order: Order, entry: dict[str, Any]) -> Outcome:
        other = self._is_of_another(order, entry.get("phoneNumber"), entry.get("amount"))
        if other:
            return Unclear(other, suspicious=True)
        reference = entry.get("requestId")
        if entry.get("status") == "Failed":
            return Rejected(note(str(entry.get("errorMessage"))))
        if entry.get("status") not in (*_OPEN, "Success") or not _is_reference(reference):
            return Unclear(note(f"status {entry.get('status')!r}, requestId {reference!r}"))
        return Accepted(str(reference))

    def _is_of_another(self, order: Order, number: object, amount: object) -> str | None:
        """Why this is no word about that order; None if it is one."""
        if number != order.recipient:
            return note(f"the answer is about number {number!r}")
        if minor(str(amount), order.currency, order.minor_digits) != order.amount_minor:
            return note(f"the answer is about an amount of {amount!r}")
        return None

    def can_ask(self, order: Order) -> bool:
        """Only by the operator's own reference."""
        return order.supplier_reference is not None

    def ask(self, order: Order) -> Outcome:
        """`base.Supplier.ask`."""
        account, reference = self._account, order.supplier_reference
        assert reference is not None, "nothing to ask by"
        query = f"?username={quote(account.username)}&transactionId={quote(reference)}"
        request = http.Request(
            "GET", account.find_path + query, (_JSON, ("apikey", account.api_key))
        )
        try:
            status, answer = self._exchange(request)
        except (http.NothingSent, http.NoAnswer) as error:
            return Unclear(str(error))
        told = _object(answer)
        data = told.get("data") if told else None
        if status != 200 or not told or told.get("status") != "Success":
            return Unclear(f"HTTP {status}: the operator does not find {reference}")
        if not isinstance(data, dict) or data.get("requestId") != reference:
            return Unclear("an answer about another sale", suspicious=True)
        other = self._is_of_another(order, data.get("phoneNumber"), data.get("value"))
        if other:
            return Unclear(other, suspicious=True)
        if data.get("status") == "Success":
            return Delivered(reference)
        if data.get("status") == "Failed":
            return Rejected(note(str(data.get("description"))))
        return Accepted(reference)

    def read_report(self, body: bytes) -> Report:
        """`base.Supplier.read_report`: a form, or JSON."""
        if len(body) > REPORT_LIMIT_BYTES:
            raise NotAReport("too long")
        told = _object(body)
        if told is None:
            try:
                told = dict(parse_qsl(body.decode("utf-8"), strict_parsing=True, max_num_fields=32))
            except ValueError as error:
                raise NotAReport("neither a form nor JSON") from error
        reference, number = told.get("requestId"), told.get("phoneNumber")
        if not _is_reference(reference):
            raise NotAReport("no requestId")
        return Report(str(reference), number if isinstance(number, str) else None)

    def read_statement(self, data: bytes) -> Statement:
        """`base.Supplier.read_statement`: one JSON object a line, the last one closes it."""
        *lines, last = data.splitlines() or [b""]
        end = _object(last) or {}
        since, until = end.get("from"), end.get("until")
        if type(since) is not int or type(until) is not int or end.get("lines") != len(lines):
            raise NotAReport("its last line does not close it: it is not whole")
        read = tuple(self._line(line, number) for number, line in enumerate(lines, 1))
        return Statement(since, until, read)

    def _line(self, line: bytes, number: int) -> StatementLine:
        told = _object(line) or {}
        reference, at = told.get("requestId"), told.get("at")
        recipient, value = told.get("phoneNumber"), str(told.get("value"))
        amount = minor(value, value[:3], self._account.minor_digits)
        state, ours = _STATES.get(str(told.get("status"))), told.get("idempotencyKey")
        if not _is_reference(reference) or type(at) is not int:
            raise NotAReport(f"line {number} is none of an operator's statement")
        if not isinstance(recipient, str) or amount is None or state is None:
            raise NotAReport(f"line {number}: no number, amount or status that is known")
        ours = ours if isinstance(ours, str) else None
        return StatementLine(str(reference), recipient, amount, at, state, ours)


def _is_reference(value: object) -> bool:
    return isinstance(value, str) and value != "None" and REFERENCE.fullmatch(value) is not None


def _object(data: bytes) -> dict[str, Any] | None:
    try:
        told = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return told if isinstance(told, dict) else None
