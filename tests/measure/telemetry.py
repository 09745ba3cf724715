"""A day of what a fleet tells, taken in: a million daily windows and 30,000 terminals' hourly ones.

`python -m tests.measure.telemetry` (`inv bench telemetry`) measures CPU seconds of the intake and
of giving up the day, and the bytes that a window takes; `--scale 0.2`, as unless said, does a fifth
of it. On SQLite and on PostgreSQL (`--database postgresql`).
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from pathlib import Path

import cbor2
from sqlalchemy import Engine

from tests.support import postgres
from tests.telemetry.making import BEGAN_S, made_window
from updater_server.store import engine as database
from updater_server.telemetry.intake import take_in
from updater_server.telemetry.spool import WINDOWS, Spool
from updater_server.telemetry.store import Told, day_of

DAILY, ARMS, HOURS = 1_000_000, 30_000, 24
INTAKE_BAR_S, DROP_BAR_S = 60.0, 1.0
_KINDS = 5000  # different windows; each terminal tells one of them


def _engine(folder: Path, kind: str) -> Engine:
    if kind == "postgresql":
        server = postgres.server()
        return database.open_engine(server.url(postgres.empty(server)))
    engine = database.open_engine(folder / "duka.db")
    database.migrate(engine)
    return engine


def lay_down(folder: Path, scale: float) -> tuple[int, int]:
    """The day as a server would have laid it down; (entries, bytes)."""
    chance = random.Random(7)
    daily = [cbor2.dumps(made_window(chance, 24), canonical=True) for _ in range(_KINDS)]
    hourly = [cbor2.dumps(made_window(chance, 1), canonical=True) for _ in range(_KINDS)]
    heard_s = BEGAN_S + 25 * 3600
    spool = Spool(folder, lambda: heard_s)
    count = size_bytes = 0
    for number in range(int(DAILY * scale)):
        one = chance.choice(daily)
        spool.add(WINDOWS, chance.randbytes(4) + number.to_bytes(4, "big"), one)
        count, size_bytes = count + 1, size_bytes + len(one)
    for _ in range(HOURS):
        for number in range(int(ARMS * scale)):
            one = chance.choice(hourly)
            spool.add(WINDOWS, number.to_bytes(8, "little"), one)
            count, size_bytes = count + 1, size_bytes + len(one)
    return count, size_bytes


def main(arguments: list[str] | None = None) -> int:
    """Print what was measured; 1 if a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=float, default=0.2)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        engine = _engine(folder, options.database)
        begun = time.process_time()
        count, size_bytes = lay_down(folder, options.scale)
        laid = time.process_time() - begun
        told = Told(engine, folder)
        begun, wall = time.process_time(), time.monotonic()
        taken = take_in(Spool(folder, lambda: 0), told, lambda: BEGAN_S + 26 * 3600)
        cpu, wall = time.process_time() - begun, time.monotonic() - wall
        kept = sum(path.stat().st_size for path in folder.glob("told-*.db*"))
        begun, dropping = time.process_time(), time.monotonic()
        dropped = told.drop_before(day_of(BEGAN_S + 10**7))
        drop, dropping = time.process_time() - begun, time.monotonic() - dropping
        engine.dispose()
    whole = cpu / options.scale
    print(f"{count:,} windows of {size_bytes / count:.0f} bytes, {taken.rows:,} kept, on "
          f"{options.database}")  # fmt: skip
    print(f"laid down: {laid / count * 1e6:.0f} µs of CPU each")
    each = cpu / count * 1e6
    print(f"taken in: {cpu:.1f} s of CPU ({wall:.1f} s by the wall), {each:.0f} µs each")
    print(f"  a whole day: {whole:.0f} s (bar {INTAKE_BAR_S:.0f} s)")
    if kept:
        print(f"kept: {kept / count:.0f} bytes each")
    print(f"a day given up: {drop:.2f} s of CPU ({dropping:.2f} s by the wall); all of it at most "
          f"{DROP_BAR_S:g} s")  # fmt: skip
    bad = taken.rows != count or len(dropped) != 1
    return int(bad or whole > INTAKE_BAR_S or drop > DROP_BAR_S)


if __name__ == "__main__":
    sys.exit(main())
