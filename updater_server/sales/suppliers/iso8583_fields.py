"""ISO 8583 (1987) messages as tables: which fields there are, how each is written, and which a
message has. For `iso8583`; another host with other fields is another table.

In ASCII: type, bitmaps in hexadecimal, fields in order. Source: ISO 8583:1987 sections 4.2 to 4.4.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


class NotAMessage(Exception):
    """The bytes are not one whole message of the table; the text says where."""


@dataclass(frozen=True)
class Field:
    """`length` letters, all of `letters`; with `prefix` up to so many, and that many digits of
    length before them.
    """

    letters: str
    length: int
    prefix: int = 0

    def write(self, value: str) -> str:
        """The field as it is sent. Raises NotAMessage."""
        fits = len(value) <= self.length if self.prefix else len(value) == self.length
        if not fits or not re.fullmatch(f"{self.letters}*", value):
            raise NotAMessage(f"{value!r} does not fit its field")
        return (f"{len(value):0{self.prefix}d}" if self.prefix else "") + value


_N, _AN, _ANS = "[0-9]", "[0-9A-Za-z]", "[ -~]"
FIELDS = {
    2: Field(_N, 20, 2),  # whom it goes to
    3: Field(_N, 6),  # processing code: the product
    4: Field(_N, 12),  # amount in minor units
    7: Field(_N, 10),  # month, day, hour, minute, second of sending, UTC
    11: Field(_N, 6),  # trace number
    37: Field(_AN, 12),  # retrieval reference number: one sale's, for ever
    38: Field(_ANS, 6),  # the host's own number of it
    39: Field(_AN, 2),  # response code
    41: Field(_ANS, 8),  # who we are
    48: Field(_ANS, 999, 3),  # our reference
    49: Field(_AN, 3),  # currency
    70: Field(_N, 3),  # what a network message is about
    90: Field(_N, 42),  # of the original: type, trace, time, two institutions
}
SALE, SALE_REPLY = "0200", "0210"
REVERSAL, REVERSAL_REPLY = "0420", "0430"
NETWORK, NETWORK_REPLY = "0800", "0810"
NEEDED = {
    SALE: (2, 3, 4, 7, 11, 37, 41, 48, 49),
    SALE_REPLY: (2, 4, 11, 37, 39, 49),
    REVERSAL: (2, 3, 4, 7, 11, 37, 41, 48, 49, 90),
    REVERSAL_REPLY: (2, 4, 11, 37, 39, 49),
    NETWORK: (7, 11, 70),
    NETWORK_REPLY: (11, 39, 70),
}
"""What a message of each type must have."""


def write(kind: str, values: dict[int, str]) -> bytes:
    """A message.

    Raises:
        NotAMessage: a field is missing, or a value does not fit.
    """
    missing = [number for number in NEEDED[kind] if number not in values]
    if missing:
        raise NotAMessage(f"{kind} lacks {missing}")
    bits = sum(1 << (64 - number) for number in values if number <= 64)
    second = sum(1 << (128 - number) for number in values if number > 64)
    bitmap = f"{bits | (1 << 63):016X}{second:016X}" if second else f"{bits:016X}"
    fields = [FIELDS[number].write(values[number]) for number in sorted(values)]
    return (kind + bitmap + "".join(fields)).encode("ascii")


def read(data: bytes) -> tuple[str, dict[int, str]]:
    """Type and fields of a message, to its last byte.

    Raises:
        NotAMessage: it is none, or has a field that is not in the table, or lacks one.
    """
    try:
        text = data.decode("ascii")
    except UnicodeDecodeError as error:
        raise NotAMessage("it is not in ASCII") from error
    kind, numbers, at = text[:4], [], 4
    for first in (1, 65):
        if first == 65 and 1 not in numbers:
            break
        bitmap = text[at : at + 16]
        if not re.fullmatch("[0-9A-Fa-f]{16}", bitmap):
            raise NotAMessage("no bitmap")
        bits = int(bitmap, 16)
        numbers += [first + n for n in range(64) if bits >> (63 - n) & 1]
        at += 16
    values = {}
    for number in numbers:
        if number == 1:
            continue
        values[number], at = _read_field(text, number, at)
    if at != len(text):
        raise NotAMessage(f"{len(text) - at} letters too many")
    missing = [number for number in NEEDED.get(kind, ()) if number not in values]
    if kind not in NEEDED or missing:
        raise NotAMessage(f"type {kind!r} lacks {missing}")
    return kind, values


def _read_field(text: str, number: int, at: int) -> tuple[str, int]:
    field = FIELDS.get(number)
    if field is None:
        raise NotAMessage(f"field {number} is not in the table")
    length = field.length
    if field.prefix:
        told = text[at : at + field.prefix]
        if not re.fullmatch(f"[0-9]{{{field.prefix}}}", told) or int(told) > field.length:
            raise NotAMessage(f"field {number}: length {told!r}")
        length, at = int(told), at + field.prefix
    value = text[at : at + length]
    if len(value) != length or not re.fullmatch(f"{field.letters}*", value):
        raise NotAMessage(f"field {number}: {value!r}")
    return value, at + length
