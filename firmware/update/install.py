"""From a payload in the `download` partition to an image in the other slot, checked in flash.

For `client` only. Everything here can be cut anywhere and begun again: the payload stays, and the
slot counts for nothing until the boot control block names it.
"""

import io

from bootloader.shared.compat import const, inflater, sleep_ms
from bootloader.shared.partitions import PAGE_BYTES, SECTOR_BYTES

from .download import hash_flash

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from bootloader.shared.compat import Expanded
    from bootloader.shared.partitions import Partition

_WINDOW_BITS = const(12)


class InstallError(Exception):
    """The payload does not make the signed image; `reason` is one word for a report."""

    def __init__(self, reason: str, text: str) -> None:
        super().__init__(text)
        self.reason = reason


class _Source(io.IOBase):
    """The payload as a stream, one page of it in memory."""

    def __init__(self, partition: "Partition", length: int) -> None:
        self._partition = partition
        self._length = length
        self._page = memoryview(bytearray(PAGE_BYTES))
        self._at = 0

    def readable(self) -> bool:
        """CPython's streams are asked."""
        return True

    def readinto(self, buf: bytearray | memoryview) -> int:
        """Up to a page's rest; 0 at the end."""
        in_page = self._at % PAGE_BYTES
        if in_page == 0:
            rest = min(PAGE_BYTES, self._length - self._at)
            self._partition.read_into(self._at, self._page[:rest])
        count = min(len(buf), PAGE_BYTES - in_page, self._length - self._at)
        if count == 1:
            buf[0] = self._page[in_page]
        else:
            buf[:count] = self._page[in_page : in_page + count]
        self._at += count
        return count


class _SlotWriter:
    """Programs a slot from its start; refuses more than `size_bytes`. Nothing is taken back: what
    flash really holds is hashed at the end.
    """

    def __init__(self, partition: "Partition", size_bytes: int) -> None:
        self._partition = partition
        self._size_bytes = size_bytes
        self._page = bytearray(PAGE_BYTES)
        self._filled = 0
        self.written = 0

    def made(self, offset: int, view: memoryview) -> None:
        """Fill `view` from what was written."""
        flushed = self.written - self._filled
        count = min(max(flushed - offset, 0), len(view))
        if count:
            self._partition.read_into(offset, view[:count])
        if count < len(view):
            first = offset + count - flushed
            view[count:] = self._page[first : first + len(view) - count]

    def write(self, view: memoryview) -> None:
        """Raises InstallError if it is more than the image."""
        if self.written + len(view) > self._size_bytes:
            raise InstallError("too_long", "the payload makes more than the image")
        while len(view):
            count = min(PAGE_BYTES - self._filled, len(view))
            self._page[self._filled : self._filled + count] = view[:count]
            self._filled += count
            self.written += count
            view = view[count:]
            if self._filled == PAGE_BYTES:
                self.flush()

    def flush(self) -> None:
        """Program what is left of a page."""
        if not self._filled:
            return
        offset = self.written - self._filled
        if offset % SECTOR_BYTES == 0:
            self._partition.erase_sector(offset)
        self._partition.program(offset, memoryview(self._page)[: self._filled])
        self._filled = 0


async def digest_of(partition: "Partition", length: int) -> bytes:
    """SHA-256 of the first `length` bytes of `partition`, letting others run."""
    scratch = bytearray(512)
    for _ in hash_flash(partition, 0, length, scratch):
        await sleep_ms(0)
    return bytes(scratch[:32])


async def expand(
    payload: "Partition",
    length: int,
    slot: "Partition",
    size_bytes: int,
    base: "Partition | None" = None,
    base_size: int = 0,
) -> None:
    """Write the image that `payload` (a Partition, its first `length` bytes) makes to `slot`: a
    zlib stream of the image or, with a `base` (a Partition), of a patch to it.

    Lets others run after every few hundred bytes. The caller compares the hash of the slot.

    Raises:
        InstallError: "damaged", "truncated", "too_long", "window" or "delta".
    """
    head = payload.read(0, 2)
    if length < 6 or head[0] & 0x0F != 8 or (head[0] << 8 | head[1]) % 31:
        raise InstallError("damaged", "not a zlib stream")
    if (head[0] >> 4) + 8 > _WINDOW_BITS or head[1] & 0x20:
        # Checked before the window is allocated: what a payload asks for is not what it gets.
        raise InstallError("window", "the window is over 4 KiB")
    writer = _SlotWriter(slot, size_bytes)
    stream = inflater(_Source(payload, length))
    try:
        if base is None:
            page = bytearray(PAGE_BYTES)
            while True:
                count = stream.readinto(page)
                if not count:
                    break
                writer.write(memoryview(page)[:count])
                await sleep_ms(0)
        else:
            from . import delta

            patch = _Exactly(stream)
            try:
                for _ in delta.apply(
                    patch.read, base.read_into, base_size, writer.write, size_bytes
                ):
                    await sleep_ms(0)
                patch.end()
            except delta.DeltaError as error:
                raise InstallError("delta", str(error))
    except EOFError:
        raise InstallError("truncated", "the payload ends early")
    except (OSError, ValueError) as error:
        raise InstallError("damaged", "the payload is damaged: " + str(error))
    writer.flush()
    if writer.written != size_bytes:
        raise InstallError("truncated", "the payload makes %d bytes" % writer.written)


async def patched(
    reader: "Any",
    payload: "Partition",
    length: int,
    slot: "Partition",
    size_bytes: int,
    base: "Partition",
    base_size: int,
) -> None:
    """As `expand`, of a patch to `base`, with the module `patch`.

    Raises:
        InstallError: "patch".
    """
    writer = _SlotWriter(slot, size_bytes)
    source = _Source(payload, length)
    try:
        for _ in reader.apply(
            source.readinto, base.read_into, base_size, writer.write, writer.made, size_bytes
        ):
            await sleep_ms(0)
    except reader.PatchError as error:
        raise InstallError("patch", str(error))
    writer.flush()


class _Exactly:
    """Reads that are full or an error."""

    def __init__(self, stream: "Expanded") -> None:
        self._stream = stream

    def read(self, buf: bytearray | memoryview) -> None:
        """Fill `buf`. Raises EOFError."""
        view = memoryview(buf)
        while len(view):
            # the stubs know no views here
            count = self._stream.readinto(view)  # type: ignore[arg-type]
            if not count:
                raise EOFError
            view = view[count:]

    def end(self) -> None:
        """Raises InstallError if anything follows."""
        if self._stream.readinto(bytearray(1)):
            raise InstallError("delta", "something follows the patch")
