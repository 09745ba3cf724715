"""Applies a detools sequential patch (compression none) as a stream: no seek in the patch, 512
bytes of memory. For `install` only; pure: reading and writing are the caller's.

Layout: one byte of type and compression (0), new size, size of an architecture section (0), then
until the new size is reached: diff size, diff bytes (added to the old ones, modulo 256), extra
size, extra bytes, step of the old position. Sizes are signed, little-endian, 6 bits in the first
byte, then 7; bit 7 says more follow, bit 6 of the first byte is the sign. Source: detools'
documentation and docs/decisions/0006-deltas.md.
"""

from bootloader.shared.compat import const

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_CHUNK_BYTES = const(256)
_SIZE_BYTES = const(5)
IDLE_STEPS = const(2)


class DeltaError(Exception):
    """The patch is damaged, of another kind, or not for this base."""


def _size(read: "Callable[[bytearray], None]", one: bytearray) -> int:
    read(one)
    byte = one[0]
    value = byte & 0x3F
    negative = byte & 0x40
    shift = 6
    for _ in range(_SIZE_BYTES - 1):
        if not byte & 0x80:
            break
        read(one)
        byte = one[0]
        value |= (byte & 0x7F) << shift
        shift += 7
    if byte & 0x80:
        raise DeltaError("a size is too large")
    return -value if negative else value


def apply(
    read: "Callable[[bytearray | memoryview], None]",
    old: "Callable[[int, bytearray | memoryview], None]",
    old_size: int,
    write: "Callable[[memoryview], None]",
    new_size: int,
) -> "Iterator[None]":
    """Make the new image; a generator that yields after every chunk, so that the caller can let
    others run.

    `read(buf)` fills `buf` from the patch or raises; `old(offset, buf)` fills `buf` from the base;
    `write(view)` takes the image piece by piece. Never writes more than `new_size` bytes.

    Raises:
        DeltaError: as there. Whatever `read` and `write` raise passes through.
    """
    one = bytearray(1)
    read(one)
    if one[0]:
        raise DeltaError("not a sequential patch without compression")
    if _size(read, one) != new_size:
        raise DeltaError("the patch makes another size")
    patch = bytearray(_CHUNK_BYTES)
    base = bytearray(_CHUNK_BYTES)
    zeros = bytes(_CHUNK_BYTES)
    if new_size and _size(read, one):
        raise DeltaError("patch for an architecture")
    done = position = idle = 0
    while done < new_size:
        before = done
        for is_diff in (True, False):
            left = _size(read, one)
            if left < 0 or done + left > new_size:
                raise DeltaError("the patch makes too much")
            if is_diff and left and not 0 <= position <= old_size - left:
                raise DeltaError("the patch reads outside its base")
            while left:
                count = min(left, _CHUNK_BYTES)
                view = memoryview(patch)[:count]
                read(view)
                if is_diff:
                    # Most of a good patch is zeros: then the base is the answer, without a loop.
                    same = view == zeros[:count]
                    piece = memoryview(base)[:count]
                    old(position, piece)
                    position += count
                    if not same:
                        for i in range(count):
                            base[i] = (base[i] + patch[i]) & 0xFF
                    view = piece
                write(view)
                done += count
                left -= count
                yield
        position += _size(read, one)
        # An honest patch may hold an empty step, to move; a forged one must not go on so.
        idle = idle + 1 if done == before else 0
        if idle > IDLE_STEPS:
            raise DeltaError("the patch makes nothing")
        yield
