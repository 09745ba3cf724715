"""The power key, start-up and shutdown of the modem."""

from __future__ import annotations

import asyncio

from hw_sim.modem import Sim800
from hw_sim.network.gsm import GsmNetwork
from tests.support.at_person import TIME_SCALE, AtPerson, run


def test_it_stays_off_when_power_comes_and_answers_after_its_key_was_held() -> None:
    async def scenario() -> None:
        person = AtPerson(GsmNetwork(time_scale=TIME_SCALE))
        person.modem.on_power(True)
        person.type(b"AT\r")
        await person.network.pace.sleep(10)
        assert person.unread() == ""
        assert person.modem.line.lost_input_bytes == 3

        await person.press_power_key()
        said = await person.read_until("SMS Ready\r\n")
        assert said.index("RDY") < said.index("+CPIN: READY") < said.index("Call Ready")
        assert await person.say("AT") == "AT\r\r\nOK\r\n"

    run(scenario())


def test_a_short_press_does_nothing() -> None:
    async def scenario() -> None:
        person = AtPerson(GsmNetwork(time_scale=4))
        person.modem.on_power(True)
        await person.press_power_key(0.3)
        await person.network.pace.sleep(1.5)
        assert not person.modem.on
        assert person.unread() == ""

    run(scenario())


def test_the_key_shuts_it_down_with_a_word_and_starts_it_again() -> None:
    async def scenario() -> None:
        person = AtPerson(GsmNetwork(time_scale=TIME_SCALE))
        await person.switch_on()
        await person.press_power_key()
        await person.read_until("\r\nNORMAL POWER DOWN\r\n")
        await person.network.pace.sleep(3)
        assert not person.modem.on
        person.type(b"AT\r")
        await person.network.pace.sleep(1)
        assert person.unread() == ""
        await person.press_power_key()
        await person.read_until("RDY")

    run(scenario())


def test_pulled_power_says_nothing_and_forgets_the_settings() -> None:
    async def scenario() -> None:
        person = AtPerson(GsmNetwork(time_scale=TIME_SCALE))
        await person.switch_on()
        await person.say("ATE0")
        await person.say("AT+CMEE=2")
        person.modem.on_power(False)
        await person.network.pace.sleep(5)
        assert person.unread() == ""
        await person.switch_on()
        assert "AT+CMEE?\r\r\n+CMEE: 0" in await person.say("AT+CMEE?")

    run(scenario())


def test_saved_settings_outlast_a_power_cut() -> None:
    async def scenario() -> None:
        person = AtPerson(GsmNetwork(time_scale=TIME_SCALE))
        await person.switch_on()
        await person.say("ATE0")
        await person.say("AT+CMEE=1")
        await person.say("AT&W")
        person.modem.on_power(False)
        await person.switch_on()
        assert await person.say("AT+CMEE?") == "\r\n+CMEE: 1\r\n\r\nOK\r\n"

    run(scenario())


def test_cfun_1_1_restarts_it() -> None:
    async def scenario() -> None:
        person = AtPerson(GsmNetwork(time_scale=TIME_SCALE))
        await person.switch_on()
        await person.say("AT+CFUN=1,1")
        said = await person.read_until("SMS Ready\r\n")
        assert "RDY" in said
        assert "OK" in await person.say("AT")

    run(scenario())


def test_a_hung_modem_is_silent_and_two_presses_bring_it_back() -> None:
    async def scenario() -> None:
        person = AtPerson(GsmNetwork(time_scale=TIME_SCALE))
        await person.bring_up()
        person.modem.hang()
        person.type(b"AT\r")
        person.network.deactivate_pdp()
        await person.press_power_key()
        await person.network.pace.sleep(3)
        assert person.unread() == ""
        assert not person.modem.on
        await person.press_power_key()
        await person.read_until("SMS Ready\r\n")
        assert "OK" in await person.say("AT")

    run(scenario())


def test_a_crash_forgets_the_connection_and_says_rdy() -> None:
    async def scenario() -> None:
        person = AtPerson(GsmNetwork(time_scale=TIME_SCALE))
        await person.bring_up()
        person.modem.crash()
        said = await person.read_until("RDY\r\n")
        assert "POWER DOWN" not in said
        assert person.modem.ip_state == "IP INITIAL"
        assert person.network.connected_contexts == 0

    run(scenario())


def test_power_pulled_in_the_middle_of_everything_leaves_no_task_behind() -> None:
    async def scenario() -> None:
        person = AtPerson(GsmNetwork(time_scale=TIME_SCALE))
        before = len(asyncio.all_tasks())
        await person.bring_up()
        person.type(b'AT+CIPSTART="TCP","127.0.0.1",9\rAT+COPS=?\r')
        await asyncio.sleep(0)
        person.modem.on_power(False)
        await asyncio.sleep(0.05)
        assert len(asyncio.all_tasks()) == before
        assert person.network.connected_contexts == 0

    run(scenario())


def test_output_leaves_no_faster_than_the_baud_rate() -> None:
    async def scenario() -> None:
        network = GsmNetwork(time_scale=TIME_SCALE)
        person = AtPerson(network, Sim800(network, baud=9600))
        await person.switch_on()
        await person.say("ATE0")
        pieces: list[int] = []
        take = person.modem.send

        def watch(data: bytes) -> None:
            pieces.append(len(data))
            take(data)

        person.modem.send = watch
        begin = asyncio.get_running_loop().time()
        await person.say("AT+COPS?;+CSQ;+CBC;+CGSN;+CIMI;+CCID")
        wall_s = asyncio.get_running_loop().time() - begin
        assert wall_s >= sum(pieces) * 10 / 9600 * 0.9
        assert max(pieces) <= 5

    run(scenario())
