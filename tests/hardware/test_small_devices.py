"""Battery, clock, buzzer, pins and UART wires, each with what they refuse."""

from __future__ import annotations

import random
from datetime import UTC, datetime

import pytest

from hw_sim.battery import Battery
from hw_sim.buzzer import Buzzer
from hw_sim.gpio import GpioBank, Mode, Pull
from hw_sim.rtc import DEAD_CELL_TIME, RealTimeClock
from hw_sim.serial_link import SerialLink
from tests.support.wire_peer import WirePeer


@pytest.mark.parametrize("mv", [0, 2900, 3600, 4200])
def test_the_adc_sees_half_the_battery_to_a_few_millivolts(mv: int) -> None:
    battery = Battery(divider=2, reference_mv=3300)
    battery.set_mv(mv)
    assert abs(battery.adc_u16() * 3300 * 2 / 65535 - mv) < 2


@pytest.mark.parametrize("mv", [-1, 5001])
def test_a_battery_that_cannot_be_is_refused(mv: int) -> None:
    battery = Battery(divider=2, reference_mv=3300)
    with pytest.raises(ValueError, match="mV"):
        battery.set_mv(mv)
    assert battery.mv == 4000


def test_the_clock_runs_without_the_board_and_starts_at_2000_when_its_cell_is_dead() -> None:
    host = [1_790_000_000.0]
    rtc = RealTimeClock(lambda: host[0])
    rtc.set(datetime(2031, 5, 6, 7, 8, 9, tzinfo=UTC))
    host[0] += 60
    rtc.power_on()
    assert rtc.now() == datetime(2031, 5, 6, 7, 9, 9, tzinfo=UTC)
    rtc.cell_ok = False
    rtc.power_on()
    assert rtc.now() == DEAD_CELL_TIME
    rtc.shift(86400)
    assert rtc.now() == datetime(2000, 1, 2, tzinfo=UTC)


def test_a_year_the_clock_cannot_hold_is_refused() -> None:
    rtc = RealTimeClock(lambda: 0.0)
    for year in (1999, 2100):
        with pytest.raises(ValueError, match="2000 to 2099"):
            rtc.set(datetime(year, 1, 1, tzinfo=UTC))


def test_the_buzzer_notes_when_a_tone_begins_and_ends() -> None:
    now = iter([1.0, 2.0])
    buzzer = Buzzer(lambda: next(now))
    buzzer.drive(2000, 32768)
    buzzer.drive(2000, 32768)
    buzzer.drive(2000, 0)
    assert [(tone.time_s, tone.frequency_hz) for tone in buzzer.tones] == [(1.0, 2000), (2.0, 0)]


def test_a_pin_reads_what_drives_it_or_pulls_it() -> None:
    gpio = GpioBank()
    assert gpio.read(3) is False
    gpio.configure(3, Mode.IN, Pull.UP, None)
    assert gpio.read(3) is True
    gpio.configure(3, Mode.OUT, Pull.NONE, 1)
    assert gpio.read(3) is True
    gpio.write(3, False)
    assert gpio.read(3) is False
    gpio.configure(3, Mode.OPEN_DRAIN, Pull.UP, 1)
    assert gpio.read(3) is True


def test_a_device_sees_its_line_driven_and_let_go() -> None:
    gpio = GpioBank()
    seen: list[bool | None] = []
    gpio.tie_output(15, seen.append)
    gpio.configure(15, Mode.OUT, Pull.NONE, 1)
    gpio.write(15, False)
    gpio.write(15, False)
    gpio.reset()
    assert seen == [True, False, None]


@pytest.mark.parametrize("call", [(30, 0, 0), (-1, 0, 0), (5, 9, 0), (5, 0, 9)])
def test_a_pin_mode_or_pull_that_is_not_there_is_refused(call: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError):
        GpioBank().configure(*call, None)


def wire(peer: WirePeer, line_baud: int | None = None) -> SerialLink:
    return SerialLink(peer, fifo_bytes=16, line_baud=line_baud, rng=random.Random(1))


def test_the_fifo_overflows_and_keeps_the_oldest() -> None:
    peer = WirePeer()
    uart = wire(peer)
    uart.open(115200)
    peer.send(bytes(range(20)))
    peer.send(b"more")
    assert uart.read(100) == bytes(range(16))
    assert uart.overflowed_bytes == 8
    peer.send(b"room again")
    assert uart.read(4) == b"room"
    assert uart.waiting_bytes == 6


def test_bytes_to_a_closed_uart_are_lost_and_it_cannot_send() -> None:
    peer = WirePeer()
    uart = wire(peer)
    peer.send(b"early")
    assert uart.unheard_bytes == 5
    with pytest.raises(ValueError, match="not open"):
        uart.transmit(b"x")
    uart.open(9600)
    assert uart.waiting_bytes == 0
    peer.send(b"x")
    uart.reset()
    assert uart.waiting_bytes == 0


def test_the_wrong_rate_is_noise_both_ways() -> None:
    peer = WirePeer()
    uart = wire(peer, 9600)
    uart.open(115200)
    uart.transmit(b"hello printer")
    assert len(peer.heard) == 13
    assert peer.heard != b"hello printer"
    peer.send(b"\x12\x12\x12\x12")
    assert uart.read(4) != b"\x12\x12\x12\x12"
    uart.open(9700)
    uart.transmit(b"near enough")
    assert peer.heard.endswith(b"near enough")


@pytest.mark.parametrize("baud", [0, 49, 3_000_001])
def test_a_rate_the_chip_cannot_make_is_refused(baud: int) -> None:
    with pytest.raises(ValueError, match="baud"):
        wire(WirePeer()).open(baud)


def test_a_loose_wire_loses_so_many_bytes_whichever_way_they_go() -> None:
    peer = WirePeer()
    link = wire(peer)
    link.open(9600)
    link.drop(5)
    link.transmit(b"abc")
    link.receive(b"defg")
    assert (bytes(peer.heard), link.read(16)) == (b"", b"fg")
    link.transmit(b"hij")
    assert bytes(peer.heard) == b"hij"


def test_noise_on_a_wire_turns_one_bit_of_so_many_bytes() -> None:
    peer = WirePeer()
    link = wire(peer)
    link.open(9600)
    link.garble(2)
    link.transmit(b"abcd")
    flipped = [a ^ b for a, b in zip(peer.heard, b"abcd", strict=True)]
    assert [each.bit_count() for each in flipped] == [1, 1, 0, 0]
    link.receive(b"ef")
    assert link.read(16) == b"ef"


def test_bytes_that_a_loose_wire_lost_did_not_overflow() -> None:
    link = wire(WirePeer())
    link.open(9600)
    link.drop(4)
    link.receive(b"abcdef")
    assert (link.read(16), link.overflowed_bytes) == (b"ef", 0)
