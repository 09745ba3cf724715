"""`inv bench idle`: a day on which nobody sells. What a terminal sends and hears, by purpose and
with all headers; how often its CPU wakes; what it writes; what goes out where its server is away.
Simulated time, real interpreter and server.

The settings are those that provisioning gives; the day begins an hour after the last sale.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from hw_sim.network.link import SEGMENT_OVERHEAD_BYTES, name_bytes
from tests.support import ram
from tests.support.airtime import Airtime
from tests.support.merchant import FLOAT_MINOR
from tests.support.seeded import seeded
from tests.support.world import SERVER_NAME, TerminalSettings, World, quiet_tools
from tests.terminal.conftest import TerminalWorld, make_factory
from tools.technician.provisioning import USUAL

BARS = {"bytes": 6 * 1024, "journal records": 8, "wake-ups": 24 * 640}
"""The watchdog's beat takes 480 an hour: docs/decisions/0088-rest-and-memory.md."""
BEFORE = {"bytes": 90_400 + 121_000, "journal records": 288, "wake-ups": 24 * 1056}
"""At a poll of 900 s and a sync of 300 s, before an idle terminal was silent: computed from 942
bytes a poll, measured a journal ping."""
BEFORE_AWAY = {"HTTP": 155_356 + 39_996, "CoAP": 298_535 + 76_428}
"""Bytes of such a day, names asked for too, when it was asked every five minutes day and night."""
_HOUR_S = 3600
_CONNECTION_BYTES = 5 * SEGMENT_OVERHEAD_BYTES
"""Three segments to open it, two to end it."""


@dataclass
class Day:
    """What one idle terminal did."""

    bytes_by_purpose: Counter[str]
    times_by_purpose: Counter[str]
    wake_ups_per_hour: float = 0
    records: int = 0
    flash_operations: int = 0


def measure(folder: Path, hours: int) -> Day:
    """So many hours of a terminal that has just sold."""
    with at_rest(folder) as world:
        return _live(world, hours)


@contextmanager
def at_rest(
    folder: Path, float_minor: int = FLOAT_MINOR, by: str = "HTTP"
) -> Iterator[TerminalWorld]:
    """A terminal with the usual settings, an hour after a sale; its server answers HTTP, or
    "CoAP" as well.
    """
    make_factory(folder)
    world = TerminalWorld(folder, TerminalSettings(simulated=True))
    try:
        with seeded("idle", world.now_unix_s):
            if by == "CoAP":
                world.start_with_datagrams()
            else:
                world.server.start()
            world.reach()
            world.provision(float_minor, **USUAL)
            world.terminal.wait_shows("Your PIN", timeout_s=60)
            world.merchant.sign_in()
            world.wait_online()
            world.merchant.sell()
            world.terminal.board.pause(_HOUR_S)
            yield world
    finally:
        world.close()


def _live(world: World, hours: int) -> Day:
    airtime = Airtime(world)
    day = Day(airtime.by_bytes, airtime.by_times)
    board = world.terminal.board
    woke, records = board.board.wake_ups, _written(world)
    operations = board.flash.operations
    board.pause(hours * _HOUR_S)
    airtime.settle()
    day.wake_ups_per_hour = (board.board.wake_ups - woke) / hours
    day.records = _written(world) - records
    day.flash_operations = board.flash.operations - operations
    return day


def without_server(folder: Path, hours: int, by: str) -> int:
    """Bytes on the air, all headers and names counted, of so many hours in which its server is
    away.
    """
    with at_rest(folder, by=by) as world:
        world.server.stop()
        traffic = world.terminal.network.traffic
        before = traffic.on_air_bytes
        world.terminal.board.pause(hours * _HOUR_S)
        return traffic.on_air_bytes - before


def _written(world: World) -> int:
    """So many records its journal had at the last check-in."""
    said = world.books.check_in()
    assert said
    return int(said["journal_next"]) - 1


def main(hours: int = 24) -> int:
    """Print the day; 1 if a bar is not kept."""
    ram.use()
    folder = Path(tempfile.mkdtemp(prefix="duka-idle-"))
    try:
        with quiet_tools():
            day = measure(folder / "world", hours)
            away = {by: without_server(folder / by, hours, by) for by in BEFORE_AWAY}
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    scale = 24 / hours
    print(f"{'purpose':16}{'times a day':>12}{'bytes a day':>13}")
    for purpose, size in day.bytes_by_purpose.most_common():
        print(f"{purpose:16}{day.times_by_purpose[purpose] * scale:12.0f}{size * scale:13.0f}")
    total = sum(day.bytes_by_purpose.values()) * scale
    questions = sum(day.times_by_purpose.values()) * scale
    anew = total + questions * (_CONNECTION_BYTES + name_bytes(SERVER_NAME))
    print(
        f"the tap keeps one connection all day; with one for each question, and its name "
        f"asked for, {anew:.0f} bytes (computed)"
    )
    found = {"bytes": total, "journal records": day.records * scale}
    found["wake-ups"] = day.wake_ups_per_hour * 24
    for name, value in found.items():
        kept = "kept" if value <= BARS[name] else "NOT KEPT"
        print(f"{name}: {value:.0f} a day, before {BEFORE[name]:,}, bar {BARS[name]:,}: {kept}")
    for by, size in away.items():
        told = f"a day without its server, by {by}: {size * scale:.0f} bytes"
        print(f"{told}, before {BEFORE_AWAY[by]:,}")
    print(f"wake-ups: {day.wake_ups_per_hour:.0f} an idle hour")
    print(f"flash operations: {day.flash_operations * scale:.0f} a day")
    return int(any(found[name] > BARS[name] for name in BARS))


if __name__ == "__main__":
    sys.exit(main())
