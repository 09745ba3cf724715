"""Run device code on the real MicroPython interpreter, from a test.

`run` is for one script; parametrise with `BOTH` to run the same script on CPython and MicroPython.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tools.release.image import interpreter

ROOT = Path(__file__).resolve().parents[2]

BOARD_HEAP_BYTES = 2 * 128 * 1024
"""128 KiB on the board, doubled because pointers of the unix port have 64 bits."""


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
