"""One clock for several processes: eight bytes in a file, read by all and set by one."""

from __future__ import annotations

import mmap
from pathlib import Path


class Clock:
    """Unix seconds that pass only when somebody says so."""

    def __init__(self, path: Path, at_s: int | None = None) -> None:
        """Open the clock in a file, or set a new one."""
        if at_s is not None:
            path.write_bytes(at_s.to_bytes(8, "big"))
        self.path = path
        with path.open("r+b") as file:
            self._memory = mmap.mmap(file.fileno(), 8)

    def now(self) -> int:
        """What it says."""
        return int.from_bytes(self._memory[:8], "big")

    def set(self, at_s: int) -> None:
        """Let it be `at_s`."""
        self._memory[:8] = at_s.to_bytes(8, "big")
