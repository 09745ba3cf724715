"""Terminals' messages by CoAP over UDP, asked by a client that was not written here; and what
strangers get for their datagrams: never more than they sent.
"""

from __future__ import annotations

import asyncio
import dataclasses
import random
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import aiocoap
import pytest
from aiocoap.numbers.codes import Code as Said

from tests.server.device import Device
from tests.server.shop import Shop
from updater_server.faces import datagrams, terminal
from updater_server.faces.app import make_app
from updater_server.faces.datagrams import Datagrams
from updater_server.wire import coap
from updater_server.wire.coap import Code, Datagram

Handler = Callable[[bytes, float], Awaitable[tuple[int, bytes]]]
HEAD = b"\x40\x02\x12\x34"
PATH = b"\xb1m"
ME = ("192.0.2.7", 40000)


def sale(device: Device, sequence: int) -> tuple[bytes, int]:
    """A sealed question for a voucher, and its counter."""
    content = {0: 2, 1: sequence, 2: "air50", 3: 5000, 4: 1_790_000_000, 20: 250}
    return device.seal(content)


def datagram(payload: bytes, message_id: int = 0x1234, token: bytes = b"") -> bytes:
    head = bytes((0x40 | len(token), 2)) + message_id.to_bytes(2, "big")
    return head + token + PATH + b"\xff" + payload


class Wire(asyncio.DatagramTransport):
    """Keeps what the server sends."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[tuple[bytes, Any]] = []

    def sendto(self, data: Any, addr: Any = None) -> None:
        self.sent.append((bytes(data), addr))

    def is_closing(self) -> bool:
        return False

    def close(self) -> None:
        """Nothing to give back."""


class Face:
    """The server's face for datagrams without a socket, its lane replaced by `answer`."""

    def __init__(
        self, shop: Shop, answer: Handler | None = None, kind: type[Datagrams] = Datagrams
    ) -> None:
        self.shop = shop
        self.asked: list[bytes] = []
        self.clock = 0.0
        self.wire = Wire()
        self.server = kind(shop.service, answer or self._answer, lambda: self.clock)
        self.server.connection_made(self.wire)

    async def _answer(self, body: bytes, came_at: float) -> tuple[int, bytes]:
        self.asked.append(body)
        return terminal.handle(self.shop.service, body)

    async def say(self, data: bytes, addr: Any = ME) -> list[bytes]:
        """One datagram; what went back to whoever sent it, once nothing is under way."""
        before = len(self.wire.sent)
        self.server.datagram_received(data, addr)
        for _ in range(20):
            await asyncio.sleep(0)
        answers = self.wire.sent[before:]
        assert all(to == addr for _, to in answers)
        return [answer for answer, _ in answers]


def run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(work, 30))


@pytest.fixture
def stocked(shop: Shop) -> tuple[Shop, Device]:
    """A shop with vouchers, and a terminal whose keys the server has at hand."""
    shop.stock_vault()
    device = shop.enrol()
    device.check_in()
    return shop, device


# --- as terminals use it ---


async def with_client(
    shop: Shop, work: Callable[[Callable[..., Awaitable[Any]]], Awaitable[None]]
) -> None:
    """The whole application behind a real socket, and aiocoap as its client."""
    application = make_app(shop.service)
    loop = asyncio.get_running_loop()
    server = Datagrams(shop.service, application.answer)
    transport, _ = await loop.create_datagram_endpoint(lambda: server, local_addr=("127.0.0.1", 0))
    port = transport.get_extra_info("sockname")[1]
    client = await aiocoap.Context.create_client_context()

    async def ask(path: str = "m", method: Any = aiocoap.POST, **fields: Any) -> Any:
        uri = f"coap://127.0.0.1:{port}/{path}"
        return await client.request(aiocoap.Message(code=method, uri=uri, **fields)).response

    try:
        await work(ask)
    finally:
        await client.shutdown()
        await server.drain(5)
        for close in application.on_shutdown:
            await close()


def test_an_ordinary_coap_client_sells_a_voucher(stocked: tuple[Shop, Device]) -> None:
    shop, device = stocked

    async def work(ask: Callable[..., Awaitable[Any]]) -> None:
        body, counter = sale(device, 2)
        answer = await ask(payload=body)
        assert answer.code is Said.CHANGED
        assert device.open(answer.payload, counter)[1] == 0
        again = await ask(payload=body)  # under another message id: the counter was seen
        assert (again.code, again.payload) == (Said.CONFLICT, b"")
        assert (await ask("tuf", payload=body)).code is Said.NOT_FOUND
        assert (await ask(method=aiocoap.GET)).code is Said.METHOD_NOT_ALLOWED
        assert (await ask(payload=b"no message")).code is Said.BAD_REQUEST
        forged = body[:-1] + bytes((body[-1] ^ 1,))
        assert (await ask(payload=forged)).code is Said.UNAUTHORIZED
        assert (await ask(payload=body, accept=50)).code is Said.BAD_OPTION

    run(with_client(shop, work))
    assert shop.float_of(device) == 100_000 - 4750


def test_an_answer_that_takes_long_is_announced_and_then_comes_by_itself(
    stocked: tuple[Shop, Device], monkeypatch: pytest.MonkeyPatch
) -> None:
    shop, device = stocked
    monkeypatch.setattr(datagrams, "ACKNOWLEDGE_AFTER_S", 0.0)

    async def work(ask: Callable[..., Awaitable[Any]]) -> None:
        body, counter = sale(device, 2)
        answer = await ask(payload=body)
        assert answer.code is Said.CHANGED
        assert answer.mtype is aiocoap.NON
        assert device.open(answer.payload, counter)[1] == 0

    run(with_client(shop, work))


def test_a_question_asked_again_gets_the_same_answer_for_a_minute_and_only_where_it_came_from(
    stocked: tuple[Shop, Device],
) -> None:
    shop, device = stocked

    async def story(kind: type[Datagrams] = Datagrams) -> None:
        face = Face(shop, kind=kind)
        body, counter = sale(device, 2)
        asked = datagram(body)
        (answer,) = await face.say(asked)
        assert answer[:4] == b"\x60\x44\x12\x34"
        assert device.open(answer[5:], counter)[1] == 0
        assert await face.say(asked) == [answer], "an answer that was lost is not to be had"
        assert await face.say(asked, ("203.0.113.9", 53)) == [b"\x60\x89\x12\x34"]
        face.clock = datagrams.KEPT_S + 1
        assert await face.say(asked) == [b"\x60\x89\x12\x34"]
        assert len(face.asked) == 1

    class KeepsNothing(Datagrams):
        def _keep(self, key: Any, answer: bytes) -> None:
            """A wrong variant."""

    class AnswersAnybody(Datagrams):
        def _take_in(self, asked: Datagram, key: Any) -> None:
            """A wrong variant."""
            for (_, data), (_, answer) in self._kept.items():
                if data == key[1]:
                    self._write(answer, key[0])
                    return
            super()._take_in(asked, key)

    run(story())
    for wrong in (KeepsNothing, AnswersAnybody):
        with pytest.raises(AssertionError):
            run(story(wrong))
    assert shop.float_of(device) == 100_000 - 4750


def test_the_same_question_twice_at_once_is_worked_on_once(stocked: tuple[Shop, Device]) -> None:
    shop, device = stocked

    async def story() -> None:
        go_on = asyncio.Event()
        asked: list[bytes] = []

        async def answer(body: bytes, came_at: float) -> tuple[int, bytes]:
            asked.append(body)
            await go_on.wait()
            return terminal.handle(shop.service, body)

        face = Face(shop, answer)
        body, _ = sale(device, 2)
        assert await face.say(datagram(body)) == []
        assert await face.say(datagram(body)) == []
        go_on.set()
        for _ in range(20):
            await asyncio.sleep(0)
        assert (len(asked), len(face.wire.sent)) == (1, 1)

    run(story())


def test_what_does_not_fit_a_datagram_is_to_be_asked_for_by_the_other_road(
    stocked: tuple[Shop, Device],
) -> None:
    shop, device = stocked
    shop.stock_vault(count=40, start=100)
    batch = shop.assign(device, count=40)

    async def story() -> None:
        face = Face(shop)
        body, _ = device.seal({0: 4, 1: batch})
        assert await face.say(datagram(body)) == [bytes((0x60, Code.NOT_IMPLEMENTED)) + b"\x12\x34"]

    run(story())


def test_a_busy_server_says_so_in_four_bytes(stocked: tuple[Shop, Device]) -> None:
    shop, device = stocked

    async def busy(body: bytes, came_at: float) -> tuple[int, bytes]:
        return terminal.TRY_LATER, b""

    async def story() -> None:
        face = Face(shop, busy)
        body, _ = sale(device, 2)
        assert await face.say(datagram(body)) == [b"\x60\xa3\x12\x34"]
        assert face.server.kept == 0
        assert len(await face.say(datagram(body))) == 1, "it is not the last word"

    run(story())


def test_a_check_in_tells_the_port_only_where_datagrams_are_answered(shop: Shop) -> None:
    device = shop.enrol()
    assert 8 not in device.check_in()
    shop.service = dataclasses.replace(shop.service, coap_port=5683)
    assert device.check_in()[8] == 5683


# --- as strangers use it ---


@pytest.mark.parametrize(
    ("data", "answer"),
    [
        (b"", None),
        (b"\x40\x00\x12", None),
        (b"\x40\x00\x12\x34", b"\x70\x00\x12\x34"),  # a ping
        (b"\x40\x00\x12\x34\xff", None),
        (b"\x00\x02\x12\x34" + PATH, None),  # version 0
        (b"\x50\x02\x12\x34" + PATH, None),  # wants no certainty
        (b"\x60\x44\x12\x34", None),  # an answer to nothing
        (b"\x70\x00\x12\x34", None),
        (b"\x49\x02\x12\x34" + 9 * b"t" + PATH, None),  # a token of nine
        (b"\x48\x02\x12\x34" + 7 * b"t", None),  # cut in its token
        (HEAD + b"\xb5m", None),  # cut in an option
        (HEAD + b"\xf1m", None),  # a nibble that is none
        (HEAD + b"\xed\xff", None),
        (HEAD + PATH + b"\xff", None),  # a marker and nothing behind it
        (HEAD + 17 * b"\x00", None),  # more options than anybody needs
        (HEAD + b"\xee\xff\xff\xff\xff" + b"\xee\xff\xff\xff\xff", None),
        (HEAD + PATH, b"\x60\x80\x12\x34"),  # nothing is asked
        (HEAD + b"\xb1x\xffx", b"\x60\x84\x12\x34"),
        (HEAD + PATH + b"\x01n\xffx", b"\x60\x84\x12\x34"),  # m/n
        (b"\x40\x01\x12\x34" + PATH + b"\xffx", b"\x60\x85\x12\x34"),  # GET
        (HEAD + b"\x11x" + b"\xa1m\xffx", b"\x60\x82\x12\x34"),  # If-Match
        (HEAD + PATH + b"\xd1\x03\x08\xffx", b"\x60\x82\x12\x34"),  # Block1
        (HEAD + PATH + b"\xff\xa0", b"\x60\x80\x12\x34"),
        (HEAD + PATH + b"\xff" + 1200 * b"x", None),  # larger than any of ours
        (b"\x48\x02\x12\x34tokenish" + PATH + b"\xffx", b"\x68\x80\x12\x34tokenish"),
    ],
)
def test_a_hostile_datagram_costs_a_parse_and_gets_no_more_than_it_is(
    stocked: tuple[Shop, Device], data: bytes, answer: bytes | None
) -> None:
    async def story() -> None:
        face = Face(stocked[0])
        assert await face.say(data) == ([] if answer is None else [answer])
        assert (face.asked, face.server.kept) == ([], 0)

    run(story())


class Wordy(Datagrams):
    """A wrong variant: says why, as servers do that were not made for strangers."""

    def _refuse(self, asked: Datagram, code: Code, addr: Any) -> None:
        words = f"this is refused: {code.name}".encode()
        self._send(Datagram(coap.ACK, code, asked.message_id, asked.token, (), words), addr)


def test_of_spoiled_datagrams_none_is_answered_with_more_or_kept_or_reaches_a_lane(
    stocked: tuple[Shop, Device],
) -> None:
    shop, device = stocked
    body, _ = sale(device, 2)
    whole = datagram(body, token=b"tk")

    async def story(kind: type[Datagrams] = Datagrams) -> None:
        face = Face(shop, kind=kind)
        rolls = random.Random(7)
        for number in range(4000):
            spoiled = bytearray(whole)
            for _ in range(rolls.randint(1, 4)):
                spoiled[rolls.randrange(len(spoiled))] = rolls.randrange(256)
            cut = bytes(spoiled[: rolls.randint(0, len(spoiled))] if number & 1 else spoiled)
            before = len(face.wire.sent)
            face.server.datagram_received(cut, ME)
            for answer, _ in face.wire.sent[before:]:
                assert len(answer) <= len(cut), (cut, answer)
        await asyncio.sleep(0)
        assert face.server.kept == 0
        assert all(asked == body for asked in face.asked), "a broken seal has reached the lane"

    run(story())
    with pytest.raises(AssertionError):
        run(story(Wordy))


def test_strangers_have_little_room_and_never_that_of_terminals_that_are_known(
    stocked: tuple[Shop, Device],
) -> None:
    shop, device = stocked

    async def story() -> None:
        go_on = asyncio.Event()

        async def slow(body: bytes, came_at: float) -> tuple[int, bytes]:
            await go_on.wait()
            return terminal.UNAUTHORIZED, b""

        face = Face(shop, slow)
        for number in range(datagrams.STRANGERS + 3):
            stranger = Device(b"stranger", number.to_bytes(32, "big"), device.transport)
            (asked, _) = sale(stranger, 2)
            said = await face.say(datagram(asked, number))
            late = number >= datagrams.STRANGERS
            assert said == ([b"\x60\xa3" + number.to_bytes(2, "big")] if late else [])
        assert await face.say(datagram(sale(device, 2)[0])) == []
        assert len(face.server._under_way) == datagrams.STRANGERS + 1
        go_on.set()
        await face.server.drain(5)

    run(story())


def test_answers_are_kept_for_a_bounded_number_of_questions(
    stocked: tuple[Shop, Device], monkeypatch: pytest.MonkeyPatch
) -> None:
    shop, device = stocked
    monkeypatch.setattr(datagrams, "KEPT_ANSWERS", 3)

    async def story() -> None:
        face = Face(shop)
        for _ in range(6):
            body, _ = device.seal({0: 5, 1: 1, 2: bytes(32)})
            await face.say(datagram(body))
        assert face.server.kept == 3
        face.clock = datagrams.KEPT_S + 1
        await face.say(datagram(device.seal({0: 5, 1: 1, 2: bytes(32)})[0]))
        assert face.server.kept == 1

    run(story())
