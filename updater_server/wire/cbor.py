"""CBOR from strangers, without bombs. For `messages` and `sales.journal`.

`cbor2` builds what it is told to build; so the bytes are walked first: only integers, strings,
arrays, maps, true, false and null, shortest lengths, no tags, no indefinite lengths, few levels,
few items, nothing after the end (RFC 8949 sections 4.2.1, 5.3 and 10).
"""

from __future__ import annotations

from typing import Any

import cbor2

MAX_DEPTH = 6
MAX_ITEMS = 4096


class CborError(Exception):
    """Not CBOR of the kind our messages use; the text says which rule."""


def _walk(data: bytes, at: int, depth: int, budget: list[int]) -> int:
    """Check the item at `at`; returns where the next begins."""
    budget[0] -= 1
    if budget[0] < 0:
        raise CborError("too many items")
    if at >= len(data):
        raise CborError("cut short")
    major, small = data[at] >> 5, data[at] & 31
    at += 1
    if major == 7:
        if small not in (20, 21, 22):
            raise CborError("only true, false and null are allowed as simple values")
        return at
    if small < 24:
        value = small
    elif small < 28:
        size = 1 << (small - 24)
        if at + size > len(data):
            raise CborError("cut short")
        value = int.from_bytes(data[at : at + size], "big")
        at += size
        if value < (24, 1 << 8, 1 << 16, 1 << 32)[small - 24]:
            raise CborError("a number is not in its shortest form")
    else:
        raise CborError("indefinite or reserved length")
    if major in (0, 1):
        return at
    if major in (2, 3):
        if value > len(data) - at:
            raise CborError("cut short")
        return at + value
    if major == 6:
        raise CborError("tags are not allowed")
    if depth == 0:
        raise CborError("nested too deep")
    if value > len(data) - at:  # each element is one byte at least
        raise CborError("cut short")
    for _ in range(value):
        if major == 5:
            if at < len(data) and data[at] >> 5 > 3:
                raise CborError("a key must be an integer or a string")
            at = _walk(data, at, depth - 1, budget)
        at = _walk(data, at, depth - 1, budget)
    return at


def loads(data: bytes) -> Any:
    """The value that `data` is the whole encoding of.

    Raises:
        CborError: anything else.
    """
    if _walk(data, 0, MAX_DEPTH, [MAX_ITEMS]) != len(data):
        raise CborError("bytes after the end")
    try:
        return cbor2.loads(data, max_depth=MAX_DEPTH + 1, allow_duplicate_keys=False)
    except (cbor2.CBORDecodeError, UnicodeDecodeError, ValueError, TypeError) as error:
        raise CborError(f"not acceptable: {error}") from error


def dumps(value: object) -> bytes:
    """Deterministic encoding (RFC 8949 section 4.2.1)."""
    return cbor2.dumps(value, canonical=True)
