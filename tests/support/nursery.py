"""Programs of ours, started for tests without their imports: `python -m NAME …` costs a second of
CPU before its first line, and the tests start hundreds of them.

One process (`python -m tests.support.nursery`) imports once what the programs import, and does
nothing else. For each start it forks, and the copy becomes the program: `runpy` runs the module as
`python -m` does, in a session of its own, with the arguments, the environment and the files that it
was given. It is a real process with its own pid; `kill -9` ends it as it ends any other. Each copy
is of the same clean process, so nothing that one program did is in the next.

What is left out is what Python does before the module's first line: who tests that starts the
interpreter (`tests/server/test_server_process.py`).
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import gc
import importlib
import json
import os
import pkgutil
import runpy
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import IO

import typer.main

ROOT = Path(__file__).resolve().parents[2]
_STANDARD_FILES = 3
_IMPORTED = ("updater_server", "tools.release", "tools.technician")
"""Packages whose modules are there when a program starts: with them come the libraries."""
_LATER = (
    *("litestar.plugins.attrs", "litestar.plugins.pydantic"),  # for each application, if installed
    *("typer._adapters", "tuf.api.serialization.json", "rich._emoji_codes", "_strptime"),
)
"""Modules that libraries import only when they are used; each start would read them again."""
_LEFT_OUT = {"COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR"}
"""What a library may read when it is imported; a program gets what it is given."""


_cpu_us: list[int] = []
"""What each program took that was seen to end."""


def cpu_s() -> float:
    """CPU seconds of all programs that were seen to end, with what they started themselves."""
    return sum(_cpu_us) / 1e6


class Program:
    """A program under way; `subprocess.Popen`'s own words for what both can do."""

    def __init__(self, arguments: tuple[str, ...], keeper: socket.socket) -> None:
        self.arguments = arguments
        self._keeper = keeper
        told = b""
        while not told.endswith(b"\n"):  # what follows is the status, for `wait`
            byte = keeper.recv(1)
            assert byte, "the nursery has ended: its reason is on this process's stderr"
            told += byte
        self.pid = int(told)
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """Its exit status, -N after signal N; None while it runs."""
        try:
            return self.wait(0)
        except subprocess.TimeoutExpired:
            return None

    def wait(self, timeout: float | None = None) -> int:
        """Return its exit status when it has ended.

        Raises:
            subprocess.TimeoutExpired: it runs on after `timeout` seconds.
        """
        if self.returncode is None:
            self._keeper.settimeout(timeout)
            try:
                told = self._keeper.recv(64)
            except (TimeoutError, BlockingIOError) as error:
                raise subprocess.TimeoutExpired(self.arguments, timeout or 0) from error
            assert told, f"nobody can say how {self.arguments} ended"
            status, cpu_us = told.split()
            self.returncode = int(status)
            _cpu_us.append(int(cpu_us))
            self._keeper.close()
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Send it a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)


class _Nursery:
    def __init__(self) -> None:
        self._asking, asked = socket.socketpair()
        with asked:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.support.nursery", str(asked.fileno())],
                cwd=ROOT,
                env={name: os.environ[name] for name in os.environ.keys() - _LEFT_OUT},
                pass_fds=[asked.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C is for who asks: it ends its programs itself
            )
        atexit.register(self._end)

    def _end(self) -> None:
        self._asking.close()
        with contextlib.suppress(subprocess.TimeoutExpired):  # a program that somebody left running
            self._process.wait(5)

    def start(
        self, arguments: tuple[str, ...], environment: Mapping[str, str], files: list[int]
    ) -> Program:
        ours, theirs = socket.socketpair()
        with theirs:
            socket.send_fds(self._asking, [b"s"], [theirs.fileno(), *files])
        ours.sendall(json.dumps([arguments, dict(environment)]).encode() + b"\n")
        return Program(arguments, ours)


_nursery = functools.cache(_Nursery)


def start(
    *arguments: str,
    stdout: IO[bytes] | int,
    stderr: IO[bytes] | int,
    stdin: IO[bytes] | int = subprocess.DEVNULL,
    environment: Mapping[str, str] | None = None,
) -> Program:
    """Start `python -m ARGUMENTS` at the root of the project; the environment is this process's if
    none is given. Files are open ones, or descriptors, or `subprocess.DEVNULL`.
    """
    with Path(os.devnull).open("r+b") as nothing:
        given = [nothing if f == subprocess.DEVNULL else f for f in (stdin, stdout, stderr)]
        files = [f if isinstance(f, int) else f.fileno() for f in given]
        return _nursery().start(arguments, environment or os.environ, files)


def run(
    *arguments: str,
    typed: str = "",
    environment: Mapping[str, str] | None = None,
    timeout_s: float = 120,
) -> subprocess.CompletedProcess[str]:
    """Run `python -m ARGUMENTS` to its end; what it said on both outputs, and its exit status.

    Raises:
        subprocess.TimeoutExpired: it had not ended after `timeout_s`; it is killed.
    """
    with (
        tempfile.TemporaryFile() as stdin,
        tempfile.TemporaryFile() as stdout,
        tempfile.TemporaryFile() as stderr,
    ):
        stdin.write(typed.encode())
        stdin.seek(0)
        program = start(
            *arguments, stdin=stdin, stdout=stdout, stderr=stderr, environment=environment
        )
        try:
            status = program.wait(timeout_s)
        except subprocess.TimeoutExpired:
            program.send_signal(signal.SIGKILL)
            raise
        said = []
        for file in (stdout, stderr):
            file.seek(0)
            said.append(file.read().decode())
        return subprocess.CompletedProcess(arguments, status, *said)


# --- in the nursery's own process ---


def _import_all() -> None:
    for name in _IMPORTED:
        package = importlib.import_module(name)
        for module in pkgutil.walk_packages(package.__path__, f"{name}."):
            if not module.name.endswith("__main__") and ".migrations" not in module.name:
                importlib.import_module(module.name)
    for name in _LATER:
        importlib.import_module(name)
    _remember_commands()


def _remember_commands() -> None:
    """Making the commands from their functions' signatures takes as long as a small command."""
    for making in ("get_params_from_function", "get_command_from_info"):
        setattr(typer.main, making, functools.cache(getattr(typer.main, making)))
    for name, app in (("updater_server.__main__", "cli"), ("tools.__main__", "app")):
        typer.main.get_command(getattr(importlib.import_module(name), app))
        del sys.modules[name]


def _forked(asked: socket.socket) -> socket.socket:
    """The line to who asked, in each new program's process; the nursery itself ends here."""
    keepers = set()
    while files := socket.recv_fds(asked, 1, 1 + _STANDARD_FILES)[1]:
        keeper = os.fork()
        if keeper == 0:
            asked.close()
            return _kept(files)
        for file in files:
            os.close(file)
        keepers.add(keeper)
        keepers -= {each for each in keepers if os.waitpid(each, os.WNOHANG)[0]}
    for each in keepers:  # what they used counts as used by the tests
        os.waitpid(each, 0)
    os._exit(0)


def _kept(files: list[int]) -> socket.socket:
    """Fork once more: a keeper tells who asked how the program ends."""
    line = socket.socket(fileno=files[0])
    pid = os.fork()
    if pid:
        for file in files[1:]:
            os.close(file)
        line.sendall(b"%d\n" % pid)
        _, status, used = os.wait4(pid, 0)
        cpu_us = int((used.ru_utime + used.ru_stime) * 1e6)
        line.sendall(b"%d %d" % (os.waitstatus_to_exitcode(status), cpu_us))
        os._exit(0)
    os.setsid()
    for number, file in enumerate(files[1:]):
        os.dup2(file, number)
        os.close(file)
    return line


def _become(line: socket.socket) -> None:
    with line, line.makefile("rb") as told:
        arguments, environment = json.loads(told.readline())
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = arguments
    gc.enable()
    try:
        runpy.run_module(arguments[0], run_name="__main__", alter_sys=True)
    except SystemExit as end:
        _leave(end.code)
    _leave(0)


def _leave(code: object) -> None:
    """End as the interpreter does, but without clearing memory away: the kernel does that for less,
    and what is cleared away here is first copied from the nursery.
    """
    threading._shutdown()  # type: ignore[attr-defined]  # waits for threads that were left running
    atexit._run_exitfuncs()
    if not (code is None or isinstance(code, int)):
        print(code, file=sys.stderr)
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit((code or 0) & 0xFF)


if __name__ == "__main__":
    _import_all()
    gc.collect()
    gc.freeze()  # what was imported stays in memory that all programs share
    gc.disable()
    _become(_forked(socket.socket(fileno=int(sys.argv[1]))))
