"""An electricity utility that vends by XMLVend 2.1: customers by their meters, tokens for money,
advice about what it answered before, and taking back.

    POST /xmlvend   confirmCustomerReq, creditVendReq, adviceReq (last response, reversal)

`delivered` is the truth that its books are judged by: what each meter was given tokens for and
kept; `tokens` are those tokens. Its customers are made of their meters' numbers: some owe, some
have a right to free units, some meters need new keys.
"""

from __future__ import annotations

import dataclasses
import hashlib
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from xml.etree import ElementTree

from hw_sim.suppliers import http, utility_words
from hw_sim.suppliers.faults import DONE, Faults
from hw_sim.suppliers.place import REAL, Place, Supplier
from hw_sim.suppliers.tcp import Cut, Wire
from hw_sim.suppliers.utility_words import BASE, REVENUE, Asked, Sold

UNKNOWN_METERS = "9"
"""A meter whose last digit but one is this is nobody's."""


@dataclass
class Settings:
    """How this utility is run."""

    client: str = "6001234567890"
    operator: str = "duka"
    password: str = "utility_simulated"  # noqa: S105 of a simulated one
    slow_s: float = 1.0
    delay_s: float = 0.0
    least_minor: int = 1000
    most_minor: int = 10_000_000
    faults: Faults = field(default_factory=Faults)
    callback: str = ""
    """It makes none."""
    can_reverse: bool = True
    """Whether it takes a vend back at all."""


class Utility(Supplier):
    """The simulated utility; `port` is where it listens."""

    def __init__(
        self,
        settings: Settings,
        clock: Callable[[], float] = time.time,
        port: int = 0,
        place: Place = REAL,
    ) -> None:
        self.settings = settings
        self.delivered: dict[str, list[str]] = {}
        self.tokens: dict[str, list[str]] = {}
        """Every token of each meter that counts, keys before credit."""
        self._clock = clock
        self._books: dict[str, Sold] = {}
        self._answers: dict[str, bytes] = {}
        self._taken_back: set[str] = set()
        self._asked: dict[str, int] = {}
        self._lock = threading.RLock()
        super().__init__(place, place.courier(settings.faults), self._serve, port)

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}/xmlvend"

    def statement(self, since: int, until: int) -> bytes:
        """Every vend whose message is of that time, and how it stands now."""
        with self._lock:
            lines = [
                utility_words.line(one) for one in self._books.values() if since <= one.at < until
            ]
        return "\n".join([utility_words.HEAD, *lines, f"END,{since},{until},{len(lines)}"]).encode()

    # --- its one face ---

    def _serve(self, wire: Wire) -> None:
        came = http.read(wire)
        if came is None:
            return
        try:
            asked = utility_words.read(came.body)
        except (ElementTree.ParseError, KeyError, ValueError):
            wire.send(_http(400, b""))
            return
        settings = self.settings
        if asked.client != settings.client or asked.login != (settings.operator, settings.password):
            self._fault(wire, asked, "ClientIDAuthorisationEx", "we do not know you")
            return
        {
            "confirmCustomerReq": self._confirm,
            "creditVendReq": self._vend,
            "LastRespAdviceReq": self._last_response,
            "ReversalAdviceReq": self._reverse,
        }[asked.kind](wire, asked)

    def _fault(self, wire: Wire, asked: Asked, kind: str, words: str) -> None:
        wire.send(_http(500, utility_words.fault(asked, kind, words)))

    def _confirm(self, wire: Wire, asked: Asked) -> None:
        fault = self.settings.faults.of_question(f"confirm/{asked.meter}", 1)
        if fault == "cut_request":
            raise Cut
        if fault == "slow":
            self._place.sleep(self.settings.slow_s)
        if not self._is_ours(asked.meter):
            self._fault(wire, asked, "UnknownMeterEx", "no such meter")
            return
        meter = "0" * 11 if fault == "swapped" else asked.meter
        settings = self.settings
        body = utility_words.confirmed(asked, meter, settings.least_minor, settings.most_minor)
        self._questioned(wire, fault, body, asked.meter)

    def _questioned(self, wire: Wire, fault: str, body: bytes, seed: str) -> None:
        """The answer to a question, as its fault lets it through."""
        data = _http(500 if fault == "error_500" else 200, b"" if fault == "error_500" else body)
        if fault == "garbage":
            data = _http(200, b"<?xml version='1.0'?><!DOCTYPE x [<!ENTITY a 'b'>]><x>&a;</x>")
        if fault == "cut_answer":
            wire.cut_out = self.settings.faults.byte(seed, len(data))
        wire.send(data)

    @staticmethod
    def _is_ours(meter: str) -> bool:
        return meter[-2:-1] != UNKNOWN_METERS

    def _vend(self, wire: Wire, asked: Asked) -> None:
        fault = self.settings.faults.of_order(asked.meter)
        assert not fault or fault in (
            *DONE, "refuses", "no_credit", "fails_later", "cut_request", "vanishes",
        )  # fmt: skip
        if fault == "cut_request":
            raise Cut
        if fault == "vanishes":
            self._place.sleep(self.settings.slow_s)
            raise Cut
        refused = {"refuses": "BlockedMeterEx", "no_credit": "VendorCreditEx"}.get(fault)
        if fault == "fails_later" or not self._is_ours(asked.meter):
            refused = "UnknownMeterEx"
        if refused:
            body = utility_words.fault(asked, refused, "no")
            self._answers[asked.name] = utility_words.inner(body)
            wire.send(_http(500, body))
            return
        if fault == "late":  # it comes out of a queue when nobody waits for it any more
            self.courier.later(self.settings.slow_s, lambda: self._do(asked))
            raise Cut
        self._tell(wire, asked, self._do(asked), fault)

    def _tell(self, wire: Wire, asked: Asked, body: bytes, fault: str) -> None:
        """The answer to a vend that was made, as its fault lets it through."""
        if fault == "slow":
            self._place.sleep(self.settings.slow_s)
        if fault == "swapped":  # of two customers at once
            body = utility_words.sold(_neighbours(asked))
        data = _http(200, body)
        if fault == "error_500":
            data = _http(500, utility_words.fault(asked, "XMLVendFaultEx", "an error of ours"))
        if fault == "lies_failed":
            data = _http(500, utility_words.fault(asked, "UnknownMeterEx", "a lie"))
        if fault == "garbage":
            data = _http(200, body[: len(body) // 2])
        if fault == "cut_answer":
            wire.cut_out = self.settings.faults.byte(asked.meter, len(data))
        wire.send(data)

    def _do(self, asked: Asked) -> bytes:
        """Vend, once a message; b"" if it was taken back before it came."""
        with self._lock:
            if asked.name in self._taken_back:
                return utility_words.fault(asked, "CancelEx", "it was taken back")
            if asked.name in self._books:
                return utility_words.envelope(self._answers[asked.name])
            number = len(self._books) + 1
            sold = Sold(f"VUPSB/{number:07d}", asked, int(self._clock()))
            self._books[asked.name] = sold
            self.delivered.setdefault(asked.meter, []).append(sold.value)
            self.tokens.setdefault(asked.meter, []).extend([*sold.keys, *sold.tokens])
            body = utility_words.sold(sold)
            self._answers[asked.name] = utility_words.inner(body)
            return body

    # --- advice ---

    def _advised(self, wire: Wire, asked: Asked) -> str:
        """The fault of one advice about a message."""
        with self._lock:
            times = self._asked[asked.about] = self._asked.get(asked.about, 0) + 1
        seed = hashlib.sha256(asked.about.encode()).hexdigest()
        fault = self.settings.faults.of_question(seed, times)
        if fault == "cut_request":
            raise Cut
        if fault == "slow":
            self._place.sleep(self.settings.slow_s)
        return fault

    def _last_response(self, wire: Wire, asked: Asked) -> None:
        fault = self._advised(wire, asked)
        with self._lock:
            known = self._answers.get(asked.about)
            other = next((name for name in self._answers if name != asked.about), None)
        if fault == "unknown" or known is None:
            self._fault(wire, asked, "LastRespAdviceEx", "no response is kept")
            return
        if fault == "swapped" and other is not None:
            known = self._answers[other]
        self._questioned(wire, fault, utility_words.last_response(asked, known), asked.about)

    def _reverse(self, wire: Wire, asked: Asked) -> None:
        fault = self._advised(wire, asked)
        with self._lock:
            sold = self._books.get(asked.about)
            done = self.settings.can_reverse
            if done:
                self._taken_back.add(asked.about)
            if done and sold is not None and sold.state == "V":
                sold.state = "R"
                self.delivered[sold.meter].remove(sold.value)
                for token in [*sold.keys, *sold.tokens]:
                    self.tokens[sold.meter].remove(token)
                self._answers[asked.about] = utility_words.inner(
                    utility_words.fault(sold.asked, "CancelEx", "it was taken back")
                )
        if fault == "unknown":
            self._fault(wire, asked, "XMLVendFaultEx", "not now")
            return
        self._questioned(wire, fault, utility_words.reversed_(asked, done), asked.about)


def _neighbours(asked: Asked) -> Sold:
    """The slip of the customer beside, whole: under this message's name, or its own."""
    meter = f"{int(asked.meter) + 1:0{len(asked.meter)}d}"
    number = asked.number if int(asked.meter) % 2 else f"{(int(asked.number) + 1) % 10**6:06d}"
    other = dataclasses.replace(asked, meter=meter, number=number)
    return Sold(f"VUPSB/B{meter[-7:]}", other, 0)


def _http(status: int, body: bytes) -> bytes:
    return http.answer(status, body, "text/xml; charset=utf-8")


__all__ = ["BASE", "REVENUE", "Settings", "Utility"]
