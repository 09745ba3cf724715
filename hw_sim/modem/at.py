"""The AT command line (ITU-T V.250): from the characters of one line to its commands.

For `hw_sim.modem` only; pure.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import Final

MAXIMUM_LINE: Final = 556
"""Characters after "AT" that the part takes in one line (SIM800 AT manual 1.4)."""

_BASIC = re.compile(r"(&?[A-Z])(\d*)")
_EXTENDED = re.compile(r"[+*][A-Z][A-Z0-9]*")


class Kind(Enum):
    """The four forms of an AT command."""

    RUN = "run"
    READ = "read"
    TEST = "test"
    WRITE = "write"


@dataclass(frozen=True)
class AtCommand:
    """One command: its name with the leading + or *, or the letter(s) of a basic one."""

    name: str
    kind: Kind
    arguments: tuple[str, ...] = ()

    def number(self, index: int, lowest: int, highest: int, default: int | None = None) -> int:
        """Argument as an integer in range. Raises AtError 50 (incorrect parameters) otherwise."""
        if index >= len(self.arguments) or self.arguments[index] == "":
            if default is None:
                raise AtError(50)
            return default
        text = self.arguments[index]
        if not (text.isascii() and text.isdigit() and len(text) < 10):
            raise AtError(50)
        value = int(text)
        if not lowest <= value <= highest:
            raise AtError(50)
        return value

    def text(self, index: int, default: str | None = None) -> str:
        """Argument as text without its quotes. Raises AtError 50 when it is missing."""
        if index < len(self.arguments):
            return self.arguments[index]
        if default is None:
            raise AtError(50)
        return default


class AtError(Exception):
    """The command ends in ERROR, or +CME ERROR when the terminal asked for it; None never does.

    Codes are those of 3GPP TS 27.007 section 9.2.
    """

    TEXTS: Final = {
        3: "operation not allowed",
        4: "operation not supported",
        10: "SIM not inserted",
        11: "SIM PIN required",
        12: "SIM PUK required",
        13: "SIM failure",
        16: "incorrect password",
        30: "no network service",
        50: "incorrect parameters",
        133: "requested service option not subscribed",
        148: "unspecified GPRS error",
    }

    def __init__(self, code: int | None = None) -> None:
        super().__init__(code)
        self.code = code

    def result(self, cmee: int) -> str:
        """The final result line under this +CMEE setting."""
        if self.code is None or cmee == 0:
            return "ERROR"
        return f"+CME ERROR: {self.code if cmee == 1 else self.TEXTS[self.code]}"


def parse_line(body: str) -> list[AtCommand]:
    """Commands of a line, "AT" already taken off. Raises AtError when any of it makes no sense."""
    commands: list[AtCommand] = []
    rest = body.strip()
    while rest:
        if rest[0] in "+*":
            extended, rest = _cut_at_semicolon(rest)
            commands.append(_parse_extended(extended))
            continue
        match = _BASIC.match(rest.upper())
        if match is None:
            raise AtError
        commands.append(AtCommand(match[1], Kind.WRITE, (match[2] or "0",)))
        rest = rest[match.end() :].lstrip(" ;")
    return commands


def _cut_at_semicolon(text: str) -> tuple[str, str]:
    quoted = False
    for index, character in enumerate(text):
        if character == '"':
            quoted = not quoted
        elif character == ";" and not quoted:
            return text[:index].strip(), text[index + 1 :].strip()
    if quoted:
        raise AtError(50)
    return text.strip(), ""


def _parse_extended(text: str) -> AtCommand:
    match = _EXTENDED.match(text.upper())
    if match is None:
        raise AtError
    name, tail = match[0], text[match.end() :].strip()
    if tail == "":
        return AtCommand(name, Kind.RUN)
    if tail == "?":
        return AtCommand(name, Kind.READ)
    if tail == "=?":
        return AtCommand(name, Kind.TEST)
    if not tail.startswith("="):
        raise AtError
    return AtCommand(name, Kind.WRITE, tuple(_split_arguments(tail[1:])))


def _split_arguments(text: str) -> list[str]:
    arguments, current, quoted = [], "", False
    for character in text:
        if character == '"':
            quoted = not quoted
        elif character == "," and not quoted:
            arguments.append(current.strip())
            current = ""
        else:
            current += character
    return [*arguments, current.strip()]
