"""The same business on CPython and on MicroPython: the same bytes in flash, within the heap."""

from __future__ import annotations

import json
from pathlib import Path

from tests.money import office
from tests.money.shop import CATALOGUE
from tests.support import micropython

SCRIPT = """
import gc
from bootloader.shared.partitions import Partition
from bootloader.shared import cose
from firmware.sales.journal import Journal
from firmware.sales.sale import SaleRefused
from firmware.sales.till import Till
from firmware.sales.stock import Stock
from firmware.sales import tally
from firmware.sales.catalogue import Catalogue
from firmware.office import sync
from firmware.office import messenger
import hashlib

class Flash:
    size_bytes = SECTORS * 4096
    def __init__(self):
        self.cells = bytearray(self.size_bytes)
        for address in range(0, self.size_bytes, 4096):
            self.erase(address)
    def read_into(self, address, buf):
        buf[:] = memoryview(self.cells)[address : address + len(buf)]
    def program(self, address, data):
        for i in range(len(data)):
            self.cells[address + i] &= data[i]
    def erase(self, address):
        for i in range(address, address + 4096):
            self.cells[i] = 255

class Clock:
    now = 1790000000

def clock():
    Clock.now += 7
    return Clock.now

flash = Flash()
gc.collect()
start = gc.mem_alloc() if hasattr(gc, "mem_alloc") else 0
keys = cose.derive_keys(bytes(range(32)), TERMINAL_ID)

def on():
    journal = Journal(Partition(flash, 0, flash.size_bytes), clock)
    journal.mount()
    stock = Stock(keys.stock, FOLDER)
    return journal, Till(journal, stock, Catalogue(CATALOGUE), keys, clock)

journal, till = on()
journal.acknowledge(0, 900000, 1790000000)
journal.append(9, [7, 150])
worst = 0
for n in range(90):
    if n % 5 == 4:
        sale = till.begin_online("air50")
        if n % 10 == 4:
            after = journal.state.ledger_minor - 4750
            till.delivered(sale, "12345678", "N", 0, after)
            till.printed(sale, True)
        else:
            till.refused(sale, "no_vouchers")
    else:
        sale = till.begin_offline("air50")
        assert till.voucher(sale).pin == PIN % sale.place[1]
        till.printed(sale, n % 2 == 0)
    if n % 30 == 29:
        journal.acknowledge(journal.next_sequence - 1, till.float_minor)
    if n % 17 == 16:
        before = journal.state.dump()
        journal, till = on()
        assert journal.state.dump() == before
        till.booted(n, 1, "power-on")
    if start and n % 10 == 9:
        gc.collect()
        worst = max(worst, gc.mem_alloc() - start)
report = tally.of_days(journal, clock(), 0)
report.finish()
print(hashlib.sha256(flash.cells).digest().hex())
print(journal.state.dump(), report.products, report.count, report.commission_minor)
print("kept", worst)
"""


def script(folder: Path) -> str:
    (folder / "7.cbor").write_bytes(office.stock_file(7, "air50", 5000, 100))
    text = json.dumps(CATALOGUE)
    given = {
        "SECTORS": 6,
        "FOLDER": str(folder),
        "CATALOGUE": text,
        "PIN": "800007%010d",
        "TERMINAL_ID": office.TERMINAL_ID,
    }
    return "".join(f"{name} = {value!r}\n" for name, value in given.items()) + SCRIPT


def test_both_interpreters_leave_the_same_bytes(tmp_path: Path) -> None:
    text = script(tmp_path)
    cpython = micropython.run(text, interpreter_name="cpython").splitlines()
    board = micropython.run(text).splitlines()
    assert cpython[:2] == board[:2]


def test_till_journal_and_stock_leave_the_heap_to_others(tmp_path: Path) -> None:
    kept = int(micropython.run(script(tmp_path)).splitlines()[-1].split()[1])
    assert 0 < kept < 20_000, "objects alone: code of a release runs in place"


def test_a_record_cut_in_its_tag_is_refused_on_the_board_too(tmp_path: Path) -> None:
    text = script(tmp_path)
    text += """
sequence = journal.append(10, ["n", 1])
end = journal.ring.base(journal.ring.newest) + journal.ring.at
while flash.cells[end - 1] == 255:
    end -= 1
flash.cells[end - 1] = 255 if flash.cells[end - 1] != 255 else 0
journal, till = on()
print(journal.next_sequence == sequence)
"""
    for name in micropython.BOTH:
        assert micropython.run(text, interpreter_name=name).splitlines()[-1] == "True"
