"""A board on simulated time: hours in a moment, the same on a busy host, and never a hang."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hw_sim import simulated, simulated_loop
from hw_sim.qemu import QemuChip
from hw_sim.simulated import SimulatedPace, SimulatedThread, StuckError
from hw_sim.threaded import SimulatedBoard
from tests.hardware.conftest import MakeBoard

START_UNIX_S = 1_800_000_000
TWO_TASKS = """
import asyncio, time
async def tick(every_s, times):
    for n in range(times):
        print(every_s, n, time.ticks_ms() // 1000)
        await asyncio.sleep(every_s)
async def both():
    await asyncio.gather(tick(1800, 6), tick(3600, 3))
asyncio.run(both())
print("done", time.ticks_ms() // 1000)
time.sleep(1000000)
"""
MakeSimulated = Callable[..., SimulatedBoard]


@pytest.fixture
def make_simulated(make_board: MakeBoard) -> Iterator[MakeSimulated]:
    """As `make_board`, each board on a simulated thread of its own."""
    threads: list[SimulatedThread] = []
    boards: list[SimulatedBoard] = []

    def make(program: str | None, **options: Any) -> SimulatedBoard:
        thread = SimulatedThread()
        threads.append(thread)
        pace = SimulatedPace(thread, START_UNIX_S)
        boards.append(make_board(program, loop_thread=thread, pace=pace, **options))
        return boards[-1]

    yield make
    for board in boards:
        board.close()
    for thread in threads:
        thread.close()


def test_three_hours_of_two_tasks_take_no_time_to_speak_of(make_simulated: MakeSimulated) -> None:
    board = make_simulated(TWO_TASKS)
    begun_s = time.process_time()
    board.power_on()
    board.wait_for_console(b"done", timeout_s=4 * 3600)
    assert time.process_time() - begun_s < 30
    lines = board.console_log.decode().split("\r\n" if b"\r" in board.console_log else "\n")
    assert lines[0] == "1800 0 0" and lines[-2] == "done 10800"
    assert 10800 <= board.board.pace.now_s() < 10801


def test_while_nobody_waits_time_stands_still(make_simulated: MakeSimulated) -> None:
    board = make_simulated("import time\nwhile True:\n    time.sleep(1)\n")
    board.power_on()
    board.pause(10)
    before_s = board.board.pace.now_s()
    time.sleep(0.05)
    assert board.board.pace.now_s() == before_s == pytest.approx(10, abs=0.001)


def test_the_calendar_and_the_chips_clock_run_with_it(make_simulated: MakeSimulated) -> None:
    board = make_simulated(
        "import machine, time\ntime.sleep(86400)\nprint(machine.RTC().datetime())\ntime.sleep(99)\n"
    )
    board.power_on()
    board.wait_for_console(b")", timeout_s=90000)
    assert board.console_log.startswith(b"(2027, 1, 16, 5, 8, 0, ")


def test_a_program_that_polls_the_clock_passes_time_by_what_it_asks(
    make_simulated: MakeSimulated,
) -> None:
    board = make_simulated(
        "import time\nt = time.ticks_ms()\nwhile time.ticks_diff(time.ticks_ms(), t) < 2000:\n"
        "    pass\nprint('two seconds')\ntime.sleep(99)\n"
    )
    board.power_on()
    board.wait_for_console(b"two seconds", timeout_s=3)


def test_a_program_that_never_sleeps_is_bitten_by_its_watchdog(
    make_simulated: MakeSimulated, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(simulated, "SPINS_AFTER_CPU_S", 0.3)
    board = make_simulated(
        "import machine\nif machine.reset_cause() != 3:\n    machine.WDT(timeout=8000)\n"
        "    while True:\n        pass\nprint('back')\n"
    )
    board.power_on()
    board.wait_for_console(b"back", timeout_s=10)
    assert board.resets[:2] == ["power_on", "watchdog"]


def test_a_task_that_waits_for_ever_holds_up_nothing(make_simulated: MakeSimulated) -> None:
    board = make_simulated(
        "import asyncio\nasync def ever():\n    await asyncio.Event().wait()\n"
        "async def main():\n    asyncio.create_task(ever())\n    await asyncio.sleep(5 * 86400)\n"
        "    print('over')\n    await asyncio.sleep(5 * 86400)\n"
        "asyncio.run(main())\n"
    )
    board.power_on()
    board.pause(4 * 86400)
    assert b"over" not in board.console_log
    board.pause(3 * 86400)
    assert b"over" in board.console_log
    assert board.resets == ["power_on"]


def test_a_key_wakes_a_program_that_sleeps(make_simulated: MakeSimulated) -> None:
    program = """
import machine, time
row = machine.Pin(6, machine.Pin.OPEN_DRAIN, value=0)
column = machine.Pin(10, machine.Pin.IN, machine.Pin.PULL_UP)
column.irq(lambda pin: print("touched", time.ticks_ms() // 100), machine.Pin.IRQ_FALLING)
while True:
    machine.lightsleep(1000000)
    print("woken", column.value())
"""
    board = make_simulated(program, bounce=False)
    board.power_on()
    board.pause(5)
    board.hold("1")
    board.wait_for_console(b"woken 0", timeout_s=0.1)
    assert b"touched 50" in board.console_log


def test_bytes_on_a_uart_wake_a_program_that_sleeps(make_simulated: MakeSimulated) -> None:
    program = """
import machine, time
uart = machine.UART(0, baudrate=115200)
uart.irq(lambda uart: print("rang"), uart.IRQ_RXIDLE)
machine.lightsleep(1000000)
print(uart.read())
time.sleep(1000)
"""
    board = make_simulated(program)
    board.power_on()
    board.pause(3)
    board.call(board.board.uarts[0].receive, b"RING")
    board.wait_for_console(b"b'RING'", timeout_s=0.1)
    assert b"rang" in board.console_log


def test_a_pause_is_as_long_as_it_is_whatever_interrupts(make_simulated: MakeSimulated) -> None:
    program = """
import machine, time
uart = machine.UART(0, baudrate=115200)
uart.irq(lambda uart: print("rang", time.ticks_ms() // 1000), uart.IRQ_RXIDLE)
time.sleep(10)
print("over", time.ticks_ms() // 1000)
"""
    board = make_simulated(program)
    board.power_on()
    board.pause(3)
    board.call(board.board.uarts[0].receive, b"RING")
    board.wait_for_console(b"over 10", timeout_s=20)
    assert b"rang 3" in board.console_log


def test_what_is_typed_wakes_a_task_that_waits_for_the_console(
    make_simulated: MakeSimulated,
) -> None:
    program = """
import asyncio, sys, time
async def main():
    cable = asyncio.StreamReader(sys.stdin)
    while True:
        await cable.read(0)
        print("said", sys.stdin.buffer.read(1), time.ticks_ms() // 1000)
asyncio.run(main())
"""
    board = make_simulated(program)
    board.power_on()
    board.pause(3600)
    before = board.board.wake_ups
    board.console_write(b"x")
    board.wait_for_console(b"said b'x' 3600", timeout_s=0.1)
    assert board.board.wake_ups - before < 5 and before < 5


def test_what_is_asked_at_a_prompt_is_answered_at_once(make_simulated: MakeSimulated) -> None:
    board = make_simulated(None)
    board.power_on()
    board.pause(60)
    board.console_write(b"print(6*7)\r\n")
    board.wait_for_console(b"42", timeout_s=0.1)
    board.pause(60)
    board.power_off()
    board.console_write(b"print(6*7)\r\n")
    board.pause(60)
    assert board.console_log.count(b"42") == 1


def test_one_of_two_cpus_computes_at_a_time() -> None:
    thread = SimulatedThread()
    pace = SimulatedPace(thread, START_UNIX_S)
    order: list[str] = []
    first, second = pace.turn(), pace.turn()

    def computes() -> None:
        order.append("second computes")
        second.rest()

    def both() -> None:
        first.take(lambda: None)
        second.take(computes)

    def waits() -> None:
        order.append("first waits")
        first.rest()

    thread.loop.call_soon_threadsafe(both)
    time.sleep(0.05)
    thread.loop.call_soon_threadsafe(waits)
    thread.run(asyncio.sleep(1))
    thread.close()
    assert order == ["first waits", "second computes"]


def test_timers_of_one_instant_come_in_the_order_they_were_set() -> None:
    thread = SimulatedThread()
    came: list[int] = []

    async def many() -> None:
        for n in range(200):
            thread.loop.call_later(5, came.append, n)
        await asyncio.sleep(6)

    thread.run(many())
    thread.close()
    assert came == list(range(200))


def test_a_far_end_that_owes_an_answer_holds_the_clock_and_is_named_when_it_never_comes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(simulated_loop, "FAR_END_LIMIT_S", 0.2)
    thread = SimulatedThread()

    async def ask() -> None:
        with thread.simulated.hold("the bank"):
            await asyncio.get_running_loop().create_future()

    with pytest.raises(StuckError, match="the bank"):
        thread.run(ask())
    thread.close()


def test_everything_waits_and_nothing_will_ever_happen_is_an_error() -> None:
    thread = SimulatedThread()

    async def wait() -> None:
        await asyncio.get_running_loop().create_future()

    with pytest.raises(StuckError, match="nothing will ever happen"):
        thread.run(wait())
    thread.close()


def test_who_is_on_the_loop_cannot_wait_for_it() -> None:
    thread = SimulatedThread()
    pace = SimulatedPace(thread, START_UNIX_S)
    with pytest.raises(RuntimeError, match="cannot wait for it"):
        thread.call(pace.pause, 1)
    thread.close()


def test_a_host_that_stops_for_a_while_changes_nothing(make_simulated: MakeSimulated) -> None:
    def lived(stops: bool) -> tuple[bytes, list[Any]]:
        board = make_simulated(TWO_TASKS)
        board.power_on()
        board.pause(1000)
        pid = board.board.cpu_pid
        assert pid
        if stops:
            os.kill(pid, signal.SIGSTOP)
            threading.Timer(1.5, os.kill, (pid, signal.SIGCONT)).start()
        board.wait_for_console(b"done", timeout_s=4 * 3600)
        return board.console_log, board.events

    assert lived(stops=True) == lived(stops=False)


def test_who_watches_sees_it_at_the_pace_that_was_asked_for() -> None:
    thread = SimulatedThread(speed=20)
    begun_s = time.monotonic()
    SimulatedPace(thread, START_UNIX_S).pause(8)
    passed_s = time.monotonic() - begun_s
    thread.close()
    assert passed_s >= 8 / 20


def test_cells_that_decay_while_the_program_runs_are_read_as_they_are(
    make_simulated: MakeSimulated,
) -> None:
    board = make_simulated("""
import norflash, time
flash, seen = norflash.Flash(), bytearray(4)
for _ in range(2):
    flash.read_into(0x300000, seen)
    print("seen", bytes(seen), bytes(flash.mapped(0x300000, 4)))
    time.sleep(10)
""")
    board.power_on()
    board.wait_for_console(b"seen")
    board.call(board.flash.damage, 0x300001, b"\0\0")
    board.wait_for_console(rb"seen b'\xff\x00\x00\xff' b'\xff\x00\x00\xff'", timeout_s=20)


def test_bits_that_are_weak_read_as_they_like_each_time(make_simulated: MakeSimulated) -> None:
    board = make_simulated("""
import norflash, time
flash, seen = norflash.Flash(), bytearray(1)
time.sleep(1)
for _ in range(40):
    flash.read_into(0x300000, seen)
    print("seen", seen[0])
""")
    board.call(board.flash.cells.weak.update, {0x300000: 0x80})
    board.power_on()
    board.pause(3)
    assert {b"seen 255", b"seen 127"} <= set(board.console_log.splitlines())


def test_an_emulated_chip_has_a_clock_of_its_own(tmp_path: Path) -> None:
    thread = SimulatedThread()
    pace = SimulatedPace(thread, START_UNIX_S)
    with pytest.raises(ValueError, match="needs real time"):
        SimulatedBoard(
            tmp_path / "flash.bin",
            unique_id=bytes(8),
            loop_thread=thread,
            pace=pace,
            chip=QemuChip(tmp_path / "firmware.elf"),
        )
    thread.close()


def test_ticks_wrap_as_on_a_board_and_tasks_go_on(make_simulated: MakeSimulated) -> None:
    program = """
import asyncio, time
async def main():
    begun = time.ticks_ms()
    for hour in range(2):
        await asyncio.sleep_ms(3600 * 1000)
        print("hour", hour, time.ticks_diff(time.ticks_ms(), begun) // 3600000)
    print("wrapped", time.ticks_ms() < begun)
time.sleep(2**30 // 1000 - 3600)
asyncio.run(main())
"""
    board = make_simulated(program)
    board.power_on()
    board.wait_for_console(b"wrapped True", timeout_s=13 * 86400)
    assert b"hour 0 1" in board.console_log and b"hour 1 2" in board.console_log


@pytest.mark.parametrize("days", [193, 195, 400, 3000])
def test_time_goes_on_after_half_a_year_and_after_eight(days: int) -> None:
    thread = SimulatedThread(begins_s=days * 86400 + 0.1)
    pace = SimulatedPace(thread, START_UNIX_S)

    def sleep() -> None:
        for _ in range(50):
            pace.pause(0.1)

    slept = threading.Thread(target=sleep, daemon=True)
    slept.start()
    slept.join(20)
    assert not slept.is_alive(), "simulated time stands still"
    assert pace.now_s() == pytest.approx(days * 86400 + 5.1, abs=1e-3)
    thread.close()


def test_a_world_may_begin_late_on_the_chips_clock_and_its_calendar_does_not_mind() -> None:
    thread = SimulatedThread(begins_s=1000.5)
    pace = SimulatedPace(thread, 1_772_431_200)
    try:
        pace.pause(3)
        assert (pace.now_s(), pace.unix_s()) == (1003.5, 1_772_431_203)
    finally:
        thread.close()
