"""Real MicroPython, started from the flash, drives every peripheral through the bus."""

from __future__ import annotations

import time

import pytest

from hw_sim.cpu import NAMES_HEAP_BYTES
from hw_sim.flash import NorFlash
from tests.hardware.conftest import UNIQUE_ID, MakeBoard
from tests.support.wire_peer import WirePeer

PROMPT = b">>> "


def run(make_board: MakeBoard, program: str, *expected: bytes, **options: object) -> bytes:
    """Run `program` on a board until it printed `expected`; what it printed before the REPL."""
    board = make_board(program, **options)
    board.power_on()
    for text in expected or (PROMPT,):
        board.wait_for_console(text)
    log: bytes = board.console_log
    assert b"Traceback" not in log, log.decode()
    return log.split(b"MicroPython ")[0]


def test_a_blank_board_stays_in_the_interpreters_own_repl(make_board: MakeBoard) -> None:
    board = make_board()
    board.power_on()
    board.wait_for_console(PROMPT)
    board.console_write(b"import sys; print(sys.implementation.name, sys.path)\r")
    board.wait_for_console(b"micropython ['.frozen']")


@pytest.mark.parametrize(
    "head",
    [
        b"\xd2\xcd\x31",  # the length is erased flash
        b"\xd2\xcd\x31\xff\xff\xff\xff\x7f",  # longer than any part
        b"\xd2\xcd\x31\x90\x80\x00",  # longer than the ROMFS partition
        b"\xd2\xcd\x32\x10",  # not the magic
    ],
)
def test_a_romfs_that_cannot_be_is_not_mounted(make_board: MakeBoard, head: bytes) -> None:
    flash = NorFlash(None)
    flash.damage(0, head)
    board = make_board(flash=flash)
    board.power_on()
    board.wait_for_console(PROMPT)
    assert b"Traceback" not in board.console_log


def test_a_program_that_raises_shows_why_and_leaves_the_repl(make_board: MakeBoard) -> None:
    board = make_board("1 / 0")
    board.power_on()
    board.wait_for_console(PROMPT)
    assert b"ZeroDivisionError" in board.console_log
    assert board.cpu_running


def test_the_program_sees_the_chip_and_no_host_computer(make_board: MakeBoard) -> None:
    program = """
import machine, os, sys
print("uid", machine.unique_id().hex(), machine.reset_cause() == machine.PWRON_RESET)
print("files", os.listdir("/"), sys.path)
try:
    open("/etc/passwd")
except OSError:
    print("no host files")
try:
    import hw_sim
except ImportError:
    print("no host modules")
"""
    printed = run(make_board, program)
    assert f"uid {UNIQUE_ID.hex()} True".encode() in printed
    assert b"files ['rom'] ['.frozen', '/rom', '/rom/lib']" in printed
    assert b"no host files" in printed
    assert b"no host modules" in printed


def test_the_program_has_the_boards_heap_and_not_more(make_board: MakeBoard) -> None:
    heap_bytes = 256 * 1024 + NAMES_HEAP_BYTES  # this program has none of the names to keep
    program = f"""
import gc
gc.collect()
print("free", gc.mem_free(), "free")
try:
    bytearray({heap_bytes})
except MemoryError:
    print("full")
"""
    printed = run(make_board, program)
    free_bytes = int(printed.split()[1])
    assert heap_bytes - 16 * 1024 < free_bytes <= heap_bytes
    assert b"full" in printed


def test_pins_reach_the_keypad_and_a_patient_finger_is_always_seen(make_board: MakeBoard) -> None:
    # A scanner so slow that a plain short press would fall between two looks.
    program = """
from machine import Pin
import time
rows = [Pin(n, Pin.OUT, value=1) for n in (6, 7, 8, 9)]
columns = [Pin(n, Pin.IN, Pin.PULL_UP) for n in (10, 11, 12, 13)]
last = None
typed = ""
print("ready")
while True:
    down = None
    for r, row in enumerate(rows):
        row.off()
        for c, column in enumerate(columns):
            if not column():
                down = "123A456B789C*0#D"[r * 4 + c]
        row.on()
    if down and down != last:
        typed += down
        print("typed", typed)
    last = down
    time.sleep_ms(60)
"""
    board = make_board(program, bounce=False)
    board.power_on()
    board.wait_for_console(b"ready")
    board.type("17#D", hold_ms=5)
    board.wait_for_console(b"typed 17#D")


def test_keys_that_do_not_exist_press_nothing(make_board: MakeBoard) -> None:
    board = make_board()
    with pytest.raises(ValueError, match="'EZ'"):
        board.type("12EZ")
    with pytest.raises(ValueError, match="no key"):
        board.press("E")
    assert not board.board.keypad.pressed


UART_PROGRAM = """
from machine import UART
import time
uart = UART(0, baudrate=115200)
uart.write(b"hello")
print("sent")
while uart.any() < %d:
    time.sleep_ms(5)
buf = bytearray(4)
print("into", uart.readinto(buf), bytes(buf))
rest = b""
while uart.any():
    rest += uart.read(100)
print("rest", len(rest), uart.read(1), uart.readinto(buf))
"""


def test_bytes_cross_a_uart_both_ways(make_board: MakeBoard) -> None:
    peer = WirePeer(answer=lambda data: b"<" + data + b">")
    printed = run(make_board, UART_PROGRAM % 7, modem=peer)
    assert peer.heard == b"hello"
    assert b"into 4 b'<hel'" in printed
    assert b"rest 3 None None" in printed
    assert peer.power == [True]


def test_a_fifo_that_nobody_empties_overflows(make_board: MakeBoard) -> None:
    peer = WirePeer(answer=lambda data: bytes(1500))
    board = make_board(UART_PROGRAM % 1024, modem=peer)
    board.power_on()
    board.wait_for_console(b"rest 1020 None")
    assert board.board.uarts[0].overflowed_bytes == 476


def test_asyncio_streams_wait_on_a_uart(make_board: MakeBoard) -> None:
    program = """
import asyncio
from machine import UART
async def main():
    stream = asyncio.StreamReader(UART(0, baudrate=115200))
    stream.write(b"ping\\n")
    await stream.drain()
    print("line", await asyncio.wait_for(stream.readline(), 5))
asyncio.run(main())
"""
    peer = WirePeer(answer=lambda data: b"pong\n")
    assert b"line b'pong\\n'" in run(make_board, program, modem=peer)


def test_a_throttled_uart_takes_the_wires_time(make_board: MakeBoard) -> None:
    program = """
from machine import UART
import time
uart = UART(1, baudrate=9600)
start = time.ticks_ms()
uart.write(bytes(96))
print("took", time.ticks_diff(time.ticks_ms(), start), "ms")
"""
    peer = WirePeer()
    printed = run(make_board, program, printer=peer, throttle_uarts=True)
    assert 98 <= int(printed.split()[1]) < 1000
    assert peer.heard == bytes(96)


def test_the_power_key_reaches_the_modem_and_is_let_go_by_a_reset(make_board: MakeBoard) -> None:
    program = """
from machine import Pin
key = Pin(15, Pin.OUT, value=1)
key.off()
print("pressed", key.value())
"""
    peer = WirePeer()
    board = make_board(program, modem=peer)
    board.power_on()
    board.wait_for_console(PROMPT)
    assert peer.key == [False, True]
    board.power_off()
    assert peer.key == [False, True, False]
    assert peer.power == [True, False]


def test_the_display_shows_what_goes_over_spi_while_it_is_selected(make_board: MakeBoard) -> None:
    program = """
from machine import Pin, SPI
spi = SPI(0, baudrate=8_000_000)
dc = Pin(17, Pin.OUT, value=0)
cs = Pin(18, Pin.OUT, value=1)
rst = Pin(16, Pin.OUT, value=1)
spi.write(b"\\xae\\xae\\xae")
cs.off()
rst.off()
spi.write(b"\\xae\\xae\\xae")
rst.on()
spi.write(bytes((0x8d, 0x14, 0xa1, 0xc8, 0x20, 0, 0xaf)))
dc.on()
spi.write(bytes(1024))
spi.write(b"\\x01")
cs.on()
print("drawn")
"""
    board = make_board(program)
    board.power_on()
    board.wait_for_console(PROMPT)
    rows = board.lcd_picture().rows
    assert rows[0][0] == 1
    assert sum(map(sum, rows)) == 1
    assert (board.board.lcd.command_bytes, board.board.lcd.data_bytes) == (7, 1025)


def test_battery_charger_clock_and_buzzer(make_board: MakeBoard) -> None:
    program = """
from machine import ADC, PWM, RTC, Pin
print("mv", ADC(0).read_u16() * 6600 // 65535, ADC(Pin(26)).read_u16() * 6600 // 65535)
print("charger", Pin(19, Pin.IN).value())
rtc = RTC()
rtc.datetime((2030, 2, 28, 0, 23, 59, 58, 0))
print("time", rtc.datetime())
tone = PWM(Pin(20), freq=1000, duty_u16=32768)
tone.freq(2000)
tone.deinit()
"""
    board = make_board(program)
    board.battery.set_mv(3700)
    board.battery.set_charging(True)
    board.power_on()
    board.wait_for_console(PROMPT)
    printed = board.console_log
    assert b"mv 3699 3699" in printed or b"mv 3700 3700" in printed
    assert b"charger 1" in printed
    assert b"time (2030, 2, 28, 3, 23, 59" in printed, "a Thursday"
    assert [tone.frequency_hz for tone in board.board.buzzer.tones] == [1000, 2000, 0]


def test_what_is_not_on_the_board_is_refused_in_words(make_board: MakeBoard) -> None:
    program = """
import machine
from machine import ADC, PWM, RTC, SPI, UART, WDT, Pin
for what in (
    lambda: Pin(30), lambda: Pin(3, 7), lambda: ADC(2), lambda: UART(2), lambda: SPI(1),
    lambda: WDT(timeout=8389), lambda: WDT(timeout=0), lambda: UART(0, baudrate=1),
    lambda: RTC().datetime((2030, 2, 30, 0, 0, 0, 0, 0)), lambda: PWM(Pin(5)).freq(),
    lambda: machine._call(0x99), lambda: machine._call(0x01),
):
    try:
        print("got", what())
    except ValueError as error:
        print("refused:", error)
"""
    printed = run(make_board, program)
    assert printed.count(b"refused: ") == 11
    assert b"refused: no pin GP30" in printed
    assert b"refused: the watchdog counts 1 to 8388 ms, not 8389" in printed
    assert printed.count(b"got 0") == 1


def test_the_flash_driver_reads_programs_erases_maps_and_locks(make_board: MakeBoard) -> None:
    program = """
from norflash import Flash
flash = Flash()
A = 0x100000
view = flash.mapped(A, 8192)
print("blank", bytes(view[:4]), flash.size_bytes)
flash.program(A + 254, b"\\x12\\x34")
flash.program(A + 254, b"\\x30")
print("mapped", bytes(view[254:256]))
big = bytearray(40000)
flash.read_into(A + 250, big)
print("read", bytes(big[:8]))
flash.erase(A)
print("erased", bytes(view[254:256]))
flash.lock(0x40000)
for what in (
    lambda: flash.program(A + 255, b"\\0\\0"), lambda: flash.program(0x3ffff, b"\\0"),
    lambda: flash.erase(0), lambda: flash.erase(A + 1), lambda: flash.erase(1 << 22),
    lambda: flash.read_into((1 << 22) - 1, bytearray(2)), lambda: flash.mapped(1 << 22, 1),
    lambda: flash.mapped(-1, 1), lambda: flash.lock(5),
):
    try:
        print("got", what())
    except OSError as error:
        print("refused", error.errno)
"""
    printed = run(make_board, program)
    assert rb"blank b'\xff\xff\xff\xff' 4194304" in printed
    assert rb"mapped b'\x104'" in printed
    assert rb"read b'\xff\xff\xff\xff\x104\xff\xff'" in printed
    assert rb"erased b'\xff\xff'" in printed
    numbers = [line.split()[1] for line in printed.splitlines() if line.startswith(b"refused")]
    assert numbers == [b"22", b"30", b"30", b"22", b"22", b"22", b"22", b"22", b"22"]


def test_an_idle_keypad_scan_is_cheap_on_the_bus(make_board: MakeBoard) -> None:
    program = """
from machine import Pin
import time
rows = [Pin(n, Pin.OUT, value=0) for n in (6, 7, 8, 9)]
columns = [Pin(n, Pin.IN, Pin.PULL_UP) for n in (10, 11, 12, 13)]
start = time.ticks_us()
for _ in range(500):
    for row in rows:
        row.off()
        for column in columns:
            column()
        row.on()
print("us", time.ticks_diff(time.ticks_us(), start) // 500)
"""
    started_s = time.monotonic()
    printed = run(make_board, program)
    assert int(printed.split()[1]) < 20_000, "a scan every 20 ms must stay possible"
    assert time.monotonic() - started_s < 15
