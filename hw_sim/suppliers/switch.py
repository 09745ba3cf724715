"""A host that sells by ISO 8583 over TCP: sign-on and echo (0800), sale (0200) and reversal (0420),
each message with two bytes of its length before it. Its coder is a library's, not ours.

`delivered` is the truth that its books are judged by: what each number has got and kept.
"""

from __future__ import annotations

import copy
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import iso8583
from iso8583.specs import default_ascii

from hw_sim.suppliers.faults import Faults
from hw_sim.suppliers.place import REAL, Place, Supplier
from hw_sim.suppliers.tcp import Cut, Wire

_SPEC = copy.deepcopy(default_ascii)
_SPEC["h"]["max_len"] = 0
_SPEC["2"]["max_len"] = 20
_Message = dict[str, str]


@dataclass
class Settings:
    """How this host is run."""

    terminal: str = "DUKA0001"
    slow_s: float = 1.0
    delay_s: float = 0.0
    faults: Faults = field(default_factory=Faults)
    callback: str = ""
    """It makes none."""


@dataclass
class Sold:
    """One sale in the host's books."""

    reference: str
    number: str
    amount_minor: int
    ours: str
    at: int
    state: str = "open"


class Switch(Supplier):
    """The simulated host; `port` is where it listens."""

    def __init__(
        self,
        settings: Settings,
        clock: Callable[[], float] = time.time,
        port: int = 0,
        place: Place = REAL,
    ) -> None:
        self.settings = settings
        self.delivered: dict[str, list[str]] = {}
        self._clock = clock
        self._books: dict[str, Sold] = {}
        self._named: dict[str, list[Sold]] = {}
        self._taken_back: set[str] = set()
        self._asked: dict[str, int] = {}
        self._lock = threading.RLock()
        super().__init__(place, place.courier(settings.faults), self._serve, port)

    def statement(self, since: int, until: int) -> bytes:
        """What was asked for in a time, and how it stands now."""
        with self._lock:
            lines = [
                f"{one.reference};{one.number};{one.amount_minor};{one.at};{one.state};{one.ours}"
                for one in self._books.values()
                if since <= one.at < until
            ]
        return "\n".join([*lines, f"END;{since};{until};{len(lines)}"]).encode()

    def _serve(self, wire: Wire) -> None:
        while True:
            head = _exactly(wire, 2)
            if head is None:
                return
            data = _exactly(wire, int.from_bytes(head, "big"))
            if data is None:
                return
            asked, _ = iso8583.decode(data, spec=_SPEC)
            answer = {
                "0800": self._network, "0200": self._sale, "0420": self._reversal,
            }.get(asked["t"])  # fmt: skip
            if answer is not None:
                answer(wire, asked)

    def _tell(self, wire: Wire, told: _Message, cut: int | None = None) -> None:
        data, _ = iso8583.encode(told, spec=_SPEC)
        framed = len(data).to_bytes(2, "big") + bytes(data)
        if cut is not None:
            wire.cut_out = cut % len(framed)
        wire.send(framed)

    def _network(self, wire: Wire, asked: _Message) -> None:
        self._tell(wire, {"t": "0810", **_of(asked, "7", "11", "70"), "39": "00"})

    def _sale(self, wire: Wire, asked: _Message) -> None:
        number = asked["2"]
        fault = self.settings.faults.of_order(number)
        told = {"t": "0210", **_of(asked, "2", "3", "4", "7", "11", "37", "41", "49")}
        if fault in ("cut_request", "vanishes"):
            if fault == "vanishes":
                self._place.sleep(self.settings.slow_s)
            raise Cut
        if asked["41"] != self.settings.terminal:
            self._tell(wire, {**told, "39": "58"})
            return
        if fault in ("refuses", "no_credit", "fails_later"):
            self._tell(wire, {**told, "39": {"no_credit": "51"}.get(fault, "14")})
            return
        if fault == "late":  # it comes out of a queue when nobody waits for it any more
            self.courier.later(self.settings.slow_s, lambda: self._do_late(asked))
            raise Cut
        auth = self._do(asked)
        told |= {"38": auth, "39": "00" if auth else "12"}
        if not auth:
            del told["38"]
        if fault == "slow":
            self._place.sleep(self.settings.slow_s)
        self._answer(wire, told, fault)

    def _answer(self, wire: Wire, told: _Message, fault: str) -> None:
        """The answer to a sale that is done, as its fault lets it through."""
        if fault == "error_500":
            told["39"] = "96"
        if fault == "lies_failed":
            told["39"] = "14"
        if fault == "swapped":
            told["4"] = "000000000001"
        if fault == "garbage":
            wire.send(b"\x00\x05hello")
            return
        cut = self.settings.faults.byte(told["2"], 90) if fault == "cut_answer" else None
        self._tell(wire, told, cut)
        if self.settings.faults.of_report(told["37"]) == "doubled":
            self._tell(wire, told)

    def _do(self, asked: _Message) -> str:
        """Deliver, unless it was taken back before it came, or came before; "" if it is not."""
        with self._lock:
            key, number, value = asked["37"], asked["2"], int(asked["4"])
            if key in self._taken_back:
                return ""
            auth = f"{len(self._books) % 10**6:06d}"
            sold = Sold(f"{key}-{auth}", number, value, asked["48"], int(self._clock()))
            sold.state = "delivered"
            self._books[f"{key}/{len(self._books)}"] = sold
            self._named.setdefault(key, []).append(sold)
            self.delivered.setdefault(number, []).append(_major(value))
            return auth

    def _do_late(self, asked: _Message) -> None:
        self._do(asked)

    def _reversal(self, wire: Wire, asked: _Message) -> None:
        key = asked["37"]
        with self._lock:
            time_of_it = self._asked[key] = self._asked.get(key, 0) + 1
        fault = self.settings.faults.of_question(key, time_of_it)
        if fault == "cut_request":
            raise Cut
        with self._lock:
            self._taken_back.add(key)
            code = "25"
            for one in self._named.get(key, ()):
                if one.state == "delivered":
                    one.state, code = "rejected", "00"
                    self.delivered[one.number].remove(_major(one.amount_minor))
        if fault == "slow":
            self._place.sleep(self.settings.slow_s)
        told = {"t": "0430", **_of(asked, "2", "3", "4", "7", "11", "37", "41", "49"), "39": code}
        if fault in ("error_500", "unknown"):
            told["39"] = "96"
        if fault == "swapped":
            told["37"] = "0" * 12
        if fault == "garbage":
            wire.send(b"\x00\x05hello")
            return
        cut = (
            self.settings.faults.byte(f"{key}/{time_of_it}", 90) if fault == "cut_answer" else None
        )
        self._tell(wire, told, cut)


def _of(asked: _Message, *numbers: str) -> _Message:
    return {number: asked[number] for number in numbers}


def _major(amount_minor: int) -> str:
    whole, rest = divmod(amount_minor, 100)
    return f"KES {whole}.{rest:02d}" if rest else f"KES {whole}"


def _exactly(wire: Wire, count: int) -> bytes | None:
    data = b""
    while len(data) < count:
        more = wire.receive(count - len(data))
        if not more:
            return None
        data += more
    return data
