"""A mobile operator that sells airtime by REST, in the shape of Africa's Talking's service: orders
by a form, an answer that it is *Sent*, and a call-back some time later with what became of it.

    POST /version1/airtime/send              apiKey, form: username, recipients (JSON)
    GET  /version1/query/transaction/find    apiKey, username, transactionId
    GET  /version1/user                      apiKey, username: what is left of our credit
    GET  /statement?from=…&until=…           apiKey: what was done in that time, a line each

`delivered` is the truth that its books are judged by: what each number really got.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from hw_sim.suppliers import http
from hw_sim.suppliers.faults import DONE, Faults
from hw_sim.suppliers.place import REAL, Place, Supplier
from hw_sim.suppliers.tcp import Cut, Wire


@dataclass
class Sent:
    """One order in the operator's books."""

    reference: str
    number: str
    value: str
    key: str | None
    at: int
    status: str = "Sent"
    description: str = ""
    asked: int = 0


@dataclass
class Settings:
    """How this operator is run."""

    username: str = "duka"
    api_key: str = "atsk_simulated"
    callback: str = ""
    """Where call-backs go; empty: nowhere."""
    honours_keys: bool = True
    """Whether an order that comes again under its key is not carried out again."""
    slow_s: float = 1.0
    """How long it takes when it is slow or late."""
    delay_s: float = 0.0
    """From an order to its end and call-back."""
    credit_minor: int = 10**12
    faults: Faults = field(default_factory=Faults)


class Operator(Supplier):
    """The simulated operator; `port` is where it listens."""

    def __init__(
        self,
        settings: Settings,
        clock: Callable[[], float] = time.time,
        port: int = 0,
        place: Place = REAL,
    ) -> None:
        self.settings = settings
        self.delivered: dict[str, list[str]] = {}
        """What each number got, by its number."""
        self.credit_minor = settings.credit_minor
        self._clock = clock
        self._books: dict[str, Sent] = {}
        self._by_key: dict[str, Sent] = {}
        self._numbers = itertools.count(1)
        self._lock = threading.RLock()
        super().__init__(place, place.courier(settings.faults, settings.delay_s), self._serve, port)

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}"

    # --- its faces ---

    def _serve(self, wire: Wire) -> None:
        asked = http.read(wire)
        if asked is None:
            return
        if asked.headers.get("apikey") != self.settings.api_key:
            wire.send(http.answer(401, b"The supplied authentication is invalid"))
            return
        face = {
            ("POST", "/version1/airtime/send"): self._order,
            ("GET", "/version1/query/transaction/find"): self._find,
            ("GET", "/version1/user"): self._user,
            ("GET", "/statement"): self._statement,
        }.get((asked.method, asked.path))
        if face is None:
            wire.send(http.answer(404, {"errorMessage": "no such path"}))
            return
        face(wire, asked)

    def _order(self, wire: Wire, asked: http.Asked) -> None:
        form = asked.form()
        try:
            wanted = json.loads(form["recipients"])
            pairs = [(str(item["phoneNumber"]), str(item["amount"])) for item in wanted]
        except (KeyError, ValueError, TypeError):
            wire.send(http.answer(400, {"errorMessage": "recipients are missing"}))
            return
        fault = self.settings.faults.of_order(pairs[0][0]) if pairs else ""
        if fault == "cut_request":
            raise Cut
        if fault == "vanishes":
            self._place.sleep(self.settings.slow_s)
            raise Cut
        if fault == "no_credit":
            wire.send(http.answer(201, _refusal("Insufficient credit")))
            return
        key = asked.headers.get("idempotency-key")
        entries = [self._take(number, value, key, fault) for number, value in pairs]
        self._tell(wire, fault, pairs[0][0], _accepted(entries))

    def _take(self, number: str, value: str, key: str | None, fault: str) -> dict[str, str]:
        if fault == "refuses":
            return _entry(number, value, "Failed", "None", "Value Outside The Allowed Limits")
        with self._lock:
            known = self._by_key.get(key) if key and self.settings.honours_keys else None
            is_new = known is None
            if known is None:
                digest = hashlib.sha256(f"{number}/{next(self._numbers)}".encode()).hexdigest()
                known = Sent(f"ATQid_{digest[:32]}", number, value, key, int(self._clock()))
                self._books[known.reference] = known
                if key:
                    self._by_key[key] = known
        if is_new and self.settings.faults.of_report(known.reference) == "early":
            self._end(known, fault)
        elif is_new:
            delay_s = self.settings.slow_s if fault == "late" else self.settings.delay_s
            self.courier.later(delay_s, lambda: self._end(known, fault))
        if fault == "lies_failed":
            return _entry(number, value, "Failed", "None", "A lie")
        return _entry(number, value, "Sent", known.reference, "None")

    def _end(self, sent: Sent, fault: str) -> None:
        """The telephone gets it, or does not; its call-back goes out."""
        with self._lock:
            sent.status = "Failed" if fault == "fails_later" else "Success"
            sent.description = {"Failed": "Subscriber not found"}.get(sent.status, "Delivered")
            if sent.status == "Success":
                self.delivered.setdefault(sent.number, []).append(sent.value)
                self.credit_minor -= round(float(sent.value.split()[1]) * 100)
        report = {
            "phoneNumber": sent.number,
            "description": sent.description,
            "status": sent.status,
            "requestId": sent.reference,
            "discount": "KES 0.0000",
            "value": sent.value,
        }
        self.courier.report(self.settings.callback, report)

    def _tell(self, wire: Wire, fault: str, number: str, content: dict[str, Any]) -> None:
        """The answer, as far as the fault lets it through."""
        assert not fault or fault in (*DONE, "refuses", "fails_later")
        if fault == "slow":
            self._place.sleep(self.settings.slow_s)
        if fault == "late":
            raise Cut
        if fault == "swapped":
            content["responses"][0]["phoneNumber"] = "+254700000000"
        data = http.answer(500 if fault == "error_500" else 201, content)
        if fault == "garbage":
            data = http.answer(201, b'{"responses": [{"status": "Se')
        if fault == "cut_answer":
            wire.cut_out = self.settings.faults.byte(number, len(data))
        wire.send(data)

    def _find(self, wire: Wire, asked: http.Asked) -> None:
        reference = asked.query.get("transactionId", "")
        with self._lock:
            sent = self._books.get(reference)
            if sent is None:
                wire.send(http.answer(200, {"status": "Failure", "errorMessage": "not found"}))
                return
            sent.asked += 1
            fault = self.settings.faults.of_question(reference, sent.asked)
            data = {
                "requestId": sent.reference,
                "phoneNumber": sent.number,
                "value": sent.value,
                "status": sent.status,
                "description": sent.description,
            }
        if fault == "cut_request":
            raise Cut
        if fault == "slow":
            self._place.sleep(self.settings.slow_s)
        if fault == "swapped":
            data["requestId"] = "ATQid_another"
        told: object = {"status": "Success", "data": data}
        if fault == "unknown":
            told = {"status": "Failure", "errorMessage": "not found"}
        whole = http.answer(500 if fault == "error_500" else 200, told)
        if fault == "garbage":
            whole = http.answer(200, b"\xff\xfe<html>")
        if fault == "cut_answer":
            wire.cut_out = self.settings.faults.byte(f"{reference}/{sent.asked}", len(whole))
        wire.send(whole)

    def _user(self, wire: Wire, asked: http.Asked) -> None:
        wire.send(http.answer(200, {"UserData": {"balance": f"KES {self.credit_minor / 100:.4f}"}}))

    def _statement(self, wire: Wire, asked: http.Asked) -> None:
        since, until = int(asked.query.get("from", "0")), int(asked.query.get("until", "0"))
        wire.send(http.answer(200, self.statement(since, until)))

    def statement(self, since: int, until: int) -> bytes:
        """What was ordered in a time, and how it stands now: a JSON object a line."""
        with self._lock:
            lines = [
                {
                    "requestId": sent.reference,
                    "phoneNumber": sent.number,
                    "value": sent.value,
                    "at": sent.at,
                    "status": sent.status,
                }
                for sent in self._books.values()
                if since <= sent.at < until
            ]
        end = {"from": since, "until": until, "lines": len(lines)}
        return b"".join(json.dumps(line).encode() + b"\n" for line in [*lines, end])


def _entry(number: str, value: str, status: str, reference: str, error: str) -> dict[str, str]:
    currency, _, amount = value.partition(" ")
    return {
        "phoneNumber": number,
        "amount": f"{currency} {float(amount or 0):.4f}",
        "status": status,
        "requestId": reference,
        "errorMessage": error,
        "discount": f"{currency} 0.0000",
    }


def _accepted(entries: list[dict[str, str]]) -> dict[str, Any]:
    sent = [entry for entry in entries if entry["status"] == "Sent"]
    total = sum(float(entry["amount"].split()[1]) for entry in sent)
    return {
        "errorMessage": "None",
        "numSent": len(sent),
        "totalAmount": f"KES {total:.4f}",
        "totalDiscount": "KES 0.0000",
        "responses": entries,
    }


def _refusal(text: str) -> dict[str, Any]:
    return {
        "errorMessage": text,
        "numSent": 0,
        "totalAmount": "0",
        "totalDiscount": "0",
        "responses": [],
    }
