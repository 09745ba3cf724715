"""TCP through the modem to a real server, and the order its commands insist on."""

from __future__ import annotations

import asyncio
import random
import re

import pytest

from hw_sim.modem.connection import RECEIVE_WINDOW_BYTES
from hw_sim.network.errors import ConnectFailedError
from hw_sim.network.gsm import GsmNetwork
from hw_sim.network.link import MAXIMUM_SEGMENT_BYTES, SEGMENT_OVERHEAD_BYTES, WIRE
from tests.support.at_person import TIME_SCALE, AtPerson, Server, echo, run


async def _state(person: AtPerson) -> str:
    person.type(b"AT+CIPSTATUS\r")
    said = await person.read_until(r"STATE: [^\r]+\r\n")
    return said.rpartition("STATE: ")[2].strip()


def test_the_states_follow_each_other_and_each_step_out_of_turn_is_an_error() -> None:
    async def scenario() -> None:
        async with Server(echo) as server:
            person = AtPerson(GsmNetwork(time_scale=TIME_SCALE))
            await person.switch_on()
            await person.say("ATE0")
            await person.wait_registered()
            start = f'AT+CIPSTART="TCP","127.0.0.1",{server.port}'

            async def refuses(*lines: str) -> None:
                for line in lines:
                    assert await person.say(line) == "\r\nERROR\r\n", line

            assert await _state(person) == "IP INITIAL"
            await refuses("AT+CIICR", "AT+CIFSR", "AT+CIPSEND=5", "AT+CIPCLOSE", "AT+CIPRXGET=4")
            await person.say("AT+CIPRXGET=1")
            assert "OK" in await person.say('AT+CSTT="internet"')
            assert await _state(person) == "IP START"
            await refuses('AT+CSTT="internet"', "AT+CIFSR", start, "AT+CIPSEND=5")
            assert "OK" in await person.say("AT+CIICR")
            assert await _state(person) == "IP GPRSACT"
            await refuses("AT+CIICR", start, "AT+CIPSEND=5", "AT+CIPCLOSE")
            person.type(b"AT+CIFSR\r")
            await person.read_until(r"\r\n10\.\d+\.\d+\.2\r\n")
            assert await _state(person) == "IP STATUS"
            await refuses("AT+CIICR", "AT+CIPSEND=5", "AT+CIPCLOSE", "AT+CIPRXGET=2,100")
            await person.connect(server.port)
            assert await _state(person) == "CONNECT OK"
            person.type(f"{start}\r".encode())
            await person.read_until("\r\nERROR\r\n\r\nALREADY CONNECT\r\n")
            await refuses("AT+CIICR", 'AT+CSTT="x"', "AT+CIPRXGET=0", "AT+CIPSEND=1461")
            assert "CLOSE OK" in await person.say("AT+CIPCLOSE=1")
            assert await _state(person) == "TCP CLOSED"
            await person.connect(server.port)
            assert "SHUT OK" in await person.say("AT+CIPSHUT")
            assert await _state(person) == "IP INITIAL"

    run(scenario())


def test_cipstart_from_the_start_brings_the_context_up_by_itself() -> None:
    async def scenario() -> None:
        async with Server(echo) as server:
            person = AtPerson(GsmNetwork(time_scale=TIME_SCALE))
            await person.switch_on()
            await person.wait_registered()
            await person.connect(server.port)
            assert await _state(person) == "CONNECT OK"

    run(scenario())


def test_bytes_go_there_and_back_whole_and_in_order() -> None:
    async def scenario() -> None:
        async with Server(echo) as server:
            network = GsmNetwork(time_scale=TIME_SCALE, seed=3)
            person = AtPerson(network)
            await person.bring_up()
            await person.connect(server.port)
            sent = random.Random(1).randbytes(5000)
            got = b""
            for start in range(0, len(sent), 1000):
                assert "SEND OK" in await person.send(sent[start : start + 1000])
                got += await person.receive_exactly(1000)
            assert got == sent
            assert network.traffic.payload_up_bytes == 5000
            assert network.traffic.payload_down_bytes == 5000
            assert network.traffic.modelled_overhead_bytes > 10 * SEGMENT_OVERHEAD_BYTES
            assert "+CIPACK: 5000,5000,0" in await person.say("AT+CIPACK")

    run(scenario())


def test_one_notice_comes_until_everything_was_read() -> None:
    async def scenario() -> None:
        async with Server(echo) as server:
            person = AtPerson(GsmNetwork(time_scale=TIME_SCALE))
            await person.bring_up()
            await person.connect(server.port)
            await person.send(b"a" * 50)
            await person.read_until(r"\r\n\+CIPRXGET: 1\r\n")
            data, left = await person.receive(20)
            assert (data, left) == (b"a" * 20, 30)
            assert "+CIPRXGET: 4,30" in await person.say("AT+CIPRXGET=4")
            await person.send(b"b" * 10)
            while "+CIPRXGET: 4,40" not in (said := await person.say("AT+CIPRXGET=4")):
                assert "+CIPRXGET: 1" not in said
            assert "+CIPRXGET: 1" not in said
            data, left = await person.receive()
            assert (data, left) == (b"a" * 30 + b"b" * 10, 0)
            await person.send(b"c")
            await person.read_until(r"\r\n\+CIPRXGET: 1\r\n")
            assert await person.receive() == (b"c", 0)
            assert await person.receive() == (b"", 0)

    run(scenario())


def test_hexadecimal_reading_gives_the_same_bytes() -> None:
    async def scenario() -> None:
        async with Server(echo) as server:
            person = AtPerson(GsmNetwork(time_scale=TIME_SCALE))
            await person.bring_up()
            await person.connect(server.port)
            await person.send(b"\x00\xff\r\n")
            await person.read_until(r"\+CIPRXGET: 1\r\n")
            assert "+CIPRXGET: 3,4,0\r\n00FF0D0A\r\nOK" in await person.say("AT+CIPRXGET=3,100")

    run(scenario())


def test_in_automatic_mode_data_comes_by_itself() -> None:
    async def scenario() -> None:
        async with Server(echo) as server:
            person = AtPerson(GsmNetwork(time_scale=TIME_SCALE))
            await person.bring_up(manual=False)
            await person.say("AT+CIPHEAD=1")
            await person.connect(server.port)
            await person.send(b"hello")
            await person.read_until(r"\r\n\+IPD,5:hello")

    run(scenario())


def test_a_slow_reader_holds_the_server_back() -> None:
    async def scenario() -> None:
        written = 0

        async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal written
            await reader.readexactly(1)
            while written < 3_000_000:
                writer.write(b"z" * 10_000)
                written += 10_000
                await writer.drain()

        async with Server(flood) as server:
            network = GsmNetwork(time_scale=TIME_SCALE, link=WIRE)
            person = AtPerson(network)
            await person.bring_up()
            await person.connect(server.port)
            await person.send(b"!")
            await person.read_until(r"\+CIPRXGET: 1\r\n")
            await asyncio.sleep(0.2)
            assert network.traffic.payload_down_bytes <= RECEIVE_WINDOW_BYTES
            said = await person.say("AT+CIPRXGET=4")
            held = re.search(r"\+CIPRXGET: 4,(\d+)\r", said)
            assert held is not None
            assert 0 <= RECEIVE_WINDOW_BYTES - int(held[1]) < MAXIMUM_SEGMENT_BYTES
            await person.receive_exactly(20_000)
            each_bytes = network.traffic.payload_down_bytes / network.traffic.segments_down
            assert each_bytes > MAXIMUM_SEGMENT_BYTES / 2
            assert network.traffic.payload_down_bytes <= 20_000 + 2 * RECEIVE_WINDOW_BYTES

    run(scenario())


def test_when_the_server_ends_it_the_rest_can_still_be_read() -> None:
    async def scenario() -> None:
        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readexactly(3)
            writer.write(b"x" * 3000)
            await writer.drain()

        async with Server(answer) as server:
            person = AtPerson(GsmNetwork(time_scale=TIME_SCALE))
            await person.bring_up()
            await person.connect(server.port)
            await person.send(b"get")
            await person.read_until("\r\nCLOSED\r\n")
            assert await _state(person) == "TCP CLOSED"
            assert await person.receive_exactly(3000) == b"x" * 3000
            assert await person.say("AT+CIPSEND=1") == "\r\nERROR\r\n"

    run(scenario())


def test_quick_sending_is_accepted_at_once_and_arrives() -> None:
    async def scenario() -> None:
        async with Server(echo) as server:
            person = AtPerson(GsmNetwork(time_scale=TIME_SCALE))
            await person.bring_up()
            await person.say("AT+CIPQSEND=1")
            await person.connect(server.port)
            for _ in range(3):
                person.type(b"AT+CIPSEND=100\r")
                await person.read_until("> ")
                person.type(b"q" * 100)
                await person.read_until(r"\r\nDATA ACCEPT:100\r\n")
            assert await person.receive_exactly(300) == b"q" * 300

    run(scenario())


def test_sending_without_a_length_ends_at_control_z_and_escape_gives_it_up() -> None:
    async def scenario() -> None:
        async with Server(echo) as server:
            person = AtPerson(GsmNetwork(time_scale=TIME_SCALE))
            await person.bring_up()
            await person.connect(server.port)
            person.type(b"AT+CIPSEND\r")
            await person.read_until("> ")
            person.type(b"hello\x1a")
            await person.read_until("SEND OK")
            assert await person.receive_exactly(5) == b"hello"
            person.type(b"AT+CIPSEND\r")
            await person.read_until("> ")
            person.type(b"never\x1b")
            await person.read_until("OK")
            assert person.network.traffic.payload_up_bytes == 5

    run(scenario())


def test_a_closed_port_and_a_strange_name_are_connect_fail() -> None:
    async def scenario() -> None:
        async with Server(echo) as server:
            closed_port = server.port
        person = AtPerson(GsmNetwork(time_scale=TIME_SCALE))
        await person.bring_up()
        for name in ("127.0.0.1", "no.such.example", "203.0.113.5", "10.0.0.1"):
            assert "OK" in await person.say(f'AT+CIPSTART="TCP","{name}",{closed_port}')
            said = await person.read_until("CONNECT FAIL\r\n")
            assert "STATE: TCP CLOSED" in said

    run(scenario())


def test_nothing_leaves_the_machine_unless_it_is_routed() -> None:
    network = GsmNetwork(resolve={"203.0.113.5:80": ("127.0.0.1", 8080)})
    assert network.internet.address_of("203.0.113.5", 80) == ("127.0.0.1", 8080)
    assert network.internet.address_of("localhost", 81) == ("127.0.0.1", 81)
    for name, port in (("203.0.113.5", 81), ("10.0.0.1", 80), ("duka.example", 80), ("", 80)):
        with pytest.raises(ConnectFailedError):
            network.internet.address_of(name, port)


def test_a_name_leads_where_the_network_routes_it() -> None:
    async def scenario() -> None:
        async with Server(echo) as server:
            network = GsmNetwork(
                time_scale=TIME_SCALE, resolve={"duka.example:80": ("127.0.0.1", server.port)}
            )
            person = AtPerson(network)
            await person.bring_up()
            await person.connect(80, name="duka.example")
            await person.send(b"ping")
            assert await person.receive_exactly(4) == b"ping"

    run(scenario())


def test_what_is_not_modelled_is_refused_not_faked() -> None:
    async def scenario() -> None:
        person = AtPerson(GsmNetwork(time_scale=TIME_SCALE))
        await person.bring_up()
        assert "ERROR" in await person.say("AT+CIPMUX=1")
        assert "ERROR" in await person.say('AT+CIPSTART="SCTP","127.0.0.1",53')
        assert "ERROR" in await person.say('AT+CIPSTART="TCP","127.0.0.1",0')
        assert "ERROR" in await person.say('AT+CIPSTART="TCP",,80')
        assert "ERROR" in await person.say("AT+HTTPINIT")

    run(scenario())
