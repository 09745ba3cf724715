"""How the modem takes command lines: echo, several commands, nonsense, limits."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hw_sim.modem.at import AtCommand, AtError, Kind, parse_line
from hw_sim.modem.serial_line import INPUT_BUFFER_BYTES
from hw_sim.network.gsm import GsmNetwork
from tests.support.at_person import TIME_SCALE, AtPerson, run


def test_echo_can_be_turned_off() -> None:
    async def scenario() -> None:
        person = AtPerson(GsmNetwork(time_scale=TIME_SCALE))
        await person.switch_on()
        assert await person.say("ATE0") == "ATE0\r\r\nOK\r\n"
        assert await person.say("AT") == "\r\nOK\r\n"
        assert await person.say("ATE1") == "\r\nOK\r\n"
        assert await person.say("AT") == "AT\r\r\nOK\r\n"

    run(scenario())


def test_errors_are_plain_numbered_or_in_words_as_asked() -> None:
    async def scenario() -> None:
        person = AtPerson(GsmNetwork(time_scale=TIME_SCALE, sim_inserted=False))
        await person.switch_on(until="+CPIN: NOT INSERTED")
        await person.say("ATE0")
        assert await person.say("AT+CPIN?") == "\r\nERROR\r\n"
        await person.say("AT+CMEE=1")
        assert await person.say("AT+CPIN?") == "\r\n+CME ERROR: 10\r\n"
        await person.say("AT+CMEE=2")
        assert await person.say("AT+CPIN?") == "\r\n+CME ERROR: SIM not inserted\r\n"
        assert await person.say("AT+CREG=7") == "\r\n+CME ERROR: incorrect parameters\r\n"
        assert await person.say("AT+NOSUCH=1") == "\r\nERROR\r\n"

    run(scenario())


def test_several_commands_on_one_line_get_one_result() -> None:
    async def scenario() -> None:
        person = AtPerson(GsmNetwork(time_scale=TIME_SCALE))
        await person.switch_on()
        said = await person.say("ATE0+CMEE=2;+CMEE?;+CSQ")
        assert said.count("OK") == 1
        assert "+CMEE: 2" in said
        assert "+CSQ: 20,0" in said

    run(scenario())


def test_the_rest_of_a_line_is_left_after_an_error() -> None:
    async def scenario() -> None:
        person = AtPerson(GsmNetwork(time_scale=TIME_SCALE))
        await person.switch_on()
        await person.say("AT+CMEE=9;+CMEE=2")
        assert "+CMEE: 0" in await person.say("AT+CMEE?")

    run(scenario())


def test_noise_before_at_is_skipped_and_a_line_without_at_gets_no_answer() -> None:
    async def scenario() -> None:
        person = AtPerson(GsmNetwork(time_scale=TIME_SCALE))
        await person.switch_on()
        await person.say("ATE0")
        assert await person.say("\xff\x00zzAT") == "\r\nOK\r\n"
        person.type(b"hello there\r\n")
        await person.network.pace.sleep(1)
        assert person.unread() == ""
        assert await person.say("at+csq") == "\r\n+CSQ: 20,0\r\n\r\nOK\r\n"

    run(scenario())


def test_an_overlong_line_is_an_error_and_the_next_one_works() -> None:
    async def scenario() -> None:
        person = AtPerson(GsmNetwork(time_scale=TIME_SCALE))
        await person.switch_on()
        await person.say("ATE0")
        assert await person.say('AT+CSTT="' + "x" * 600 + '"') == "\r\nERROR\r\n"
        assert await person.say("AT") == "\r\nOK\r\n"

    run(scenario())


def test_a_slash_repeats_the_last_line() -> None:
    async def scenario() -> None:
        person = AtPerson(GsmNetwork(time_scale=TIME_SCALE))
        await person.switch_on()
        await person.say("ATE0")
        await person.say("AT+CSQ")
        person.type(b"A/")
        await person.read_until(r"\+CSQ: 20,0\r\n\r\nOK\r\n")

    run(scenario())


def test_what_is_typed_while_a_command_runs_waits_and_is_bounded() -> None:
    async def scenario() -> None:
        person = AtPerson(GsmNetwork(time_scale=TIME_SCALE))
        await person.switch_on()
        await person.say("ATE0")
        person.type(b"AT+COPS=?\r")
        await person.network.pace.sleep(1)
        person.type(b"AT+CSQ\r")
        person.type(b"\r" * (INPUT_BUFFER_BYTES + 50))
        assert person.modem.line.lost_input_bytes == 50 + len(b"AT+CSQ\r")
        await person.read_until(r"\+COPS: \(2,.*OK\r\n\r\n\+CSQ: 20,0\r\n")

    run(scenario())


def test_the_identities_are_told() -> None:
    async def scenario() -> None:
        person = AtPerson(GsmNetwork(time_scale=TIME_SCALE))
        await person.switch_on()
        await person.say("ATE0")
        assert "SIM800" in await person.say("ATI")
        assert "\r\n866104020000012\r\n" in await person.say("AT+GSN")
        assert "\r\n639020000000017\r\n" in await person.say("AT+CIMI")
        assert "\r\n89254021000000000172\r\n" in await person.say("AT+CCID")
        assert "+CBC: 0,68,3950" in await person.say("AT+CBC")

    run(scenario())


def test_a_sleeping_modem_loses_what_wakes_it() -> None:
    async def scenario() -> None:
        person = AtPerson(GsmNetwork(time_scale=20))
        await person.switch_on()
        await person.say("ATE0")
        await person.say("AT+CSCLK=2")
        await person.network.pace.sleep(6)
        person.type(b"AT\r")
        await person.network.pace.sleep(1)
        assert person.unread() == ""
        assert await person.say("AT+CSCLK=0") == "\r\nOK\r\n"

    run(scenario())


def test_parsing_tells_the_four_forms_apart() -> None:
    assert parse_line("+CREG?") == [AtCommand("+CREG", Kind.READ)]
    assert parse_line("+CREG=?") == [AtCommand("+CREG", Kind.TEST)]
    assert parse_line("+CSQ") == [AtCommand("+CSQ", Kind.RUN)]
    assert parse_line('+CIPSTART="TCP","a;b,c",80') == [
        AtCommand("+CIPSTART", Kind.WRITE, ("TCP", "a;b,c", "80"))
    ]
    assert [c.name for c in parse_line("E0V1+CSQ;&W")] == ["E", "V", "+CSQ", "&W"]


@pytest.mark.parametrize("line", ['+CSTT="open', "+", "?", "+CREG!", "0", "+CREG?x"])
def test_a_malformed_line_is_refused(line: str) -> None:
    with pytest.raises(AtError):
        parse_line(line)


@given(st.text(max_size=80))
def test_any_line_is_parsed_or_refused(line: str) -> None:
    try:
        parse_line(line)
    except AtError:
        pass
