"""`inv lives`: terminals live for days; at each midnight money, updates and trust are judged.

Each has a server of its own. In bulk the terminal's program runs on CPython, in the board's process
(`hw_sim.hosted`); the first days of a sample are lived on MicroPython as well, and must come to the
same digest at each midnight.
`--terminal K` lives one of them alone, as it was.
"""

from __future__ import annotations

import argparse
import hashlib
import multiprocessing
import os
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import zip_longest
from multiprocessing.queues import SimpleQueue
from pathlib import Path

from tests.lives import judge
from tests.lives.life import COMPARED_DAYS, Life, Record
from tests.lives.office import first_release_everywhere
from tests.lives.wrong_builds import WRONG_BUILDS, WrongBuild
from tests.support import ram
from tests.support.seeded import seeded
from tests.support.sources import CheckoutSources
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
            live(
                home, wrong.seed, wrong.days, n, wrong.is_hosted, lambda line: None, wrong.begins_s
            )
            for n in wrong.terminals
        ]
    shutil.rmtree(home, ignore_errors=True)
    broken = [text for record in records for text in record.broken] + storms(records)
    shown = next((text for text in broken if wrong.says in text), "")
    word = "caught" if shown else f"NOT CAUGHT {broken}"
    print(f"wrong build: {wrong.name}: {word} {shown}", flush=True)
    return shown


def live(
    folder: Path,
    seed: int,
    days: int,
    terminal: int,
    hosted: bool,
    tell: Callable[[str], None],
    begins_s: float = 0,
) -> Record:
    """One life; `folder` holds its `factory`. `begins_s`: see `TerminalSettings`."""
    home = folder / f"life{terminal}{'' if hosted else '-on-micropython'}"
    board = {"hosted": CheckoutSources(home / "manager" / "checkout")} if hosted else {}
    life = Life(home, folder / "factory", seed, terminal, simulated(board=board, begins_s=begins_s))
    record = life.live(days, tell)
    shutil.rmtree(home, ignore_errors=True)
    return record


def _pool() -> ProcessPoolExecutor:
    """A process for each processor, and each on its own: a hosted terminal's program and its board
    take turns some thousand times a day, which costs more between two processors.
    """
    processors: Sequence[int] = range(os.cpu_count() or 1)
    if sys.platform == "linux":  # elsewhere nobody can say where a process runs
        processors = sorted(os.sched_getaffinity(0))
    left: SimpleQueue[int] = multiprocessing.SimpleQueue()
    for number in processors:
        left.put(number)
    return ProcessPoolExecutor(len(processors), initializer=_keep_to_one, initargs=(left,))


def _keep_to_one(left: SimpleQueue[int]) -> None:
    if sys.platform == "linux":
        os.sched_setaffinity(0, {left.get()})


def _say(line: str) -> None:
    print(line, flush=True)


def storms(records: Sequence[Record]) -> list[str]:
    """What only several terminals of a town show."""
    days = sorted({number for record in records for number in record.after_mains_s})
    return [
        f"day {number + 1}: {text}"
        for number in days
        for text in judge.storm(
            [r.after_mains_s[number] for r in records if number in r.after_mains_s]
        )
    ]


def main() -> int:
    """Live them; 1 if a promise was broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--terminals", type=int, default=2)
    parser.add_argument("--days", type=int, default=7)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--terminal", type=int, help="only this one of them")
    parser.add_argument(
        "--sample", type=int, default=1, help="so many of them live on MicroPython as well"
    )
    parser.add_argument(
        "--sample-days", type=int, default=3, help=f"their first days, at most {COMPARED_DAYS}"
    )
    parser.add_argument("--wrong-builds", action="store_true", help="see that each is noticed")
    asked = parser.parse_args()
    wanted = [asked.terminal] if asked.terminal is not None else list(range(asked.terminals))
    ram.use()
    folder = Path(tempfile.mkdtemp(prefix="duka-lives-"))
    try:
        if asked.wrong_builds:
            with _pool() as pool:
                caught = [bool(shown) for shown in pool.map(partial(look_at, folder), WRONG_BUILDS)]
            print(f"wrong builds caught: {sum(caught)} of {len(caught)}")
            return int(not all(caught))
        make_town(folder / "factory")
        with _pool() as pool:
            given = folder, asked.seed
            few = min(asked.days, asked.sample_days, COMPARED_DAYS)
            sampled = wanted[: asked.sample if few > 0 else 0]
            sample = [pool.submit(live, *given, few, n, False, _say) for n in sampled]
            bulk = [pool.submit(live, *given, asked.days, n, True, _say) for n in wanted]
            records = [life.result() for life in bulk]
            found = differences(records, [life.result() for life in sample])
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return tell(records, found, asked.days, asked.seed)


def differences(bulk: list[Record], sample: list[Record]) -> list[str]:
    """Lives that did not come to the same on MicroPython, and the first midnight that shows it."""
    found = []
    midnights = {record.terminal: record.midnights for record in bulk}
    for record in sample:
        here = midnights[record.terminal]
        pairs = enumerate(zip_longest(record.midnights, here[: max(1, len(record.midnights))]))
        found += [
            f"terminal {record.terminal}: on day {day} it came to {there} on MicroPython,"
            f" to {bulk_digest} in bulk"
            for day, (there, bulk_digest) in pairs
            if there != bulk_digest
        ][:1]
    return found


def tell(records: list[Record], found: list[str], days: int, seed: int) -> int:
    """The last lines; 1 if a promise was broken."""
    outcomes: Counter[str] = Counter()
    sizes: Counter[str] = Counter()
    for record in records:
        outcomes += record.outcomes
        sizes += record.bytes_by_purpose
        print(f"terminal {record.terminal}: digest: {record.digest}")
    broken = [text for record in records for text in record.broken] + storms(records) + found
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
