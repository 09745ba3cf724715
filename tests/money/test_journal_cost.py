"""What a sale costs the flash: counted, against a file on MicroPython's own littlefs."""

from __future__ import annotations

from tests.support import micropython

SCRIPT = """
import os
from bootloader.shared.partitions import BlockDevice, Partition
from firmware.sales.journal import Journal

class Flash:
    def __init__(self, sectors):
        self.size_bytes = sectors * 4096
        self.cells = bytearray(b"\\xff" * self.size_bytes)
        self.bytes = self.erases = 0
    def read_into(self, address, buf):
        buf[:] = memoryview(self.cells)[address : address + len(buf)]
    def program(self, address, data):
        self.bytes += len(data)
        for i in range(len(data)):
            self.cells[address + i] &= data[i]
    def erase(self, address):
        self.erases += 1
        self.cells[address : address + 4096] = b"\\xff" * 4096

SALES = 400
flash = Flash(16)
journal = Journal(Partition(flash, 0, flash.size_bytes), lambda: 1790000000)
journal.mount()
journal.acknowledge(0, 10000000, 1790000000)
journal.append(9, [100007, 900])
flash.bytes = flash.erases = 0
records = []
for n in range(SALES):
    sale = journal.append(2, ["air50", 5000, 250, 100007, n])
    journal.append(6, [sale, 0])
    if n % 100 == 99:
        journal.acknowledge(journal.next_sequence - 1, 10000000 - 4750 * n)
print(flash.bytes, flash.erases)

lfs = Flash(64)
device = BlockDevice(Partition(lfs, 0, lfs.size_bytes))
os.VfsLfs2.mkfs(device)
os.mount(os.VfsLfs2(device), "/flash")
sizes = []
lfs.bytes = lfs.erases = 0
with open("/flash/journal", "ab") as file:
    for n in range(SALES):
        for size in (47, 30):
            file.write(bytes([n & 255]) * size)
            file.flush()
print(lfs.bytes, lfs.erases)
"""


def test_a_sale_costs_at_most_a_quarter_of_what_a_synced_file_would() -> None:
    lines = micropython.run(SCRIPT, heap_bytes=2_000_000).splitlines()
    (ours, our_erases), (theirs, their_erases) = (map(int, line.split()) for line in lines)
    assert ours / 400 < 110, "bytes programmed for an offline sale, its end and its share of heads"
    assert ours * 4 <= theirs
    assert our_erases * 4 <= their_erases
