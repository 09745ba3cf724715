"""The tag of the timestamp in force: by it a terminal knows whether there is anything new. For the
files' face, which sends it as `ETag`, and the messages', which say it under the seal.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

TAG_BYTES = 8
"""The beginning of the file's SHA-256 (docs/formats/release.md)."""


class Newest:
    """Reads the timestamp again only when it was published anew. Safe to call from threads: at
    worst two read it.
    """

    def __init__(self, repository_directory: Path) -> None:
        self._file = repository_directory / "metadata" / "timestamp.json"
        self._known: tuple[tuple[int, int, int], bytes] | None = None

    def tag(self) -> bytes | None:
        """Its tag; None while nothing is published, or cannot be read."""
        known = self._known
        try:
            if known is None or known[0] != _identity(self._file.stat()):
                with self._file.open("rb") as file:
                    # of the file that is read: another may have been put in its place since
                    seen = _identity(os.fstat(file.fileno()))
                    tag = hashlib.sha256(file.read()).digest()[:TAG_BYTES]
                self._known = known = (seen, tag)
        except OSError:
            return None
        return known[1]


def _identity(status: os.stat_result) -> tuple[int, int, int]:
    return status.st_mtime_ns, status.st_ino, status.st_size
