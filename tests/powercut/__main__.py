"""`python -m tests.powercut`: cut the power everywhere, then show that wrong builds are caught.

`--case ID` replays one case, `--scenario NAME` runs one scenario, `--full` cuts the recovery of
every case in its turn, until a million states were seen.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
import time
from collections.abc import Callable
from typing import Any

from tests.powercut.mutants import MUTANTS
from tests.powercut.runner import Explorer, Found, golden, pieces
from tests.powercut.scenarios import SCENARIOS
from tests.powercut.world import Answering, Reset

SECOND_EVERY = 1500
FULL_STATES = 1_000_000
_STRIDE = 7


def _explore(work: tuple[str, int, int, int]) -> Found:
    name, first, last, second_every = work
    return Explorer(name).explore(first, last, second_every)


def _try_mutant(name: str) -> tuple[str, str]:
    """(mutant, the case that caught it or ""). Runs in a process of its own, as it spoils it."""
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


def _in_parallel(task: Callable[[Any], Any], work: list[Any], workers: int, fresh: bool) -> Any:
    context = multiprocessing.get_context("fork")
    with context.Pool(workers, maxtasksperchild=1 if fresh else None) as pool:
        yield from pool.imap_unordered(task, work)


def _replay(case: str) -> int:
    """Run one case alone and say what came of it."""
    name, *cuts = case.split(":")
    explorer = Explorer(name)
    number = int(cuts[0].split(".")[0])
    found = explorer.explore(number, number, 1 if len(cuts) > 1 else 0, only=case)
    if case not in explorer.replayed:
        print(f"{case}: no such case")
        return 2
    for broken, wrong in found.broken:
        print(f"{broken}: {wrong}")
    print(f"{case}: {'broken' if found.broken else 'every promise held'}")
    return 1 if found.broken else 0


def _states(names: list[str], second_every: int, workers: int, target: int) -> Found:
    began = time.monotonic()
    total = Found()
    work = [(*piece, second_every) for piece in pieces(names)]
    told = began
    for done, found in enumerate(_in_parallel(_explore, work, workers, False), 1):
        total.add(found)
        for case, wrong in found.broken[:5]:
            print(f"BROKEN {case}: {wrong}", flush=True)
        if time.monotonic() - told > 10 or done == len(work):
            told = time.monotonic()
            rate = len(total.states) / (told - began)
            print(
                f"  {done}/{len(work)} portions, {len(total.states)} states, "
                f"{len(total.broken)} broken, {rate:.0f} states/s",
                flush=True,
            )
        if target and len(total.states) >= target:
            break
    return total


def main() -> int:
    parser = argparse.ArgumentParser(prog="inv powercut", description=__doc__)
    parser.add_argument("--case", help="replay one case by its id")
    parser.add_argument("--scenario", choices=sorted(SCENARIOS), help="one scenario only")
    parser.add_argument("--full", action="store_true", help="a million states, at depth 2")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 2)
    arguments = parser.parse_args()
    if arguments.case:
        return _replay(arguments.case)
    began = time.monotonic()
    names = [arguments.scenario] if arguments.scenario else list(SCENARIOS)
    for name in names:
        golden(name)
    print(f"{len(names)} scenarios, {sum(len(golden(n).operations) for n in names)} operations")
    second_every = 1 if arguments.full else SECOND_EVERY
    target = FULL_STATES if arguments.full else 0
    found = _states(names, second_every, arguments.workers, target)
    print(
        f"{found.judged} cases judged in {time.monotonic() - began:.0f} s,"
        f" {found.seconds:.0f} s of processor time"
    )
    caught = 0
    mutants = [] if arguments.scenario else list(MUTANTS)
    for name, how in _in_parallel(_try_mutant, mutants, arguments.workers, True):
        caught += bool(how)
        print(f"  {name}: {how[:110] if how else 'SURVIVED: ' + MUTANTS[name].in_the_field}")
    print(f"took {time.monotonic() - began:.0f} s with {arguments.workers} workers")
    print(
        f"distinct states: {len(found.states)}, broken: {len(found.broken)}, "
        f"mutants caught: {caught}/{len(mutants)}"
    )
    return 0 if not found.broken and caught == len(mutants) else 1


if __name__ == "__main__":
    sys.exit(main())
