"""`inv suppliers`: the torture in thousands. Ends with 1 unless lost, doubled, unresolved are 0."""

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.suppliers import days, torture
from tests.suppliers.counter import make_signed
from tests.suppliers.days import Course
from tests.suppliers.judge import Verdict
from tests.suppliers.wrong_builds import WRONG_BUILDS


def main() -> int:
    """Read the command line, sell, print."""
    parser = argparse.ArgumentParser(prog="python -m tests.suppliers")
    parser.add_argument("--sales", type=int, default=2000, help="through each kind of supplier")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--stride", type=int, default=7, help="every so many-th byte is cut at")
    parser.add_argument("--full", action="store_true", help="34,000 sales each, every byte")
    parser.add_argument("--only", choices=torture.SUPPLIERS, help="one kind of supplier")
    parser.add_argument("--wrong-builds", action="store_true")
    asked = parser.parse_args()
    if asked.full:
        asked.sales, asked.stride = max(asked.sales, 34_000), 1
    logging.disable(logging.ERROR)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        make_signed(folder / "signed")
        if asked.wrong_builds:
            return _wrong_builds(folder, asked.seed)
        kinds = [asked.only] if asked.only else list(torture.SUPPLIERS)
        return max([_torture(folder, kind, asked) for kind in kinds])


def _torture(folder: Path, kind: str, asked: argparse.Namespace) -> int:
    """One kind of supplier; 1 if anything is wrong."""
    signed = folder / "signed"
    runs: dict[str, Callable[[], Verdict]] = {
        f"cut at every {asked.stride}. byte": lambda: days.run_bytes(
            folder / "bytes", signed, kind, asked.stride
        ),
        "every fault": lambda: days.run(
            folder / "faults", signed, Course(asked.sales, asked.seed, kind)
        ),
    }
    wrong = 0
    for name, run in runs.items():
        before_s = time.process_time()
        verdict = run()
        used_s = time.process_time() - before_s
        print(
            f"{kind}, {name}: {verdict.text()}; "
            f"{used_s:.0f} s of CPU, {1000 * used_s / max(1, verdict.sales):.1f} ms a sale",
            flush=True,
        )
        for text in [*verdict.lost, *verdict.doubled, *verdict.unresolved][:20]:
            print(f"    {text}")
        wrong |= not verdict.is_sound()
    return wrong


def _wrong_builds(folder: Path, seed: int) -> int:
    missed = 0
    for number, wrong in enumerate(WRONG_BUILDS):
        course = Course(wrong.sales, seed, wrong.supplier)
        with wrong.made():
            verdict = days.run(folder / str(number), folder / "signed", course)
        is_noticed = bool(getattr(verdict, wrong.says))
        missed += not is_noticed
        print(f"{'noticed' if is_noticed else 'MISSED '} {wrong.name}: {verdict.text()}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
