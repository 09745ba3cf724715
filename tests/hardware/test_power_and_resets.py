"""The CPU dies and starts as a chip does: power, watchdog, resets, crashes, brown-out."""

from __future__ import annotations

import os
import signal
import socket
import struct
import time
from pathlib import Path

import pytest

from hw_sim.cpu import InterpreterError
from hw_sim.flash import CutMoment, FlashFileError, NorFlash
from hw_sim.loop_thread import LoopThread
from hw_sim.threaded import SimulatedBoard
from tests.hardware.conftest import UNIQUE_ID, MakeBoard

PROMPT = b">>> "

CAUSE = "import machine\nprint('cause', machine.reset_cause())\n"


def test_machine_reset_starts_the_cpu_again_with_cause_soft(make_board: MakeBoard) -> None:
    board = make_board(
        CAUSE
        + "if machine.reset_cause() == machine.PWRON_RESET:\n    machine.reset()\nprint('end')"
    )
    board.power_on()
    board.wait_for_console(b"end")
    assert board.resets == ["power_on", "soft"]


def test_an_unfed_watchdog_resets_and_a_fed_one_does_not(make_board: MakeBoard) -> None:
    program = CAUSE + (
        "import time\n"
        "if machine.reset_cause() == machine.PWRON_RESET:\n"
        "    dog = machine.WDT(timeout=700)\n"
        "    for _ in range(12):\n"
        "        time.sleep_ms(70)\n"
        "        dog.feed()\n"
        "    print('fed for long')\n"
        "    while True:\n"
        "        pass\n"
    )
    board = make_board(program)
    board.power_on()
    board.wait_for_console(b"cause 3")
    assert b"fed for long" in board.console_log
    assert board.resets == ["power_on", "watchdog"]
    board.wait_for_console(PROMPT)
    time.sleep(0.8)
    assert board.resets == ["power_on", "watchdog"], "a reset stops the watchdog"


def test_a_watchdog_may_be_stretched_for_slow_hosts(make_board: MakeBoard) -> None:
    board = make_board("import machine\nmachine.WDT(timeout=1)\n", watchdog_stretch=1000)
    board.power_on()
    board.wait_for_console(PROMPT)
    assert board.resets == ["power_on"]


def test_a_crashed_cpu_stays_dead_until_power_or_watchdog(make_board: MakeBoard) -> None:
    board = make_board()
    board.power_on()
    board.wait_for_console(PROMPT)
    pid = board.board.cpu_pid
    assert pid is not None
    os.kill(pid, signal.SIGSEGV)
    board.wait_for(lambda: board.board.cpu_faulted, 5)
    assert not board.cpu_running
    assert board.resets == ["power_on"]
    board.power_cycle()
    board.wait_for(lambda: board.console_log.count(PROMPT) == 2, 5)
    assert board.resets == ["power_on", "power_on"]


def test_the_watchdog_wakes_a_crashed_cpu(make_board: MakeBoard) -> None:
    program = CAUSE + (
        "if machine.reset_cause() == machine.PWRON_RESET:\n"
        "    machine.WDT(timeout=300)\n"
        "    print('armed')\n"
    )
    board = make_board(program)
    board.power_on()
    board.wait_for_console(b"armed")
    pid = board.board.cpu_pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    board.wait_for_console(b"cause 3")


def test_a_program_that_exits_is_a_soft_reset(make_board: MakeBoard) -> None:
    board = make_board(
        CAUSE + "import sys\nif machine.reset_cause() == machine.PWRON_RESET:\n"
        "    sys.exit()\nprint('end')"
    )
    board.power_on()
    board.wait_for_console(b"end")
    assert board.resets == ["power_on", "soft"]
    assert b"MPY: soft reboot" in board.console_log


def test_the_reset_button_is_a_hard_reset(make_board: MakeBoard) -> None:
    board = make_board(CAUSE)
    board.reset_button()
    assert board.resets == [], "without supply it does nothing"
    board.power_on()
    board.wait_for_console(b"cause 1")
    board.reset_button()
    board.wait_for_console(b"cause 2")


def test_a_weak_battery_holds_the_cpu_and_a_charger_lets_it_go(make_board: MakeBoard) -> None:
    board = make_board(CAUSE)
    board.power_on()
    board.wait_for_console(b"cause 1")
    board.battery.set_mv(2899)
    assert not board.cpu_running
    board.battery.set_mv(2950)
    assert not board.cpu_running, "hysteresis"
    board.battery.set_charging(True)
    board.wait_for_console(b"cause 6")
    assert board.resets == ["power_on", "brownout"]


def test_a_board_switched_on_with_a_weak_battery_waits(make_board: MakeBoard) -> None:
    board = make_board(CAUSE)
    board.battery.set_mv(2000)
    board.power_on()
    assert not board.cpu_running
    board.reset_button()
    assert not board.cpu_running
    board.battery.set_mv(4000)
    board.wait_for_console(b"cause 6")


CUT_PROGRAM = """
from norflash import Flash
flash = Flash()
flash.lock(0x1000)
n = 0
for page in range(0x100000, 0x100000 + 8 * 256, 256):
    flash.program(page, bytes(256))
    n += 1
    print("done", n)
print("all done")
"""


@pytest.mark.parametrize(("how", "left"), [("before", 0), ("torn", 128), ("after", 256)])
def test_power_goes_at_the_named_flash_operation_and_the_cpu_never_hears(
    make_board: MakeBoard, how: CutMoment, left: int
) -> None:
    board = make_board(CUT_PROGRAM)
    board.cut_power_at_flash_operation(3, how)
    board.power_on()
    board.wait_for(lambda: not board.board.powered, 10)
    cells = board.flash.read(0x100000, 3 * 256)
    assert cells == bytes(512 + left) + b"\xff" * (256 - left)
    assert b"done 2" in board.console_log
    assert b"done 3" not in board.console_log
    assert not board.cpu_running
    assert board.flash.operations == 3
    assert board.flash.locked_end_address == 0, "protection is volatile"
    assert [event.kind for event in board.events][-2:] == ["flash cut", "power"]
    board.power_on()
    board.wait_for_console(b"all done")


def test_pulling_the_battery_at_any_instant_leaves_whole_operations(
    tmp_path: Path, make_board: MakeBoard
) -> None:
    program = """
from norflash import Flash
flash = Flash()
print("start")
while True:
    for page in range(0x100000, 0x102000, 256):
        flash.program(page, bytes(256))
    flash.erase(0x100000)
    flash.erase(0x101000)
"""
    with NorFlash(tmp_path / "flash.bin") as flash:
        board = make_board(program, flash=flash)
        for attempt in range(5):
            board.power_on()
            board.wait_for(lambda n=attempt: board.console_log.count(b"start") > n, 10)  # type: ignore[misc]
            board.power_off()
            operations = flash.operations
            cells = (tmp_path / "flash.bin").read_bytes()[0x100000:0x102000]
            pages = {cells[at : at + 256] for at in range(0, len(cells), 256)}
            assert pages <= {bytes(256), b"\xff" * 256}
            time.sleep(0.02)
            assert flash.operations == operations, "a dead CPU does nothing more"


def test_a_cut_off_cpu_leaves_no_process(make_board: MakeBoard) -> None:
    board = make_board("while True:\n    pass\n")
    board.power_on()
    pid = board.board.cpu_pid
    assert pid is not None
    board.power_off()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_board_that_vanishes_takes_its_cpu_along(make_board: MakeBoard) -> None:
    program = """
import machine
pin = machine.Pin(3)
print("running")
while True:
    try:
        pin.value()
    except BaseException:
        pass
"""
    board = make_board(program)
    board.power_on()
    board.wait_for_console(b"running")
    board.call(board.board.bus.cut_off)
    board.wait_for(lambda: not board.cpu_running, 5)


def test_a_stranger_on_the_bus_is_shown_the_door(make_board: MakeBoard) -> None:
    board = make_board("import time\nprint('up')\nwhile True:\n    time.sleep(1)\n")
    board.power_on()
    board.wait_for_console(b"up")
    request = struct.pack("<BBHII", 1, 0, 5, 0, 0) + b"guess"
    with socket.create_connection(("127.0.0.1", board.board.bus.port), timeout=5) as stranger:
        stranger.sendall(request)
        try:
            assert stranger.recv(1) == b""
        except ConnectionResetError:
            pass
    assert "bus" in [event.kind for event in board.events]
    assert board.cpu_running


def test_switching_on_twice_is_once(make_board: MakeBoard) -> None:
    board = make_board()
    board.power_on()
    board.power_on()
    board.power_off()
    board.power_off()
    assert board.resets == ["power_on"]


def test_two_boards_share_one_event_loop() -> None:
    thread = LoopThread()
    try:
        boards = [
            SimulatedBoard(NorFlash(None), unique_id=bytes([n]) * 8, loop_thread=thread)
            for n in (1, 2)
        ]
        for board in boards:
            board.power_on()
        for board in boards:
            board.wait_for_console(PROMPT)
            board.close()
            board.close()
    finally:
        thread.close()


def test_a_board_that_cannot_be_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="8 bytes"):
        SimulatedBoard(NorFlash(None), unique_id=b"short")
    small = tmp_path / "small.bin"
    small.write_bytes(b"x")
    with pytest.raises(FlashFileError):
        SimulatedBoard(small, unique_id=UNIQUE_ID)
    with (
        SimulatedBoard(NorFlash(None), unique_id=UNIQUE_ID, interpreter="/nonexistent") as board,
        pytest.raises(InterpreterError, match="nonexistent"),
    ):
        board.power_on()


def test_waiting_in_vain_says_what_the_board_looked_like(make_board: MakeBoard) -> None:
    board = make_board("print('here I am')")
    board.power_on()
    board.wait_for_console(PROMPT)
    with pytest.raises(TimeoutError) as error:
        board.wait_for(lambda: False, 0.05, what="a miracle")
    for text in ("a miracle", "here I am", "power_on", "display: blank"):
        assert text in str(error.value)
