"""`inv fleet --terminals N`: a whole fleet by discrete events; with `--live M`, the model first
held against M terminals before a real server.
"""

from __future__ import annotations

import argparse
import resource
import sys

from tests.fleet.against import CLOSE, compare
from tests.fleet.habits import Habits
from tests.fleet.rollout import Rollout
from tests.fleet.traffic import Heard, Traffic
from tests.fleet.weights import Weights, weigh

DOLLARS_A_MB = 0.02
CALM_MIN = 30
"""So many minutes after the mains came back, nothing may be left of who started together."""
_MB = 1_000_000


def rollout(options: argparse.Namespace, habits: Habits, weights: Weights) -> None:
    """Print the waves."""
    run = Rollout(
        options.terminals, habits, weights, options.patch_bytes, f"{options.seed:016x}",
        options.pace_h, options.seed,
    )  # fmt: skip
    gone = run.run()
    print(f"{'wave':>10}{'new':>9}{'control':>9}{'half back':>11}{'90 % back':>11}{'days':>7}"
          f"{'MB of it':>10}{'MB of all':>11}{'dollars':>9}{'a minute':>10}")  # fmt: skip
    spent = 0.0
    for one in gone:
        size = one.wave_bytes + one.fleet_bytes
        spent += size
        print(f"{one.size:10,}{one.new:9,}{one.controls:9,}{one.half_h:9.1f} h{one.most_h:9.1f} h"
              f"{one.lasted_h / 24:7.1f}{one.wave_bytes / _MB:10.1f}{one.fleet_bytes / _MB:11.1f}"
              f"{size / _MB * DOLLARS_A_MB:9,.2f}{one.busiest_a_minute:10,}")  # fmt: skip
    installed = float(sum(one.wave_bytes for one in gone))
    print(
        f"{run.days(gone):.1f} days; {spent / _MB:,.0f} MB, {spent / _MB * DOLLARS_A_MB:,.0f} "
        f"dollars; {spent / options.terminals:,.0f} bytes a terminal, of which its own update is "
        f"{installed / options.terminals:,.0f}"
    )


def traffic(options: argparse.Namespace, habits: Habits) -> bool:
    """Print what a server hears; whether somewhere there is a herd."""
    world = Traffic(options.terminals, habits, options.answers_a_s, options.seed)
    quiet = world.quiet()
    herd = False
    print(f"{'':58}{'a minute':>10}{'busiest':>10}{'unanswered':>12}{'all served':>12}{'calm':>10}")
    told: list[Heard] = [quiet, world.server_away(10), world.published(), world.mains_back(1 / 3)]
    for one in told:
        served = f"{one.served_s / 60:.0f} min" if one.served_s else "-"
        times = one.busiest / quiet.mean
        calm = one.calm_min(quiet.mean)
        print(f"{one.name:58}{one.mean:10,.0f}{times:8.1f} x{one.unanswered:12,}{served:>12}"
              f"{calm:6} min")  # fmt: skip
        herd = herd or calm > CALM_MIN
    return herd


def main(arguments: list[str] | None = None) -> int:
    """Print all; 1 if the model is not close to the live fleet, or a herd does not disperse."""
    parser = argparse.ArgumentParser(prog="inv fleet --terminals", description=__doc__)
    parser.add_argument("--terminals", type=int, default=1_000_000)
    parser.add_argument("--live", type=int, default=0, help="compare with so many real ones first")
    parser.add_argument("--wave", type=int, default=0, help="of the live ones; 0: a third")
    parser.add_argument("--pace-h", type=float, default=24.0, help="each wave lasts so long")
    parser.add_argument("--patch-bytes", type=int, default=4300)
    parser.add_argument("--answers-a-s", type=int, default=2000, help="of the server")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    habits = Habits()
    wrong = False
    if options.live:
        print(f"{options.live} terminals: {'live':>30}{'model':>14}{'apart':>8}")
        for pair in compare(options.live, options.wave or options.live // 3, seed=options.seed):
            wrong = wrong or pair.apart > CLOSE
            print(f"  {pair.name:32}{pair.live:14,.0f}{pair.model:14,.0f}{pair.apart:8.1%}")
    rollout(options, habits, weigh(habits.sales_a_day, 24))
    wrong = traffic(options, habits) or wrong
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(f"CPU: {used.ru_utime + used.ru_stime:.0f} s, {used.ru_maxrss // 1024} MB")
    return int(wrong)


if __name__ == "__main__":
    sys.exit(main())
