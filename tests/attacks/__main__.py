"""Every row of the threat table against whole terminals and the server process: `inv attacks`."""

from __future__ import annotations

import os
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import NamedTuple, TypeVar

from tests.attacks import counter_rows, sms_rows, terminal_rows
from tests.attacks.office_rows import RESTORED, TOKEN
from tests.attacks.rows import CONCEDED, ROWS
from tests.attacks.scene import Row
from tests.attacks.whole import Played, make_base, play_family
from tests.server.shop import make_signed
from tests.support.world import quiet_tools

R = TypeVar("R")
WIDTH = 80


class Family(NamedTuple):
    """Rows that are played in one terminal's life."""

    title: str
    kind: str
    rows: Sequence[Row]


def _served(*first_words: str) -> list[Row]:
    return [row for row in ROWS if row.name.split(":")[0].split(" ")[0] in first_words]


def families() -> list[Family]:
    """All rows, the longest families first."""
    network, server = _served("network"), _served("server")
    people = [row for row in ROWS if row not in network and row not in server]
    return [
        Family("The network is owned", "served", network),
        Family("Keys of people are stolen", "served", people),
        Family("The server is stolen", "served", server),
        Family("Flash is written while the power is off", "by hand", terminal_rows.FLASH),
        Family("The serial port", "by hand", terminal_rows.SERIAL),
        Family("A technician's token is stolen", "by hand", TOKEN),
        Family("The server is put back from a copy", "by hand", RESTORED),
        Family("Messages on the way", "by hand", terminal_rows.MESSAGES),
        Family("A rogue cell", "served", terminal_rows.CELL),
        Family("Conceded: the attacker holds all that it takes", "conceded", CONCEDED),
    ]


def _play(number: int, base: Path, folder: Path) -> tuple[list[Played], float]:
    family = families()[number]
    begun = time.monotonic()
    with quiet_tools():
        played = play_family(base, folder / str(number), family.rows, family.kind)
    return played, time.monotonic() - begun


def _tell(family: Family, played: Sequence[Played], seconds: float) -> int:
    """Print a family's table; how many rows were not held."""
    gained = 0
    print(f"\n{family.title} ({seconds:.0f} s)", flush=True)
    for row in played:
        verdict = "GAINED" if row.gained else "conceded" if family.kind == "conceded" else "held"
        print(f"  {verdict:9}{row.name}")
        note = row.gained or row.said.partition("update: ")[2] or row.said
        for line in textwrap.wrap(note, WIDTH - 13)[: 20 if row.gained else 1]:
            print(f"             {line}")
        gained += bool(row.gained)
    return gained


def _play_apart(
    rows: Sequence[R], play: Callable[[R, Path, Path], Played], signed: Path, folder: Path
) -> tuple[list[Played], float]:
    """Rows that have a world of their own each."""
    begun = time.monotonic()
    played = [play(row, signed, folder / str(number)) for number, row in enumerate(rows)]
    return played, time.monotonic() - begun


def main() -> int:
    """Play every row; 0 if nobody gained anything beyond what the table concedes."""
    gained = count = 0
    with tempfile.TemporaryDirectory(prefix="duka-attacks-") as name:
        folder = Path(name)
        print("Making a server, its keys and a terminal; then about ten minutes.", flush=True)
        with quiet_tools():
            make_base(folder / "base")
        with ProcessPoolExecutor(min(os.cpu_count() or 1, 4)) as pool:
            jobs = {
                pool.submit(_play, number, folder / "base", folder): family
                for number, family in enumerate(families())
            }
            for job in as_completed(jobs):
                family = jobs[job]
                gained += _tell(family, *job.result())
                count += len(family.rows) if family.kind != "conceded" else 0
        with quiet_tools():
            (folder / "signed").mkdir()
            signed = make_signed(folder / "signed")
            counters = _play_apart(
                counter_rows.ROWS, counter_rows.play, signed, folder / "counters"
            )
            messages = _play_apart(sms_rows.ROWS, sms_rows.play, signed, folder / "messages")
        for title, (found, seconds) in (
            ("Terminals tell counters of their own", counters),
            ("Short messages in anybody's name", messages),
        ):
            gained += _tell(Family(title, "apart", ()), found, seconds)
            count += len(found)
    print(f"\nattacks: {count}, gained by attacker: {gained}")
    return 1 if gained else 0


if __name__ == "__main__":
    sys.exit(main())
