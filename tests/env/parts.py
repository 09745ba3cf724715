"""One part of the whole: a process in a folder of its own, ended, killed, and started again when it
ends by itself, as a supervisor of the operating system does.
"""

from __future__ import annotations

import grp
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing, suppress
from pathlib import Path

from tests.env.keeper import at_work_in
from tests.support.postgres import nobody

ROOT = Path(__file__).resolve().parents[2]
AGAIN_S = 1.0
"""From the end of a part to its next start: systemd's `RestartSec=1`."""
_READ_ALL = "dac_read_search"


class NotHere(Exception):
    """A program that the whole needs is not installed."""


class Part:
    """A process and what it starts. `folder` is where all of them work."""

    def __init__(
        self,
        name: str,
        folder: Path,
        command: Sequence[str],
        environment: Mapping[str, str] | None = None,
        as_nobody: bool = False,
    ) -> None:
        self.name = name
        self.folder = folder
        self._command = [*(unprivileged() if as_nobody else []), *command]
        self.environment = {**os.environ, "PYTHONPATH": str(ROOT), **(environment or {})}
        self._process: subprocess.Popen[bytes] | None = None
        self._ended_at: float | None = None
        self.is_wanted = False
        self.starts = 0
        folder.mkdir(exist_ok=True)
        user = nobody()
        if as_nobody and user:
            os.chown(folder, user.pw_uid, user.pw_gid)

    @property
    def log(self) -> Path:
        """What it said."""
        return self.folder / "said.log"

    @property
    def process(self) -> subprocess.Popen[bytes] | None:
        """Its first process."""
        return self._process

    @property
    def pid(self) -> int:
        """Of its first process."""
        assert self._process
        return self._process.pid

    @property
    def runs(self) -> bool:
        """Whether its first process is there."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start it, and keep it so."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command, cwd=self.folder, env=self.environment,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        self.is_wanted = True
        self._ended_at = None
        self.starts += 1

    def look(self, now: float) -> None:
        """Start it again if it ended a while ago; `now` is monotonic seconds."""
        if not self.is_wanted or self.runs:
            return
        if self._ended_at is None:
            self._ended_at = now
        elif now - self._ended_at >= AGAIN_S:
            self.start()

    def kill(self) -> None:
        """As if its machine lost its power: all that it started is gone at once."""
        for _ in range(3):  # who was being started meanwhile
            for pid in at_work_in(self.folder):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        if self._process:
            self._process.wait(20)

    def hang(self, is_over: bool = False) -> None:
        """All of it stands still, and its connections stay: until `is_over` is said."""
        for _ in range(3):
            for pid in at_work_in(self.folder):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT if is_over else signal.SIGSTOP)

    def end(self, number: int = signal.SIGTERM) -> int:
        """Tell it to end, and wait; its exit status."""
        self.is_wanted = False
        assert self._process
        self._process.send_signal(number)
        return self._process.wait(30)


def unprivileged() -> list[str]:
    """What stands before a program that is to run as `nobody`, who may read what we may; nothing
    for who is not root.
    """
    user = nobody()
    if user is None:
        return []
    return [
        program("setpriv"), f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups",
        f"--inh-caps=-all,+{_READ_ALL}", f"--ambient-caps=-all,+{_READ_ALL}", "--",
    ]  # fmt: skip


def as_ourselves() -> dict[str, str]:
    """What the shipped balancer is told by whoever is not root, and cannot become another."""
    if os.geteuid() == 0:
        return {}
    user, group = pwd.getpwuid(os.geteuid()).pw_name, grp.getgrgid(os.getegid()).gr_name
    return {"DUKA_HAPROXY_USER": user, "DUKA_HAPROXY_GROUP": group}


def program(name: str) -> str:
    """Where a program is.

    Raises:
        NotHere: it is not installed; the text says by what it is.
    """
    beside = Path(sys.executable).with_name(name)
    if beside.exists():
        return str(beside)
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if not found:
        raise NotHere(f"{name} is not installed: `inv setup.env` as root on Debian or Ubuntu")
    return found


def free_ports(count: int) -> list[int]:
    """Ports of this computer that nobody uses now."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [int(each.getsockname()[1]) for each in sockets]
    finally:
        for each in sockets:
            each.close()


def until(call: Callable[[], bool], seconds: float, what: str) -> None:
    """Wait until `call` says yes; errors of the network are a no.

    Raises:
        TimeoutError: it did not within `seconds`.
    """
    deadline = time.monotonic() + seconds
    while True:
        with suppress(OSError):
            if call():
                return
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {seconds:.0f} s")
        time.sleep(0.1)


def answers(port: int) -> bool:
    """Whether somebody listens there."""
    with closing(socket.create_connection(("127.0.0.1", port), 1)):
        return True
