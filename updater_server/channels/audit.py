"""Who changed the channels, what and when: `<repository>/audit.jsonl`. For `channels` alone.

One JSON object a line, only ever appended. Each names the SHA-256 of the line before it, so a line
that was changed, taken out or put in breaks the chain from there on; a cut tail is found because
the newest publication must be in the log. Who may write the file could write the whole chain anew;
so what people sign, and the snapshot, each name the line that was the newest then (`newest`).

A line that was cut while it was written (no power, no room) never told of anything that happened:
the next line moves it to `audit.torn`, and says so. A log that nothing can be added to would stop
the halt of a bad release.
"""

from __future__ import annotations

import errno
import getpass
import hashlib
import os
import socket
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from updater_server.atomic import sync_folder

MENDED = "moved a torn line aside"
"""What a line is called that tells of such a mending."""
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
        """Add one line, durably. What a cut left of a line before it is moved aside and noted.

        Raises:
            OSError: it cannot be written; nothing of it is left in the log.
        """
        lines, torn = self._whole_lines()
        if torn:
            self._move_aside(torn, now)
            lines, _ = self._whole_lines()
        self._write(lines, what, details, keys, now)

    def tells(self, what: str, details: dict[str, Any]) -> bool:
        """Whether the last line but for mendings tells of exactly this."""
        for data in reversed(self._whole_lines()[0]):
            line = msgspec.json.decode(data, type=AuditLine)
            if line.what != MENDED:
                return line.what == what and line.details == details
        return False

    def _move_aside(self, torn: bytes, now: datetime | None) -> None:
        aside = self.path.with_suffix(".torn")
        if not aside.exists() or not aside.read_bytes().endswith(torn + b"\n"):
            _append(aside, torn + b"\n")
        sync_folder(self.path.parent)
        with self.path.open("r+b") as file:
            file.truncate(self.path.stat().st_size - len(torn))
            os.fsync(file.fileno())
        about = {"size_bytes": len(torn), "sha256": hashlib.sha256(torn).hexdigest()}
        self._write(self._whole_lines()[0], MENDED, about, [], now)

    def _write(
        self,
        lines: list[bytes],
        what: str,
        details: dict[str, Any],
        keys: Sequence[str],
        now: datetime | None,
    ) -> None:
        last = lines[-1] if lines else b""
        line = AuditLine(
            msgspec.json.decode(last, type=AuditLine).number + 1 if last else 1,
            (now or datetime.now(UTC)).strftime("%Y-%m-%dT%H:%M:%SZ"),
            _who(),
            what,
            sorted(keys),
            details,
            hashlib.sha256(last).hexdigest() if last else _START,
        )
        is_new = not lines
        _append(self.path, msgspec.json.encode(line) + b"\n")
        if is_new:
            sync_folder(self.path.parent)

    def newest(self) -> str:
        """The anchor of the newest whole line: the first half of its SHA-256, in hex; empty if
        there is none. What is torn behind it is passed over: it may not stop a signature.
        """
        lines, _ = self._whole_lines()
        return anchor(lines[-1]) if lines else ""

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
        lines = self._content().split(b"\n")
        if lines.pop():
            raise AuditDamaged("the last line is cut short; the next change moves it aside")
        return lines

    def _whole_lines(self) -> tuple[list[bytes], bytes]:
        """(The lines up to the last that is one, what follows them)."""
        content = self._content()
        end = len(content)
        while end:
            end = content.rfind(b"\n", 0, end)
            if end < 0:
                return [], content
            start = content.rfind(b"\n", 0, end) + 1
            try:
                msgspec.json.decode(content[start:end], type=AuditLine)
            except msgspec.MsgspecError:
                end = start
                continue
            return content[:end].split(b"\n"), content[end + 1 :]
        return [], content

    def _content(self) -> bytes:
        try:
            return self.path.read_bytes()
        except FileNotFoundError:
            return b""


def _append(path: Path, data: bytes) -> None:
    """All of `data` at the end of `path`, durably, or nothing of it."""
    with path.open("ab", buffering=0) as file:
        size_bytes = file.seek(0, os.SEEK_END)
        try:
            if file.write(data) != len(data):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
            os.fsync(file.fileno())
        except OSError:
            file.truncate(size_bytes)
            raise
