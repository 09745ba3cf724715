"""PDUs of SMPP 3.4 as a service centre reads and writes them. Pure; written from the specification.

Source: SMPP Protocol Specification v3.4, sections 3.2, 4 and 5.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

HEAD_BYTES: Final = 16
MOST_BYTES: Final = 4096
GENERIC_NACK: Final = 0x80000000
BIND_RECEIVER, BIND_TRANSMITTER, BIND_TRANSCEIVER = 1, 2, 9
SUBMIT_SM, DELIVER_SM, UNBIND, ENQUIRE_LINK = 4, 5, 6, 0x15
RESPONSE: Final = 0x80000000
OK, INVALID_LENGTH, INVALID_COMMAND, NOT_BOUND, ALREADY_BOUND = 0, 2, 3, 4, 5
BAD_PASSWORD, QUEUE_FULL, THROTTLED, NO_MEMORY_OF = 0xE, 0x14, 0x58, 0xB
_MESSAGE_PAYLOAD: Final = 0x0424


class PduError(ValueError):
    """These bytes are no PDU."""


@dataclass(frozen=True)
class Pdu:
    """One of them; `body` is what follows the head."""

    command: int
    sequence: int
    status: int = OK
    body: bytes = b""

    def encode(self) -> bytes:
        """Its bytes."""
        head = (HEAD_BYTES + len(self.body), self.command, self.status, self.sequence)
        return struct.pack(">4I", *head) + self.body

    def answer(self, status: int = OK, body: bytes = b"") -> Pdu:
        """What is said to it."""
        return Pdu(self.command | RESPONSE, self.sequence, status, body)


@dataclass(frozen=True)
class Short:
    """The message in a submit_sm or a deliver_sm. Numbers with + if they are international."""

    source: str
    destination: str
    coding: int
    data: bytes
    esm_class: int = 0

    def encode(self) -> bytes:
        """The body of the PDU."""
        return b"".join(
            (
                b"\0",
                _address(self.source),
                _address(self.destination),
                bytes((self.esm_class, 0, 0)) + b"\0\0",
                bytes((0, 0, self.coding, 0, len(self.data))) + self.data,
            )
        )


def length(head: bytes) -> int:
    """How long the PDU is whose first four bytes are these. Raises PduError."""
    (found,) = struct.unpack(">I", head[:4])
    if not HEAD_BYTES <= found <= MOST_BYTES:
        raise PduError(f"{found} bytes")
    return int(found)


def parse(data: bytes) -> Pdu:
    """A whole PDU. Raises PduError."""
    if len(data) < HEAD_BYTES or length(data) != len(data):
        raise PduError("cut short")
    _, command, status, sequence = struct.unpack(">4I", data[:HEAD_BYTES])
    return Pdu(command, sequence, status, data[HEAD_BYTES:])


def bind_of(body: bytes) -> tuple[str, str]:
    """(system id, password) of a bind. Raises PduError."""
    reader = _Reader(body)
    return reader.text(16), reader.text(9)


def short_of(body: bytes) -> Short:
    """The message of a submit_sm or deliver_sm. Raises PduError."""
    reader = _Reader(body)
    reader.text(6)
    source, destination = reader.address(), reader.address()
    esm_class, _, _ = reader.octet(), reader.octet(), reader.octet()
    reader.text(17)
    reader.text(17)
    _, _, coding, _ = reader.octet(), reader.octet(), reader.octet(), reader.octet()
    data = reader.take(reader.octet())
    while reader.left:
        tag, size = struct.unpack(">2H", reader.take(4))
        value = reader.take(size)
        if tag == _MESSAGE_PAYLOAD and not data:
            data = value
    return Short(source, destination, coding, data, esm_class)


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    @property
    def left(self) -> int:
        return len(self._data) - self._at

    def take(self, size: int) -> bytes:
        if size > self.left:
            raise PduError("cut short")
        self._at += size
        return self._data[self._at - size : self._at]

    def octet(self) -> int:
        return self.take(1)[0]

    def text(self, most_bytes: int) -> str:
        end = self._data.find(b"\0", self._at)
        if end < 0 or end - self._at >= most_bytes:
            raise PduError("a text without an end")
        found = self._data[self._at : end]
        self._at = end + 1
        return found.decode("latin-1")

    def address(self) -> str:
        kind, _ = self.octet(), self.octet()
        number = self.text(21)
        return "+" + number if kind == 1 and not number.startswith("+") else number


def _address(number: str) -> bytes:
    kind = 1 if number.startswith("+") else 0
    return bytes((kind, 1)) + number.lstrip("+").encode("ascii") + b"\0"
