"""`python -m tests.powercut`: cut the power everywhere, then show that wrong builds are caught.

`--case ID` replays one case, `--scenario NAME` runs one scenario, `--full` cuts the recovery of
every case in its turn, until a million states were seen; another `--seed`, other operations first.
Ctrl-C ends it with what was reached.
"""

from __future__ import annotations

import argparse
import gc
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.powercut import head_office, publications
from tests.powercut.mutants import MUTANTS
from tests.powercut.runner import Explorer, Found, golden, pieces
from tests.powercut.scenarios import SCENARIOS
from tests.powercut.world import Answering, Reset
from tests.support import ram

SECOND_EVERY = 800
"""Of every so many cuts, chosen by their ids, the recovery is cut, too."""
FULL_STATES = 1_000_000
_STRIDE = 7
_OPERATIONS_A_PORTION = 12
_TELL_EVERY_S = 10
# A build that falls over its own change shows nothing of what it stands for.
OF_THE_PATCH = ("NameError", "AttributeError", "TypeError", "ImportError", "SyntaxError")
"""What a wrong build that does not fit the code any more ends in: that is not caught."""


def _explore(work: tuple[str, int, int, int]) -> tuple[str, Found]:
    name, first, last, second_every = work
    found = Explorer(name).explore(first, last, second_every)
    head_office.forget()
    return name, found


def _try_mutant(name: str) -> tuple[str, str]:
    """(mutant, case and words that caught it or ""). For a process of its own: it spoils it."""
    mutant = MUTANTS[name]
    for scenario in mutant.scenarios:
        golden(scenario)  # the start is made by the right build
    mutant.build()
    for scenario in mutant.scenarios:
        golden.cache_clear()
        try:
            golden(scenario)
        except (Exception, Answering, Reset) as error:
            return name, f"{scenario}, without any cut: {error!r}"
        # In strides, so that what shows late in a scenario is not looked for only late.
        for offset in range(1, _STRIDE + 1):
            explorer = Explorer(scenario)
            for number in range(offset, len(explorer.golden.operations) + 1, _STRIDE):
                found = explorer.explore(number, number, 0, stop_at_broken=True)
                if found.broken:
                    return name, ": ".join(found.broken[0])
    return name, ""


def _leave_interrupts_to_the_parent() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    gc.set_threshold(100_000, 20, 100)  # a case leaves little that goes in circles


def _in_parallel(
    task: Callable[[Any], Any], work: list[Any], workers: int, fresh: bool
) -> Iterator[Any]:
    context = multiprocessing.get_context("fork")
    gc.collect()
    gc.freeze()  # what was made so far need not be looked through by every worker
    with context.Pool(
        workers, _leave_interrupts_to_the_parent, maxtasksperchild=1 if fresh else None
    ) as pool:
        yield from pool.imap_unordered(task, work)


def _replay(case: str) -> int:
    """Run one case alone and say what came of it."""
    name, *cuts = case.split(":")
    if name in publications.SCENARIOS:
        of_publication = publications.explore((name, 0, 1), only=case)
        return _said(case, of_publication.judged, of_publication.broken)
    explorer = Explorer(name)
    number = int(cuts[0].split(".")[0])
    found = explorer.explore(number, number, 1 if len(cuts) > 1 else 0, only=case)
    return _said(case, int(case in explorer.replayed), found.broken)


def _said(case: str, judged: int, broken: list[tuple[str, str]]) -> int:
    if not judged:
        print(f"{case}: no such case")
        return 2
    for name, wrong in broken:
        print(f"{name}: {wrong}")
    print(f"{case}: {'broken' if broken else 'every promise held'}")
    return 1 if broken else 0


@dataclass
class _Tally:
    """What came back from the workers."""

    states: set[bytes] = field(default_factory=set)
    broken: list[tuple[str, str]] = field(default_factory=list)
    judged: int = 0
    seconds: float = 0.0
    rows: dict[str, list[float]] = field(default_factory=dict)
    """Of each scenario: states that no other had before, cases judged, broken, processor s."""

    def add(self, name: str, found: Found) -> None:
        was = len(self.states)
        self.states |= found.states
        self.broken += found.broken
        self.judged += found.judged
        self.seconds += found.seconds
        row = self.rows.setdefault(name, [0, 0, 0, 0.0])
        of_it = (len(self.states) - was, found.judged, len(found.broken), found.seconds)
        for column, value in enumerate(of_it):
            row[column] += value


def _states(work: list[Any], workers: int, target: int, tally: _Tally) -> None:
    began = told = time.monotonic()
    for done, (name, found) in enumerate(_in_parallel(_explore, work, workers, False), 1):
        tally.add(name, found)
        for case, wrong in found.broken[:5]:
            print(f"BROKEN {case}: {wrong}", flush=True)
        now = time.monotonic()
        if now - told > _TELL_EVERY_S or done == len(work):
            told = now
            print(
                f"  {now - began:6.0f} s {done:6}/{len(work)} portions"
                f" {len(tally.states):10,} states {len(tally.broken):5} broken"
                f" {len(tally.states) / (now - began):7.0f}/s",
                flush=True,
            )
        if target and len(tally.states) >= target:
            return


def _table(tally: _Tally) -> None:
    heads = ("operations", "states", "judged", "broken", "seconds")
    print("\n" + f"{'scenario':18}" + "".join(f"{head:>12}" for head in heads))
    for name in sorted(tally.rows, key=list(SCENARIOS).index):
        row = [len(golden(name).operations), *tally.rows[name]]
        print(f"{name:18}" + "".join(f"{value:12,.0f}" for value in row))
    print()


def _wrong_builds(
    names: list[str], workers: int, attempt: Callable[[str], tuple[str, str]] = _try_mutant
) -> int:
    """How many were caught; each is told."""
    caught = 0
    for name, how in _in_parallel(attempt, names, workers, True):
        if how and not any(word in how for word in OF_THE_PATCH):
            caught += 1
            print(f"  {name:25} {how}"[:79], flush=True)
        else:
            mutant = MUTANTS.get(name) or publications.MUTANTS[name]
            print(f"  {name:25} SURVIVED: {mutant.in_the_field} {how}", flush=True)
    return caught


def _publications(names: list[str], full: bool, seed: int, workers: int, tally: _Tally) -> None:
    """Cut every publication on the server's side; a row each."""
    portions = [each for name in names for each in publications.work(full, seed, name)]
    rows: dict[str, list[float]] = {}
    for found in _in_parallel(publications.explore, portions, workers, False):
        row = rows.setdefault(found.name, [found.operations, 0, 0, 0, 0.0])
        of_it = (len(found.states - tally.states), found.judged, len(found.broken), found.seconds)
        row[1:] = [before + new for before, new in zip(row[1:], of_it, strict=True)]
        tally.states |= found.states
        tally.broken += found.broken
        tally.judged += found.judged
        tally.seconds += found.seconds
        for case, wrong in found.broken[:5]:
            print(f"BROKEN {case}: {wrong}", flush=True)
    heads = ("operations", "states", "judged", "broken", "seconds")
    print("\n" + f"{'publication':23}" + "".join(f"{head:>11}" for head in heads))
    for name in sorted(rows, key=list(publications.SCENARIOS).index):
        print(f"{name:23}" + "".join(f"{value:11,.0f}" for value in rows[name]))
    print()


def main() -> int:
    parser = argparse.ArgumentParser(prog="inv powercut", description=__doc__)
    parser.add_argument("--case", help="replay one case by its id")
    parser.add_argument(
        "--scenario",
        choices=sorted([*SCENARIOS, *publications.SCENARIOS]),
        help="one scenario only",
    )
    parser.add_argument("--full", action="store_true", help="a million states, at depth 2")
    parser.add_argument("--seed", type=int, default=1, help="in which order (default 1)")
    parser.add_argument(
        "--one-in",
        type=int,
        default=1,
        help="look at one in so many stretches of the flash operations, chosen by the seed",
    )
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 2)
    arguments = parser.parse_args()
    ram.use()
    if arguments.case:
        return _replay(arguments.case)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    began = time.monotonic()
    names = [name for name in SCENARIOS if arguments.scenario in (None, name)]
    sites = [name for name in publications.SCENARIOS if arguments.scenario in (None, name)]
    operations = sum(len(golden(name).operations) for name in names)
    second_every = 1 if arguments.full else SECOND_EVERY
    print(f"{len(names)} scenarios, {operations:,} flash operations, each in 7 or 8 ways;")
    print(
        "every recovery is cut in its turn"
        if arguments.full
        else f"of one case in {second_every} the recovery is cut, too, at each of its operations"
    )
    if arguments.one_in > 1:
        print(f"one in {arguments.one_in} stretches of operations is looked at")
    tally = _Tally()
    mutants = [] if arguments.scenario else list(MUTANTS)
    site_mutants = [] if arguments.scenario else list(publications.MUTANTS)
    caught = 0
    stopped = ""
    try:
        if sites:
            whole = arguments.full or arguments.scenario is not None
            _publications(sites, whole, arguments.seed, arguments.workers, tally)
        share = 1 if arguments.full else _OPERATIONS_A_PORTION
        stretches = [*pieces(names, share, arguments.seed)][:: arguments.one_in]
        work = [(*piece, second_every) for piece in stretches]
        _states(work, arguments.workers, FULL_STATES if arguments.full else 0, tally)
        _table(tally)
        if mutants:
            total = len(mutants) + len(site_mutants)
            print(f"wrong builds: {total}, each by the first case that shows it")
            caught = _wrong_builds(site_mutants, arguments.workers, publications.try_mutant)
            caught += _wrong_builds(mutants, arguments.workers)
    except KeyboardInterrupt:
        stopped = ", stopped before its end"
    print(
        f"{tally.judged:,} cases judged in {tally.seconds:,.0f} s of processor time; "
        f"{time.monotonic() - began:,.0f} s with {arguments.workers} workers{stopped}"
    )
    print(
        f"distinct states: {len(tally.states)}, broken: {len(tally.broken)}, "
        f"mutants caught: {caught}/{len(mutants) + len(site_mutants)}"
    )
    is_caught = caught == len(mutants) + len(site_mutants)
    return 0 if not stopped and not tally.broken and is_caught else 1


if __name__ == "__main__":
    sys.exit(main())
