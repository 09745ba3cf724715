"""Keeps a payload's bytes in the `download` partition, so that any cut costs at most one sector.

For `client` only. What is there is derived from the flash itself: the last sector holds a log with
one mark for each sector that was programmed and read back, and a mark counts only if the sector
still has that hash. The whole payload is bound to the SHA-256 that signed metadata lists.

Log sector: first 64 bytes: magic "DKP1", length (4, little-endian), SHA-256 of the payload, the
rest blank. Then marks of 16 bytes: sector number (2, little-endian), first 14 bytes of the SHA-256
of what that sector holds of the payload. A torn mark fits nothing and is passed over.
"""

import struct
from hashlib import sha256

from bootloader.shared.compat import const
from bootloader.shared.partitions import PAGE_BYTES, SECTOR_BYTES

from .errors import StorageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from bootloader.shared.partitions import Partition

ONE_REQUEST_BYTES = const(16384)
"""So much of a payload is asked for at once."""

_MAGIC = b"DKP1"
_HEAD_BYTES = const(40)
_MARKS_AT = const(64)
_MARK_BYTES = const(16)


def hash_flash(
    partition: "Partition", offset: int, length: int, scratch: bytearray
) -> "Iterator[None]":
    """SHA-256 of flash as it is; a generator that yields once a sector and returns nothing: the
    digest is in the first 32 bytes of `scratch` (at least 256 bytes) at the end.
    """
    digest = sha256()
    view = memoryview(scratch)
    end = offset + length
    while offset < end:
        count = min(len(scratch), end - offset)
        partition.read_into(offset, view[:count])
        digest.update(view[:count])
        offset += count
        if offset % SECTOR_BYTES == 0:
            yield
    view[:32] = digest.digest()


def under_way(partition: "Partition", download: "Download | None" = None) -> tuple[bytes, int, int]:
    """(SHA-256, bytes received, length) of the payload that `partition` holds or takes in; without
    its `Download`, as the log has it, so that nothing is hashed. (b"", 0, 0) if there is none.
    """
    if download is not None:
        return download.digest, download.received, download.length
    log_at = partition.size_bytes - SECTOR_BYTES
    head = partition.read(log_at, _HEAD_BYTES)
    length = struct.unpack("<I", head[4:8])[0]
    if head[:4] != _MAGIC or not 0 < length <= log_at:
        return b"", 0, 0
    mark = bytearray(_MARK_BYTES)
    sectors = 0
    for at in range(_MARKS_AT, SECTOR_BYTES, _MARK_BYTES):
        partition.read_into(log_at + at, mark)
        if mark[0] | mark[1] << 8 == sectors:
            sectors += 1
    return bytes(head[8:]), min(sectors * SECTOR_BYTES, length), length


class Download:
    """One payload on its way. `received` is how many bytes are safely in flash or in the page that
    is being filled: the next byte to fetch.

    Raises:
        StorageError: it is larger than the partition holds.
    """

    def __init__(self, partition: "Partition", length: int, digest: bytes) -> None:
        self._partition = partition
        self._log_at = partition.size_bytes - SECTOR_BYTES
        self.length = length
        self.digest = digest
        if not 0 < length <= self._log_at:
            raise StorageError("payload of %d bytes, room for %d" % (length, self._log_at))
        self._page = bytearray(PAGE_BYTES)
        self._filled = 0
        self._check = bytearray(PAGE_BYTES)
        self._sector_hash = sha256()
        self._head = _MAGIC + struct.pack("<I", length) + digest
        self._next_mark = _MARKS_AT
        self.received = 0
        if partition.read(self._log_at, _HEAD_BYTES) == self._head:
            self._resume()
        else:
            self.restart()

    @property
    def complete(self) -> bool:
        """Whether every byte came."""
        return self.received == self.length

    def restart(self) -> None:
        """Forget what is there: the payload is fetched from its first byte."""
        self._partition.erase_sector(self._log_at)
        self._partition.program(self._log_at, self._head)
        self._next_mark = _MARKS_AT
        self._from(0)

    def discard(self) -> None:
        """The payload is no longer wanted, or is not what was signed."""
        self._partition.erase_sector(self._log_at)
        self._from(0)

    def _from(self, offset: int) -> None:
        self.received = offset
        self._filled = 0
        self._sector_hash = sha256()

    def _resume(self) -> None:
        """Go on behind the last sector that checks out."""
        mark = bytearray(_MARK_BYTES)
        blank = b"\xff" * _MARK_BYTES
        good = 0
        at = _MARKS_AT
        while at < SECTOR_BYTES:
            self._partition.read_into(self._log_at + at, mark)
            if mark != blank:
                # What follows the last mark, however torn, is where the next one may go.
                self._next_mark = at + _MARK_BYTES
                if mark == self._mark_of(good):
                    good += 1
            at += _MARK_BYTES
        self._from(min(good * SECTOR_BYTES, self.length))

    def _mark_of(self, sector: int) -> bytes:
        """The mark that fits what flash holds in that sector; empty beyond the payload."""
        offset = sector * SECTOR_BYTES
        if offset >= self.length:
            return b""
        for _ in hash_flash(
            self._partition, offset, min(SECTOR_BYTES, self.length - offset), self._check
        ):
            pass
        return struct.pack("<H", sector) + bytes(self._check[:14])

    def write(self, data: bytes | memoryview) -> None:
        """Take the next bytes of the payload (a view); every full page goes to flash at once.

        Raises:
            StorageError: the flash does not hold what was programmed, or there are too many bytes.
        """
        if self.received + len(data) > self.length:
            raise StorageError("more bytes than the payload has")
        while len(data):
            count = min(PAGE_BYTES - self._filled, len(data))
            self._page[self._filled : self._filled + count] = data[:count]
            self._filled += count
            self.received += count
            data = data[count:]
            if self._filled == PAGE_BYTES or self.complete:
                self._flush()

    def _flush(self) -> None:
        offset = self.received - self._filled
        view = memoryview(self._page)[: self._filled]
        check = memoryview(self._check)[: self._filled]
        if offset % SECTOR_BYTES == 0:
            self._partition.erase_sector(offset)
        self._partition.program(offset, view)
        self._partition.read_into(offset, check)
        if check != view:
            self._from(offset - offset % SECTOR_BYTES)
            raise StorageError("flash at %d does not hold what was programmed" % offset)
        self._sector_hash.update(view)
        self._filled = 0
        if self.received % SECTOR_BYTES == 0 or self.complete:
            self._mark((self.received - 1) // SECTOR_BYTES)

    def _mark(self, sector: int) -> None:
        mark = struct.pack("<H", sector) + self._sector_hash.digest()[:14]
        self._sector_hash = sha256()
        # A log full of torn marks (over a hundred cuts) only costs the progress of a later cut.
        if self._next_mark < SECTOR_BYTES:
            self._partition.program(self._log_at + self._next_mark, mark)
            self._next_mark += _MARK_BYTES
