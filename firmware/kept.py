"""Files that the terminal cannot work without, and the copy of each that worked last; for `main`
and `terminal`.

Such a file is replaced from outside: over the air, or by a technician. Whatever came, the reader
that uses it decides; what it cannot use does not put the terminal out of service: the copy is used,
and the office is told (docs/formats/terminal-files.md, "Copies that worked").
"""

import os
from hashlib import sha256

from bootloader.shared.compat import const

COPY = ".last"
_PIECE_BYTES = const(256)


class Kept:
    """`refused` is {file: why it is not used}, told at check-in; bounds: docs/formats/limits.toml.

    With `keep` a file that works is copied. A release on trial copies nothing: the one before it
    may not be able to read what this one reads.
    """

    def __init__(self, keep):
        self._keep = keep
        self.refused = {}

    def load(self, read, path):
        """`read(path)`, or of the copy where that raises ValueError.

        Raises what `read` raised when neither is of use.
        """
        name = path.split("/")[-1]
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

    def in_use(self, path):
        """Where the content of the file at `path` is that is used."""
        return path + COPY if path.split("/")[-1] in self.refused else path

    def put(self, path, content):
        """Replace a file by bytes that its reader takes; a cut leaves the old one or the new one.

        Raises OSError: nothing changed.
        """
        try:
            with open(path + ".new", "wb") as file:
                file.write(content)
            os.rename(path + ".new", path)
        except OSError:
            try:
                os.remove(path + ".new")
            except OSError:
                pass
            raise
        self.refused.pop(path.split("/")[-1], None)

    def refuse(self, name, why):
        """Note that a file is not used."""
        if len(self.refused) < 8 or name in self.refused:
            self.refused[name[:64]] = why[:100]


def exists(path):
    """Whether there is a file at `path`."""
    try:
        os.stat(path)
        return True
    except OSError:
        return False


def digest(path):
    """SHA-256 of a file, 32 bytes. Raises OSError if it cannot be read."""
    out = sha256()
    with open(path, "rb") as file:
        while True:
            piece = file.read(_PIECE_BYTES)
            if not piece:
                return out.digest()
            out.update(piece)


def _copy(path):
    try:
        wanted = digest(path)
        try:
            if digest(path + COPY) == wanted:
                return
        except OSError:
            pass
        with open(path, "rb") as source, open(path + ".new", "wb") as target:
            while True:
                piece = source.read(_PIECE_BYTES)
                if not piece:
                    break
                target.write(piece)
        if digest(path + ".new") == wanted:
            os.rename(path + ".new", path + COPY)
    except OSError:
        pass  # a full disk costs the copy, nothing else
