"""One day, three kinds of computer: CPython, MicroPython with 64 bits, MicroPython on an emulated
Cortex-M3 with 32. The flash of the journal must be the same to the byte.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cbor2
import pytest

from hw_sim.qemu import QEMU_BOARD, QemuChip
from hw_sim.threaded import SimulatedBoard
from tests.boot import signed
from tests.boot.terminal import CHIP, Terminal, provision
from tests.differential import day
from tests.money import office, oracle, shop
from tests.qemu.conftest import chip
from tests.support import micropython
from tools.release.image import ROOT, ReleaseInfo, build_release

__all__ = ["chip"]

BATCHES = {7: office.stock_file(7, "air50", 5000, 60), 9: office.stock_file(9, "air50", 5000, 90)}
CATALOGUE = json.dumps(shop.CATALOGUE | {"offline": shop.CATALOGUE["offline"] | {"max_count": 3}})
DAY = Path(day.__file__).read_text()
GIVEN = f"CATALOGUE = {CATALOGUE!r}\nBATCHES = {BATCHES!r}\n"
JOURNAL = 0x050000
JOURNAL_BYTES = day.SECTORS * 4096
HEAP_BYTES = micropython.BOARD_HEAP_BYTES + 128 * 1024
"""Here code is compiled into the heap, at each start anew; a board runs it in place."""

SCRIPT = """
import binascii, json, os
class Flash:
    def __init__(self):
        self.size_bytes = SECTORS * 4096
        self.cells = bytearray(b"\\xff" * self.size_bytes)
    def read_into(self, address, buf):
        buf[:] = memoryview(self.cells)[address : address + len(buf)]
    def program(self, address, data):
        for i in range(len(data)):
            self.cells[address + i] &= data[i]
    def erase(self, address):
        self.cells[address : address + 4096] = b"\\xff" * 4096
flash = Flash()
day = Day(flash, 0, FOLDER, CATALOGUE, BATCHES)
day.run(lambda: None)
for at in range(0, flash.size_bytes, 256):
    print(binascii.hexlify(flash.cells[at : at + 256]).decode())
print(json.dumps([day.state(), day.counts]))
"""

MAIN = """
import json, os
from firmware.day import SECTORS, Day
from firmware.given import BATCHES, CATALOGUE
def begin_anew(journal):
    # The office lies in the same heap: a day that ends for want of memory is begun anew.
    for sector in range(SECTORS):
        journal.erase_sector(sector * 4096)
    if "stock" in os.listdir("/data"):
        for name in os.listdir("/data/stock"):
            os.remove("/data/stock/" + name)
def run(board, info):
    board.data_vfs()
    journal = board.partitions["journal"]
    begin_anew(journal)
    day = Day(board.flash, journal.offset, "/data/stock", CATALOGUE, BATCHES)
    day.run(info.watchdog.feed)
    print("\\nDAY " + json.dumps([day.state(), day.counts]))
    while True:
        info.watchdog.feed()
"""

Result = tuple[bytes, str, dict[str, int]]
"""The journal's flash, the terminal's state, and how often what happened."""


def on_interpreter(name: str, folder: Path) -> Result:
    (folder / "stock").mkdir()
    text = f"FOLDER = {str(folder / 'stock')!r}\n{GIVEN}{DAY}{SCRIPT}"
    *lines, rest = micropython.run(text, interpreter_name=name, heap_bytes=HEAP_BYTES).splitlines()
    state, counts = json.loads(rest)
    return bytes.fromhex("".join(lines)), state, counts


def on_chip(chip: QemuChip, folder: Path) -> Result:
    source = folder / "source"
    for room in ("bootloader", "firmware"):
        shutil.copytree(ROOT / room, source / room, ignore=shutil.ignore_patterns("__pycache__"))
    for name, text in (("main", MAIN), ("day", DAY), ("given", GIVEN)):
        (source / "firmware" / f"{name}.py").write_text(text)
    image = build_release(source, ReleaseInfo(1, "1.0.0", "0" * 40, 1790000000))
    flash = folder / "flash.bin"
    with SimulatedBoard(flash, unique_id=CHIP, chip=chip, description=QEMU_BOARD) as board:
        provision(Terminal(board), image, signed.Channel().files(signed.entry(image, 1)))
        board.wait_for(lambda: b"\nDAY " in board.console_log, 300, what="the day's end")
        board.wait_for(lambda: board.console_log.endswith(b"]\r\n"), 20, what="its figures")
        state, counts = json.loads(board.console_log.rpartition(b"\nDAY ")[2])
        return board.flash.read(JOURNAL, JOURNAL_BYTES), state, counts


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> Result:
    """The day on CPython."""
    return on_interpreter("cpython", tmp_path_factory.mktemp("cpython"))


def differences(one: bytes, other: bytes) -> list[str]:
    """Where two journals differ, in words: bytes by sector, records by sequence."""
    found = []
    for sector in range(0, len(one), 4096):
        wrong = [at for at in range(sector, sector + 4096) if one[at] != other[at]]
        if wrong:
            found.append(f"sector {sector // 4096}: {len(wrong)} bytes from {wrong[0] - sector:#x}")
    ours, theirs = oracle.read(one), oracle.read(other)
    for sequence in sorted(set(ours) | set(theirs)):
        if ours.get(sequence) != theirs.get(sequence):
            found.append(f"record {sequence}: {ours.get(sequence)} against {theirs.get(sequence)}")
    return found


def the_same(result: Result, expected: Result) -> None:
    assert result[2] == expected[2], "the days went differently"
    assert differences(result[0], expected[0]) == []
    assert result[:2] == expected[:2]


def test_the_day_holds_everything_that_a_day_may_bring(expected: Result) -> None:
    cells, state, counts = expected
    assert {
        *("online", "offline", "refused by the server", "without an answer", "reprints", "syncs"),
        *("starts", "copies after power-off", "unknown_product", "offline_count", "pending_sale"),
    } <= set(counts), counts
    oldest = cbor2.loads(bytes.fromhex(state))[0]
    assert oldest > 100, "the ring turned"
    assert oracle.check_chain(oracle.read(cells)) == []


def test_micropython_leaves_the_journal_that_cpython_leaves(
    expected: Result, tmp_path: Path
) -> None:
    the_same(on_interpreter("micropython", tmp_path), expected)


def test_the_emulated_cortex_m3_leaves_the_journal_that_cpython_leaves(
    expected: Result, chip: QemuChip, tmp_path: Path
) -> None:
    # On its own clock, or its watchdog bites where the host is slow, and the day begins again.
    the_same(on_chip(replace(chip, instruction_shift=3), tmp_path), expected)


@pytest.mark.parametrize("spoil", [lambda cells: cells ^ 1, lambda cells: 0xFF])
def test_one_byte_that_differs_is_found_and_named(
    expected: Result, spoil: Callable[[int], int]
) -> None:
    cells = bytearray(expected[0])
    at = next(i for i in range(4096, 8192) if cells[i] != 0xFF and i > 5000)
    cells[at] = spoil(cells[at])
    found = differences(bytes(cells), expected[0])
    assert found[0] == f"sector 1: 1 bytes from {at - 4096:#x}"
    with pytest.raises(AssertionError, match="sector 1"):
        the_same((bytes(cells), *expected[1:]), expected)
