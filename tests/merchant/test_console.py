"""Whatever comes over the serial port of a terminal that sells: it goes on selling, and
keeps nothing of it. On MicroPython, in a small heap.
"""

from __future__ import annotations

import random

import pytest

from tests.merchant.test_start import PRELUDE
from tests.support import micropython

CONSOLE = """
import gc
from firmware.service import console
from firmware.service.commands import Commands

class Line:
    out = b""
    def __init__(self, data):
        self.data = data
    def read(self, size):
        got, self.data = self.data[:size], self.data[size:]
        return got
    def write(self, data):
        self.out = (self.out + data)[-2000:]

b = counter.Counter({})
app = b.app
app.boot_info.control = Control()
resets = []
app.board.reset = lambda: resets.append(1)
def typed(data):
    line = app.board.console = Line(data)
    async def go():
        task = asyncio.create_task(console.serve(app.board, app.boot_info, app))
        while line.data:
            assert not task.done()
            await asyncio.sleep_ms(1)
        await asyncio.sleep_ms(20)
        assert not task.done(), "the console's task ended"
        task.cancel()
    asyncio.run(go())
    return line.out
"""


def told(script: str) -> list[str]:
    return micropython.run(PRELUDE + CONSOLE + script, heap_bytes=1 << 20).splitlines()


HOSTILE = (
    b" \r\n",
    b"\r\n \t \r\n",
    b"\0\0\0\n\0 \0\n",
    b"\x03\x04\x01\x02\x03\r\n\x03",
    b"\xff\xfe\xc0\xaf\r\n",
    b"status \xff\r\n",
    b"x" * 5000 + b"\r\n",
    b"unlock\r\nunlock zz\r\nunlock zz zz zz\r\nretire \xc3\xa9\r\n",
    b"test\r\ntest nothing\r\ntest slip\r\ntest slip free vouchers for everybody\r\n",
    b"run x\r\nsay x\r\n__init__ x\r\ndo_status\r\nboard\r\n",
    b"reply 200 00\r\n= {}\r\n> x\r\n",
)


@pytest.mark.parametrize("data", HOSTILE)
def test_no_line_on_the_cable_ends_the_program(data: bytes) -> None:
    out = told(f"typed({data!r})\nprint(typed(b'challenge\\r\\n'))")
    assert b"done" in eval(out[-1])


@pytest.mark.parametrize("seed", range(3))
def test_noise_on_the_cable_does_not_end_the_program(seed: int) -> None:
    chance = random.Random(seed)
    words = (b"status", b"challenge", b"unlock ", b"may_retire", b"log", b"test ", b"slip", b"\r\n")
    noise = b"".join(
        chance.choice((chance.randbytes(chance.randint(1, 40)), chance.choice(words), b"\r", b" "))
        for _ in range(400)
    )
    out = told(f"typed({noise!r})\nprint(typed(b'\\r\\nchallenge\\r\\n'))")
    assert b"done" in eval(out[-1])


def test_words_that_nobody_knows_are_not_kept_in_the_heap() -> None:
    script = """
def many(of):
    typed(b"".join(b"w%d%s\\r\\n" % (n, of) for n in range(300)))
    gc.collect()
    return gc.mem_alloc()
many(b"first")
before = many(b"once")
print(many(b"again") - before)
"""
    assert int(told(script)[-1]) < 600


def test_only_the_terminals_own_words_come_on_paper() -> None:
    script = """
from firmware.service import parts
four = (("FREE", "VOUCHERS"), ("FREEFREE",), ("+++",), ())
for words in four + (("++++++++", "FREE"), ("++-+++++",)):
    try:
        asyncio.run(parts.run(app.board, app.boot_info, app, "slip", words))
    except ValueError as error:
        print(error)
print(bytes(app.board.printer.written))
"""
    *refused, paper = told(script)
    assert len(refused) == 4
    printed = eval(paper)
    assert printed.count(b"SELF-TEST, NO RECEIPT") == 2
    assert b"flash: FAULT" in printed
    assert b"FREE" not in printed


def test_a_disk_that_takes_nothing_ends_neither_signing_in_nor_the_program() -> None:
    script = """
from firmware.kept import memory
def broken(*args):
    raise OSError(28)
memory.os = type("Os", (), {"rename": broken})
memory.open = broken
kept = memory.Memory("/data/none.json")
kept.put("wrong", 2)
print(kept.get("wrong", 0))
"""
    assert told(script)[-1] == "2"


def test_boot_records_that_take_nothing_end_no_check_in() -> None:
    script = """
from bootloader.shared.control import ControlError
from firmware.duties import check_in
def worn():
    raise ControlError("worn out")
check_in._record(worn)
print("goes on")
"""
    assert told(script)[-1] == "goes on"


def test_every_command_of_a_technician_is_known_to_the_console() -> None:
    script = "print([n for n in dir(Commands) if n[:3] == 'do_' and n[3:] not in console.COMMANDS])"
    assert told(script)[-1] == "[]"
