"""Whoever started the whole may be killed at any moment; this process is not, and takes everything
away that was started in a folder, then the folder.

It waits for the end of its standard input, which its parent holds open: so the end of the parent,
whatever its kind, is the word. What belongs to the folder is told by where it works (its current
folder), which every process inherits from who started it.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

_POLITE_S = 6.0
_IPC_RMID = 0


class Keeper:
    """The keeper of one folder, seen from the process that starts things in it."""

    def __init__(self, folder: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, __file__, str(folder)],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, start_new_session=True, cwd="/",
        )  # fmt: skip

    def end(self) -> None:
        """Let it take everything away now; returns when it is gone."""
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait(60)


def at_work_in(folder: Path) -> dict[int, str]:
    """{pid: program} of every process that works in `folder`, or in a folder of it."""
    found = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        with suppress(OSError):
            where = (entry / "cwd").readlink()
            # A folder that is gone is named so by the system.
            if Path(str(where).removesuffix(" (deleted)")).is_relative_to(folder):
                state = (entry / "stat").read_text().rpartition(")")[2].split()[0]
                if state != "Z":
                    found[int(entry.name)] = (entry / "comm").read_text().strip()
    return found


def sweep(folder: Path) -> None:
    """End every process that works in `folder`; give back the shared memory of its databases."""
    shared = _shared_memory(folder)
    for pid, program in at_work_in(folder).items():
        if program != "postgres":
            _tell(pid, signal.SIGKILL)  # who would start others again first
    for pid in at_work_in(folder):
        _tell(pid, signal.SIGQUIT)  # PostgreSQL gives back what it shares
    deadline = time.monotonic() + _POLITE_S
    while at_work_in(folder) and time.monotonic() < deadline:
        time.sleep(0.05)
    while left := at_work_in(folder):
        for pid in left:
            _tell(pid, signal.SIGKILL)
        time.sleep(0.05)
    for number in shared:
        ctypes.CDLL(None).shmctl(number, _IPC_RMID, None)  # of one that was killed; else an error


def _tell(pid: int, number: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def _shared_memory(folder: Path) -> list[int]:
    """Ids of the System V segments that databases in `folder` hold; line 7 of their pid files."""
    found = []
    for file in folder.glob("*/data/postmaster.pid"):
        with suppress(OSError, IndexError, ValueError):
            found.append(int(file.read_text().splitlines()[6].split()[1]))
    return found


def main(folder: Path) -> None:
    """Wait for the word, then take everything away."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    sys.stdin.buffer.read()
    sweep(folder)
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
