"""`inv bench journal`: what a sale costs the flash, and what a start costs as the ring fills.

The journal and a file that is synced after each record take the same records: the file on
littlefs through `littlefs-python` here, and through MicroPython's own VfsLfs2 on the real
interpreter. All on flash that counts. Exits 1 if a bar is missed.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import dataclass
from typing import Any

from bootloader.shared.partitions import Partition
from firmware.sales.journal import Journal
from hw_sim.flash import NorFlash
from tests.money.test_journal_cost import SCRIPT
from tests.powercut.files import Files
from tests.support import micropython

TIME_S = 1_790_000_000
RING_BYTES = 128 * 4096
SALES_A_DAY = 300
ENDURANCE_CYCLES = 100_000
MARKS = (1_000, 10_000, 50_000, 100_000)
BAR = 4


class CountingFlash(NorFlash):
    """Counts what is read."""

    bytes_read = 0

    def read_into(self, address: int, buf: bytearray | memoryview) -> None:
        self.bytes_read += len(buf)
        super().read_into(address, buf)

    def read(self, address: int, size_bytes: int) -> bytes:
        self.bytes_read += size_bytes
        return super().read(address, size_bytes)


@dataclass
class Cost:
    """Of one sale (two records)."""

    name: str
    bytes_programmed: float
    sectors_erased: float
    append_ms: float


@dataclass
class Start:
    records: int
    mount_ms: float
    bytes_read: int


def measure_journal(records: int) -> tuple[Cost, list[Start], int]:
    """Costs with `records` records, each 100 sales acknowledged; starts on the way; the largest
    number of erases of one sector."""
    flash = CountingFlash(None, size_bytes=RING_BYTES)
    journal: Any = Journal(Partition(flash, 0, RING_BYTES), lambda: TIME_S)
    journal.mount()
    journal.acknowledge(0, 10_000_000, TIME_S)
    journal.append(9, [100007, 1_000_000])
    flash.bytes_programmed = 0
    flash.erases = [0] * len(flash.erases)
    starts = []
    spent_s = 0.0
    for sale in range(records // 2):
        began = time.perf_counter()
        intent = journal.append(2, ["air50", 5000, 250, 100007, sale])
        journal.append(6, [intent, 0])
        spent_s += time.perf_counter() - began
        if sale % 100 == 99:
            journal.acknowledge(journal.next_sequence - 1, 10_000_000 - 4750 * sale)
        if (sale + 1) * 2 in MARKS:
            starts.append(_start(flash, (sale + 1) * 2))
    sales = records // 2
    erased = sum(flash.erases)
    cost = Cost("journal", flash.bytes_programmed / sales, erased / sales, spent_s * 1000 / sales)
    return cost, starts, max(flash.erases)


def _start(flash: CountingFlash, records: int) -> Start:
    before = flash.bytes_read
    operations = flash.bytes_programmed
    again: Any = Journal(Partition(flash, 0, RING_BYTES), lambda: TIME_S)
    began = time.perf_counter()
    again.mount()
    mount_ms = (time.perf_counter() - began) * 1000
    flash.bytes_programmed = operations
    return Start(records, mount_ms, flash.bytes_read - before)


def measure_littlefs(records: int) -> tuple[Cost, list[Start]]:
    """The same records appended to a file with a sync each, through `littlefs-python`; the file is
    begun anew when the journal's ring would have been full."""
    flash = CountingFlash(None, size_bytes=RING_BYTES)
    files = Files(flash, 0, RING_BYTES)
    files.format()
    files.mount()
    starts = []
    flash.bytes_programmed = 0
    flash.erases = [0] * len(flash.erases)
    spent_s = 0.0
    file = files.open("/data/journal", "wb")
    for sale in range(records // 2):
        began = time.perf_counter()
        for size in (47, 30):
            file.write(bytes([sale & 255]) * size)
            file.flush()
        spent_s += time.perf_counter() - began
        if (sale + 1) % 5000 == 0:
            file.close()
            file = files.open("/data/journal", "wb")
        if (sale + 1) * 2 in MARKS:
            before = flash.bytes_read
            began = time.perf_counter()
            again = Files(flash, 0, RING_BYTES)
            again.mount()
            again.open("/data/journal", "rb").read()
            mount_ms = (time.perf_counter() - began) * 1000
            starts.append(Start((sale + 1) * 2, mount_ms, flash.bytes_read - before))
    sales = records // 2
    cost = Cost(
        "littlefs-python",
        flash.bytes_programmed / sales,
        sum(flash.erases) / sales,
        spent_s * 1000 / sales,
    )
    return cost, starts


def measure_on_micropython() -> tuple[Cost, Cost]:
    """Journal and VfsLfs2 on the real interpreter, 400 sales each."""
    lines = micropython.run(SCRIPT, heap_bytes=2_000_000).splitlines()
    (ours, our_erases), (theirs, their_erases) = (map(int, line.split()) for line in lines)
    return (
        Cost("journal on MicroPython", ours / 400, our_erases / 400, 0.0),
        Cost("VfsLfs2 on MicroPython", theirs / 400, their_erases / 400, 0.0),
    )


def main() -> int:
    parser = argparse.ArgumentParser(prog="inv bench journal", description=__doc__)
    parser.add_argument("--records", type=int, default=100_000)
    records = parser.parse_args().records
    ours, starts, hottest = measure_journal(records)
    theirs, their_starts = measure_littlefs(records)
    ours_there, vfs = measure_on_micropython()
    print(f"{records} records; per sale:")
    print(f"{'':26}{'bytes programmed':>18}{'sectors erased':>16}{'append ms':>11}")
    for cost in (ours, theirs, ours_there, vfs):
        append = f"{cost.append_ms:.2f}" if cost.append_ms else "-"
        print(f"{cost.name:26}{cost.bytes_programmed:18.1f}{cost.sectors_erased:16.4f}{append:>11}")
    wrong = []
    for mine, other in ((ours, theirs), (ours_there, vfs)):
        programmed = other.bytes_programmed / mine.bytes_programmed
        erased = other.sectors_erased / mine.sectors_erased
        print(f"{other.name} programs {programmed:.0f} and erases {erased:.0f} times as much")
        if programmed < BAR or erased < BAR:
            wrong.append(f"less than {BAR} times better than {other.name}")
    print(
        f"{'records':>10}{'start ms':>10}{'bytes read':>12}   a file: {'start ms':>9}{'read':>10}"
    )
    for start, other_start in zip(starts, their_starts, strict=True):
        print(
            f"{start.records:10}{start.mount_ms:10.1f}{start.bytes_read:12}"
            f"           {other_start.mount_ms:9.1f}{other_start.bytes_read:10}"
        )
    bound = 128 * 64 + 4 * 4096 * 4
    if max(start.bytes_read for start in starts) > bound:
        wrong.append(f"a start reads more than {bound} bytes")
    if records >= MARKS[-1]:
        days = records / 2 / SALES_A_DAY
        years = ENDURANCE_CYCLES / hottest * days / 365.25
        print(
            f"the most used sector was erased {hottest} times in {days:.0f} days of {SALES_A_DAY}"
            f" sales: {ENDURANCE_CYCLES} cycles last {years:.0f} years (computed)"
        )
    for text in wrong:
        print("MISSED: " + text)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
