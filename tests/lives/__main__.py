"""`inv lives`: terminals live for days; at each midnight money, updates and trust are judged.

Every life runs on real MicroPython, with a server of its own. `--terminal K` lives one of them
alone, as it was.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

from tests.lives import judge
from tests.lives.life import Life, Record
from tests.lives.office import first_release_everywhere
from tests.lives.wrong_builds import WRONG_BUILDS, WrongBuild
from tests.support.seeded import seeded
from tests.support.world import quiet_tools
from tests.terminal.conftest import TerminalWorld, make_factory, simulated


def make_town(folder: Path, edits: Sequence[tuple[str, str, str]] = ()) -> None:
    """What every life begins with: release 1 on all channels."""
    with quiet_tools():
        make_factory(folder, edits, later_images=False)
        world = TerminalWorld(folder, simulated())
        with seeded("town", world.now_unix_s):
            first_release_everywhere(world)


def look_at(folder: Path, wrong: WrongBuild) -> str:
    """Whether lives of that build show what is wrong; the word for it."""
    home = folder / hashlib.sha256(wrong.name.encode()).hexdigest()[:8]
    with wrong.office():
        make_town(home / "factory", wrong.edits)
        records = [
            Life(home / f"life{n}", home / "factory", wrong.seed, n, simulated()).live(
                wrong.days, lambda line: None
            )
            for n in wrong.terminals
        ]
    shutil.rmtree(home, ignore_errors=True)
    broken = [text for record in records for text in record.broken] + storms(records)
    shown = next((text for text in broken if wrong.says in text), "")
    word = "caught" if shown else f"NOT CAUGHT {broken}"
    print(f"wrong build: {wrong.name}: {word} {shown}", flush=True)
    return shown


def live(folder: Path, seed: int, days: int, terminal: int) -> Record:
    """One life, in a process of its own."""
    life = Life(folder / f"life{terminal}", folder / "factory", seed, terminal, simulated())
    return life.live(days, lambda line: print(line, flush=True))


def storms(records: Sequence[Record]) -> list[str]:
    """What only several terminals of a town show."""
    days = sorted({number for record in records for number in record.after_mains_s})
    return [
        f"day {number}: {text}"
        for number in days
        for text in judge.storm(
            [r.after_mains_s[number] for r in records if number in r.after_mains_s]
        )
    ]


def main() -> int:
    """Live them; 1 if a promise was broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--terminals", type=int, default=2)
    parser.add_argument("--days", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--terminal", type=int, help="only this one of them")
    parser.add_argument("--keep", action="store_true", help="keep the folder and say where it is")
    parser.add_argument("--wrong-builds", action="store_true", help="see that each is noticed")
    asked = parser.parse_args()
    wanted = [asked.terminal] if asked.terminal is not None else list(range(asked.terminals))
    folder = Path(tempfile.mkdtemp(prefix="duka-lives-"))
    try:
        if asked.wrong_builds:
            with ProcessPoolExecutor(os.cpu_count()) as pool:
                caught = [bool(shown) for shown in pool.map(partial(look_at, folder), WRONG_BUILDS)]
            print(f"wrong builds caught: {sum(caught)} of {len(caught)}")
            return int(not all(caught))
        make_town(folder / "factory")
        one = partial(live, folder, asked.seed, asked.days)
        with ProcessPoolExecutor(os.cpu_count()) as pool:
            records = list(pool.map(one, wanted))
    finally:
        if asked.keep:
            print(f"kept in {folder}", file=sys.stderr)
        else:
            shutil.rmtree(folder, ignore_errors=True)
    return tell(records, asked.days, asked.seed)


def tell(records: list[Record], days: int, seed: int) -> int:
    """The last lines; 1 if a promise was broken."""
    outcomes: Counter[str] = Counter()
    sizes: Counter[str] = Counter()
    for record in records:
        outcomes += record.outcomes
        sizes += record.bytes_by_purpose
        print(f"terminal {record.terminal}: digest: {record.digest}")
    broken = [text for record in records for text in record.broken] + storms(records)
    for text in broken:
        print(f"broken: {text} (seed {seed})")
    lived = max(1, sum(record.days for record in records))
    wakes = sum(record.wake_ups for record in records) / (24 * lived)
    said = ", ".join(f"{what} {count}" for what, count in outcomes.most_common())
    spent = ", ".join(f"{purpose} {size // lived}" for purpose, size in sizes.most_common())
    longest_s = max(record.longest_wait_s for record in records)
    print(
        f"lives: {len(records)} terminals x {days} days, sales: {said}, "
        f"broken promises: {len(broken)}, bytes per terminal and day by purpose: {spent}, "
        f"wake-ups per hour {wakes:.0f}, longest wait of a merchant {longest_s:.0f} s"
    )
    return int(bool(broken))


if __name__ == "__main__":
    sys.exit(main())
