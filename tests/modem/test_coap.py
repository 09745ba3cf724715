"""The terminal's CoAP, beside aiocoap: what one writes the other reads, and a question gets its
answer from a server that was not written here.
"""

from __future__ import annotations

import asyncio
import random
import socket
from typing import Any

import aiocoap
import pytest
from aiocoap import resource
from aiocoap.numbers.codes import Code as Said

from firmware.net import coap
from firmware.net.modem import names
from firmware.net.modem.errors import LinkError
from firmware.office.datagram import waits_ms
from hw_sim.network.datagrams import Answer
from tests.support.radio import Radio

HOST, PORT = "duka.example", 5683
ACK, CON, NON, RST = aiocoap.ACK, aiocoap.CON, aiocoap.NON, aiocoap.RST


def said(kind: Any, code: Any, message_id: int, payload: bytes = b"", **options: Any) -> bytes:
    """An answer as aiocoap writes it."""
    message = aiocoap.Message(_mtype=kind, code=code, _mid=message_id, payload=payload, **options)
    data: bytes = message.encode()
    return data


def test_a_question_is_read_by_aiocoap_as_a_confirmable_post_to_m() -> None:
    for number, payload in ((0, b"x"), (0xFFFF, bytes(range(256)) * 3)):
        message = aiocoap.Message.decode(coap.question(number, payload))
        assert (message.mtype, message.code, message.mid) == (CON, Said.POST, number)
        assert (message.opt.uri_path, message.token) == (("m",), b"")
        assert message.payload == payload


def test_an_answer_of_aiocoaps_is_read_whatever_options_it_has() -> None:
    for options in (
        {},
        {"content_format": 19},
        {"max_age": 70000, "etag": b"12345678"},
        {"location_path": ["a" * 200, "b" * 255], "location_query": ["c" * 13]},
    ):
        data = said(ACK, Said.CHANGED, 0x1234, b"sealed", **options)
        assert coap.parse(data) == (coap.ACK, 0x44, 0x1234, b"sealed"), options
    assert coap.parse(said(ACK, Said.EMPTY, 7)) == (coap.ACK, 0, 7, b"")
    assert coap.parse(said(RST, Said.EMPTY, 7)) == (coap.RST, 0, 7, b"")


def test_whatever_bytes_come_both_readers_agree_or_ours_is_the_stricter() -> None:
    rolls = random.Random(3)
    whole = said(ACK, Said.CHANGED, 0x1234, b"sealed", max_age=70000, etag=b"12345678")
    taken = 0
    for _ in range(6000):
        spoiled = bytearray(whole[: rolls.randint(0, len(whole))])
        for _ in range(min(len(spoiled), rolls.randint(0, 3))):
            spoiled[rolls.randrange(len(spoiled))] = rolls.randrange(256)
        data = bytes(spoiled)
        ours = coap.parse(data)
        if ours is None:
            continue
        try:
            theirs = aiocoap.Message.decode(data)
        except (aiocoap.error.UnparsableMessage, UnicodeDecodeError, ValueError):
            continue  # an option's own content, which we never look at
        taken += 1
        assert ours == (theirs.mtype, theirs.code, theirs.mid, theirs.payload), data
    assert taken > 500


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x60\x44\x00",
        b"\x20\x44\x00\x01",
        b"\x61\x44\x00\x01t\xffx",
        b"\x60\x44\x00\x01\xff",
        b"\x60\x44\x00\x01\xf0x",
        b"\x60\x44\x00\x01\x0e\xff",
        b"\x60\x44\x00\x01\x05abc",
        b"\x60\x00\x00\x01\xffx",
        b"\x60\x44\x00\x01\xff" + bytes(1200),
    ],
    ids=[
        "empty",
        "cut",
        "version",
        "token",
        "marker",
        "nibble",
        "length",
        "option",
        "full",
        "long",
    ],
)
def test_what_is_no_answer_to_us_is_none(data: bytes) -> None:
    assert coap.parse(data) is None


def test_the_waits_are_those_of_the_standard_and_drawn() -> None:
    assert waits_ms(b"\0\0", True) == (2000, 4000, 4000)
    assert waits_ms(b"\xff\xff", False) == (2999, 5998)
    assert waits_ms(b"\0\0", True, 1000) == (2000, 4000, 4000)
    assert waits_ms(b"\0\0", True, 4000) == (5000, 4000, 4000)
    assert waits_ms(b"\0\0", True, 60000) == (6000, 4000, 4000)


# --- over the driver and the simulated modem ---


class FarEnd:
    """Says what it is told to, for each datagram that comes."""

    def __init__(self, *script: list[bytes]) -> None:
        self.script = list(script)
        self.came: list[bytes] = []

    def __call__(self, data: bytes, port: int, answer: Answer) -> None:
        self.came.append(data)
        for said in self.script.pop(0) if self.script else []:
            answer(said)


def asked(radio_seed: int, far_end: FarEnd, waits: tuple[int, ...] = (300, 600)) -> Any:
    """What one question ends in; an answer is the server's if it begins with `ours`."""

    async def story(radio: Radio) -> Any:
        await radio.modem.connect("internet")
        radio.network.internet.serve_datagrams(HOST, PORT, far_end)
        address = await names.resolve(radio.modem, HOST)
        assert address == "192.0.2.1"

        def opened(body: bytes) -> bytes | None:
            return body if body.startswith(b"ours") else None

        answer, _ = await coap.ask(radio.modem, address, PORT, 0x1234, b"?", waits, opened)
        assert not radio.modem.connected
        return answer

    return Radio(seed=radio_seed).run(story)


OURS = said(ACK, Said.CHANGED, 0x1234, b"ours 1")


def test_the_answer_ends_it_and_one_that_was_lost_is_asked_for_again() -> None:
    far_end = FarEnd([OURS])
    assert asked(1, far_end) == b"ours 1"
    assert len(far_end.came) == 1
    far_end = FarEnd([], [OURS])
    assert asked(2, far_end) == b"ours 1"
    assert far_end.came == [coap.question(0x1234, b"?")] * 2, "the same datagram, byte for byte"


@pytest.mark.parametrize(
    "noise",
    [
        said(ACK, Said.CHANGED, 0x1234, b"forged"),
        said(ACK, Said.CHANGED, 0x1233, b"ours of before"),
        said(RST, Said.EMPTY, 0x1233),
        said(ACK, Said.UNAUTHORIZED, 0x1233),
        said(NON, Said.CHANGED, 9, b"forged"),
        said(CON, Said.GET, 9, uri_path=["m"]),
        b"\xff" * 40,
    ],
    ids=["forged", "old", "old reset", "old refusal", "forged later", "a question", "noise"],
)
def test_what_is_not_the_servers_answer_to_this_question_is_passed_over(noise: bytes) -> None:
    far_end = FarEnd([noise], [OURS])
    assert asked(3, far_end) == b"ours 1"


def test_a_server_that_does_not_want_it_is_not_asked_again() -> None:
    for refusal in (said(RST, Said.EMPTY, 0x1234), said(ACK, Said.NOT_FOUND, 0x1234, b"no")):
        far_end = FarEnd([refusal])
        assert asked(4, far_end) is None
        assert len(far_end.came) == 1


def test_an_answer_that_is_announced_is_waited_for_and_acknowledged_if_it_wants_to_be() -> None:
    far_end = FarEnd([said(ACK, Said.EMPTY, 0x1234), said(CON, Said.CHANGED, 77, b"ours later")])
    assert asked(5, far_end, (300,)) == b"ours later"
    assert far_end.came[1:] in ([], [said(ACK, Said.EMPTY, 77)])


def test_nobody_there_is_known_after_the_waits() -> None:
    far_end = FarEnd()
    assert asked(6, far_end, (50, 100, 100)) is None
    assert len(far_end.came) == 3


def test_a_name_that_has_no_address_is_a_link_error() -> None:
    async def story(radio: Radio) -> None:
        await radio.modem.connect("internet")
        with pytest.raises(LinkError):
            await names.resolve(radio.modem, "nobody.example")
        assert await names.resolve(radio.modem, "192.0.2.9") == "192.0.2.9"

    Radio(seed=7).run(story)


class Post(resource.Resource):  # type: ignore[misc]
    """What aiocoap serves at `/m`: an answer at once, or later in a message of its own."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds = seconds

    async def render_post(self, request: Any) -> Any:
        """Says the payload back."""
        await asyncio.sleep(self.seconds)
        return aiocoap.Message(code=Said.CHANGED, payload=b"ours " + request.payload)


@pytest.mark.parametrize("seconds", [0.0, 0.4], ids=["at once", "later"])
def test_a_server_that_was_not_written_here_answers(seconds: float) -> None:
    async def story(radio: Radio) -> None:
        site = resource.Site()
        site.add_resource(["m"], Post(seconds))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        server = await aiocoap.Context.create_server_context(
            site, bind=("127.0.0.1", port), transports=["simplesocketserver"]
        )
        try:
            await radio.modem.connect("internet")
            radio.network.internet.route_datagrams(HOST, PORT, ("127.0.0.1", port))
            address = await names.resolve(radio.modem, HOST)
            answer, _ = await coap.ask(
                radio.modem, address, PORT, 7, b"sealed", (3000, 6000), lambda body: body
            )
            assert answer == b"ours sealed"
        finally:
            await server.shutdown()

    Radio(seed=8).run(story)
