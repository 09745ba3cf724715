"""SMP (MCUmgr) version 2 over a console line: frames in, frames out. Only recovery calls it.

Framing: Zephyr's "SMP over console": base64 lines of at most 127 bytes, `06 09` before the first
and `04 14` before each further one, a big-endian length in front, CRC-16/XMODEM behind.
"""

import struct
from binascii import a2b_base64, b2a_base64

from bootloader.shared.cbor import CborError, dumps, loads
from bootloader.shared.compat import const
from bootloader.shared.strict import fault

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar

    Body = dict[str, Any]  # of a request or a reply
    T = TypeVar("T")

BUFFER_BYTES = const(1024)
"""Largest decoded frame with its length and CRC: what `buf_size` tells the client."""

_LINE_BYTES = const(127)
_LINE_CHARS = const(124)
_STARTS = ((6, 9), (4, 20))
_HEADER = "!BBHHBB"
_HEADER_BYTES = const(8)

RC_UNKNOWN = const(1)
RC_NO_MEMORY = const(2)
RC_INVALID = const(3)
RC_BAD_STATE = const(6)
RC_UNSUPPORTED = const(8)
RC_CORRUPT = const(9)
RC_DENIED = const(11)


class SmpError(Exception):
    """A request is refused: `rc` is MCUmgr's code, `text` says to the technician what to do."""

    def __init__(self, rc: int, text: str) -> None:
        super().__init__(text)
        self.rc = rc
        self.text = text


def field(body: "Body", name: str, kind: "type[T]", default: "T | None" = None) -> "T":
    """A field of a request. Raises SmpError if it is mistyped, or missing without a `default`."""
    value = body.get(name, default)
    if value is None and name not in body:
        raise SmpError(RC_INVALID, "the request lacks " + name)
    if fault(value, kind):
        raise SmpError(RC_INVALID, name + " has the wrong type")
    return value  # type: ignore[no-any-return]  # `fault` has looked


def crc16(data: bytes) -> int:
    """CRC-16/XMODEM: polynomial 0x1021, start 0, not reflected."""
    crc = 0
    for byte in data:
        crc ^= byte << 8
        for _ in (0, 1):
            top = crc >> 12  # four bits at a time: their carry-less product with the polynomial
            crc = (crc << 4 & 0xFFFF) ^ top << 12 ^ top << 5 ^ top
    return crc


def to_lines(message: bytes) -> bytes:
    """The bytes that carry `message` (header and body) over the console."""
    framed = struct.pack("!H", len(message) + 2) + message + struct.pack("!H", crc16(message))
    text = b2a_base64(framed).strip()
    out = bytearray()
    for start in range(0, len(text), _LINE_CHARS):
        out += b"\x04\x14" if start else b"\x06\x09"
        out += text[start : start + _LINE_CHARS]
        out += b"\n"
    return bytes(out)


class LineReader:
    """Console bytes in, messages out. What is not a whole, intact frame is dropped and counted.

    Holds at most one line and one frame, whatever comes in.
    """

    def __init__(self) -> None:
        self._line = bytearray()
        self._too_long = False
        self._frame: bytearray | None = None
        self.dropped = {"line too long": 0, "not SMP": 0, "malformed": 0, "bad CRC": 0}

    def feed(self, data: bytes) -> list[bytes]:
        """The messages that `data` completes, as a list of bytes."""
        messages = []
        for byte in data:
            if byte in (10, 13):
                if self._line and not self._too_long:
                    message = self._take(bytes(self._line))
                    if message is not None:
                        messages.append(message)
                self._line = bytearray()
                self._too_long = False
            elif self._line and (self._line[-1], byte) in _STARTS:
                # No base64 holds these two: what stood before them on the line is noise.
                self._line = bytearray((self._line[-1], byte))
                self._too_long = False
            elif self._too_long:
                self._line[-1] = byte
            elif len(self._line) < _LINE_BYTES:
                self._line.append(byte)
            else:
                self._drop("line too long")
                self._too_long = True
        return messages

    def _drop(self, why: str) -> None:
        self.dropped[why] += 1
        self._frame = None

    def _take(self, line: bytes) -> bytes | None:
        start = line[:2]
        if start == b"\x06\x09":
            self._frame = bytearray()
        elif start != b"\x04\x14" or self._frame is None:
            self._drop("not SMP")
            return None
        try:
            self._frame += a2b_base64(line[2:])
        except ValueError:
            self._drop("malformed")
            return None
        if len(self._frame) < 2:
            self._drop("malformed")
            return None
        length = 2 + (self._frame[0] << 8 | self._frame[1])
        if length > BUFFER_BYTES or len(self._frame) > length or length < 4 + _HEADER_BYTES:
            self._drop("malformed")
            return None
        if len(self._frame) < length:
            return None
        frame = bytes(self._frame)
        self._frame = None
        if crc16(frame[2:-2]) != frame[-2] << 8 | frame[-1]:
            self._drop("bad CRC")
            return None
        return frame[2:-2]


def answer(message: bytes, handle: "Callable[[int, int, bool, Body], Body]") -> bytes | None:
    """The reply to one message, or None if it is not a request.

    `handle(group, command, is_write, body)` gets a map and gives one, or raises SmpError.
    """
    op, flags, length, group, sequence, command = struct.unpack_from(_HEADER, message, 0)
    if length != len(message) - _HEADER_BYTES or op & 7 not in (0, 2):
        return None
    try:
        # Standard clients write maps of indefinite length.
        body = loads(message[_HEADER_BYTES:], strict=False) if length else {}
        if not isinstance(body, dict):
            raise SmpError(RC_INVALID, "the body is not a map")
        reply = handle(group, command, op & 7 == 2, body)
    except SmpError as refusal:
        reply = {"rc": refusal.rc, "rsn": refusal.text}
    except CborError as error:
        reply = {"rc": RC_INVALID, "rsn": str(error)}
    except MemoryError:
        reply = {"rc": RC_NO_MEMORY, "rsn": "not enough memory for this request"}
    payload = dumps(reply)
    return struct.pack(_HEADER, op + 1, flags, len(payload), group, sequence, command) + payload
