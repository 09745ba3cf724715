"""The SIM800 driver against the simulated part: power, SIM, registration, data service, the
errors."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from firmware.net.modem import advice, errors, no_link, start
from hw_sim.network.sim_card import Registration, SimCard
from tests.support.radio import Radio


def test_a_modem_that_is_off_is_switched_on_and_comes_online() -> None:
    async def story(radio: Radio) -> None:
        await radio.modem.connect("internet")
        assert radio.sim800.ip_state == "IP STATUS"
        assert radio.modem.attached and radio.modem.registered
        assert (radio.modem.signal, radio.modem.trouble) == (20, "")
        assert radio.key.presses == 1

    Radio(seed=1).run(story)


def test_connecting_twice_does_nothing_the_second_time() -> None:
    async def story(radio: Radio) -> None:
        await radio.modem.connect("internet")
        lines: list[bytes] = []
        radio.sim800.line.transcript = lambda who, data: lines.append(data)
        await radio.modem.connect("internet")
        assert lines == []

    Radio(seed=2).run(story)


@pytest.mark.parametrize(
    ("settings", "trouble", "error"),
    [
        ({"sim_inserted": False}, None, no_link.NoSim),
        ({"sim": SimCard(pin="1234")}, None, no_link.SimLocked),
        ({"sim": SimCard(pin="1234", pin_attempts_left=0)}, None, no_link.SimLocked),
        ({"coverage": False}, None, no_link.NoCoverage),
        (
            {},
            lambda radio: radio.network.set_admission(Registration.DENIED),
            no_link.RegistrationDenied,
        ),
        ({"sim": SimCard(gprs_contract=False)}, None, no_link.NoData),
        ({"apn": "internet.example"}, None, no_link.NoData),
    ],
    ids=["no SIM", "PIN", "PUK", "no coverage", "denied", "no contract", "wrong APN"],
)
def test_each_reason_for_no_link_has_its_own_words(
    settings: dict[str, Any], trouble: Callable[[Radio], None] | None, error: type[Any]
) -> None:
    async def story(radio: Radio) -> None:
        if trouble:
            trouble(radio)
        radio.modem.cell.registration_ms = 300
        with pytest.raises(error) as caught:
            await radio.modem.connect("internet")
        assert radio.modem.trouble == caught.value.code
        assert not radio.modem.attached
        assert radio.modem.retry_ms == 10000
        restarted = [line for line in radio.logged if line == "modem: power key"]
        assert bool(restarted) == caught.value.climb

    Radio(seed=3, **settings).run(story)


def test_where_there_is_no_cell_the_modem_is_asked_less_and_less_often() -> None:
    async def story(radio: Radio) -> None:
        cell = radio.modem.cell
        cell.registration_ms, cell.step_ms = 1000, 20
        heard: list[bytes] = []
        radio.sim800.line.transcript = lambda who, data: heard.append(bytes(data))
        with pytest.raises(no_link.NoCoverage):
            await radio.modem.connect("internet")
        asked = b"".join(heard).count(b"AT+CREG?")
        evenly = 3 * cell.registration_ms // cell.step_ms  # on each of three rungs
        assert 6 <= asked <= evenly // 2

    Radio(seed=3, coverage=False).run(story)


def test_a_card_put_in_later_is_found_at_the_next_attempt() -> None:
    async def story(radio: Radio) -> None:
        with pytest.raises(no_link.NoSim):
            await radio.modem.connect("internet")
        radio.network.insert_sim()
        await radio.modem.connect("internet")
        assert radio.modem.attached
        assert radio.modem.retry_ms == 5000

    Radio(seed=4, sim_inserted=False).run(story)


def test_a_dead_modem_is_reported_and_not_waited_for_without_end() -> None:
    async def story(radio: Radio) -> None:
        radio.sim800.on_power(False)
        with pytest.raises(no_link.NoModem):
            await radio.modem.connect("internet")

    Radio(seed=5).run(story)


def test_service_comes_back_after_the_network_took_the_data_context() -> None:
    async def story(radio: Radio) -> None:
        await radio.modem.connect("internet")
        radio.network.deactivate_pdp()
        await asyncio.sleep(0.05)
        radio.modem.poll()
        assert not radio.modem.attached
        await radio.modem.connect("internet")
        assert radio.modem.attached
        assert radio.key.presses == 1

    Radio(seed=6).run(story)


def test_coverage_that_returns_in_time_ends_the_search() -> None:
    async def story(radio: Radio) -> None:
        heard = bytearray()
        radio.sim800.line.transcript = lambda who, data: heard.extend(data)
        connecting = asyncio.ensure_future(radio.modem.connect("internet"))
        while b"AT+CREG?" not in heard:
            await asyncio.sleep(0.01)
        radio.network.set_coverage(True)
        await connecting

    Radio(seed=7, coverage=False).run(story)


def test_a_cpu_that_was_reset_in_the_middle_of_a_send_gets_its_modem_back() -> None:
    async def story(radio: Radio) -> None:
        listener = await asyncio.start_server(lambda r, w: None, "127.0.0.1", 0)
        await radio.modem.connect("internet")
        await radio.modem.open("127.0.0.1", listener.sockets[0].getsockname()[1])
        radio.uart.write(b"AT+CIPSEND=900\r")
        await asyncio.sleep(0.1)
        radio.uart.write(b"half a message")
        after_reset = type(radio.modem)(radio.uart, radio.key, radio.logged.append)
        after_reset.cell.step_ms = 20
        await after_reset.connect("internet")
        assert after_reset.attached
        assert radio.key.presses == 1
        listener.close()

    Radio(seed=8).run(story)


def test_a_technician_is_told_what_to_do_about_each_of_them() -> None:
    found = [errors.ModemError]
    for error in found:
        found += error.__subclasses__()
    assert {error.code for error in found} == set(advice.TEXTS)


def test_refresh_follows_signal_and_coverage() -> None:
    async def story(radio: Radio) -> None:
        await radio.modem.connect("internet")
        radio.network.set_signal(7)
        await radio.modem.refresh()
        assert (radio.modem.signal, radio.modem.registered) == (7, True)
        radio.network.set_coverage(False)
        await asyncio.sleep(0.2)
        await radio.modem.refresh()
        assert (radio.modem.signal, radio.modem.registered) == (99, False)

    Radio(seed=10).run(story)


async def _echo_server(handler: Callable[..., Awaitable[None]]) -> tuple[asyncio.Server, int]:
    server = await asyncio.start_server(handler, "127.0.0.1", 0)
    return server, server.sockets[0].getsockname()[1]


def test_bytes_come_back_whole_through_small_reads_and_a_closing_server() -> None:
    sent = bytes(range(256)) * 17 + b"\r\nCLOSED\r\nOK\r\n> "

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await reader.readexactly(len(sent)))
        await writer.drain()
        writer.close()

    async def story(radio: Radio) -> None:
        server, port = await _echo_server(echo)
        await radio.modem.connect("internet")
        await radio.modem.open("127.0.0.1", port)
        await radio.modem.send(sent)
        got = bytearray()
        while piece := bytes(await radio.modem.receive(1000, 2000)):
            assert len(piece) <= 512
            got += piece
        assert bytes(got) == sent
        assert not radio.modem.connected
        server.close()

    Radio(seed=11).run(story)


def test_a_refused_connection_is_a_link_error_and_two_requests_in_vain_renew_the_context() -> None:
    async def story(radio: Radio) -> None:
        await radio.modem.connect("internet")
        radio.network.refuse_connects(2)
        for still_attached in (True, False):
            with pytest.raises(errors.LinkError):
                await radio.modem.open("127.0.0.1", 9)
            radio.modem.outcome(False)
            assert radio.modem.attached is still_attached

    Radio(seed=12).run(story)


def test_silence_ends_at_the_deadline_and_a_lost_context_at_once() -> None:
    async def story(radio: Radio) -> None:
        server, port = await _echo_server(lambda r, w: asyncio.sleep(0))
        await radio.modem.connect("internet")
        await radio.modem.open("127.0.0.1", port)
        with pytest.raises(errors.LinkTimeout):
            await radio.modem.receive(10, 100)
        radio.network.deactivate_pdp()
        assert bytes(await radio.modem.receive(10, 5000)) == b""
        with pytest.raises(errors.LinkError):
            await radio.modem.send(b"late")
        server.close()

    Radio(seed=13).run(story)


@pytest.mark.parametrize("name", ['x"', "x\r", "y" * 101])
def test_no_name_can_smuggle_a_command_to_the_modem(name: str) -> None:
    async def story(radio: Radio) -> None:
        await radio.modem.connect("internet")
        with pytest.raises(errors.LinkError):
            await radio.modem.open(name, 80)
        radio.modem.attached = False
        with pytest.raises(no_link.NoData):
            await start.bring_up(radio.modem, name)

    Radio(seed=14).run(story)
