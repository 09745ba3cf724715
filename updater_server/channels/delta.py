"""Binary differences in detools' sequential format, uncompressed. For `payloads`.

Layout: one byte 0 (sequential, no inner compression), size of the result, size 0 (no data-format
patch), then until the result is complete: size and bytes to add to the base, size and bytes to take
as they are, how far to move in the base.
A size is little-endian base 128: 6 bits and a sign (0x40) in the first byte, 7 bits in each further
one, 0x80 where more follow.
Source: detools' documentation of its patch formats; why it is made here: docs/decisions/0006.
"""

from __future__ import annotations

from bsdiff4 import core

from updater_server.wire.limits import DELTA_IDLE_STEPS

_HEADER = b"\x00"
_CONTROL_BYTES = 24


class DeltaError(Exception):
    """The patch is damaged, or does not belong to this base."""


def make(base: bytes, image: bytes) -> bytes:
    """The patch that turns `base` into `image`; the same two give the same bytes."""
    control, difference, extra = core.diff(base, image)
    patch = bytearray(_HEADER + _pack(len(image)) + _pack(0))
    difference_at = extra_at = 0
    for add, take, move in _steps(control):
        patch += _pack(add) + difference[difference_at : difference_at + add]
        patch += _pack(take) + extra[extra_at : extra_at + take]
        difference_at += add
        extra_at += take
        last = extra_at + difference_at == len(image)
        patch += _pack(0 if last else move)
    return bytes(patch)


def _steps(control: bytes) -> list[tuple[int, int, int]]:
    """bsdiff's steps. One that adds and takes nothing only moves: the step before it moves as far,
    so that at most the first is empty."""
    steps: list[tuple[int, int, int]] = []
    for at in range(0, len(control), _CONTROL_BYTES):
        add, take, move = (
            core.decode_int64(control[at + n : at + n + 8]) for n in range(0, _CONTROL_BYTES, 8)
        )
        if steps and not add and not take:
            before = steps.pop()
            add, take, move = before[0], before[1], before[2] + move
        steps.append((add, take, move))
    return steps


def apply(base: bytes, patch: bytes, limit_bytes: int) -> bytes:
    """The image that `patch` makes of `base`.

    Raises:
        DeltaError: not such a patch, cut short, reaching outside the base, or making more than
            `limit_bytes`.
    """
    if patch[:1] != _HEADER:
        raise DeltaError("not a sequential patch without inner compression")
    size, at = _unpack(patch, 1)
    data_format_size, at = _unpack(patch, at)
    if data_format_size or not 0 <= size <= limit_bytes:
        raise DeltaError(f"a patch to {size} bytes; at most {limit_bytes} are allowed")
    image = bytearray()
    base_at = idle = 0
    while len(image) < size:
        add, at = _unpack(patch, at)
        piece = base[base_at : base_at + add] if base_at >= 0 <= add else b""
        difference = patch[at : at + max(add, 0)]
        if len(piece) != add or len(difference) != add or len(image) + add > size:
            raise DeltaError("the patch reaches outside its base or its result")
        image += bytes((old + new) & 0xFF for old, new in zip(piece, difference, strict=True))
        at += add
        base_at += add
        take, at = _unpack(patch, at)
        extra = patch[at : at + max(take, 0)]
        if len(extra) != take or len(image) + take > size:
            raise DeltaError("the patch is cut short or makes too much")
        image += extra
        at += take
        idle = 0 if add or take else idle + 1
        if idle > DELTA_IDLE_STEPS[1]:
            raise DeltaError("the patch makes no progress")
        move, at = _unpack(patch, at)
        base_at += move
    if at != len(patch):
        raise DeltaError("something follows the end of the patch")
    return bytes(image)


def _pack(value: int) -> bytes:
    sign, rest = (0x40, -value) if value < 0 else (0, value)
    first = sign | rest & 0x3F
    rest >>= 6
    packed = bytearray([first | (0x80 if rest else 0)])
    while rest:
        low = rest & 0x7F
        rest >>= 7
        packed.append(low | (0x80 if rest else 0))
    return bytes(packed)


def _unpack(patch: bytes, at: int) -> tuple[int, int]:
    """Return (value, position after it)."""
    shift = 6
    try:
        byte = patch[at]
        value = byte & 0x3F
        negative = byte & 0x40
        while byte & 0x80:
            at += 1
            byte = patch[at]
            value |= (byte & 0x7F) << shift
            shift += 7
            if shift > 62:
                raise DeltaError("a size in the patch is too large")
    except IndexError:
        raise DeltaError("the patch is cut short") from None
    return (-value if negative else value), at + 1
