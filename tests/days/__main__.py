"""`python -m tests.days --days N --seed S --engine sqlite|postgresql`: one line of figures."""

from __future__ import annotations

import argparse
import hashlib
import sys
import tempfile
from pathlib import Path

from tests.days.prices import make_signed
from tests.days.town import Figures, Town
from tests.server.engines import Store

DAYS_A_TOWN = 20


def run(days: int, seed: int, engine: str) -> Figures:
    """So many days, twenty a server."""
    store, whole = Store(engine), Figures()
    digest = hashlib.sha256()
    with tempfile.TemporaryDirectory() as folder:
        signed = make_signed(Path(folder))
        for number in range(-(-days // DAYS_A_TOWN)):
            with tempfile.TemporaryDirectory() as data:
                town = Town(Path(data) / "data", signed, store.new_url(), seed * 1_000_000 + number)
                found = town.live(min(DAYS_A_TOWN, days - whole.days))
            whole.broken += [(whole.days + day, name) for day, name in found.broken]
            whole.days += found.days
            whole.sales += found.sales
            whole.orders += found.orders
            whole.crashes += found.crashes
            whole.why += found.why
            digest.update(found.digest.encode())
            if whole.broken:
                break
    whole.digest = digest.hexdigest()[:16]
    return whole


def main() -> int:
    """0: no promise was broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--engine", choices=("sqlite", "postgresql"), default="sqlite")
    asked = parser.parse_args()
    found = run(asked.days, asked.seed, asked.engine)
    print(
        f"days: {found.days}, sales: {found.sales}, orders: {found.orders}, "
        f"crashes: {found.crashes}, broken: {len(found.broken)}, digest: {found.digest}"
    )
    for day, name in found.broken:
        print(f"day {day} breaks: {name}", file=sys.stderr)
    print(found.why, file=sys.stderr, end="\n" if found.why else "")
    return 1 if found.broken else 0


if __name__ == "__main__":
    sys.exit(main())
