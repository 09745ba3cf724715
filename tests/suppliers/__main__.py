"""`inv suppliers`: the torture in thousands. Ends with 1 unless lost, doubled, unresolved are 0."""

from __future__ import annotations

import argparse
import logging
import resource
import sys
import tempfile
from pathlib import Path

from tests.suppliers import torture
from tests.suppliers.counter import make_signed
from tests.suppliers.wrong_builds import WRONG_BUILDS


def main() -> int:
    """Read the command line, sell, print."""
    parser = argparse.ArgumentParser(prog="python -m tests.suppliers")
    parser.add_argument("--sales", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--stride", type=int, default=1, help="every so many-th byte is cut at")
    parser.add_argument("--wrong-builds", action="store_true")
    asked = parser.parse_args()
    logging.disable(logging.ERROR)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        make_signed(folder / "signed")
        if asked.wrong_builds:
            return _wrong_builds(folder, asked.sales, asked.seed)
        verdicts = {}
        for supplier in torture.SUPPLIERS:
            verdicts[f"{supplier}, every byte"] = torture.run_bytes(
                folder / f"{supplier}-bytes", folder / "signed", asked.stride, supplier
            )
            verdicts[f"{supplier}, every fault"] = torture.run(
                folder / supplier, folder / "signed", asked.sales, asked.seed, supplier
            )
    for name, verdict in verdicts.items():
        print(f"{name}: {verdict.text()}")
        for text in [*verdict.lost, *verdict.doubled, *verdict.unresolved][:20]:
            print(f"    {text}")
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(f"CPU: {used.ru_utime + used.ru_stime:.0f} s")
    return 0 if all(verdict.is_sound() for verdict in verdicts.values()) else 1


def _wrong_builds(folder: Path, sales: int, seed: int) -> int:
    missed = 0
    for number, wrong in enumerate(WRONG_BUILDS):
        with wrong.made():
            verdict = torture.run(folder / str(number), folder / "signed", sales, seed)
        is_noticed = bool(getattr(verdict, wrong.says))
        missed += not is_noticed
        print(f"{'noticed' if is_noticed else 'MISSED '} {wrong.name}: {verdict.text()}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
