"""Signed JSON: a strict reader and the canonical encoding that signatures are made over (the one of
`securesystemslib.formats.encode_canonical`, OLPC's canonical JSON). The metadata and catalogue
readers call it.

The reader is our own because MicroPython's accepts what is not JSON (missing commas and colons,
leading zeros) and every `json` keeps the last of two equal keys: bytes that two parsers read
differently are how a checked document becomes another one. There are no fractions in what we sign,
so there are none here.
"""

from .breath import breathe
from .compat import const, utf8

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, NoReturn

    Write = Callable[[bytes], None]

MAX_DEPTH = const(16)
MAX_ITEMS = const(1024)
_LONGEST_SHORT = const(10)  # characters of a name; such short ones are the interpreter's own

_SPACE = b" \t\r\n"
_ESCAPES = {98: "\b", 102: "\f", 110: "\n", 114: "\r", 116: "\t", 34: '"', 92: "\\", 47: "/"}


class JsonError(ValueError):
    """Not JSON that we accept, or not a value that canonical JSON can hold. The text says what and
    where.
    """


class _Reader:
    def __init__(self, data: bytes, items_left: int) -> None:
        self.data = data
        self.items_left = items_left
        self.at = 0
        self.names: dict[str, str] = {}  # key ids stand in a file again and again: once in the heap

    def fail(self, what: str) -> "NoReturn":
        """Raises JsonError."""
        raise JsonError(what + " at byte " + str(self.at))

    def next(self) -> int:
        """The next byte that is not space, or -1."""
        data = self.data
        at = self.at
        end = len(data)
        while at < end and data[at] in _SPACE:
            at += 1
        self.at = at
        return data[at] if at < end else -1

    def value(self, depth: int) -> "Any":
        """The next value, holding at most `depth` levels of lists and maps. Raises JsonError."""
        breathe()
        # Ten bytes of empty lists take hundreds in the heap: the length alone is no bound.
        self.items_left -= 1
        if self.items_left < 0:
            self.fail("too many items")
        head = self.next()
        if head == 0x22:
            text = self.string()
            return self.names.get(text, text)
        if head == 0x7B:
            return self.map(depth - 1)
        if head == 0x5B:
            return self.list(depth - 1)
        if head == 0x2D or 0x30 <= head <= 0x39:
            return self.number()
        for word, value in ((b"true", True), (b"false", False), (b"null", None)):
            if self.data[self.at : self.at + len(word)] == word:
                self.at += len(word)
                return value
        return self.fail("no value")

    def number(self) -> int:
        """The integer that begins here. Raises JsonError."""
        data = self.data
        start = at = self.at
        if data[at] == 0x2D:
            at += 1
        first = at
        end = len(data)
        while at < end and 0x30 <= data[at] <= 0x39:
            at += 1
        if at == first or at - first > 18 or (data[first] == 0x30 and at - first > 1):
            self.fail("an integer of at most 18 digits is needed")
        if at < end and data[at] in b".eE":
            self.fail("fractions and exponents are not accepted")
        self.at = at
        return int(data[start:at])

    def string(self) -> str:
        """The text that begins here with its quote. Raises JsonError."""
        data = self.data
        start = end = self.at + 1
        while True:
            end = data.find(b'"', end)
            if end < 0:
                self.fail("text without end")
            # The quote ends the text if an even number of backslashes stands before it.
            at = end
            while data[at - 1] == 0x5C:
                at -= 1
            if (end - at) & 1 == 0:
                break
            end += 1
        raw = data[start:end]
        if raw and min(raw) < 32:
            self.fail("control character in text")
        try:
            text = utf8(raw)
        except ValueError:
            self.fail("text is not UTF-8")
        if "\\" in text:
            text = self.unescape(text)
        self.at = end + 1
        return text

    def unescape(self, text: str) -> str:
        """`text` with what its backslashes mean (RFC 8259, section 7). Raises JsonError."""
        out: list[str] = []
        done = 0
        high = 0  # the first half of a surrogate pair, waiting for the second
        while True:
            at = text.find("\\", done)
            if high and at != done:
                self.fail("half a character")
            if at < 0:
                break
            out.append(text[done:at])
            kind = ord(text[at + 1])
            done = at + 2
            if kind == 0x75:
                try:
                    # int() would also take "+1f"; fromhex only skips spaces, which the length
                    # shows.
                    pair = bytes.fromhex(text[done : done + 4])
                except ValueError:
                    pair = b""
                if len(pair) != 2:
                    self.fail("four hex digits are needed")
                done += 4
                code = pair[0] << 8 | pair[1]
                if high:
                    if not 0xDC00 <= code < 0xE000:
                        self.fail("half a character")
                    code = 0x10000 + ((high - 0xD800) << 10) + code - 0xDC00
                    high = 0
                elif 0xD800 <= code < 0xDC00:
                    high = code
                    continue
                elif 0xDC00 <= code < 0xE000:
                    self.fail("half a character")
                out.append(chr(code))
            elif high or kind not in _ESCAPES:
                self.fail("unknown escape")
            else:
                out.append(_ESCAPES[kind])
        out.append(text[done:])
        return "".join(out)

    def list(self, depth: int) -> "Any":
        """The list that begins here. Raises JsonError."""
        if depth < 0:
            self.fail("nested too deep")
        self.at += 1
        out: Any = []
        if self.next() == 0x5D:
            self.at += 1
            return out
        while True:
            out.append(self.value(depth))
            mark = self.next()
            self.at += 1
            if mark == 0x5D:
                return out
            if mark != 0x2C:
                self.fail("a comma or the list's end is needed")

    def map(self, depth: int) -> "dict[str, Any]":
        """The map that begins here. Raises JsonError."""
        if depth < 0:
            self.fail("nested too deep")
        self.at += 1
        out: dict[str, Any] = {}
        if self.next() == 0x7D:
            self.at += 1
            return out
        while True:
            if self.next() != 0x22:
                self.fail("a key is needed")
            key = self.string()
            if key in out:
                self.fail("duplicate key")
            if self.next() != 0x3A:
                self.fail("a colon is needed")
            self.at += 1
            if len(key) > _LONGEST_SHORT:
                self.names[key] = key
            out[key] = self.value(depth)
            mark = self.next()
            self.at += 1
            if mark == 0x7D:
                return out
            if mark != 0x2C:
                self.fail("a comma or the map's end is needed")


def loads(
    data: bytes | bytearray | memoryview,
    max_bytes: int,
    max_depth: int = MAX_DEPTH,
    max_items: int = MAX_ITEMS,
) -> "Any":
    """The JSON value in `data` (bytes): maps, lists, text, integers of up to 18 digits, true,
    false, null.

    `max_items` counts values (not keys), as it is they that fill the heap.

    Raises:
        JsonError: too long, too deep, too many values, a fraction, a duplicate key, or not JSON
        (RFC 8259).
    """
    if len(data) > max_bytes:
        raise JsonError("longer than " + str(max_bytes) + " bytes")
    reader = _Reader(data if isinstance(data, bytes) else bytes(data), max_items)
    value = reader.value(max_depth)
    if reader.next() >= 0:
        reader.fail("something after the value")
    return value


def _write(write: "Write", value: object) -> None:
    if value is None:
        write(b"null")
    elif isinstance(value, bool):
        write(b"true" if value else b"false")
    elif isinstance(value, int):
        write(str(value).encode())
    elif isinstance(value, str):
        write(b'"')
        write(value.replace("\\", "\\\\").replace('"', '\\"').encode())
        write(b'"')
    elif isinstance(value, (list, tuple)):
        mark = b"["
        for item in value:
            write(mark)
            _write(write, item)
            mark = b","
        write(b"]" if value else b"[]")
    elif isinstance(value, dict):
        mark = b"{"
        for key in sorted(value):
            if not isinstance(key, str):
                raise JsonError("a key is text")
            write(mark)
            _write(write, key)
            write(b":")
            _write(write, value[key])
            mark = b","
        write(b"}" if value else b"{}")
    else:
        raise JsonError("cannot be written: " + type(value).__name__)


class _Sink:
    """Counts the pieces written, then holds them: a buffer that grew piece by piece would leave the
    heap of a board in shreds."""

    def __init__(self) -> None:
        self.out = bytearray()
        self.at = 0

    def count(self, piece: bytes) -> None:
        """Only how long it is."""
        self.at += len(piece)

    def hold(self, piece: bytes) -> None:
        """Put it behind what came before."""
        end = self.at + len(piece)
        self.out[self.at : end] = piece
        self.at = end


def encode(value: object) -> bytearray:
    """The canonical encoding of what `loads` gives, as a bytearray.

    Raises:
        JsonError: a value or key of another type.
    """
    sink = _Sink()
    _write(sink.count, value)
    sink.out = bytearray(sink.at)
    sink.at = 0
    _write(sink.hold, value)
    return sink.out


class _Comparison:
    """Whether what is written is what `view` holds; `same` says so as far as it came."""

    def __init__(self, view: memoryview) -> None:
        self.view = view
        self.at = 0
        self.same = True

    def take(self, piece: bytes) -> None:
        """The next piece that is written."""
        end = self.at + len(piece)
        self.same = self.same and self.view[self.at : end] == piece
        self.at = end


def encode_within(value: object, data: bytes, mark: bytes) -> bytearray | memoryview:
    """As `encode`, but where the encoding stands in `data` (bytes) behind the first `mark`, a view
    of it there: what is kilobytes long need not be in a board's heap twice.
    """
    if not isinstance(data, bytes):
        data = bytes(data)
    start = data.find(mark) + len(mark)
    comparison = _Comparison(memoryview(data)[start:])
    _write(comparison.take, value)
    if comparison.same:
        return comparison.view[: comparison.at]
    return encode(value)
