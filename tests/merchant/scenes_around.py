"""Pages of what goes on around selling: sound and contrast, a technician's pages, training, and
the copy of a shift's slip; more of `scenes`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import ExitStack
from hashlib import sha256
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from firmware.drivers.keypad import KEYS
from firmware.flows import service, shift_copy, sound_display, training
from firmware.flows.steps import self_test
from firmware.net.modem.chat import ChatTimeout
from firmware.net.modem.errors import ModemError
from firmware.sales.shifts import SHIFT_CLOSED, SHIFT_OPENED
from tests.merchant.stage import METER, Scene, journal_of, said, staff

CLOSED = [(SHIFT_OPENED, [20000, 0]), (SHIFT_OPENED, [5000, 1]), (SHIFT_CLOSED, [1, 1, 2, 3, 0, 0])]
"""Two shifts; the owner's is closed."""


class Chat:
    """A modem that says what a SIM800 says, with the card where `state` (of +CREG) has it."""

    def __init__(self, state: bytes) -> None:
        self._said = {
            b"AT+COPS?": b'+COPS: 0,0,"Savanna Mobile"' if state in b"15" else b"+COPS: 0",
            b"AT+CREG?": b"+CREG: 2," + state + (b',"00C3","1A2B"' if state in b"15" else b""),
            b"AT+CCID": b"89254021234567890123",
            b"AT+GSN": b"864369032000017",
            b"AT+CGMR": b"Revision:1418B05SIM800L24",
        }

    async def lines(self, request: bytes, timeout_ms: int, info: bytes) -> list[bytes]:
        return [self._said[request]]

    async def command(self, request: bytes, *how: Any) -> bytes:
        return b"10.129.4.17"


class Mute(Chat):
    """A modem that does not answer."""

    async def lines(self, request: bytes, timeout_ms: int, info: bytes) -> list[bytes]:
        raise ChatTimeout("no answer")


def modem_of(chat: Chat, state: bytes) -> SimpleNamespace:
    async def refresh() -> None:
        if isinstance(chat, Mute):
            raise ModemError("no answer")

    return SimpleNamespace(
        lock=asyncio.Lock(),
        chat=chat,
        part="firmware.net.modem.sim800",
        cell=SimpleNamespace(registration=state, read_signal=said(None)),
        attached=state in b"15",
        registered=state in b"15",
        refresh=refresh,
    )


def _network(state: bytes, trouble: str = "", signal: int = 21) -> dict[str, Any]:
    modem = modem_of(Chat(state), state)
    return {"link.modem": modem, "link.trouble": trouble, "link.signal": signal}


_WELL = {"battery": {"mv": 3900}, "rtc": {"second_ms": 1000}}
_ILL = {"battery": {"mv": 3299}, "rtc": {"second_ms": 2000}}


def _tested(found: dict[str, Any], image: bytes, folder: str = "") -> Callable[[Any], Any]:
    """The self-test where `service.parts` finds this, and files lie in that folder, or in one of
    its own.
    """

    async def run(desk: Any) -> None:
        async def part(desk: Any, name: str) -> Any:
            return found[name]

        slot = SimpleNamespace(image_size=0, sha256=sha256(image).digest())
        desk.boot_info.control = SimpleNamespace(state=SimpleNamespace(slots={"a": slot}))
        desk.board.partitions = {"slot_a": None}
        with ExitStack() as changed:
            place = folder or changed.enter_context(TemporaryDirectory())
            changed.enter_context(patch.object(self_test, "_part", part))
            changed.enter_context(patch.object(self_test, "_SCRATCH", place + "/duka-test.new"))
            await service.run(desk)

    return run


_ALL_WELL = _tested(_WELL, b"")
_ALL_ILL = _tested(_ILL, b"other", "/nowhere")

AROUND = [
    Scene("sound", "12", sound_display.run),
    Scene("contrast", "2AABBB#", sound_display.run),
    Scene("contrast alone", "*", sound_display.run, {"ui.buzzer.sound": None}),
    Scene("versions", "1BB**", service.run),
    Scene("self-test", "2" + KEYS + "###" + "BB**", _ALL_WELL, _network(b"1")),
    Scene(
        "self-test, faults",
        "2" + "####" + KEYS + "##*#" + "###" + "BBBBB**",
        _ALL_ILL,
        {
            "link.modem": modem_of(Mute(b"0"), b"0"),
            "link.trouble": "no_sim",
            "printer.status": said("unknown"),
        },
    ),
    Scene("self-test, keys", "2123A", _ALL_WELL, _network(b"1")),
    *[
        Scene(f"SIM and network: {state.decode()}", "3BB**", service.run, _network(state, *more))
        for state, more in (
            (b"1", ()),
            (b"5", ()),
            (b"2", ("", 99)),
            (b"3", ("denied", 99)),
            (b"0", ("no_sim", 99)),
        )
    ],
    Scene("no modem", "3**", service.run, {"link.modem": modem_of(Mute(b"0"), b"0")}),
    Scene("the service slip", "4*", service.run, _network(b"1")),
    Scene("training", "#" + "11##*" + "*", training.run),
    Scene("training, top up", "#" + "2" + "1" + "0712345678#50#0712345678##0", training.run),
    Scene("training, meter", "#" + "3" + "1" + METER + "#50####", training.run),
    Scene(
        "training, not printed", "#11##", training.run, {"printer.print": said((True, "paper_out"))}
    ),
    Scene("copies of shifts, none", "#", shift_copy.run),
    Scene(
        "copies of shifts", "*", shift_copy.run,
        {"files": staff(), "till.journal": journal_of([], CLOSED)},
    ),
]  # fmt: skip
