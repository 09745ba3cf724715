"""Several connections at once, and the second dialect: the same part in the M95's words."""

from __future__ import annotations

import re

import pytest

from hw_sim.modem import M95, Sim800
from hw_sim.network.gsm import GsmNetwork
from hw_sim.network.link import WIRE
from tests.support.at_person import TIME_SCALE, AtPerson, Server, echo, run

M95_FINAL = r"\r\n(OK|ERROR|DEACT OK|CLOSE OK|SEND OK|SEND FAIL)\r\n"


async def _m95() -> AtPerson:
    network = GsmNetwork(time_scale=TIME_SCALE, link=WIRE)
    person = AtPerson(network, M95(network, baud=None))
    await person.switch_on()
    await person.say("ATE0")
    await person.wait_registered()
    return person


async def _up(person: AtPerson, *settings: str) -> None:
    for line in (*settings, 'AT+QICSGP=1,"internet"', "AT+QIREGAPP", "AT+QIACT"):
        person.type(line.encode() + b"\r")
        assert "OK" in await person.read_until(M95_FINAL), line
    person.type(b"AT+QILOCIP\r")
    await person.read_until(r"\r\n10\.\d+\.\d+\.2\r\n")


async def _send(person: AtPerson, command: str, data: bytes, taken: str) -> str:
    person.type(command.encode() + b"\r")
    await person.read_until("> ")
    person.type(data)
    return await person.read_until(taken)


def test_of_several_connections_each_has_its_number_and_its_own_bytes() -> None:
    async def scenario() -> None:
        async with Server(echo) as server:
            network = GsmNetwork(time_scale=TIME_SCALE, link=WIRE)
            person = AtPerson(network, Sim800(network, baud=None))
            await person.switch_on()
            await person.say("ATE0")
            await person.wait_registered()
            for line in ("AT+CIPMUX=1", "AT+CIPQSEND=1", "AT+CIPRXGET=1", 'AT+CSTT="a"'):
                assert "OK" in await person.say(line), line
            await person.say("AT+CIICR")
            person.type(b"AT+CIFSR\r")
            await person.read_until(r"\.2\r\n")
            assert "ERROR" in await person.say("AT+CIPMUX=0"), "only before anything is up"
            for number in (0, 3):
                await person.say(f'AT+CIPSTART={number},"TCP","127.0.0.1",{server.port}')
                await person.read_until(f"{number}, CONNECT OK\r\n")
            person.type(f'AT+CIPSTART=3,"TCP","127.0.0.1",{server.port}\r'.encode())
            await person.read_until("3, ALREADY CONNECT\r\n")
            await _send(person, "AT+CIPSEND=3,5", b"three", "DATA ACCEPT:3,5\r\n")
            await _send(person, "AT+CIPSEND=0,4", b"zero", "DATA ACCEPT:0,4\r\n")
            person.type(b"AT+CIPSEND=3,1\r\n")  # as those type who end a line with both
            await person.read_until("> ")
            person.type(b"!")
            await person.read_until("DATA ACCEPT:3,1\r\n")
            for number, word in ((0, "zero"), (3, "three!")):
                while f"+CIPRXGET: 4,{number},{len(word)}" not in await person.say(
                    f"AT+CIPRXGET=4,{number}"
                ):
                    pass
                said = await person.say(f"AT+CIPRXGET=2,{number},100")
                assert f"+CIPRXGET: 2,{number},{len(word)},0\r\n{word}" in said
            assert '+CIPSTATUS: 3,0,"TCP","127.0.0.1"' in await person.say("AT+CIPSTATUS=3")
            assert '"INITIAL"' in await person.say("AT+CIPSTATUS=5")
            assert "ERROR" in await person.say("AT+CIPSEND=5,4")
            assert "ERROR" in await person.say('AT+CIPSTART=6,"TCP","127.0.0.1",80')
            person.type(b"AT+CIPCLOSE=3\r")
            await person.read_until("\r\n3, CLOSE OK\r\n")
            network.reset_connections()
            await person.read_until("0, CLOSED\r\n")

    run(scenario())


def test_the_m95_goes_there_and_back_in_its_own_words() -> None:
    async def scenario() -> None:
        async with Server(echo) as server:
            person = await _m95()
            assert "Quectel_M95" in await person.say("AT+CGMM")
            await _up(person, "AT+QIDEACT", "AT+QIMUX=0", "AT+QINDI=1")
            assert person.modem.ip_state == "IP STATUS"
            person.type(f'AT+QIOPEN="TCP","127.0.0.1",{server.port}\r'.encode())
            await person.read_until(r"\r\nOK\r\n\r\nCONNECT OK\r\n")
            await _send(person, "AT+QISEND=5", b"hello", "SEND OK\r\n")
            await person.read_until(re.escape("+QIRDI: 0,1,0\r\n"))
            person.type(b"AT+QIRD=0,1,0,3\r")
            await person.read_until(re.escape(f"+QIRD: 127.0.0.1:{server.port},TCP,3\r\nhel\r\nOK"))
            person.type(b"AT+QIRD=0,1,0,100\r")
            await person.read_until("TCP,2\r\nlo\r\nOK\r\n")
            assert await person.say("AT+QIRD=0,1,0,100") == "\r\nOK\r\n"
            assert "+QISACK: 5, 5, 0" in await person.say("AT+QISACK")
            assert "CLOSE OK" in await person.say("AT+QICLOSE")
            assert person.modem.ip_state == "IP CLOSE"
            person.network.deactivate_pdp()
            await person.read_until(r"\r\n\+PDP DEACT\r\n")

    run(scenario())


def test_the_m95_takes_names_only_where_it_was_told_to_and_refuses_what_it_does_not_know() -> None:
    async def scenario() -> None:
        person = await _m95()
        await _up(person)
        for line in ('AT+QIOPEN="TCP","localhost",80', "AT+CIPSHUT", "AT+GSMBUSY=1", "AT+QIMUX=1"):
            assert "ERROR" in await person.say(line), line
        assert "OK" in await person.say("AT+QIDNSIP=1")
        assert "OK" in await person.say("AT+QREFUSECS=0,1")
        person.network.faults.ring(30)
        assert person.network.faults.calls_refused == 1
        person.type(b'AT+QIDNSGIP="localhost"\r')
        await person.read_until(r"OK\r\n\r\n192\.0\.2\.1\r\n")
        person.type(b'AT+QIDNSGIP="nobody.example"\r')
        await person.read_until(r"ERROR: 8\r\n")
        person.modem.faults.under_voltage()
        await person.read_until("UNDER_VOLTAGE POWER DOWN")

    run(scenario())


@pytest.mark.parametrize("part", [Sim800, M95])
def test_each_says_who_it_is(part: type[Sim800 | M95]) -> None:
    async def scenario() -> None:
        network = GsmNetwork(time_scale=TIME_SCALE)
        person = AtPerson(network, part(network, baud=None))
        await person.switch_on()
        assert part.dialect.model in await person.say("AT+CGMM")
        assert part.dialect.maker in await person.say("AT+CGMI")
        other = M95 if part is Sim800 else Sim800
        assert "ERROR" in await person.say(f"AT{other.dialect.power_down}=1")
        person.type(f"AT{part.dialect.power_down}=1\r".encode())
        await person.read_until("NORMAL POWER DOWN")

    run(scenario())
