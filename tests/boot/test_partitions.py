"""Partitions: windows on the flash that nothing gets out of."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bootloader.shared.partitions import (
    DUKA_R1,
    BlockDevice,
    Partition,
    PartitionError,
    make_firm,
    table,
)
from hw_sim.flash import NorFlash, PowerCut
from tests.support.micropython import run


def test_the_table_of_duka_r1_fits_its_flash_without_overlap(flash: NorFlash) -> None:
    partitions = table(flash)
    assert set(partitions) == set(DUKA_R1)
    assert partitions["data"].offset + partitions["data"].size_bytes == flash.size_bytes


def test_overlapping_partitions_are_refused(flash: NorFlash) -> None:
    with pytest.raises(PartitionError, match="overlaps"):
        table(flash, {"one": (0, 8192), "two": (4096, 4096)})


@pytest.mark.parametrize(
    ("offset", "size"), [(0, 4096 * 1025), (-4096, 4096), (0, 0), (0, 100), (7, 4096)]
)
def test_a_partition_must_be_whole_sectors_inside_the_flash(
    flash: NorFlash, offset: int, size: int
) -> None:
    with pytest.raises(PartitionError):
        Partition(flash, offset, size)


def test_a_long_program_is_split_at_page_boundaries(flash: NorFlash) -> None:
    partition = table(flash)["journal"]
    before = flash.operations
    partition.program(200, bytes(range(256)) * 2)
    assert flash.operations - before == 3
    assert partition.read(200, 512) == bytes(range(256)) * 2
    assert partition.read(199, 1) == b"\xff"


def test_nothing_outside_a_partition_is_read_programmed_or_erased(flash: NorFlash) -> None:
    partition = table(flash)["control"]
    size = partition.size_bytes
    attempts: list[Callable[[], object]] = [
        lambda: partition.read(size - 1, 2),
        lambda: partition.read(-1, 1),
        lambda: partition.read_into(size, bytearray(1)),
        lambda: partition.program(size - 1, b"xx"),
        lambda: partition.program(-1, b"x"),
        lambda: partition.erase_sector(size),
        lambda: partition.erase_sector(-4096),
        lambda: partition.erase_sector(1),
        lambda: partition.is_blank(size - 1, 2),
        lambda: partition.mapped(size + 1),
    ]
    for attempt in attempts:
        with pytest.raises(PartitionError):
            attempt()
    assert flash.operations == 0


def test_blank_means_every_byte_is_erased(flash: NorFlash) -> None:
    partition = table(flash)["control"]
    assert partition.is_blank(0, 8192)
    flash.damage(partition.offset + 8191, b"\x7f")
    assert not partition.is_blank(0, 8192)
    assert partition.is_blank(0, 8191)


def test_a_block_written_without_offset_is_erased_first(flash: NorFlash) -> None:
    device = BlockDevice(table(flash)["data"])
    device.writeblocks(1, b"\x00" * 4096)
    device.writeblocks(1, b"\x55" * 4096)
    read = bytearray(16)
    device.readblocks(1, read, 4080)
    assert read == b"\x55" * 16
    assert device.ioctl(4, 0) == 0x150000 // 4096
    assert device.ioctl(5, 0) == 4096


def test_littlefs_of_micropython_lives_on_a_partition() -> None:
    output = run(
        """
import vfs
from bootloader.shared.partitions import BlockDevice, Partition

class Ram:
    size_bytes = 16 * 4096
    def __init__(self):
        self.cells = bytearray(self.size_bytes)
    def read_into(self, address, buf):
        buf[:] = self.cells[address:address + len(buf)]
    def program(self, address, data):
        assert address // 256 == (address + len(data) - 1) // 256, "crosses a page"
        for i, byte in enumerate(data):
            assert self.cells[address + i] & byte == byte, "sets a bit"
            self.cells[address + i] &= byte
    def erase(self, address):
        self.cells[address:address + 4096] = b"\\xff" * 4096

ram = Ram()
device = BlockDevice(Partition(ram, 0, ram.size_bytes))
vfs.VfsLfs2.mkfs(device)
vfs.mount(vfs.VfsLfs2(device), "/data")
for i in range(20):
    with open("/data/file", "w") as file:
        file.write(str(i) * 500)
vfs.umount("/data")
vfs.mount(vfs.VfsLfs2(device), "/data")
print(open("/data/file").read() == "19" * 500)
"""
    )
    assert output.strip() == "True"


def test_what_a_cut_left_weak_in_a_sector_is_firm_after_one_look() -> None:
    for seed in range(40):
        flash = NorFlash(None, size_bytes=8192)
        flash.cells.set_chance(seed)
        partition = Partition(flash, 0, 8192)
        partition.program(0, bytes(range(200)))
        flash.cut_power_at(flash.operations + 1, "weak")
        with pytest.raises(PowerCut):
            partition.program(256, b"the commit that was being written")
        assert flash.cells.weak
        make_firm(partition, 0)
        assert flash.cells.weak == {}
        assert partition.read(256, 33) == b"the commit that was being written"
        assert flash.violations == 0
        make_firm(partition, 4096)
        assert partition.is_blank(4096, 4096)
