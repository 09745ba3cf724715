"""What part and network do wrong by name does what it says, and ends by what it says."""

from __future__ import annotations

import pytest

from hw_sim.modem.consumption import Draw
from hw_sim.network.faults import Cure
from hw_sim.network.gsm import GsmNetwork
from tests.support.at_person import TIME_SCALE, AtPerson, Server, echo, run


def _network() -> GsmNetwork:
    return GsmNetwork(time_scale=TIME_SCALE)


async def _again(person: AtPerson, *first: str) -> None:
    for line in first:
        await person.say(line)
    await person.wait_registered()
    await person.say("AT+CIPSHUT")
    await person.say("AT+CIPRXGET=1")
    await person.say('AT+CSTT="internet"')
    assert "OK" in await person.say("AT+CIICR")
    person.type(b"AT+CIFSR\r")
    await person.read_until(r"10\.\d+\.\d+\.2\r\n")


@pytest.mark.parametrize("cure", Cure)
def test_a_dead_bearer_stays_dead_until_its_own_cure(cure: Cure) -> None:
    async def connects(person: AtPerson, port: int) -> bool:
        await person.say(f'AT+CIPSTART="TCP","127.0.0.1",{port}')
        return "OK" in await person.read_until("CONNECT (OK|FAIL)\r\n")

    async def scenario() -> None:
        async with Server(echo) as server:
            person = AtPerson(_network())
            await person.bring_up()
            person.network.faults.dead_bearer(cure, fails_s=1)
            assert not await connects(person, server.port)
            await _again(person)
            assert await connects(person, server.port) is (cure is Cure.CONTEXT)
            await _again(person, "AT+CFUN=0", "AT+CFUN=1")
            assert await connects(person, server.port) is (cure <= Cure.RADIO)
            person.modem.crash()
            await person.read_until("SMS Ready")
            await _again(person, "ATE0")
            assert await connects(person, server.port)

    run(scenario())


def test_a_forgotten_and_a_mute_connection_take_what_is_sent_and_bring_nothing() -> None:
    async def scenario() -> None:
        async with Server(echo) as server:
            person = AtPerson(_network())
            await person.bring_up()
            await person.say("AT+CIPQSEND=1")
            for strike in (
                person.network.faults.forget_connections,
                person.network.faults.mute_connections,
            ):
                await person.connect(server.port)
                strike()
                person.type(b"AT+CIPSEND=4\r")
                await person.read_until("> ")
                person.type(b"word")
                await person.read_until("DATA ACCEPT:4\r\n")
                await person.network.pace.sleep(30)
                assert "+CIPRXGET: 4,0" in await person.say("AT+CIPRXGET=4")
                await person.say("AT+CIPCLOSE=1")

    run(scenario())


def test_a_call_rings_and_holds_the_data_until_it_is_hung_up_or_refused() -> None:
    async def scenario() -> None:
        async with Server(echo) as server:
            person = AtPerson(_network())
            await person.bring_up()
            await person.connect(server.port)
            await person.say("AT+CLIP=1")
            person.network.faults.ring(600)
            await person.read_until(r'RING\r\n\r\n\+CLIP: "\+254700000001"')
            assert "+CLCC: 1,1,4" in await person.say("AT+CLCC")
            assert "OK" in await person.say("ATH")
            await person.send(b"after")
            assert await person.receive_exactly(5) == b"after"
            await person.say("AT+GSMBUSY=1")
            person.network.faults.ring(600)
            assert "RING" not in await person.say("AT")
            faults = person.network.faults
            assert (faults.calls_heard, faults.calls_refused) == (1, 1)
            await person.say("AT+GSMBUSY=0")
            await person.say("AT+CLIP=0")
            person.network.faults.ring(4)
            await person.read_until(r"RING\r\n(\r\nRING\r\n)*\r\nNO CARRIER")

    run(scenario())


def test_a_silent_restart_says_nothing_and_forgets_what_was_set() -> None:
    async def scenario() -> None:
        person = AtPerson(_network())
        await person.switch_on()
        await person.say("ATE0")
        await person.say("AT+CREG=1")
        person.modem.crash(silent=True)
        await person.network.pace.sleep(15)
        assert person.unread() == ""
        assert "+CREG: 0,1" in await person.say("AT+CREG?")

    run(scenario())


def test_a_part_speaks_within_an_answer_babbles_and_sags() -> None:
    async def scenario() -> None:
        person = AtPerson(_network())
        await person.switch_on()
        person.modem.faults.say_within("+CSQ", "RING", 2)
        assert "RING\r\n\r\n+CSQ: 20,0" in await person.say("AT+CSQ")
        assert "RING" in await person.say("AT+CSQ")
        assert "RING" not in await person.say("AT+CSQ")
        person.modem.faults.babble(5)
        assert (await person.say("AT")).count("+DEBUG: 0") <= 500
        await person.network.pace.sleep(6)
        person.modem.faults.under_voltage()
        await person.read_until("UNDER-VOLTAGE POWER DOWN")
        await person.network.pace.sleep(3)
        assert not person.modem.on

    run(scenario())


def test_an_access_point_that_wants_a_login_refuses_who_has_none() -> None:
    async def scenario() -> None:
        network = GsmNetwork(time_scale=TIME_SCALE, apn_login=("web", "secret"))
        person = AtPerson(network)
        await person.switch_on()
        await person.wait_registered()
        await person.say('AT+CSTT="internet"')
        assert "ERROR" in await person.say("AT+CIICR")
        await person.say("AT+CIPSHUT")
        await person.say('AT+CSTT="internet","web","secret"')
        assert "OK" in await person.say("AT+CIICR")

    run(scenario())


def test_what_the_part_draws_is_counted_by_state() -> None:
    async def scenario() -> None:
        person = AtPerson(GsmNetwork(time_scale=TIME_SCALE, coverage=False))
        await person.switch_on()
        meter = person.modem.meter
        before_s = meter.seconds(Draw.SEARCHING)
        await person.network.pace.sleep(100)
        assert 99 < meter.seconds(Draw.SEARCHING) - before_s < 150
        await person.say("AT+CFUN=0")
        before_s = meter.seconds(Draw.SEARCHING)
        await person.network.pace.sleep(100)
        assert meter.seconds(Draw.SEARCHING) == before_s
        assert 99 < meter.seconds(Draw.RADIO_OFF) < 150
        assert meter.charge_mah() > 0

    run(scenario())
