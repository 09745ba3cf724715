"""What came in messages, laid down in a file until the worker takes it: `<data>/telemetry/spool`.

A message's transaction is the sale's. What it tells besides goes to the end of a file, after that
transaction has committed: no table, no lock and no page of the books are touched, and whoever ends
the server (`kill -9`) ends nothing that is in the file. Only the machine's own end (no power) may
take the last seconds with it, which no sale ever waits for.

Any number of processes add to one spool; the worker takes it as a whole, by a rename under the
file's lock. Each entry has a length and a checksum: what a full disk cut short is found.
"""

from __future__ import annotations

import fcntl
import logging
import os
import secrets
import struct
import threading
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

WINDOWS, RESTART, CANARY = 0, 1, 2
"""Kinds of entries: windows as they were told, the release that a terminal restarts into, and a
message of our own (when it was put in) that shows whether anybody takes all this in.
"""
_HEAD = struct.Struct(">HI")
_FIXED = struct.Struct(">B8sQ")
_NAME, _TAKEN = "spool", "taken-"
MOST_BYTES = 256 * 1024 * 1024
"""So much waits for a worker; what comes then is not kept, and the log says so."""
_TOLD_EVERY = 1000
log = logging.getLogger("duka.telemetry")


class Entry(NamedTuple):
    """What one message told; `heard_s` is the server's clock (Unix seconds)."""

    kind: int
    terminal: bytes
    heard_s: int
    told: bytes


class Spool:
    """The spool of one data folder. Safe to call from threads and from several processes."""

    def __init__(self, folder: Path, now: Callable[[], int]) -> None:
        self._folder = folder
        self._now = now
        self._guard = threading.Lock()
        self._descriptor = -1
        self.lost = 0
        """Entries that could not be kept since this process began."""

    def add(self, kind: int, terminal: bytes, told: bytes) -> None:
        """Lay down what a message told. Never raises: what cannot be kept is counted in `lost`."""
        try:
            with self._guard:
                self._open()
                try:
                    self._append(_FIXED.pack(kind, terminal, self._now()) + told)
                finally:
                    fcntl.flock(self._descriptor, fcntl.LOCK_UN)
        except OSError as error:
            self.lost += 1
            if self.lost % _TOLD_EVERY == 1:
                log.error("what terminals tell is not kept (%d times so far): %s", self.lost, error)

    def _append(self, body: bytes) -> None:
        size_bytes = os.lseek(self._descriptor, 0, os.SEEK_END)
        if size_bytes > MOST_BYTES:
            raise OSError("the spool is full: does the worker run?")
        data = _HEAD.pack(len(body), zlib.crc32(body)) + body
        if os.write(self._descriptor, data) != len(data):
            os.ftruncate(self._descriptor, size_bytes)
            raise OSError("no room on the disk")

    def _open(self) -> None:
        """Hold the lock of the file that stands under the spool's name now."""
        path = self._folder / _NAME
        while True:
            if self._descriptor < 0:
                self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
                self._descriptor = os.open(path, flags, 0o600)
            fcntl.flock(self._descriptor, fcntl.LOCK_EX)
            try:
                if os.fstat(self._descriptor).st_ino == path.stat().st_ino:
                    return
            except FileNotFoundError:
                pass
            os.close(self._descriptor)  # the worker took it
            self._descriptor = -1

    def close(self) -> None:
        """Let go of the file; the next `add` opens it again."""
        with self._guard:
            if self._descriptor >= 0:
                os.close(self._descriptor)
                self._descriptor = -1

    def take(self) -> list[Path]:
        """The files that wait to be taken in, oldest first: those that an earlier worker left, and
        what is in the spool now under a name of its own. Whoever has taken one in unlinks it.
        """
        with self._guard:
            path = self._folder / _NAME
            if path.exists() and path.stat().st_size:
                self._open()
                try:
                    at = max([0, *(_number(one) for one in self._left())]) + 1
                    path.rename(self._folder / f"{_TAKEN}{at:08d}-{secrets.token_hex(8)}")
                finally:
                    os.close(self._descriptor)
                    self._descriptor = -1
            return self._left()

    def _left(self) -> list[Path]:
        return sorted(self._folder.glob(f"{_TAKEN}*"))


def _number(path: Path) -> int:
    return int(path.name.removeprefix(_TAKEN).partition("-")[0])


class SpoolDamaged(Exception):
    """From some byte on a spool's file holds no entries; those before it have been given."""


def entries(path: Path) -> Iterator[Entry]:
    """The entries of a file that `take` gave.

    Raises:
        SpoolDamaged: the rest cannot be read.
    """
    with path.open("rb") as file:
        while head := file.read(_HEAD.size):
            size_bytes, crc = _HEAD.unpack(head) if len(head) == _HEAD.size else (0, 0)
            body = file.read(size_bytes)
            if size_bytes < _FIXED.size or len(body) != size_bytes or zlib.crc32(body) != crc:
                raise SpoolDamaged(f"{path.name}: no entry before byte {file.tell()}")
            kind, terminal, heard_s = _FIXED.unpack_from(body)
            yield Entry(kind, terminal, heard_s, body[_FIXED.size :])
