"""`inv fleet --live N`: N protocol terminals through real messages against the real server and the
real worker, on a fast clock. People sign a release for each channel, and nothing else: a good one
goes from ci to everybody on stable, a bad one is halted by the worker alone, and an outage of a
region halts nothing, with server and worker killed on the way.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
from pathlib import Path

from tests.live.fleet import Failing, Fleet
from tests.live.scenarios import Scenario, play
from tests.server.shop import make_signed


def scenarios(wave: int, hours: int, effect: float, kills: int) -> list[Scenario]:
    """The three of them."""
    return [
        Scenario(
            "a good release", Failing(), wave, hours, ("pass",), kills,
            by_itself=True, ends_everywhere=True,
        ),
        Scenario(
            f"a bad release (x{effect:g} failed sales)",
            Failing(effect=effect), wave, hours, ("halt",), kills, by_itself=True,
        ),
        Scenario(
            "an outage of a region", Failing(outage=(2, 9)), wave, min(hours, 16),
            ("hold", "pass"), kills, by_itself=True,
        ),
    ]  # fmt: skip


def main(arguments: list[str] | None = None) -> int:
    """Play, print a line each; 1 if something is not as it should be."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--terminals", type=int, default=330)
    parser.add_argument("--wave", type=int, default=0, help="of the terminals; 0: 100, or a third")
    parser.add_argument("--hours", type=int, default=100, help="at most, of each")
    parser.add_argument("--effect", type=float, default=2.0)
    parser.add_argument("--sales", type=int, default=72, help="a day, of each terminal")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kills", type=int, default=3, help="of server or worker in each")
    parser.add_argument("--only", default="", help="those whose name has this word")
    options = parser.parse_args(arguments)
    wave = options.wave or min(100, options.terminals // 3)
    broken = False
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "signed").mkdir()
        (folder / "start").mkdir()
        start = Fleet(folder / "start", options.terminals, options.seed, options.sales)
        start.make(make_signed(folder / "signed"))
        start.open()
        start.run()
        start.pre_period(Failing())
        start.close()
        print(
            f"{start.terminals} terminals told a week, in {start.messages:,} messages", flush=True
        )
        for number, one in enumerate(scenarios(wave, options.hours, options.effect, options.kills)):
            if options.only in one.name:
                outcome = play(start, folder / f"live-{number}", one)
                print(outcome.line(), flush=True)
                broken = broken or bool(outcome.broken)
    ours = resource.getrusage(resource.RUSAGE_SELF)
    theirs = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(f"CPU: terminals {ours.ru_utime + ours.ru_stime:.0f} s, server and worker "
          f"{theirs.ru_utime + theirs.ru_stime:.0f} s")  # fmt: skip
    return int(broken)


if __name__ == "__main__":
    sys.exit(main())
