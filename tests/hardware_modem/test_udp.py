"""Datagrams through the modem, and names: each comes once, twice, late or never, and is paid."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast

from hw_sim.network.datagrams import Answer, Ways
from hw_sim.network.gsm import GsmNetwork
from hw_sim.network.link import WIRE, LinkProfile, name_bytes
from tests.support.at_person import TIME_SCALE, AtPerson, run

NAME, PORT = "duka.example", 5683


class FarEnd:
    """Says back what comes; remembers it with the port that it came from."""

    def __init__(self) -> None:
        self.came: list[tuple[bytes, int]] = []
        self.answers: list[Answer] = []

    def __call__(self, data: bytes, port: int, answer: Answer) -> None:
        self.came.append((data, port))
        self.answers.append(answer)
        answer(b"re:" + data)


async def _open(link: LinkProfile = WIRE, seed: int = 1) -> tuple[AtPerson, FarEnd]:
    network = GsmNetwork(time_scale=TIME_SCALE, link=link, seed=seed)
    far_end = FarEnd()
    network.internet.serve_datagrams(NAME, PORT, far_end)
    person = AtPerson(network)
    await person.bring_up()
    assert "OK" in await person.say(f'AT+CIPSTART="UDP","{NAME}",{PORT}')
    await person.read_until("CONNECT OK\r\n")
    return person, far_end


async def _until(check: Callable[[], object]) -> None:
    async with asyncio.timeout(8):
        while not check():
            await asyncio.sleep(0.002)


def test_a_datagram_and_its_answer_cost_28_bytes_each_and_a_name_two_datagrams_more() -> None:
    async def scenario() -> None:
        person, far_end = await _open()
        traffic = person.network.traffic
        assert traffic.on_air_bytes == name_bytes(NAME) == 132
        assert "SEND OK" in await person.send(b"hello")
        assert await person.receive_exactly(8) == b"re:hello"
        assert far_end.came == [(b"hello", 1)]
        assert traffic.on_air_bytes - name_bytes(NAME) == 28 + 5 + 28 + 8
        assert "CLOSE OK" in await person.say("AT+CIPCLOSE=1")
        person.type(b"AT+CIPSTATUS\r")
        assert "UDP CLOSED" in await person.read_until(r"STATE: [^\r]+\r\n")
        assert traffic.on_air_bytes - name_bytes(NAME) == 69

    run(scenario())


def test_a_name_is_resolved_to_an_address_that_leads_to_the_same_place() -> None:
    async def scenario() -> None:
        person, far_end = await _open()
        await person.say("AT+CIPCLOSE=1")
        assert "OK" in await person.say(f'AT+CDNSGIP="{NAME}"')
        said = await person.read_until(r'\+CDNSGIP: 1,"duka.example","192.0.2.1"\r\n')
        address = said.split('"')[3]
        before = person.network.traffic.name_bytes
        await person.say(f'AT+CIPSTART="UDP","{address}",{PORT}')
        await person.read_until("CONNECT OK\r\n")
        await person.send(b"x")
        assert await person.receive_exactly(4) == b"re:x"
        assert person.network.traffic.name_bytes == before
        assert len(far_end.came) == 1
        await person.say('AT+CDNSGIP="nobody.example"')
        await person.read_until(r"\+CDNSGIP: 0,8\r\n")

    run(scenario())


def test_what_waits_unread_runs_together() -> None:
    async def scenario() -> None:
        person, far_end = await _open()
        await person.send(b"x")
        assert await person.receive_exactly(4) == b"re:x"
        far_end.answers[0](b"one")
        far_end.answers[0](b"two")
        await _until(lambda: person.network.traffic.datagrams_down == 3)
        await asyncio.sleep(0.02)
        assert await person.receive() == (b"onetwo", 0)

    run(scenario())


def test_a_box_that_blocks_datagrams_tells_nobody() -> None:
    async def scenario() -> None:
        person, far_end = await _open()
        person.network.internet.ways = Ways(blocked=True)
        await person.say("AT+CIPCLOSE=1")
        await person.say(f'AT+CIPSTART="UDP","{NAME}",{PORT}')
        await person.read_until("CONNECT OK\r\n")
        assert "SEND OK" in await person.send(b"hello")
        await person.network.pace.sleep(30)
        assert far_end.came == []
        assert person.network.traffic.datagrams_up == 1

    run(scenario())


def test_datagrams_come_twice_late_and_not_at_all_as_the_ways_say() -> None:
    async def scenario() -> None:
        person, far_end = await _open()
        ways = person.network.internet.ways
        ways.doubled = 1.0
        await person.send(b"twice")
        await _until(lambda: len(far_end.came) == 2)
        ways.doubled, ways.late = 0.0, 1.0
        await person.send(b"late")
        ways.late = 0.0
        await person.send(b"early")
        await _until(lambda: len(far_end.came) == 4)
        assert [data for data, _ in far_end.came[2:]] == [b"early", b"late"]
        ways.loss = 1.0
        await person.send(b"never")
        await person.network.pace.sleep(20)
        assert len(far_end.came) == 4

    run(scenario())


def test_a_link_that_loses_half_loses_half_of_the_datagrams_and_sends_none_again() -> None:
    async def scenario() -> None:
        lossy = LinkProfile(latency_ms=0, jitter_ms=0, loss=0.5)
        person, far_end = await _open(lossy)
        for _ in range(40):
            await person.send(b"x")
        await person.network.pace.sleep(20)
        assert 8 < len(far_end.came) < 32
        assert person.network.traffic.datagrams_up == 40
        assert person.network.traffic.retransmitted_bytes == 0

    run(scenario())


def test_a_box_that_forgot_the_port_throws_the_answer_away_and_lends_another_port() -> None:
    async def scenario() -> None:
        person, far_end = await _open()
        await person.send(b"a")
        assert await person.receive_exactly(4) == b"re:a"
        await person.network.pace.sleep(61)
        far_end.answers[0](b"too late")
        await person.send(b"b")
        assert await person.receive_exactly(4) == b"re:b"
        assert [port for _, port in far_end.came] == [1, 2]
        far_end.answers[0](b"to the port of before")
        await person.network.pace.sleep(5)
        assert await person.receive() == (b"", 0)

    run(scenario())


def test_datagrams_reach_a_real_socket_and_its_answers_come_back() -> None:
    class Echo(asyncio.DatagramProtocol):
        transport: asyncio.DatagramTransport

        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            self.transport = cast(asyncio.DatagramTransport, transport)

        def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
            self.transport.sendto(data.upper(), addr)

    async def scenario() -> None:
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(Echo, local_addr=("127.0.0.1", 0))
        port = transport.get_extra_info("sockname")[1]
        person = AtPerson(GsmNetwork(time_scale=TIME_SCALE, link=WIRE))
        await person.bring_up()
        await person.say(f'AT+CIPSTART="UDP","127.0.0.1",{port}')
        await person.read_until("CONNECT OK\r\n")
        await person.send(b"hello")
        assert await person.receive_exactly(5) == b"HELLO"
        transport.close()

    run(scenario())
