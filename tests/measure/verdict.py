"""`inv verdict`: our verdict beside five others on the same simulated weeks, with bars.

False alarms a week in twelve named worlds, median delays to a halt, how soon a good release may
widen and how often a bad one does, silence, twelve guards together, and the time of one evaluation.
Method and figures: docs/verdict.md.
"""

from __future__ import annotations

import argparse
import sys
import time
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from math import comb

import numpy as np

from tests.measure import verdict_ours, verdict_peers, verdict_silence, verdict_worlds
from tests.measure.verdict_cost import cost
from updater_server.verdict.policy import NOT_BACK, SILENT, Guard, Policy, single, usual

Hour = int | None
OURS = "our verdict"
TESTS = (OURS, "event z", "event e-process", "Kayenta", "mSPRT", "asymptotic CS")
FALSE_ALARMS = 0.02
"""Bar: so many weeks with a false alarm, in each world in which the control restarts too."""


@dataclass(frozen=True)
class Cell:
    """Weeks of one kind: the bars are hours in the median."""

    kind: str
    beta: int
    control: int
    effect: float
    bar: int | None = None


DELAYS = (
    Cell("all", 300, 2700, 2, 12),
    Cell("all", 300, 2700, 1.5, 40),
    Cell("all", 100, 900, 4, 8),
    Cell("all", 100, 900, 2, 30),
    Cell("all", 30, 300, 4, 26),
    Cell("plain", 100, 900, 2, 17),
)
WIDENS_BY, WIDENS_WRONGLY = 24, 0.08


@dataclass(frozen=True)
class Together:
    """Weeks of one kind with twelve guards: what is made worse, with the bar of its halt in hours;
    `is_barred`: it may seldom widen.
    """

    kind: str
    effect: float = 1
    halt_bar: int | None = None
    dead: float = 0.0
    harmed: str = "sale_failed"
    is_barred: bool = False

    @property
    def is_good(self) -> bool:
        """Nothing is worse."""
        return self.effect == 1 and not self.dead


TWELVE = (
    Together("plain"),
    Together("all"),
    Together("plain", 2, 17, is_barred=True),
    Together("all", 2, 30, is_barred=True),
    Together("all", 4, 8, is_barred=True),
    Together("all", 1, 8, dead=0.10, is_barred=True),
    Together("all", 20, harmed="crash", is_barred=True),
    Together("all", 4, harmed="attach_failed", is_barred=True),
    Together("all", 2, harmed="attach_failed"),
)
"""Crashes of 0.01 a terminal-day, twenty times as many: each terminal restarts more than once a
week.
"""
DEATHS = ((0.10, 8), (0.05, 30))


@dataclass
class Seen:
    """Alarms of each test over a cell's weeks, and our passes."""

    alarms: dict[str, list[Hour]] = field(default_factory=dict)
    widened: list[Hour] = field(default_factory=list)

    def share(self, test: str) -> float:
        """Of weeks with an alarm."""
        return sum(hour is not None for hour in self.alarms[test]) / len(self.alarms[test])


def weeks(cell: Cell, count: int, seed: int) -> Seen:
    """`count` weeks of one cell, one guard, every test."""
    rng, seen, policy = generator(seed, cell), Seen(), single("sale_failed")
    for _ in range(count):
        beta = verdict_ours.an_arm(rng, cell.beta + cell.control, cell.beta)
        week = verdict_worlds.week(rng, verdict_worlds.KINDS[cell.kind], beta, cell.effect)
        ours = verdict_ours.verdict(week, policy, {})
        alarms = {OURS: ours.halted, **verdict_peers.all_of(week)}
        for test, hour in alarms.items():
            seen.alarms.setdefault(test, []).append(hour)
        seen.widened.append(ours.widened)
    return seen


def weeks_of_twelve(
    cell: Cell, count: int, seed: int, dead: float = 0.0, harmed: str = "sale_failed"
) -> list[verdict_ours.Outcome]:
    """`count` weeks with twelve guards at once, silence among them; only we are asked. The guard
    `harmed` is made worse.
    """
    rng, policy = generator(seed, (cell, dead, harmed)), usual()
    rates = list(verdict_worlds.RATES)
    made = []
    for _ in range(count):
        beta = verdict_ours.an_arm(rng, cell.beta + cell.control, cell.beta)
        kind = verdict_worlds.KINDS[cell.kind]
        harm = cell.effect, len(rates), rates.index(harmed)
        week = verdict_worlds.week(rng, kind, beta, *harm)
        week, outcomes = verdict_silence.outcomes(rng, week, policy, dead)
        made.append(verdict_ours.verdict(week, policy, outcomes))
    return made


def weeks_of_silence(dead: float, count: int, seed: int) -> list[verdict_ours.Outcome]:
    """`count` weeks of 100 against 900 in which only silence is looked at."""
    policy = Policy((Guard(NOT_BACK, 0.5), Guard(SILENT, 0.5)))
    rng, made = generator(seed, dead), []
    for _ in range(count):
        beta = verdict_ours.an_arm(rng, 1000, 100)
        week = verdict_worlds.week(rng, verdict_worlds.KINDS["plain"], beta, guards=0)
        week, outcomes = verdict_silence.outcomes(rng, week, policy, dead)
        made.append(verdict_ours.verdict(week, policy, outcomes))
    return made


def generator(seed: int, about: object) -> np.random.Generator:
    """Randomness of its own for each cell, so that one can be run alone."""
    return np.random.default_rng([seed, zlib.crc32(repr(about).encode())])


def median(hours: Iterable[Hour]) -> float:
    """The median, where what did not happen is later than all."""
    ordered = sorted(verdict_worlds.never() if hour is None else hour for hour in hours)
    return ordered[len(ordered) // 2]


def told(hours: float) -> str:
    """Hours as words."""
    return "-" if hours >= verdict_worlds.never() else f"{hours:.0f} h"


def plausible(found: int, of: int, bar: float) -> bool:
    """Whether so many of so many may be a rate of `bar`: chance of as many is over 1 in 100."""
    less = sum(comb(of, k) * bar**k * (1 - bar) ** (of - k) for k in range(found))
    return 1 - less > 0.01


class Table:
    """Prints lines with their bars, and remembers whether one was not kept."""

    def __init__(self) -> None:
        self.over = 0

    def line(self, what: str, figures: Iterable[str], kept: bool | None = None) -> None:
        """One line; `kept` is None where there is no bar."""
        mark = {None: "", True: "kept", False: "NOT KEPT"}[kept]
        self.over += kept is False
        print(f"{what:34}" + "".join(f"{figure:>16}" for figure in figures) + f"  {mark}")
        sys.stdout.flush()


def false_alarms(table: Table, count: int, seed: int) -> None:
    """Weeks with an alarm though the release changes nothing; and how soon it may widen."""
    print(f"\nFalse alarms, {count} weeks each, 100 against 900 (bar: {FALSE_ALARMS:.0%}, ours)")
    table.line("", TESTS)
    for kind in verdict_worlds.KINDS.values():
        seen = weeks(Cell(kind.name, 100, 900, 1), count, seed)
        alarms = sum(hour is not None for hour in seen.alarms[OURS])
        kept = plausible(alarms, count, FALSE_ALARMS) if kind.sham else None
        table.line(kind.name, [f"{seen.share(test):.1%}" for test in TESTS], kept)
        soon = median(seen.widened)
        is_barred = kind.name in ("plain", "all")
        table.line("    may widen, median", [told(soon)], soon <= WIDENS_BY if is_barred else None)


def delays(table: Table, count: int, seed: int) -> None:
    """Median hours to the alarm; of a release twice as bad, how often it may widen."""
    print(f"\nMedian delay to the alarm, {count} weeks each (share of weeks with one)")
    table.line("", (*TESTS, "bar"))
    for cell in DELAYS:
        seen = weeks(cell, count, seed)
        figures = [f"{told(median(seen.alarms[test]))} ({seen.share(test):.0%})" for test in TESTS]
        ours = median(seen.alarms[OURS])
        name = f"{cell.kind} {cell.beta}/{cell.control} x{cell.effect:g}"
        table.line(
            name, [*figures, f"{cell.bar} h"], None if cell.bar is None else ours <= cell.bar
        )
        wrongly = sum(hour is not None for hour in seen.widened)
        barred = cell.effect == 2 and cell.beta == 100
        kept = plausible(wrongly, count, WIDENS_WRONGLY) if barred else None
        table.line("    widens all the same", [f"{wrongly / count:.0%}"], kept)


def twelve(table: Table, count: int, seed: int) -> None:
    """All guards together, the error shared: what a wave in the field has."""
    print(f"\nTwelve guards together, {count} weeks each, 100 against 900")
    table.line("", ("halted", "median", "bar", "widens", "median", "bar"))
    for one in TWELVE:
        cell = Cell(one.kind, 100, 900, one.effect)
        made = weeks_of_twelve(cell, count, seed, one.dead, one.harmed)
        halted = sum(each.halted is not None for each in made)
        late = median(each.halted for each in made)
        name = f"{one.kind} {one.harmed} x{one.effect:g}" + f", {one.dead:.0%} dead" * (
            one.dead > 0
        )
        widened = sum(each.widened is not None for each in made)
        soon = median(each.widened for each in made)
        kept = [plausible(halted, count, FALSE_ALARMS)] if one.is_good else []
        kept += [late <= one.halt_bar] if one.halt_bar else []
        kept += [soon <= WIDENS_BY] if one.is_good else []
        kept += [plausible(widened, count, WIDENS_WRONGLY)] if one.is_barred else []
        figures = [f"{halted / count:.0%}", told(late), "2 %" if one.is_good else ""]
        if one.halt_bar:
            figures[2] = told(one.halt_bar)
        figures += [f"{widened / count:.0%}", told(soon)]
        figures += [told(WIDENS_BY) if one.is_good else f"{WIDENS_WRONGLY:.0%}" * one.is_barred]
        table.line(name, figures, all(kept) if kept else None)


def silence(table: Table, count: int, seed: int) -> None:
    """Of 100 terminals some never come back."""
    print(f"\nSilence alone, {count} weeks each, 100 against 900")
    table.line("", ("halted", "median", "bar"))
    for dead, bar in ((0.0, None), *DEATHS):
        made = weeks_of_silence(dead, count, seed)
        halted = sum(one.halted is not None for one in made)
        late = median(one.halted for one in made)
        kept = plausible(halted, count, FALSE_ALARMS) if bar is None else late <= bar
        figures = [f"{halted / count:.0%}", told(late), told(bar) if bar else "2 %"]
        table.line(f"{dead:.0%} dead", figures, kept)


def evaluation(table: Table, _count: int, _seed: int) -> None:
    """CPU of one evaluation, 1,000 terminals x 12 guards at the end of a week."""
    print("\nOne evaluation, 1,000 terminals x 12 guards, hour 168 (CPU)")
    seconds = cost()
    for name, value in seconds.items():
        bar = 0.1 if name == "judge" else None
        table.line(name, [f"{value * 1000:.0f} ms"], None if bar is None else value <= bar)


GROUPS: dict[str, Callable[[Table, int, int], None]] = {
    "false-alarms": false_alarms,
    "delays": delays,
    "twelve": twelve,
    "silence": silence,
    "evaluation": evaluation,
}


def main() -> int:
    """Print the table; 1 if a bar was not kept."""
    parser = argparse.ArgumentParser(prog="inv verdict")
    parser.add_argument("--weeks", type=int, default=4)
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", choices=sorted(GROUPS), default=None)
    given = parser.parse_args()
    began_s, table = time.process_time(), Table()
    for name, group in GROUPS.items():
        if given.only in (None, name):
            group(table, 400 if given.full else given.weeks, given.seed)
    print(f"\n{time.process_time() - began_s:.0f} s of CPU, seed {given.seed}")
    return 1 if table.over else 0


if __name__ == "__main__":
    sys.exit(main())
