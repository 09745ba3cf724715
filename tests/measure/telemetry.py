"""A day of what a fleet tells, taken in: a million daily windows and 30,000 terminals' hourly ones.

`python -m tests.measure.telemetry` (`inv bench telemetry`) measures CPU seconds of the intake and
of giving up the day, and the bytes that a window takes, on a fifth of it (`--scale 0.2`), on SQLite
and on PostgreSQL (`--database postgresql`).
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import cbor2
from sqlalchemy import Engine

from tests.support import postgres
from tests.telemetry.making import BEGAN_S, made_window
from updater_server.store import engine as database
from updater_server.telemetry import history
from updater_server.telemetry.intake import take_in
from updater_server.telemetry.spool import WINDOWS, Spool
from updater_server.telemetry.store import Told, day_of

DAILY, ARMS, HOURS = 1_000_000, 30_000, 24
HISTORY_BAR_BYTES = 20
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


class Measured(NamedTuple):
    """What came of it; seconds are of CPU, but those that say `wall`."""

    windows: int
    size_bytes: int
    kept: int
    kept_bytes: int
    history_bytes: int
    history_s: float
    days_dropped: int
    laid_s: float
    taken_s: float
    taken_wall_s: float
    drop_s: float
    drop_wall_s: float


def measure(scale: float, kind: str) -> Measured:
    """Lay so much of the day down, take it in, and give it up."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        engine = _engine(folder, kind)
        begun = time.process_time()
        count, size_bytes = lay_down(folder, scale)
        laid = time.process_time() - begun
        told = Told(engine, folder)
        begun, wall = time.process_time(), time.monotonic()
        taken = take_in(Spool(folder, lambda: 0), told, lambda: BEGAN_S + 26 * 3600)
        cpu, wall = time.process_time() - begun, time.monotonic() - wall
        told.close()  # what waits in a log goes into its file
        begun = time.process_time()
        past = [history.write(told, day, folder / "history") for day in told.days()]
        written, told_of = time.process_time() - begun, sum(one.size_bytes for one in past)
        told.close()
        kept_bytes = sum(path.stat().st_size for path in folder.glob("told-*.db*"))
        begun, dropping = time.process_time(), time.monotonic()
        dropped = told.drop_before(day_of(BEGAN_S + 10**7))
        drop, dropping = time.process_time() - begun, time.monotonic() - dropping
        engine.dispose()
    return Measured(
        count, size_bytes, taken.rows, kept_bytes, told_of, written, len(dropped), laid, cpu, wall,
        drop, dropping,
    )  # fmt: skip


def main(arguments: list[str] | None = None) -> int:
    """Print what was measured; 1 if a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=float, default=0.2)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    options = parser.parse_args(arguments)
    found = measure(options.scale, options.database)
    count, whole = found.windows, found.taken_s / options.scale
    print(f"{count:,} windows of {found.size_bytes / count:.0f} bytes, {found.kept:,} kept, on "
          f"{options.database}")  # fmt: skip
    print(f"laid down: {found.laid_s / count * 1e6:.0f} µs of CPU each")
    each = found.taken_s / count * 1e6
    print(f"taken in: {found.taken_s:.1f} s of CPU ({found.taken_wall_s:.1f} s by the wall), "
          f"{each:.0f} µs each")  # fmt: skip
    print(f"  a whole day: {whole:.0f} s (bar {INTAKE_BAR_S:.0f} s)")
    if found.kept_bytes:
        print(f"kept: {found.kept_bytes / count:.0f} bytes each")
    history_each = found.history_bytes / count
    print(f"as Parquet: {history_each:.1f} bytes each (bar {HISTORY_BAR_BYTES}), "
          f"{found.history_s / options.scale:.0f} s of CPU for a whole day")  # fmt: skip
    print(f"a day given up: {found.drop_s:.2f} s of CPU ({found.drop_wall_s:.2f} s by the wall); "
          f"bar {DROP_BAR_S:g} s")  # fmt: skip
    bad = found.kept != count or found.days_dropped != 1
    return int(bad or whole > INTAKE_BAR_S or found.drop_s > DROP_BAR_S)


if __name__ == "__main__":
    sys.exit(main())
