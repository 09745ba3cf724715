"""CoAP as terminals speak it: the few parts of RFC 7252 that a message needs. Pure; for
`faces.datagrams`.

A datagram is taken apart strictly: what is not CoAP to the letter is nobody's question.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from updater_server.wire import limits

CON, NON, ACK, RST = range(4)


class Code(IntEnum):
    """What is used of the registry (RFC 7252 section 12.1, RFC 8132 section 6)."""

    EMPTY = 0x00
    POST = 0x02
    CHANGED = 0x44
    BAD_REQUEST = 0x80
    UNAUTHORIZED = 0x81
    BAD_OPTION = 0x82
    NOT_FOUND = 0x84
    NOT_ALLOWED = 0x85
    CONFLICT = 0x89
    TOO_LARGE = 0x8D
    NOT_IMPLEMENTED = 0xA1
    UNAVAILABLE = 0xA3


URI_HOST, URI_PORT, URI_PATH = 3, 7, 11
PAYLOAD_LIMIT_BYTES = limits.COAP_PAYLOAD_BYTES[1]
"""RFC 7252 section 4.6: what fits anywhere."""
DATAGRAM_LIMIT_BYTES = 1152
_TOKEN_LIMIT_BYTES = 8
_OPTIONS_LIMIT = 16


class NotCoap(Exception):
    """Not one whole, well-formed CoAP message."""


@dataclass(frozen=True)
class Datagram:
    """One CoAP message. `kind` is CON, NON, ACK or RST; `options` in the order of their numbers."""

    kind: int
    code: int
    message_id: int
    token: bytes = b""
    options: tuple[tuple[int, bytes], ...] = ()
    payload: bytes = b""

    @property
    def path(self) -> tuple[bytes, ...]:
        """The parts of the path that is asked."""
        return tuple(value for number, value in self.options if number == URI_PATH)

    @property
    def odd_options(self) -> bool:
        """Whether an option that may not be passed over is none of ours."""
        return any(n & 1 and n not in (URI_HOST, URI_PORT, URI_PATH) for n, _ in self.options)

    def encode(self) -> bytes:
        """Its bytes; only for answers, which have no options."""
        head = bytes((0x40 | self.kind << 4 | len(self.token), self.code))
        marker = b"\xff" if self.payload else b""
        return head + self.message_id.to_bytes(2, "big") + self.token + marker + self.payload


def parse(data: bytes) -> Datagram:
    """Take a datagram apart.

    Raises:
        NotCoap: it is cut, of another version, or breaks a rule of RFC 7252 section 3.
    """
    if not 4 <= len(data) <= DATAGRAM_LIMIT_BYTES or data[0] >> 6 != 1:
        raise NotCoap("head")
    kind, token_bytes, code = data[0] >> 4 & 3, data[0] & 15, data[1]
    message_id = int.from_bytes(data[2:4], "big")
    at = 4 + token_bytes
    if token_bytes > _TOKEN_LIMIT_BYTES or len(data) < at:
        raise NotCoap("token")
    if code == Code.EMPTY and len(data) != 4:
        raise NotCoap("an empty message has something in it")
    options: list[tuple[int, bytes]] = []
    number = 0
    while at < len(data) and data[at] != 0xFF:
        delta, size = data[at] >> 4, data[at] & 15
        delta, at = _extended(data, at + 1, delta)
        size, at = _extended(data, at, size)
        number += delta
        if at + size > len(data) or number > 0xFFFF or len(options) == _OPTIONS_LIMIT:
            raise NotCoap("options")
        options.append((number, data[at : at + size]))
        at += size
    payload = data[at + 1 :]
    if at < len(data) and not payload:
        raise NotCoap("a marker without a payload")
    return Datagram(kind, code, message_id, data[4 : 4 + token_bytes], tuple(options), payload)


def _extended(data: bytes, at: int, nibble: int) -> tuple[int, int]:
    """(value, where the next thing begins) of an option's delta or length."""
    if nibble < 13:
        return nibble, at
    more = nibble - 12
    if nibble == 15 or at + more > len(data):
        raise NotCoap("options")
    base = 13 if nibble == 13 else 269
    return base + int.from_bytes(data[at : at + more], "big"), at + more
