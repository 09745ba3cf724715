"""The calendar of a simulated world, for the server's processes in it: a file that says the time.
`python -m tests.support.world_clock FILE ARGUMENTS` runs `updater_server ARGUMENTS` by it.

Only a program of the tests can do so; the server itself has no such option.
"""

from __future__ import annotations

import mmap
import struct
import sys
import time
from pathlib import Path

_SECONDS = struct.Struct("<d")


class WorldClock:
    """The file: Unix seconds. One side writes it, any number of processes read."""

    def __init__(self, path: Path) -> None:
        """Made with the host's time when there is none."""
        self.path = path
        if not path.exists():
            path.write_bytes(_SECONDS.pack(time.time()))
        with path.open("r+b") as file:
            self._page = mmap.mmap(file.fileno(), _SECONDS.size)

    def read(self) -> float:
        """Unix seconds."""
        seconds: float = _SECONDS.unpack(self._page[:])[0]
        return seconds

    def write(self, unix_s: float) -> None:
        """It is so late now."""
        self._page[:] = _SECONDS.pack(unix_s)


def main() -> None:
    """Run the server's command line by the world's clock."""
    clock = WorldClock(Path(sys.argv[1]))
    time.time = clock.read
    from updater_server.__main__ import cli  # reads no other clock for what it books

    cli(sys.argv[2:], prog_name="updater_server")


if __name__ == "__main__":
    main()
