"""`inv digests --times N`: the tests of whole terminals again and again, and whether each world
comes to the same digest each time.

Each run has another order of tests and busy loops beside it, each second one runs all on
MicroPython: a world is a function of its seed, whatever the host does and whatever runs the
program (docs/decisions/0043-a-function-of-its-seed.md).
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_LINE = re.compile(r"^(tests/.*) ([0-9a-f]{16})$", re.MULTILINE)
_TOLD = 6000
"""So many letters of the first failure are told, and of the end."""
_BUSY = "while True:\n    pass"


@contextmanager
def busy(loops: int) -> Iterator[None]:
    """So many processes compute beside, and nothing else."""
    processes = [subprocess.Popen([sys.executable, "-c", _BUSY]) for _ in range(loops)]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


def run(paths: list[str], number: int, workers: int) -> dict[str, str]:
    """World → digest. Raises RuntimeError: a test failed, or none told a digest."""
    options = ["-q", "--digests", "--shuffle", str(number), "-n", str(workers)]
    options += ["--dist", "loadgroup"] + ["--full"] * (number % 2)
    command = [sys.executable, "-m", "pytest", *options, *paths]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    found = dict(_LINE.findall(done.stdout))
    if done.returncode or not found:
        why = done.stdout.partition(" FAILURES ")[2] or done.stdout
        raise RuntimeError(f"run {number} failed:\n{why[:_TOLD]}\n{done.stdout[-_TOLD:]}")
    return found


def differences(first: Mapping[str, str], other: Mapping[str, str]) -> list[str]:
    """Worlds that came to something else, or were there but once."""
    return [
        f"{name}: {first.get(name)}, then {other.get(name)}"
        for name in sorted(first.keys() | other.keys())
        if first.get(name) != other.get(name)
    ]


def main() -> int:
    """Run them; 1 if two runs differ."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=10)
    parser.add_argument("--busy", type=int, default=4, help="busy loops beside")
    parser.add_argument("--workers", type=int, default=2 * (os.cpu_count() or 1))
    parser.add_argument("paths", nargs="*", default=["tests/terminal"])
    asked = parser.parse_args()
    first: dict[str, str] = {}
    found: list[str] = []
    for number in range(asked.times):
        with busy(asked.busy):
            told = run(asked.paths, number, asked.workers)
        first = first or told
        found += [f"run {number}: {text}" for text in differences(first, told)]
        print(f"run {number}: {len(told)} worlds, {len(found)} differences so far", flush=True)
    print("\n".join(found))
    print(f"digests: {asked.times} runs of {len(first)} worlds, {len(found)} differences")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
