"""Every row of the threat table against real MicroPython: `inv attacks`."""

from __future__ import annotations

import os
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from tests.attacks.rows import ROWS, play


def attempt(number: int) -> str:
    """What the attacker of that row gained, in words; empty when nothing."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            play(ROWS[number], Path(folder), on_board=True)
        except AssertionError as gained:
            return str(gained) or "the row broke"
    return ""


def main() -> int:
    """Play every row; 0 if nobody gained anything beyond what the table concedes."""
    gained = 0
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        results = pool.map(attempt, range(len(ROWS)))
        for row, what in zip(ROWS, results, strict=True):
            print(f"{'GAINED' if what else 'held':7}{row.name}{': ' + what if what else ''}")
            gained += bool(what)
    print(f"attacks: {len(ROWS)}, gained by attacker: {gained}")
    return 1 if gained else 0


if __name__ == "__main__":
    sys.exit(main())
