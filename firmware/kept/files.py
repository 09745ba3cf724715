"""Files that the terminal cannot work without, and the copy of each that worked last; for `main`
and `terminal`.

Such a file is replaced from outside: over the air, or by a technician. Whatever came, the reader
that uses it decides; what it cannot use does not put the terminal out of service: the copy is used,
and the office is told (docs/formats/terminal-files.md, "Copies that worked").
"""

import os
from hashlib import sha256

from bootloader.shared.compat import const
from firmware import counts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import TypeVar

    Made = TypeVar("Made")

COPY = ".last"
NEW = ".new"  # what ends so was being written when the power went, and is nothing
_PIECE_BYTES = const(256)
_MAX_REFUSED = const(8)
_MAX_NAME = const(64)
_MAX_WHY = const(100)
_FILES_REFUSED = const(28)


class Kept:
    """`refused` is {file: why it is not used}, told at check-in; bounds: docs/formats/limits.toml.

    With `keep` a file that works is copied. A release on trial copies nothing: the one before it
    may not be able to read what this one reads.
    """

    def __init__(self, keep: bool) -> None:
        self._keep = keep
        self.refused: dict[str, str] = {}

    def load(self, read: "Callable[[str], Made]", path: str) -> "Made":
        """`read(path)`, or of the copy where that raises ValueError.

        Raises what `read` raised when neither is of use.
        """
        name = _name(path)
        self.refused.pop(name, None)
        try:
            made = read(path)
        except ValueError as error:
            if exists(path):  # one that never came is not refused
                self.refuse(name, str(error))
            try:
                return read(path + COPY)
            except ValueError:
                raise error
        if self._keep:
            _copy(path)
        return made

    def in_use(self, path: str) -> str:
        """Where the content of the file at `path` is that is used."""
        return path + COPY if _name(path) in self.refused else path

    def put(self, path: str, content: bytes) -> None:
        """Replace a file by bytes that its reader takes; a cut leaves the old one or the new one.

        Raises OSError: nothing changed.
        """
        put(path, (content,))
        self.refused.pop(_name(path), None)

    def refuse(self, name: str, why: str) -> None:
        """Note that a file is not used."""
        counts.add(_FILES_REFUSED)
        if len(self.refused) < _MAX_REFUSED or name in self.refused:
            self.refused[name[:_MAX_NAME]] = why[:_MAX_WHY]


def _name(path: str) -> str:
    return path.split("/")[-1]


def exists(path: str) -> bool:
    """Whether there is a file at `path`."""
    try:
        os.stat(path)
        return True
    except OSError:
        return False


def remove(path: str) -> None:
    """Remove the file at `path` if it is there and can be removed."""
    try:
        os.remove(path)
    except OSError:
        pass


def pieces(path: str) -> "Iterator[bytes]":
    """The content of a file, 256 bytes at a time. Raises OSError if it cannot be read."""
    with open(path, "rb") as file:
        while True:
            piece = file.read(_PIECE_BYTES)
            if not piece:
                return
            yield piece


def digest(path: str) -> bytes:
    """SHA-256 of a file, 32 bytes. Raises OSError if it cannot be read."""
    out = sha256()
    for piece in pieces(path):
        out.update(piece)
    found: bytes = out.digest()
    return found


def put(path: str, content: "Iterable[bytes]", wanted: bytes | None = None) -> None:
    """Replace the file at `path` by the pieces of `content`: written beside it, then renamed.

    A cut leaves the old file or the new one. With `wanted`, the SHA-256 of the content, it is read
    back before it counts.

    Raises OSError: the disk did not take it; nothing changed.
    """
    new = path + NEW
    try:
        with open(new, "wb") as file:
            for piece in content:
                file.write(piece)
        if wanted and digest(new) != wanted:
            raise OSError("the disk did not keep it")
        os.rename(new, path)
    except OSError:
        remove(new)
        raise


def _copy(path: str) -> None:
    try:
        wanted = digest(path)
        try:
            if digest(path + COPY) == wanted:
                return
        except OSError:
            pass
        put(path + COPY, pieces(path), wanted)
    except OSError:
        pass  # a full disk costs the copy, nothing else
