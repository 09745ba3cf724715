"""`inv bench shop_day`: a day of a shop that sells twenty times in its fourteen hours. What goes
over the air, by purpose and with all headers, where the server answers HTTP alone and where it
answers datagrams; and how much of it is beyond the sales' own messages. Simulated time, real
interpreter and server.

A sale's own are its question and the journal message with its records. Beyond them are check-ins
and what is sent besides.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections import Counter
from pathlib import Path

from tests.measure.idle import at_rest
from tests.support import ram
from tests.support.airtime import Airtime
from tests.support.merchant import debit_minor, nothing_lost
from tests.support.world import quiet_tools
from tests.terminal.conftest import TerminalWorld

SALES = 20
OPEN_S, DAY_S = 14 * 3600, 24 * 3600
BAR_BYTES = 2_560
_OF_SALES = ("sales", "journal")
_FLOAT_MINOR = 2 * SALES * debit_minor(1)


def measure(folder: Path, by: str) -> Counter[str]:
    """Bytes of such a day by purpose."""
    with at_rest(folder, _FLOAT_MINOR, by) as world:
        world.fill_vault(SALES)
        return _live(world)


def _live(world: TerminalWorld) -> Counter[str]:
    airtime = Airtime(world)
    board = world.terminal.board
    begun_s = world.now_unix_s()
    for number in range(SALES):
        board.pause(begun_s + (number + 0.5) * OPEN_S / SALES - world.now_unix_s())
        world.merchant.sign_in()
        world.merchant.sell()
    board.pause(begun_s + DAY_S - world.now_unix_s())
    airtime.settle()
    nothing_lost(world, [debit_minor(1)] * (1 + SALES), float_minor=_FLOAT_MINOR)
    return airtime.by_bytes


def main() -> int:
    """Print the day by both roads; 1 if the bar is not kept by datagrams."""
    ram.use()
    found = {}
    for by in ("HTTP", "CoAP"):
        folder = Path(tempfile.mkdtemp(prefix="duka-shop-day-"))
        try:
            with quiet_tools():
                found[by] = measure(folder / "world", by)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    print(f"{SALES} sales a day, bytes{'HTTP':>16}{'CoAP':>8}")
    for purpose in sorted(set(found["HTTP"]) | set(found["CoAP"])):
        print(f"{purpose:24}{found['HTTP'][purpose]:12,}{found['CoAP'][purpose]:8,}")
    beyond = {
        by: sum(size for purpose, size in sizes.items() if purpose not in _OF_SALES)
        for by, sizes in found.items()
    }
    print(f"{'all':24}{found['HTTP'].total():12,}{found['CoAP'].total():8,}")
    print(f"{'beyond the sales':24}{beyond['HTTP']:12,}{beyond['CoAP']:8,}  bar {BAR_BYTES:,}")
    return int(beyond["CoAP"] > BAR_BYTES)


if __name__ == "__main__":
    sys.exit(main())
