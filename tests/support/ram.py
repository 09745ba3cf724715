"""Where tests put what lives no longer than they: in memory, if there is room.

What makes a server safe from a power cut (`fsync`, `rename`, `fsync` of the folder) costs a disk
ten milliseconds a file, and the tests do it some hundred thousand times. No test cuts the power of
the machine it runs on: what a killed process wrote is there in memory as on a disk.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from functools import cache
from pathlib import Path

_MEMORY = Path("/dev/shm")
_LEAST_BYTES = 4 << 30
"""Ten times what a whole run has at one time."""


def _free_memory_bytes() -> int:
    for line in Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return 0


@cache
def folder() -> Path | None:
    """A folder in memory with room for a run; None: there is none (another system, a container
    with 64 MB of it, a machine that has little memory left).
    """
    try:
        has_room = min(shutil.disk_usage(_MEMORY).free, _free_memory_bytes()) >= _LEAST_BYTES
    except OSError:
        return None
    return _MEMORY if has_room and os.access(_MEMORY, os.W_OK) else None


def use() -> None:
    """From now on this process and its children make their files that nobody names there, too: a
    program's outputs, what a build unpacks.
    """
    if there := folder():
        os.environ["TMPDIR"] = tempfile.tempdir = str(there)
