"""Who changed the channels, what and when: `<repository>/audit.jsonl`. For `channels` alone.

One JSON object a line, only ever appended. Each names the SHA-256 of the line before it, so a line
that was changed, taken out or put in breaks the chain from there on; a cut tail is found because
the newest publication must be in the log. Who may write the file could write the whole chain anew;
so what people sign, and the snapshot, each name the line that was the newest then (`newest`).
"""

from __future__ import annotations

import getpass
import hashlib
import os
import socket
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

_START = "0" * 64
ANCHOR_HEX_DIGITS = 32
"""So much of a line's SHA-256 is named in what is signed: it travels over GPRS."""


class AuditDamaged(Exception):
    """The log was changed; the text says where the chain breaks."""


class AuditLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`what` was done at `at` by `who` (account on host) with the keys `keys`."""

    number: int
    at: str
    who: str
    what: str
    keys: list[str]
    details: dict[str, Any]
    previous: str


def _who() -> str:
    try:
        account = getpass.getuser()
    except (OSError, KeyError):  # an account without a name
        account = str(os.getuid())
    return f"{account}@{socket.gethostname()}"


def anchor(line: bytes) -> str:
    """How signed metadata name a line."""
    return hashlib.sha256(line).hexdigest()[:ANCHOR_HEX_DIGITS]


class AuditLog:
    """The log of one repository folder. The caller holds the folder's lock."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def append(
        self, what: str, details: dict[str, Any], keys: Sequence[str], now: datetime | None = None
    ) -> None:
        """Add one line, durably.

        Raises:
            AuditDamaged: the last line is not one; nothing is built on it.
        """
        lines = self._lines()
        last = lines[-1] if lines else b""
        try:
            number = msgspec.json.decode(last, type=AuditLine).number + 1 if last else 1
        except msgspec.MsgspecError as error:
            raise AuditDamaged(f"the last line of {self.path} is damaged: {error}") from error
        line = AuditLine(
            number,
            (now or datetime.now(UTC)).strftime("%Y-%m-%dT%H:%M:%SZ"),
            _who(),
            what,
            sorted(keys),
            details,
            hashlib.sha256(last).hexdigest() if last else _START,
        )
        with self.path.open("ab") as file:
            file.write(msgspec.json.encode(line) + b"\n")
            file.flush()
            os.fsync(file.fileno())

    def newest(self) -> str:
        """The anchor of the newest whole line: the first half of its SHA-256, in hex; empty if
        there is none. A line cut short behind it is passed over: it may not stop a signature.
        """
        try:
            whole, _, _ = self.path.read_bytes().rpartition(b"\n")
        except FileNotFoundError:
            return ""
        return anchor(whole.rpartition(b"\n")[2]) if whole else ""

    def anchors(self) -> dict[str, int]:
        """Anchor of every line, with its number. Raises AuditDamaged."""
        return {anchor(data): number for number, data in enumerate(self._lines(), start=1)}

    def read(self) -> Iterator[AuditLine]:
        """Every line, oldest first, each checked against the one before.

        Raises:
            AuditDamaged: a line is not one, or the chain breaks there.
        """
        previous = _START
        for number, data in enumerate(self._lines(), start=1):
            try:
                line = msgspec.json.decode(data, type=AuditLine)
            except msgspec.MsgspecError as error:
                raise AuditDamaged(f"line {number} is damaged: {error}") from error
            if line.number != number or line.previous != previous:
                raise AuditDamaged(f"line {number} does not follow on the one before it")
            previous = hashlib.sha256(data).hexdigest()
            yield line

    def _lines(self) -> list[bytes]:
        try:
            data = self.path.read_bytes()
        except FileNotFoundError:
            return []
        lines = data.split(b"\n")
        if lines.pop():
            raise AuditDamaged("the last line is cut short")
        return lines
