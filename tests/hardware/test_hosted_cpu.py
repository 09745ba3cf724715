"""A board whose program runs on CPython does what one on MicroPython does: the same requests, at
the same instants, with the same cells at the end.
"""

from __future__ import annotations

import asyncio
import gc
import random
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from hw_sim import simulated
from hw_sim.board import Board
from hw_sim.flash import NorFlash
from hw_sim.hosted import link
from hw_sim.simulated import SimulatedLoop, SimulatedPace, SimulatedThread
from hw_sim.threaded import SimulatedBoard
from tests.hardware.conftest import UNIQUE_ID, romfs

START_UNIX_S = 1_800_000_000
Story = Callable[[SimulatedBoard], None]
NO_SOURCES: dict[bytes, str] = {}


@dataclass
class Run:
    """What one program did on one board, each request with its instant."""

    console: str = ""
    requests: list[tuple[Any, ...]] = field(default_factory=list)
    cells: bytes = b""
    resets: list[str] = field(default_factory=list)
    now_s: float = 0
    wake_ups: int = 0


class Bench:
    """Makes boards, each on a simulated thread of its own, unless one is given."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._close: list[Callable[[], None]] = []
        self._count = 0

    def thread(self) -> SimulatedThread:
        """One that boards may share."""
        thread = SimulatedThread()
        self._close.append(thread.close)
        return thread

    def board(
        self,
        program: str | None,
        hosted: bool,
        thread: SimulatedThread | None = None,
        **options: Any,
    ) -> SimulatedBoard:
        """Off, with `program` in its flash."""
        thread = thread or self.thread()
        flash = options.pop("flash", None) or NorFlash(None)
        self._count += 1
        if program is not None:
            flash.damage(0, romfs(self.folder / f"romfs{self._count}", program))
        board = SimulatedBoard(
            flash,
            unique_id=UNIQUE_ID,
            loop_thread=thread,
            pace=SimulatedPace(thread, START_UNIX_S),
            hosted=NO_SOURCES if hosted else None,
            **options,
        )
        self._close.append(board.close)
        return board

    def run(self, program: str, story: Story, hosted: bool, **options: Any) -> Run:
        """Live through `story`; what was seen."""
        run = Run()
        board = self.board(program, hosted, **options)
        note_requests(board.board, run)
        board.power_on()
        story(board)
        run.console = board.console_log.decode()
        run.cells = board.flash.snapshot()
        run.resets = board.resets
        run.now_s = board.board.pace.now_s()
        run.wake_ups = board.board.wake_ups
        board.close()
        return run

    def close(self) -> None:
        """Give everything back."""
        for close in reversed(self._close):
            close()


def note_requests(board: Board, run: Run) -> None:
    """Keep every request of the chip in `run.requests`."""
    requests = board._requests
    serve = requests.serve

    def noted(op: Any, unit: int, arg: int, arg2: int, payload: bytes) -> Any:
        run.requests.append((round(board.pace.now_s() * 1e6), op.name, unit, arg, arg2, payload))
        return serve(op, unit, arg, arg2, payload)

    requests.serve = noted  # type: ignore[method-assign]
    board.bus._handler = noted


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path)
    yield bench
    bench.close()


def lived_alike(bench: Bench, program: str, story: Story, **options: Any) -> Run:
    """The run on CPython, which was the same as that on MicroPython."""
    there = bench.run(program, story, hosted=False, **options)
    here = bench.run(program, story, hosted=True, **options)
    assert here.console == there.console
    assert here.requests == there.requests
    assert here == there
    assert here.requests
    return here


def until(text: str, timeout_s: float = 60) -> Story:
    """Wait for words on the console."""
    return lambda board: board.wait_for_console(text.encode(), timeout_s)


KEYS = """
import machine, time
rows = [machine.Pin(n, machine.Pin.OPEN_DRAIN, value=0) for n in (6, 7, 8, 9)]
column = machine.Pin(10, machine.Pin.IN, machine.Pin.PULL_UP)
column.irq(lambda pin: print("edge", pin.id, time.ticks_ms()), machine.Pin.IRQ_FALLING)
for n in range(6):
    machine.lightsleep(1000)
    print("woken", n, column.value(), time.ticks_us())
print("done")
time.sleep(1000)
"""


def test_keys_bounce_and_wake_at_the_same_instants(bench: Bench) -> None:
    def story(board: SimulatedBoard) -> None:
        board.pause(0.7)
        board.press("1")
        board.pause(0.333)
        board.press("7")
        board.wait_for_console(b"done", 60)

    run = lived_alike(bench, KEYS, story)
    assert run.console.count("edge 10") >= 2


class Echo:
    """Sends back what it hears, in pieces, later."""

    def __init__(self, pace: SimulatedPace, at_once: bool = False) -> None:
        self.send: Callable[[bytes], None] = lambda data: None
        self._pace = pace
        self._at_once = at_once

    def on_host_bytes(self, data: bytes) -> None:
        """Answer after 5 ms and 5.02 ms, or at this instant."""
        if self._at_once:
            self._pace.call_later(0, lambda: self.send(data))
            return
        self._pace.call_later(0.005, lambda: self.send(data[:3]))
        self._pace.call_later(0.00502, lambda: self.send(data[3:]))

    def on_power(self, on: bool) -> None:
        """It keeps nothing."""


def always_quiet(loop: SimulatedLoop) -> bool:
    """Wrong: a request is served though something else is due."""
    return True


def run_past_timers(loop: SimulatedLoop, turn: object, seconds: float) -> bool:
    """Wrong: a short wait is over at once though a timer is set for before its end."""
    loop._now_s += max(0.0, seconds) if seconds < 0.1 else 0.0
    return seconds < 0.1


WRONG = {"is_quiet": always_quiet, "run_ahead": run_past_timers}


@pytest.mark.parametrize("rule", WRONG)
def test_a_hosted_cpu_that_gets_before_others_is_noticed(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, rule: str
) -> None:
    def run(hosted: bool) -> Run:
        thread = bench.thread()
        modem = Echo(SimulatedPace(thread, START_UNIX_S), at_once=True)
        return bench.run(MEETS, press_soon, hosted, thread=thread, modem=modem)

    there = run(hosted=False)
    assert run(hosted=True) == there
    monkeypatch.setattr(SimulatedLoop, rule, WRONG[rule])
    assert run(hosted=True) != there


def press_soon(board: SimulatedBoard) -> None:
    """A key, while the program looks now and then."""
    board.pause(0.7)
    board.press("1")
    board.wait_for_console(b"done", 60)


MEETS = """
import machine, time
dog = machine.WDT(timeout=5000)
uart = machine.UART(0, baudrate=115200)
row = machine.Pin(6, machine.Pin.OPEN_DRAIN, value=0)
column = machine.Pin(10, machine.Pin.IN, machine.Pin.PULL_UP)
column.irq(lambda pin: print("edge", time.ticks_us()), machine.Pin.IRQ_FALLING)
until = time.ticks_ms() + 1500
while time.ticks_ms() < until:
    uart.write(b"ping")
    print(uart.any(), column.value(), time.ticks_us())
    time.sleep_ms(9)
for n in range(3):
    time.sleep(1)
    dog.feed()
print("done")
time.sleep(1000)
"""

UART = """
import asyncio, machine, time
uart = machine.UART(0, baudrate=115200)
flag = asyncio.ThreadSafeFlag()
uart.irq(lambda u: flag.set(), uart.IRQ_RXIDLE)
async def hear():
    while True:
        await flag.wait()
        print("heard", uart.any(), uart.read(), time.ticks_ms())
async def say():
    for n in range(5):
        uart.write(b"ping %d" % n)
        await asyncio.sleep_ms(777)
async def both():
    asyncio.create_task(hear())
    try:
        await asyncio.wait_for_ms(asyncio.Event().wait(), 333)
    except asyncio.TimeoutError:
        print("in vain", time.ticks_ms())
    lock = asyncio.Lock()
    async with lock:
        await asyncio.gather(say(), asyncio.wait_for(say(), 60))
    print("done", time.ticks_us())
asyncio.run(both())
time.sleep(1000)
"""


def test_a_uart_with_interrupts_and_tasks_is_heard_at_the_same_instants(bench: Bench) -> None:
    runs = []
    for hosted in (False, True):
        thread = bench.thread()
        modem = Echo(SimulatedPace(thread, START_UNIX_S))
        runs.append(bench.run(UART, until("done"), hosted, thread=thread, modem=modem))
    assert runs[0] == runs[1]
    assert runs[1].console.count("heard") >= 5 and "in vain" in runs[1].console


FILES = """
import machine, norflash, os, time, vfs
class Blocks:
    def __init__(self):
        self.flash = norflash.Flash()
    def readblocks(self, block, buf, offset=0):
        self.flash.read_into(0x300000 + block * 4096 + offset, buf)
    def writeblocks(self, block, buf, offset=None):
        at, view = 0x300000 + block * 4096 + (offset or 0), memoryview(buf)
        while view:
            piece = view[:256 - at % 256]
            self.flash.program(at, piece)
            at, view = at + len(piece), view[len(piece):]
    def ioctl(self, op, arg):
        if op == 4: return 32
        if op == 5: return 4096
        if op == 6: self.flash.erase(0x300000 + arg * 4096)
        return 0
blocks = Blocks()
try:
    disk = vfs.VfsLfs2(blocks, mtime=False)
except OSError as error:
    print("formats:", error)
    vfs.VfsLfs2.mkfs(blocks)
    disk = vfs.VfsLfs2(blocks, mtime=False)
vfs.mount(disk, "/data")
try:
    os.mkdir("/data/stock")
except OSError as error:
    print(error)
print(sorted(os.listdir("/data")), sorted(os.listdir("/data/stock")), os.statvfs("/data")[:4])
for n in range(3):
    with open("/data/stock/new", "wb") as file:
        for piece in range(n + 1):
            file.write(bytes((n + piece,)) * 700)
    os.rename("/data/stock/new", "/data/stock/%d" % n)
    with open("/data/stock/%d" % n, "rb") as file:
        file.seek(10)
        print(n, file.tell(), len(file.read()), os.stat("/data/stock/%d" % n)[6])
os.remove("/data/stock/1")
try:
    open("/data/none")
except OSError as error:
    print(error, error.errno)
with open("/data/word", "w") as file:
    print(file.write("word"))
print("done")
time.sleep(1000)
"""


def test_files_are_the_same_cells_by_the_same_operations(bench: Bench) -> None:
    run = lived_alike(bench, FILES, until("done"))
    assert "[Errno 2] ENOENT 2" in run.console
    assert sum(op == "FLASH_PROGRAM" for _, op, *_ in run.requests) > 10


def test_power_cut_at_each_flash_operation_leaves_the_same_cells(bench: Bench) -> None:
    flash = NorFlash(None)
    whole = bench.run(FILES, until("done"), hosted=True, flash=flash)
    operations = flash.operations
    assert whole.cells and operations > 20
    for operation in range(1, operations + 1, 3):
        cells = []
        for hosted in (False, True) if operation % 4 == 1 else (True,):

            def story(board: SimulatedBoard, at: int = operation) -> None:
                board.power_off()
                board.cut_power_at_flash_operation(board.flash.operations + at)
                board.power_on()
                board.wait_for(lambda: not board.board.powered, 60)
                board.power_on()
                board.wait_for_console(b"done", 60)

            flash = NorFlash(None)
            board = bench.board(FILES, hosted, flash=flash)
            story(board)
            assert b"done" in board.console_log
            cells.append(flash.snapshot())
            board.close()
        assert len(set(cells)) == 1, operation


def test_a_power_cut_reaches_no_handler_of_the_program(bench: Bench) -> None:
    program = """
import norflash, machine
flash = norflash.Flash()
pin = machine.Pin(15, machine.Pin.OUT, value=1)
try:
    try:
        flash.erase(0x300000)
    finally:
        pin.value(0)
        print("finally")
except BaseException:
    while True:
        try:
            flash.program(0x310000, b"late")
        except BaseException as error:
            print("caught", error)
"""
    board = bench.board(program, hosted=True)
    board.cut_power_at_flash_operation(1, "before")
    board.power_on()
    board.wait_for(lambda: not board.board.powered, 10)
    board.pause(1)
    assert board.console_log == b""
    assert board.flash.read(0x310000, 4) == b"\xff" * 4
    assert not board.cpu_running


def test_a_program_that_takes_no_end_for_an_answer_stands_still(bench: Bench) -> None:
    program = """
import norflash
flash = norflash.Flash()
while True:
    try:
        flash.erase(0x300000)
    except BaseException:
        pass
"""
    for end in ("cut", "off"):
        board = bench.board(program, hosted=True)
        if end == "cut":
            board.cut_power_at_flash_operation(3, "before")
        board.power_on()
        board.pause(0.01)
        board.power_off()
        assert not board.cpu_running
        operations = board.flash.operations
        board.pause(1)
        assert operations == board.flash.operations > 2
        board.close()


UNDER_WAY = """
import asyncio
async def inner():
    await asyncio.Event().wait()
async def outer():
    try:
        await asyncio.create_task(inner())
    finally:
        with open("/data/late", "w") as file:
            file.write("late")
        print("late")
async def main():
    tasks = [asyncio.create_task(outer()) for _ in range(3)]
    await asyncio.wait_for(tasks[0], 100)
asyncio.run(main())
"""


def test_what_tasks_would_do_at_their_end_reaches_nothing_when_the_power_goes(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    unraised: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", unraised.append)
    program = FILES.partition('try:\n    os.mkdir("/data/stock")')[0] + UNDER_WAY
    board = bench.board(program, hosted=True)
    board.power_on()
    board.pause(5)
    before = board.flash.snapshot()
    board.power_off()
    board.board._cpu = None
    gc.collect()
    assert board.flash.snapshot() == before
    assert b"late" not in board.console_log
    assert not unraised


def test_the_watchdog_bites_a_program_that_sleeps_too_long_at_the_same_instant(
    bench: Bench,
) -> None:
    program = """
import machine, time
print("start", machine.reset_cause())
dog = machine.WDT(timeout=3000)
for n in range(3):
    time.sleep(2)
    dog.feed()
time.sleep(50)
"""

    def story(board: SimulatedBoard) -> None:
        board.wait_for(lambda: board.resets.count("watchdog") == 2, 60)
        board.pause(1)

    run = lived_alike(bench, program, story)
    assert run.resets == ["power_on", "watchdog", "watchdog"]


SPINS = """
import machine
print("start", machine.reset_cause())
if machine.reset_cause() != 3:
    machine.WDT(timeout=8000)
    while True:
        try:
            while True:
                pass
        finally:
            print("finally")
print("back")
"""


@pytest.mark.parametrize(
    ("work", "seen_after_cpu_s"), [("pass", 1e9), ("cause = machine", 0.2)], ids=["jumps", "works"]
)
def test_a_program_that_spins_is_bitten_and_its_thread_ends(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, work: str, seen_after_cpu_s: float
) -> None:
    """That one which only jumps has come to no end is known without waiting for it."""
    monkeypatch.setattr(simulated, "SPINS_AFTER_CPU_S", seen_after_cpu_s)
    board = bench.board(SPINS.replace("pass", work), hosted=True)
    board.loop_thread.call(lambda: None)
    before = threading.enumerate()
    board.power_on()
    board.wait_for_console(b"back", 20)
    assert board.resets[:2] == ["power_on", "watchdog"]
    assert b"finally" not in board.console_log
    board.power_off()
    for each in threading.enumerate():
        if each not in before:
            each.join(10)  # what waits for the CPU's end is told of it in a thread of its own
    assert not [each for each in threading.enumerate() if each not in before]


def test_one_that_comes_back_from_long_work_is_served_again(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(simulated, "SPINS_AFTER_CPU_S", 0.1)
    monkeypatch.setattr(link, "_LOOK_S", 0.05)
    program = """
import time
n = 0
for n in range(12000000):
    pass
print("back at", time.ticks_ms())
time.sleep(1)
print("done")
time.sleep(1000)
"""
    board = bench.board(program, hosted=True)
    board.power_on()
    for _ in range(2000):  # its work takes none of the board's time, which goes by at once
        board.pause(1)
        if b"done" in board.console_log:
            break
        time.sleep(0.01)
    assert b"back at" in board.console_log and b"done" in board.console_log


def test_an_exception_at_the_top_is_told_and_leaves_a_prompt(bench: Bench) -> None:
    program = 'print("before")\ndef f():\n    raise ValueError("no such thing")\nf()\n'
    told = []
    for hosted in (False, True):
        board = bench.board(program, hosted)
        board.power_on()
        board.wait_for_console(b">>> ")
        board.console_write(b"print(6 * 7)\r\n")
        board.wait_for_console(b"42")
        told.append(board.console_log.decode().replace("\r\n", "\n"))
        board.close()
    for log in told:
        assert log.startswith("before\nTraceback (most recent call last):\n")
        assert ", line 3, in f\nValueError: no such thing\n" in log
    assert told[1].partition("MicroPython")[0].count("Traceback") == 1


def test_sys_exit_starts_the_program_again(bench: Bench) -> None:
    program = """
import machine, sys, time
print("start", machine.reset_cause())
if machine.reset_cause() == 1:
    sys.exit()
print("done")
time.sleep(1000)
"""
    run = lived_alike(bench, program, until("done"))
    assert run.resets == ["power_on", "soft"]
    assert "MPY: soft reboot" in run.console


def test_two_boards_in_one_process_know_nothing_of_each_other(bench: Bench) -> None:
    program = """
import machine, sys, time
import asyncio
asyncio.mark = getattr(asyncio, "mark", 0) + 1
sys.modules["shared"] = machine
async def tick():
    for n in range(5):
        print(asyncio.mark, len(sys.path), time.ticks_ms())
        await asyncio.sleep_ms(500)
asyncio.run(tick())
print("done")
time.sleep(1000)
"""
    logs = []
    for hosted in (False, True):
        thread = bench.thread()
        pair = [bench.board(program, hosted, thread=thread) for _ in range(2)]
        pair[0].power_on()
        pair[0].pause(0.7)
        pair[1].power_on()
        pair[1].wait_for_console(b"done", 60)
        logs.append([board.console_log for board in pair])
        for board in pair:
            board.close()
    assert logs[0] == logs[1]
    assert all(line.startswith(b"1 3 ") for line in logs[1][1].splitlines()[:5])


def test_modules_are_dropped_and_loaded_anew(bench: Bench, tmp_path: Path) -> None:
    program = """
import sys, time
import room.leaf
from room import leaf
first = leaf
print(room.leaf.count(), leaf.count(), "room.leaf" in sys.modules)
del sys.modules["room.leaf"]
del room.leaf
from room import leaf
print(leaf.count(), leaf is first, __import__("room.leaf", None, None, ("",)) is leaf)
try:
    from room import nothing
except ImportError as error:
    print(error)
try:
    import no_such_room
except ImportError as error:
    print(error)
import room.deep.down
print(room.deep.down.WHERE)
print("done")
time.sleep(1000)
"""
    leaf = "_n = 0\ndef count():\n    global _n\n    _n += 1\n    return _n\n"
    from mpremote.romfs import make_romfs

    folder = tmp_path / "image"
    (folder / "room" / "deep").mkdir(parents=True)
    (folder / "main.py").write_text(program)
    (folder / "room" / "leaf.py").write_text(leaf)
    down = "from ..leaf import count\nWHERE = __name__, count()\n"
    (folder / "room" / "deep" / "down.py").write_text(down)
    image = make_romfs(str(folder), mpy_cross=False)
    logs = []
    for hosted in (False, True):
        flash = NorFlash(None)
        flash.damage(0, image)
        board = bench.board(None, hosted, flash=flash)
        board.power_on()
        board.wait_for_console(b"done", 10)
        logs.append(board.console_log)
    assert logs[0] == logs[1]
    assert logs[1].startswith(b"1 2 True\n1 False True\n")


def test_a_compiled_file_that_nobody_has_the_text_of_cannot_be_imported(
    bench: Bench, tmp_path: Path
) -> None:
    folder = tmp_path / "image"
    folder.mkdir()
    (folder / "main.py").write_text(
        "try:\n    import other\nexcept ValueError as error:\n    print(error)\n"
    )
    (folder / "other.mpy").write_bytes(b"M\x06\x00\x1f nobody's")
    from mpremote.romfs import make_romfs

    flash = NorFlash(None)
    flash.damage(0, make_romfs(str(folder), mpy_cross=False))
    board = bench.board(None, hosted=True, flash=flash)
    board.power_on()
    board.wait_for_console(b"incompatible .mpy file", 10)


CONSOLE = """
import asyncio, select, sys, time
poller = select.poll()
poller.register(sys.stdin, select.POLLIN)
async def listen():
    cable = asyncio.StreamReader(sys.stdin)
    for _ in range(2):
        await cable.read(0)
        got = b""
        while poller.poll(0):
            got += sys.stdin.buffer.read(1)
        sys.stdout.buffer.write(got + b" at %d\\n" % time.ticks_ms())
async def both():
    listening = asyncio.create_task(listen())
    await asyncio.sleep(9)
    await listening
    print("done")
asyncio.run(both())
time.sleep(1000)
"""


def test_what_is_typed_on_the_console_wakes_the_program(bench: Bench) -> None:
    board = bench.board(CONSOLE, hosted=True)
    board.power_on()
    board.pause(1.5)
    board.console_write(b"hello")
    board.pause(2)
    board.console_write(b"again")
    board.wait_for_console(b"done", 30)
    assert board.console_log == b"hello at 1500\nagain at 3500\ndone\n"


def test_a_hosted_cpu_needs_simulated_time() -> None:
    with pytest.raises(ValueError, match="needs simulated time"):
        SimulatedBoard(NorFlash(None), unique_id=UNIQUE_ID, hosted=NO_SOURCES)


IN_C = """
import array, binascii, cryptolib, deflate, framebuf, hashlib, io, json, struct, time
row = bytearray(128)
frame = framebuf.FrameBuffer(row, 128, 8, framebuf.MONO_VLSB)
frame.text("Starting again.~{", 0, 0, 1)
print(binascii.hexlify(row).decode())
for mode in ((1,), (2, bytes(range(16)))):
    aes = cryptolib.aes(b"k" * 32, *mode)
    print(binascii.hexlify(aes.encrypt(b"a" * 32) + aes.encrypt(bytearray(16))).decode())
packed = binascii.a2b_base64("eJzLSM3JyVcoSi3ILyrRUcjA5AEA0lIMTQ==")
for data in (packed, packed[:10], packed[:-4] + b"none"):
    try:
        stream = deflate.DeflateIO(io.BytesIO(data), deflate.ZLIB)
        buf = bytearray(7)
        while True:
            n = stream.readinto(buf)
            if not n:
                break
            print(bytes(buf[:n]))
    except (EOFError, OSError) as error:
        print(type(error).__name__, error)
news = {"en": "x", "sw": "\\u00e9"}
print(json.dumps({"wrong": 1, "language": "en", "news": news, "a": [None, True]}))
try:
    json.loads("{no")
except ValueError as error:
    print(error)
print(hashlib.sha256(b"x").digest(), struct.pack(">IHb", 1, 2, -3), array.array("I", (1, 2))[1])
print("done")
time.sleep(1000)
"""


def test_what_a_port_has_in_c_gives_the_same(bench: Bench) -> None:
    run = lived_alike(bench, IN_C, until("done"))
    assert "syntax error in JSON" in run.console


def dictionaries() -> str:
    """A program that writes dictionaries of every size up to 30: displays, those that grew key by
    key, displays that grew, and what was read from a file.
    """
    draw = random.Random(7)
    lines = ["import json, time"]
    for size in range(31):
        names = draw.sample(range(1000), size)
        few = draw.randint(0, size)
        shown = ", ".join(f'"key{n}": {n}' for n in names[:few])
        lines.append(f"grown = {{{shown}}}")
        lines += [f'grown["key{n}"] = {n}' for n in names[few:]]
        text = ", ".join(f'"key{n}": {n}' for n in names)
        lines += [
            "print(json.dumps(grown))",
            f"print(json.dumps({{{text}}}))",
            f"read = json.loads('{{{text}}}')",
            'read["more"] = 1',
            "print(json.dumps(read))",
        ]
    return "\n".join([*lines, 'print("done")', "time.sleep(1000)"])


def test_keys_stand_in_the_same_order_however_a_dictionary_grew(bench: Bench) -> None:
    lived_alike(bench, dictionaries(), until("done"))


def test_a_wait_is_over_at_once_only_if_nothing_else_can_happen_before(bench: Bench) -> None:
    thread = bench.thread()
    pace = SimulatedPace(thread, START_UNIX_S)

    async def look() -> list[tuple[bool, float]]:
        loop, turn, other = thread.simulated, pace.turn(), pace.turn()
        found = []

        def wait(seconds: float) -> None:
            found.append((turn.run_ahead(seconds), loop.time()))

        wait(5)
        timer = loop.call_later(3, lambda: None)
        wait(2)
        wait(1)  # the timer is set for then
        timer.cancel()
        wait(1)
        with loop.hold("a far end"):
            wait(1)
        loop.call_soon(lambda: None)
        wait(1)
        await asyncio.sleep(0)
        other.take(lambda: None)
        wait(1)
        other.rest()
        looks = loop.create_task(loop.next_instant(loop.time()))
        await asyncio.sleep(0)
        wait(1)
        looks.cancel()
        return found

    assert thread.run(look()) == [
        (True, 5),
        (True, 7),
        (False, 7),
        (True, 8),
        (False, 8),
        (False, 8),
        (False, 8),
        (False, 8),
    ]


COSTS = """
import machine, time
dog = machine.WDT(timeout=8000)
def work(a, b):
    return a * b
class Worker:
    def __init__(self, n):
        self.n = n
    def step(self, by):
        self.n += by
        return self.n
time.sleep(1)
begin = time.ticks_ms()
print(work(6, 7), time.ticks_diff(time.ticks_ms(), begin))
worker = Worker(1)
print(worker.step(2), worker.step(3), worker.n, time.ticks_diff(time.ticks_ms(), begin))
for _ in range(3):
    dog.feed()
    work(1, 1)
print("end", time.ticks_diff(time.ticks_ms(), begin))
while True:
    work(1, 1)
"""


def test_what_functions_compute_takes_the_time_that_was_measured(bench: Bench) -> None:
    """And a program that computes too long without feeding its watchdog is bitten."""

    def story(board: SimulatedBoard) -> None:
        board.wait_for(lambda: "watchdog" in board.resets, 60)

    costs = {"main:work": 2_500_000, "main:Worker.step": 1500, "nowhere:work": 9}
    run = lived_alike(bench, COSTS, story, costs=costs)
    assert run.console.splitlines()[:3] == ["42 2500", "3 6 6 2503", "end 10003"]


def test_a_module_that_is_loaded_anew_takes_as_long_as_before(bench: Bench, tmp_path: Path) -> None:
    """And one that waits while it is loaded is looked at again; what it has not costs nothing."""
    program = """
import sys, time
for _ in range(2):
    import leaf
    time.sleep(1)
    begin = time.ticks_ms()
    leaf.work()
    print(time.ticks_diff(time.ticks_ms(), begin))
    del sys.modules["leaf"]
print("done")
time.sleep(1000)
"""
    leaf = "import time\ntime.sleep(0.1)\ndef work():\n    pass\ntime.sleep(0.1)\n"
    image = romfs(tmp_path / "image", program, leaf=leaf)
    costs = {"leaf:work": 40_000, "leaf:Nobody.works": 7, "leaf:works": 7}
    for hosted in (False, True):
        flash = NorFlash(None)
        flash.damage(0, image)
        board = bench.board(None, hosted, flash=flash, costs=costs)
        board.power_on()
        board.wait_for_console(b"done", 10)
        assert board.console_log.startswith(b"40\n40\ndone")


def test_where_time_is_real_what_a_program_computes_takes_its_own(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="where time is real"):
        SimulatedBoard(NorFlash(None), unique_id=UNIQUE_ID, costs={"main:work": 1})
