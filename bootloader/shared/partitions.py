"""Named windows on the flash, so that nobody above computes an address.

The bootloader, the journal, the update client and the boards' files use it; nothing else
touches `Flash`.
"""

try:
    from micropython import const
except ImportError:

    def const(value: int) -> int:  # type: ignore[misc]  # the stubs' takes more
        """As MicroPython's, which has the compiler put the number in place of its name."""
        return value


TYPE_CHECKING = False
if TYPE_CHECKING:
    from bootloader.shared.board import Flash

SECTOR_BYTES = const(4096)
PAGE_BYTES = const(256)
_READINGS = const(48)

# name: (offset, size_bytes); docs/architecture.md, "Flash map"
DUKA_R1 = {
    "boot": (0x000000, 0x040000),
    "control": (0x040000, 0x002000),
    "identity": (0x042000, 0x002000),
    "journal": (0x050000, 0x080000),
    "slot_a": (0x0D0000, 0x0A0000),
    "slot_b": (0x170000, 0x0A0000),
    "download": (0x210000, 0x0A0000),
    "data": (0x2B0000, 0x150000),
}


class PartitionError(ValueError):
    """An access outside a partition, or one that flash cannot do; nothing was read or written."""


def table(flash: "Flash", layout: "dict[str, tuple[int, int]]" = DUKA_R1) -> "dict[str, Partition]":
    """`{name: Partition}` of a board's flash.

    Raises PartitionError if a partition does not fit the flash, is not made of whole sectors or
    overlaps another.
    """
    end = 0
    partitions = {}
    for name, (offset, size_bytes) in sorted(layout.items(), key=lambda item: item[1]):
        if offset < end:
            raise PartitionError("partition " + name + " overlaps the one before it")
        partitions[name] = Partition(flash, offset, size_bytes)
        end = offset + size_bytes
    return partitions


class Partition:
    """`size_bytes` of `flash` from `offset` on. Offsets given to its calls count from its start."""

    def __init__(self, flash: "Flash", offset: int, size_bytes: int) -> None:
        """Raises PartitionError unless it is whole sectors inside the flash."""
        if offset < 0 or size_bytes <= 0 or offset + size_bytes > flash.size_bytes:
            raise PartitionError("partition does not fit the flash")
        if offset % SECTOR_BYTES or size_bytes % SECTOR_BYTES:
            raise PartitionError("partition is not whole sectors")
        self.flash = flash
        self.offset = offset
        self.size_bytes = size_bytes

    def _address(self, offset: int, length: int) -> int:
        if offset < 0 or length < 0 or offset + length > self.size_bytes:
            raise PartitionError("outside the partition")
        return self.offset + offset

    def read_into(self, offset: int, buf: bytearray | memoryview) -> None:
        """Fill `buf` from `offset` on."""
        self.flash.read_into(self._address(offset, len(buf)), buf)

    def read(self, offset: int, length: int) -> bytearray:
        """`length` bytes from `offset` on, as a new bytearray."""
        address = self._address(offset, length)
        buf = bytearray(length)
        self.flash.read_into(address, buf)
        return buf

    def program(self, offset: int, data: bytes | bytearray | memoryview) -> None:
        """Clear the bits that are 0 in `data`; any length, one flash operation a page."""
        address = self._address(offset, len(data))
        data = memoryview(data)
        done = 0
        while done < len(data):
            piece = min(PAGE_BYTES - (address + done) % PAGE_BYTES, len(data) - done)
            self.flash.program(address + done, data[done : done + piece])
            done += piece

    def erase_sector(self, offset: int) -> None:
        """Set the sector at `offset` to ones; raises PartitionError if none begins there."""
        if offset % SECTOR_BYTES:
            raise PartitionError("no sector begins there")
        self.flash.erase(self._address(offset, SECTOR_BYTES))

    def mapped(self, length: int | None = None) -> memoryview:
        """A memoryview of the first `length` bytes (all by default), executable in place."""
        length = self.size_bytes if length is None else length
        return self.flash.mapped(self._address(0, length), length)

    def is_blank(self, offset: int, length: int) -> bool:
        """True if every one of the `length` bytes from `offset` on is erased."""
        self._address(offset, length)
        buf = bytearray(min(PAGE_BYTES, length))
        ones = b"\xff" * len(buf)
        while length:
            piece = min(len(buf), length)
            view = memoryview(buf)[:piece]
            self.read_into(offset, view)
            if view != ones[:piece]:
                return False
            offset += piece
            length -= piece
        return True


class BlockDevice:
    """A Partition as MicroPython's littlefs wants it: extended block interface, 4096-byte blocks.

    If `seen` is a set, the numbers of blocks that are read come into it. With an offset
    `writeblocks` only programs: littlefs has erased the block by `ioctl` before. Errors of the
    flash pass through as OSError. Source: MicroPython's `vfs.AbstractBlockDev`.
    """

    def __init__(self, partition: Partition) -> None:
        self.partition = partition
        self.seen: set[int] | None = None

    def readblocks(self, block: int, buf: bytearray, offset: int = 0) -> None:
        """Fill `buf` from `offset` in `block` on."""
        if self.seen is not None:
            self.seen.add(block)
        self.partition.read_into(block * SECTOR_BYTES + offset, buf)

    def writeblocks(self, block: int, buf: bytearray, offset: int | None = None) -> None:
        """Write `buf` at `offset` in `block`; without one, whole blocks that are erased first."""
        start = block * SECTOR_BYTES
        if offset is None:
            for sector in range(start, start + len(buf), SECTOR_BYTES):
                self.partition.erase_sector(sector)
            offset = 0
        self.partition.program(start + offset, buf)

    def ioctl(self, operation: int, argument: int) -> int:
        """Size in blocks (4), bytes of one (5), erase one (6)."""
        if operation == 4:
            return self.partition.size_bytes // SECTOR_BYTES
        if operation == 5:
            return SECTOR_BYTES
        if operation == 6:
            self.partition.erase_sector(argument * SECTOR_BYTES)
        return 0  # 1 start, 2 stop, 3 sync: nothing is held back here


def make_firm(partition: Partition, offset: int) -> None:
    """Program the last written page of the sector at `offset` with its own content.

    A cut in the middle of a program may leave cells that read as 0 now and as 1 later. What reads 0
    in any of many readings is made 0 for good: of 16, one such cell in 65,536 would be left.
    """
    for at in range(offset + SECTOR_BYTES - PAGE_BYTES, offset - 1, -PAGE_BYTES):
        if not partition.is_blank(at, PAGE_BYTES):
            page = bytearray(PAGE_BYTES)
            bits = -1
            for _ in range(_READINGS):
                partition.read_into(at, page)
                bits &= int.from_bytes(page, "big")
            partition.program(at, bits.to_bytes(PAGE_BYTES, "big"))
            return


def mount_data(partition: Partition, may_format: bool) -> None:
    """Mount littlefs in `partition` at /data; a blank one is formatted first.

    littlefs believes what it reads at mount, and appends to it. So the blocks it looks at then,
    which are those of its directories, are made firm before it looks again.

    Raises OSError if it cannot be mounted; with `may_format` it is made anew instead. It holds
    stock and trust, so only a caller who knows that nothing is lost may say so.
    """
    import vfs

    device = BlockDevice(partition)
    device.seen = set()

    def found() -> vfs.VfsLfs2:
        # a file's own time is asked of nobody, and would be that of a clock that may be wrong
        return vfs.VfsLfs2(device, mtime=False)  # type: ignore[abstract, arg-type]  # the stubs want a base class

    try:
        found()
    except OSError:
        pass  # once more below
    for block in sorted(device.seen):  # a set has another order on each interpreter
        make_firm(partition, block * SECTOR_BYTES)
    device.seen = None
    try:
        filesystem = found()
    except OSError:
        # littlefs keeps its superblock in the first two blocks
        if not may_format and not partition.is_blank(0, 2 * SECTOR_BYTES):
            raise
        vfs.VfsLfs2.mkfs(device)  # type: ignore[arg-type]
        filesystem = found()
    vfs.mount(filesystem, "/data")
