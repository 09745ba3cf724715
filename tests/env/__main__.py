"""`inv env`: bring the whole up and leave it up; `--check`: sell a hundred vouchers through it;
`--kill`: kill each part while terminals sell; `--move`: from SQLite to PostgreSQL meanwhile;
`--rate`: sales a second beside pgbench; `--rewind`: the books are dropped, and brought back;
`--apart`: one supplier hangs while another sells.
"""

from __future__ import annotations

import argparse
import signal
import sys
import threading
import time
from typing import NoReturn

from tests.env.apart import apart
from tests.env.check import check
from tests.env.kill import BLOWS, table
from tests.env.move import move
from tests.env.parts import NotHere
from tests.env.rate import rate
from tests.env.rewind import rewind
from tests.env.whole import whole


def _line(words: str) -> None:
    sys.stdout.write(words + "\n")
    sys.stdout.flush()


def _stay() -> None:
    started = time.monotonic()
    with whole() as made:
        _line(f"up in {time.monotonic() - started:.0f} s, in {made.folder}")
        _line(f"terminals come in at http://127.0.0.1:{made.balancer_port}")
        for name, part in made.parts.items():
            _line(f"    {name:<12} pid {part.pid}, {part.log}")
        _line(f"PostgreSQL: {made.primary()} is the primary, {made.standby()} its standby")
        _line("Ctrl-C takes all of it away.")
        threading.Event().wait()


def _end(number: int, _frame: object) -> NoReturn:
    raise SystemExit(128 + number)


def main() -> int:
    """0 if all was well."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--apart", action="store_true")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--kill", action="store_true")
    parser.add_argument("--only", default="", help="of --kill: what begins so")
    parser.add_argument("--move", action="store_true")
    parser.add_argument("--rate", action="store_true")
    parser.add_argument("--rewind", action="store_true")
    options = parser.parse_args()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _end)
    try:
        if options.apart:
            return apart(_line)
        if options.check:
            return check(_line)
        if options.kill:
            return table(_line, [blow for blow in BLOWS if blow.name.startswith(options.only)])
        if options.move:
            return move(_line)
        if options.rate:
            return rate(_line)
        if options.rewind:
            return rewind(_line)
        _stay()
    except NotHere as error:
        _line(str(error))
        return 1
    except KeyboardInterrupt:
        _line("taken away")
    return 0


if __name__ == "__main__":
    sys.exit(main())
