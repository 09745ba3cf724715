"""Drops, stalls, outages, loss and slowness of the data link, with a real server behind it."""

from __future__ import annotations

import asyncio
import dataclasses
import random
import re

import pytest

from hw_sim.network.gsm import GsmNetwork
from hw_sim.network.link import GPRS, POOR_GPRS, WIRE, LinkProfile
from hw_sim.network.sim_card import Registration, SimCard
from tests.support.at_person import TIME_SCALE, AtPerson, Server, echo, run

DOCUMENT = random.Random(5).randbytes(12_000)


async def _document_server(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Sends the document from the offset asked for ("from 123\\n"), then ends the connection."""
    line = await reader.readline()
    writer.write(DOCUMENT[int(line.split()[1]) :])
    await writer.drain()


async def _download(person: AtPerson, port: int, have: bytes) -> bytes:
    """Ask for the rest of the document; what is held when the connection or the context ends."""
    await person.connect(port)
    await person.send(b"from %d\n" % len(have))
    closed = False
    while True:
        person.type(b"AT+CIPRXGET=2,1460\r")
        answer = await person.read_until(r"(\+CIPRXGET: 2,\d+,\d+\r\n|ERROR\r\n)")
        if "ERROR" in answer:
            return have
        count, left = (int(n) for n in answer.rstrip().rpartition(" ")[2].split(",")[1:])
        body = await person.read_until(f".{{{count}}}\r\nOK\r\n")
        have += body[:count].encode("latin-1")
        if count == 0 and left == 0:
            if closed:
                return have
            # what came between the empty answer and the close is still to be read
            closed = "TCP CLOSED" in await _state(person)
            await asyncio.sleep(0.002)


async def _state(person: AtPerson) -> str:
    person.type(b"AT+CIPSTATUS\r")
    return await person.read_until(r"STATE: [^\r]+\r\n")


def test_the_context_drops_after_the_bytes_asked_for_and_the_download_goes_on_from_there() -> None:
    async def scenario() -> None:
        async with Server(_document_server) as server:
            network = GsmNetwork(time_scale=TIME_SCALE, seed=9)
            person = AtPerson(network)
            await person.bring_up()
            network.drop_after_bytes(8000)  # more than the modem holds unread
            have = await _download(person, server.port, b"")
            assert "PDP DEACT" in await _state(person)
            assert 0 < len(have) <= 8000
            assert have == DOCUMENT[: len(have)]
            assert "ERROR" in await person.say(f'AT+CIPSTART="TCP","127.0.0.1",{server.port}')

            assert "SHUT OK" in await person.say("AT+CIPSHUT")
            await person.say('AT+CSTT="internet"')
            await person.say("AT+CIICR")
            person.type(b"AT+CIFSR\r")
            await person.read_until(r"10\.\d+\.\d+\.2\r\n")
            assert await _download(person, server.port, have) == DOCUMENT

    run(scenario())


def test_a_drop_strikes_once_and_at_the_same_byte_every_time() -> None:
    async def delivered(seed: int) -> int:
        network = GsmNetwork(time_scale=TIME_SCALE, seed=seed)
        async with Server(_document_server) as server:
            person = AtPerson(network)
            await person.bring_up(manual=False)
            await person.connect(server.port)
            network.drop_after_bytes(777)
            await person.send(b"from 0\n")
            said = await person.read_until(r"\r\n\+PDP: DEACT\r\n")
            return len(said) - len("\r\n+PDP: DEACT\r\n")

    async def scenario() -> None:
        assert [await delivered(seed) for seed in (1, 1, 2)] == [777, 777, 777]

    run(scenario())


def test_the_server_sees_its_connection_die() -> None:
    async def scenario() -> None:
        async with Server(echo) as server:
            network = GsmNetwork(time_scale=TIME_SCALE)
            person = AtPerson(network)
            await person.bring_up()
            await person.connect(server.port)
            await person.send(b"x")
            network.deactivate_pdp()
            await person.read_until(r"\+PDP: DEACT\r\n")
            await asyncio.sleep(0.05)
            assert server.endings == ["ConnectionResetError"]

    run(scenario())


def test_a_drop_while_the_answer_to_a_send_is_awaited_is_send_fail() -> None:
    async def scenario() -> None:
        async with Server(echo) as server:
            network = GsmNetwork(time_scale=TIME_SCALE)
            person = AtPerson(network)
            await person.bring_up()
            await person.connect(server.port)
            network.stall(1000)
            person.type(b"AT+CIPSEND=400\r")
            await person.read_until("> ")
            person.type(b"v" * 400)
            await network.pace.sleep(1)
            network.deactivate_pdp()
            said = await person.read_until("SEND FAIL\r\n")
            assert "+PDP: DEACT" in said

    run(scenario())


def test_a_connection_reset_between_is_closed_and_a_new_one_works() -> None:
    async def scenario() -> None:
        async with Server(echo) as server:
            network = GsmNetwork(time_scale=TIME_SCALE)
            person = AtPerson(network)
            await person.bring_up()
            await person.connect(server.port)
            network.reset_connections()
            await person.read_until("\r\nCLOSED\r\n")
            await person.connect(server.port)
            await person.send(b"again")
            assert await person.receive_exactly(5) == b"again"

    run(scenario())


def test_a_connection_closed_at_the_prompt_ends_in_send_fail() -> None:
    async def scenario() -> None:
        async with Server(echo) as server:
            network = GsmNetwork(time_scale=TIME_SCALE)
            person = AtPerson(network)
            await person.bring_up()
            await person.connect(server.port)
            person.type(b"AT+CIPSEND=5\r")
            await person.read_until("> ")
            network.reset_connections()
            await person.read_until("\r\nCLOSED\r\n")
            person.type(b"hello")
            await person.read_until("\r\nSEND FAIL\r\n")
            assert network.traffic.payload_up_bytes == 0

    run(scenario())


def test_a_short_outage_delays_and_loses_nothing() -> None:
    async def scenario() -> None:
        async with Server(echo) as server:
            network = GsmNetwork(time_scale=TIME_SCALE, pdp_survives_outage_s=1000)
            person = AtPerson(network)
            await person.bring_up()
            await person.say("AT+CREG=1")
            await person.connect(server.port)
            network.set_coverage(False)
            await person.read_until(r"\+CREG: 2\r\n")
            person.type(b"AT+CIPSEND=4\r")
            await person.read_until("> ")
            person.type(b"wait")
            await network.pace.sleep(10)
            assert "SEND" not in person.unread()
            network.set_coverage(True)
            await person.read_until("SEND OK")
            assert await person.receive_exactly(4) == b"wait"

    run(scenario())


def test_a_long_outage_costs_the_data_context() -> None:
    async def scenario() -> None:
        async with Server(echo) as server:
            network = GsmNetwork(time_scale=50, pdp_survives_outage_s=20)
            person = AtPerson(network)
            await person.bring_up()
            await person.connect(server.port)
            network.set_coverage(False)
            await network.pace.sleep(5)
            assert person.modem.ip_state == "CONNECT OK"
            await person.read_until(r"\+PDP: DEACT\r\n")
            assert person.modem.ip_state == "PDP DEACT"

    run(scenario())


def test_sending_into_an_outage_gives_up_in_the_end() -> None:
    async def scenario() -> None:
        async with Server(echo) as server:
            network = GsmNetwork(
                time_scale=TIME_SCALE, pdp_survives_outage_s=10_000, tcp_gives_up_s=20
            )
            person = AtPerson(network)
            await person.bring_up()
            await person.connect(server.port)
            network.set_coverage(False)
            assert "SEND FAIL" in await person.send(b"lost")

    run(scenario())


def test_connecting_without_coverage_fails_in_bounded_time() -> None:
    async def scenario() -> None:
        network = GsmNetwork(time_scale=TIME_SCALE, pdp_survives_outage_s=10_000, tcp_gives_up_s=20)
        person = AtPerson(network)
        await person.bring_up()
        network.set_coverage(False)
        await person.say('AT+CIPSTART="TCP","127.0.0.1",9')
        await person.read_until("CONNECT FAIL")

    run(scenario())


def test_a_refused_connection_fails_and_the_next_one_works() -> None:
    async def scenario() -> None:
        async with Server(echo) as server:
            network = GsmNetwork(time_scale=TIME_SCALE)
            person = AtPerson(network)
            await person.bring_up()
            network.refuse_connects(1)
            await person.say(f'AT+CIPSTART="TCP","127.0.0.1",{server.port}')
            await person.read_until("CONNECT FAIL\r\n")
            await person.connect(server.port)

    run(scenario())


def test_a_stall_shows_no_sign_and_passes() -> None:
    async def scenario() -> None:
        async with Server(echo) as server:
            network = GsmNetwork(time_scale=TIME_SCALE)
            person = AtPerson(network)
            await person.bring_up()
            await person.connect(server.port)
            network.stall(20)
            begin_s = network.pace.now_s()
            assert "SEND OK" in await person.send(b"slow")
            assert network.pace.now_s() - begin_s >= 20
            assert "+CSQ: 20" in await person.say("AT+CSQ")

    run(scenario())


def test_a_lossy_link_delays_and_corrupts_nothing() -> None:
    async def scenario() -> None:
        async with Server(_document_server) as server:
            link = dataclasses.replace(POOR_GPRS, loss=0.4)
            network = GsmNetwork(time_scale=1000, link=link, seed=4, tcp_gives_up_s=10_000)
            person = AtPerson(network)
            await person.bring_up()
            assert await _download(person, server.port, b"") == DOCUMENT
            assert network.traffic.retransmitted_bytes > 0

    run(scenario())


def test_the_link_is_as_slow_as_it_says() -> None:
    async def scenario() -> None:
        async with Server(_document_server) as server:
            link = LinkProfile(downlink_bytes_per_s=4000, latency_ms=100, jitter_ms=0)
            network = GsmNetwork(time_scale=20, link=link)
            person = AtPerson(network)
            await person.bring_up()
            begin_s = network.pace.now_s()
            assert await _download(person, server.port, b"") == DOCUMENT
            assert network.pace.now_s() - begin_s >= len(DOCUMENT) / 4000

    run(scenario())


def test_received_data_comes_in_pieces_of_the_size_asked_for() -> None:
    async def scenario() -> None:
        async with Server(_document_server) as server:
            link = LinkProfile(
                downlink_bytes_per_s=1e6,
                latency_ms=0,
                jitter_ms=0,
                smallest_chunk_bytes=1,
                largest_chunk_bytes=7,
            )
            network = GsmNetwork(time_scale=TIME_SCALE, link=link)
            person = AtPerson(network)
            await person.bring_up(manual=False)
            await person.say("AT+CIPHEAD=1")
            await person.connect(server.port)
            await person.send(b"from 11000\n")
            said = await person.read_until("\r\nCLOSED\r\n")
            sizes = [int(n) for n in re.findall(r"\r\n\+IPD,(\d+):", said)]
            assert sum(sizes) == 1000
            assert set(sizes) <= set(range(1, 8))
            assert len(set(sizes)) > 1

    run(scenario())


def test_detaching_and_denial_take_the_context_away() -> None:
    async def scenario() -> None:
        network = GsmNetwork(time_scale=TIME_SCALE)
        person = AtPerson(network)
        await person.bring_up()
        assert "+PDP: DEACT" in await person.say("AT+CGATT=0")
        assert "+CGATT: 0" in await person.say("AT+CGATT?")
        await person.say("AT+CIPSHUT")
        assert "OK" in await person.say("AT+CGATT=1")
        await person.say('AT+CSTT="internet"')
        assert "OK" in await person.say("AT+CIICR")
        network.set_admission(Registration.DENIED)
        await person.read_until(r"\+PDP: DEACT\r\n")

    run(scenario())


def test_two_connections_of_one_run_share_the_counters() -> None:
    async def scenario() -> None:
        async with Server(echo) as server:
            network = GsmNetwork(time_scale=TIME_SCALE, link=WIRE)
            person = AtPerson(network)
            await person.bring_up()
            for _ in range(2):
                await person.connect(server.port)
                await person.send(b"12345")
                await person.receive_exactly(5)
                await person.say("AT+CIPCLOSE")
            assert network.traffic.connections == 2
            assert network.traffic.payload_up_bytes == network.traffic.payload_down_bytes == 10
            total = network.traffic.modelled_total_bytes
            assert total == 20 + network.traffic.modelled_overhead_bytes

    run(scenario())


@pytest.mark.parametrize(
    "change",
    [
        {"downlink_bytes_per_s": 0},
        {"uplink_bytes_per_s": -1},
        {"loss": 1.0},
        {"smallest_chunk_bytes": 0},
        {"largest_chunk_bytes": 5000},
    ],
)
def test_an_impossible_link_is_refused(change: dict[str, float]) -> None:
    values = {**GPRS.__dict__, **change}
    with pytest.raises(ValueError, match=r"link|loss|chunks"):
        LinkProfile(**values)


def test_impossible_network_settings_are_refused() -> None:
    network = GsmNetwork(sim=SimCard())
    with pytest.raises(ValueError, match="signal"):
        network.set_signal(40)
    with pytest.raises(ValueError, match="admits"):
        network.set_admission(Registration.SEARCHING)
    with pytest.raises(ValueError, match="drop"):
        network.drop_after_bytes(-1)
    with pytest.raises(ValueError, match="time_scale"):
        GsmNetwork(time_scale=0)
