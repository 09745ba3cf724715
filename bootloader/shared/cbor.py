"""CBOR (RFC 8949) of the kind our messages use: unsigned and negative integers of up to 64 bits,
byte strings, text, arrays, maps, true, false, null. Any device module may call it.

Refused: floats, tags, undefined and other simple values, integer keys beyond 64 bits, duplicate
keys, keys that are not an integer, text or bytes. `loads` also refuses what deterministic encoding
(section 4.2.1) would not have written as a length (longer forms, indefinite lengths) unless
`strict=False`, which serial recovery needs: other people's SMP clients open their maps with `0xBF`.
The order of map keys is never judged.

Every length is compared with the bytes that are really there before anything is allocated.
"""

from .compat import const, utf8

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Bytes = bytes | bytearray | memoryview

MAX_DEPTH = const(8)
MAX_ITEMS = const(1024)
MAX_BYTES = const(16384)

_BREAK = object()


class CborError(ValueError):
    """The bytes are not CBOR that we accept, or the value is not one that we write. The text says
    which rule.
    """


class Reader:
    """One pass over `data`. With `views` set, byte strings come out as views into `data`, not as
    copies.
    """

    def __init__(self, data: "Bytes", items_left: int, strict: bool) -> None:
        self.data = memoryview(data)
        self.at = 0
        self.items_left = items_left
        self.strict = strict
        self.views = False

    def take(self, count: int) -> memoryview:
        """The next `count` bytes. Raises CborError if there are not so many."""
        start = self.at
        if count > len(self.data) - start:
            raise CborError("cut short")
        self.at = start + count
        return self.data[start : self.at]

    def value(self, depth: int, may_break: bool = False) -> "Any":
        """The next value, holding at most `depth` levels of arrays and maps. Raises CborError."""
        self.items_left -= 1
        if self.items_left < 0:
            raise CborError("too many items")
        if self.at >= len(self.data):
            raise CborError("cut short")
        head = self.data[self.at]
        self.at += 1
        major = head >> 5
        if major == 7:
            if head == 0xF4:
                return False
            if head == 0xF5:
                return True
            if head == 0xF6:
                return None
            if head == 0xFF and may_break:
                return _BREAK
            raise CborError("floats, simple values and a stray break are not accepted")
        count = self._count(major, head & 31)
        if major == 0:
            return count
        if major == 1:
            return -1 - count
        if major == 2:
            raw = self.take(count)
            return raw if self.views else bytes(raw)
        if major == 3:
            text = bytes(self.take(count))
            try:
                return utf8(text)
            except ValueError:
                raise CborError("text is not UTF-8")
        if major == 6:
            raise CborError("tags are not accepted")
        if depth == 0:
            raise CborError("nested too deep")
        # Every item takes at least one byte: a count that the bytes left cannot hold is a lie.
        if count > (len(self.data) - self.at) >> (major - 4):
            raise CborError("cut short")
        return self._array(count, depth) if major == 4 else self._map(count, depth)

    def _count(self, major: int, small: int) -> int:
        """The number in an item's head, whose first byte ends in `small`; -1 if it is not told."""
        if small < 24:
            return small
        if small < 28:
            size = 1 << (small - 24)
            count = int.from_bytes(self.take(size), "big")
            if self.strict and count < (24 if size == 1 else 1 << (size * 4)):
                raise CborError("not the shortest form")
            return count
        if small == 31 and major in (4, 5) and not self.strict:
            return -1
        raise CborError("indefinite or reserved length")

    def _array(self, count: int, depth: int) -> "list[Any]":
        out: list[Any] = []
        while count:
            item = self.value(depth - 1, count < 0)
            if item is _BREAK:
                break
            out.append(item)
            count -= 1
        return out

    def _map(self, count: int, depth: int) -> "dict[Any, Any]":
        out: dict[Any, Any] = {}
        while count:
            key = self.value(0, count < 0)
            if key is _BREAK:
                break
            # True == 1 in Python: a boolean key could stand for a number's.
            if key is None or isinstance(key, bool):
                raise CborError("a key is an integer, text or bytes")
            if self.views and isinstance(key, memoryview):
                key = bytes(key)  # a view has no hash on MicroPython
            if key in out:
                raise CborError("duplicate key")
            out[key] = self.value(depth - 1)
            count -= 1
        return out


def loads(
    data: "Bytes",
    max_bytes: int = MAX_BYTES,
    max_items: int = MAX_ITEMS,
    max_depth: int = MAX_DEPTH,
    strict: bool = True,
) -> "Any":
    """The one value in `data` (bytes, bytearray or memoryview), which it must fill to the last
    byte.

    `max_items` counts every value and key; `max_depth` counts nested arrays and maps.

    Raises:
        CborError: anything else than one accepted value within the limits.
    """
    value, end = load_prefix(data, max_bytes, max_items, max_depth, strict)
    if end != len(data):
        raise CborError("bytes after the value")
    return value


def load_prefix(
    data: "Bytes",
    max_bytes: int = MAX_BYTES,
    max_items: int = MAX_ITEMS,
    max_depth: int = MAX_DEPTH,
    strict: bool = True,
) -> "tuple[Any, int]":
    """`(value, bytes it took)`: as `loads`, for a value with other bytes behind it.

    Raises:
        CborError: as `loads`.
    """
    if len(data) > max_bytes:
        raise CborError("too long")
    reader = Reader(data, max_items, strict)
    value = reader.value(max_depth)
    return value, reader.at


def _head(out: bytearray, major: int, count: int) -> None:
    if count < 24:
        out.append(major << 5 | count)
        return
    size = 0
    while count >> (8 << size):
        size += 1
    if size > 3:
        raise CborError("integer beyond 64 bits")
    out.append(major << 5 | (24 + size))
    out.extend(count.to_bytes(1 << size, "big"))


def _write(out: bytearray, value: object, depth: int) -> None:
    if depth < 0:
        raise CborError("nested too deep")
    if value is None:
        out.append(0xF6)
    elif isinstance(value, bool):
        out.append(0xF5 if value else 0xF4)
    elif isinstance(value, int):
        if value < 0:
            _head(out, 1, -1 - value)
        else:
            _head(out, 0, value)
    elif isinstance(value, str):
        try:
            value = value.encode()
            utf8(value)
        except ValueError:
            raise CborError("text holds half a character (a surrogate)")
        _head(out, 3, len(value))
        out.extend(value)
    elif isinstance(value, (bytes, bytearray, memoryview)):
        _head(out, 2, len(value))
        out.extend(value)
    elif isinstance(value, (list, tuple)):
        _head(out, 4, len(value))
        for item in value:
            _write(out, item, depth - 1)
    elif isinstance(value, dict):
        keys = []
        for key in value:
            if isinstance(key, bool) or not isinstance(key, (int, str, bytes)):
                raise CborError("a key is an integer, text or bytes")
            keys.append((dumps(key), key))
        keys.sort(key=lambda pair: pair[0])
        _head(out, 5, len(value))
        for encoded, key in keys:
            out.extend(encoded)
            _write(out, value[key], depth - 1)
    else:
        raise CborError("cannot be written: " + type(value).__name__)


def dumps(value: object) -> bytes:
    """The deterministic encoding (RFC 8949 section 4.2.1) of `value`, as bytes.

    Raises:
        CborError: a float or other foreign type, an integer beyond 64 bits, a foreign key, nested
        deeper than 16.
    """
    out = bytearray()
    _write(out, value, 16)
    return bytes(out)
