"""The calendar of a simulated world, for the server's processes in it: a file that says the time,
and the seed of what they draw. `python -m tests.support.world_clock FILE ARGUMENTS` runs
`updater_server ARGUMENTS` by it.

Only a program of the tests can do so; the server itself has no such option.
"""

from __future__ import annotations

import mmap
import struct
import sys
import time
from pathlib import Path

BEGIN_UNIX_S = 1_772_431_200
"""When a world begins unless it is said: a Monday, 2 March 2026, 06:00 UTC."""
_PAGE = struct.Struct("<dQ")


class WorldClock:
    """The file: Unix seconds, and how many processes were started by it. One side writes the time,
    any number of processes read it.
    """

    def __init__(self, path: Path) -> None:
        """Made, at `BEGIN_UNIX_S`, when there is none."""
        self.path = path
        if not path.exists():
            path.write_bytes(_PAGE.pack(BEGIN_UNIX_S, 0))
        with path.open("r+b") as file:
            self._page = mmap.mmap(file.fileno(), _PAGE.size)

    def read(self) -> float:
        """Unix seconds."""
        return self._values()[0]

    def write(self, unix_s: float) -> None:
        """It is so late now."""
        self._page[:] = _PAGE.pack(unix_s, self._values()[1])

    def count_start(self) -> int:
        """How many processes there were before this one: each draws from a seed of its own."""
        unix_s, starts = self._values()
        self._page[:] = _PAGE.pack(unix_s, starts + 1)
        return starts

    def _values(self) -> tuple[float, int]:
        unix_s, starts = _PAGE.unpack(self._page[:])
        return unix_s, starts


def main() -> None:
    """Run the server's command line by the world's clock."""
    clock = WorldClock(Path(sys.argv[1]))
    time.time = clock.read
    from tests.support.seeded import seeded
    from updater_server.__main__ import cli  # reads no other clock for what it books

    with seeded(f"server/{clock.count_start()}", clock.read):
        cli(sys.argv[2:], prog_name="updater_server")


if __name__ == "__main__":
    main()
