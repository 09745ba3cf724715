"""Short messages as they travel: TPDUs of 3GPP TS 23.040, text of TS 23.038. Pure.

A centre turns what a part submits into what another gets delivered; user data (and the header of a
concatenated message in it) goes through untouched.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

_BASIC: Final = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡"
    "ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION: Final = {
    0x0A: "\f",
    0x14: "^",
    0x28: "{",
    0x29: "}",
    0x2F: "\\",
    0x3C: "[",
    0x3D: "~",
    0x3E: "]",
    0x40: "|",
    0x65: "€",
}
_ESCAPE: Final = 0x1B
_BACK: Final = {
    **{character: (code,) for code, character in enumerate(_BASIC) if code != _ESCAPE},
    **{character: (_ESCAPE, code) for code, character in _EXTENSION.items()},
}
UCS2: Final = 8


class PduError(ValueError):
    """These bytes are no TPDU that can be sent."""


@dataclass(frozen=True)
class Message:
    """One message: who it is from or for, and its user data as it is on the air. `length` is in
    septets or bytes, as the coding has it.
    """

    number: str
    coding: int
    has_header: bool
    length: int
    data: bytes
    protocol: int = 0
    wants_report: bool = False

    @property
    def text(self) -> str:
        """What a person reads; data that is no text as hexadecimal digits."""
        header_bytes = self.data[0] + 1 if self.has_header and self.data else 0
        if self.coding & 0x0C == UCS2:
            return self.data[header_bytes:].decode("utf-16-be", "replace")
        if self.coding & 0x0C:
            return self.data[header_bytes:].hex().upper()
        septets = unpack(self.data, self.length)
        return decoded(septets[(header_bytes * 8 + 6) // 7 :])


def of_text(number: str, text: str) -> Message:
    """A message with that text, in seven bits if it can be. Raises PduError if it is too long."""
    try:
        septets = encoded(text)
    except PduError:
        data = text.encode("utf-16-be")
        if len(data) > 140:
            raise PduError("over 70 characters") from None
        return Message(number, UCS2, False, len(data), data)
    if len(septets) > 160:
        raise PduError("over 160 characters")
    return Message(number, 0, False, len(septets), pack(septets))


def encoded(text: str) -> list[int]:
    """Text in the default alphabet, a septet an item. Raises PduError where it has no letter."""
    try:
        return [code for character in text for code in _BACK[character]]
    except KeyError as missing:
        raise PduError(f"no {missing} in the default alphabet") from None


def decoded(septets: list[int]) -> str:
    """Text of the default alphabet."""
    text, is_extension = "", False
    for code in septets:
        if is_extension:
            text += _EXTENSION.get(code, " ")
        elif code != _ESCAPE:
            text += _BASIC[code]
        is_extension = code == _ESCAPE and not is_extension
    return text


def pack(septets: list[int]) -> bytes:
    """Seven bits each, the first in the lowest."""
    whole = sum(code << 7 * place for place, code in enumerate(septets))
    return whole.to_bytes((7 * len(septets) + 7) // 8, "little")


def unpack(data: bytes, count: int) -> list[int]:
    """`count` septets of packed bytes."""
    whole = int.from_bytes(data, "little")
    return [whole >> 7 * place & 0x7F for place in range(count)]


def address(number: str) -> bytes:
    """A number as address field: length in digits, type, digits in pairs."""
    digits = number.removeprefix("+")
    return bytes([len(digits), 0x91 if number.startswith("+") else 0x81]) + _swapped(digits)


def centre_address(number: str) -> bytes:
    """As `address`, with the length in bytes: how a service centre is written before a TPDU."""
    body = address(number)[1:]
    return bytes([len(body)]) + body


def parse_submit(pdu: bytes) -> Message:
    """An SMS-SUBMIT with the service centre before it. Raises PduError."""
    try:
        at = pdu[0] + 1
        first, at = pdu[at], at + 2  # and the reference, which the part chooses
        if first & 3 != 1:
            raise PduError("no SMS-SUBMIT")
        digits, kind = pdu[at], pdu[at + 1]
        octets = (digits + 1) // 2
        number = _digits(pdu[at + 2 : at + 2 + octets])[:digits]
        at += 2 + octets
        protocol, coding = pdu[at], pdu[at + 1]
        at += 2 + {0: 0, 0x10: 1, 0x08: 7, 0x18: 7}[first & 0x18]
        length, data = pdu[at], pdu[at + 1 :]
    except (IndexError, KeyError):
        raise PduError("cut short") from None
    expected = length if coding & 0x0C else (7 * length + 7) // 8
    if len(data) != expected or expected > 140:
        raise PduError(f"{len(data)} bytes of user data where {expected} are told")
    plus = "+" if kind & 0x70 == 0x10 else ""
    return Message(
        plus + number, coding, bool(first & 0x40), length, data, protocol, bool(first & 0x20)
    )


def deliver(message: Message, centre: str, unix_s: float) -> bytes:
    """An SMS-DELIVER of `message`, which came at that time, with the service centre before it."""
    first = 0x04 | (0x40 if message.has_header else 0)
    head = bytes([first]) + address(message.number) + bytes([message.protocol, message.coding])
    stamp = datetime.fromtimestamp(unix_s, UTC).strftime("%y%m%d%H%M%S") + "00"
    return centre_address(centre) + head + _swapped(stamp) + bytes([message.length]) + message.data


def _swapped(digits: str) -> bytes:
    digits += "F" * (len(digits) % 2)
    return bytes(int(digits[n + 1] + digits[n], 16) for n in range(0, len(digits), 2))


def _digits(data: bytes) -> str:
    return "".join(f"{byte & 15:X}{byte >> 4:X}" for byte in data).rstrip("F")
