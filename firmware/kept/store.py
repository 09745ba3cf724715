"""Small files of one folder, each there whole or not at all: so the update client keeps what it was
told and what was signed.
"""

import os

from firmware.kept.files import NEW, pieces, put, remove

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


class Store:
    """The files directly in `folder`."""

    def __init__(self, folder: str) -> None:
        self._folder = folder

    def path(self, name: str) -> str:
        """Where the file is."""
        return self._folder + "/" + name

    def read(self, name: str, limit_bytes: int) -> bytes | None:
        """The file's bytes, or None if it is missing or larger than `limit_bytes`."""
        path = self.path(name)
        try:
            # asking for the limit would take it all from the heap, whatever the file's size
            size_bytes = os.stat(path)[6]
            if size_bytes > limit_bytes:
                return None
            with open(path, "rb") as file:
                data: bytes = file.read(size_bytes)
                return data
        except OSError:
            return None

    def write(self, name: str, data: bytes) -> None:
        """Raises OSError if there is no room: the old file is there still, and nothing else."""
        put(self.path(name), (data,))

    def feed(self, take: "Callable[[bytes], object]", name: str) -> None:
        """`take` the file piece by piece; a missing one gives nothing."""
        try:
            for piece in pieces(self.path(name)):
                take(piece)
        except OSError:
            pass

    def accept(self, name: str) -> None:
        """What was written as `name`.new takes the place of `name`."""
        os.rename(self.path(name + NEW), self.path(name))

    def remove(self, name: str) -> None:
        """Remove the file if it is there."""
        remove(self.path(name))
