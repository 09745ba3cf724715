"""`inv bench history`: CPU time of the server for a sale and a check-in of a terminal with so many
past sales on its ledger account; the ratio to a terminal with none.
"""

from __future__ import annotations

import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from tests.server.device import Device
from tests.server.shop import Shop, make_database, make_repository

PAST = (0, 1_000, 10_000, 100_000)
_SALES = 150
_CHECK_INS = 50


def measure(folder: Path, past: int) -> tuple[float, float]:
    """(milliseconds a sale, milliseconds a check-in), CPU of this process, message to reply."""
    make_repository(folder / "site", folder / "keys")
    make_database(folder / "empty.db")
    shop = Shop.open(folder / "data", folder / "site")
    device = shop.enrol(float_minor=50_000_000)
    shop.stock_vault(count=2 * _SALES)
    device.sale(1)
    _live_through(shop.folder / "duka.db", past)
    sales = _cpu_ms(_SALES, lambda turn: device.sale(100 + turn))
    return sales, _cpu_ms(_CHECK_INS, lambda _: _check_in(device))


def _check_in(device: Device) -> None:
    device.check_in(own_float=1)  # another figure than the ledger's: it is compared each time


def _live_through(path: Path, past: int) -> None:
    """As many sales, and as many refunds of them, in the books of the only terminal."""
    with closing(sqlite3.connect(path)) as raw, raw:
        accounts = dict(raw.execute("SELECT name, id FROM account"))
        mine = next(number for name, number in accounts.items() if name.startswith("float:"))
        (terminal_id,) = raw.execute("SELECT id FROM terminal").fetchone()
        (last,) = raw.execute("SELECT MAX(id) FROM ledger_transaction").fetchone()
        (float_minor,) = raw.execute(
            "SELECT SUM(amount_minor) FROM ledger_entry WHERE account_id = ?", (mine,)
        ).fetchone()
        for turn in range(1, past + 1):
            amount_minor = -1 if turn % 2 else 1
            float_minor += amount_minor
            raw.execute(
                "INSERT INTO ledger_entry "
                "(transaction_id, account_id, amount_minor, balance_after_minor) "
                "VALUES (?, ?, ?, ?), (?, ?, ?, NULL)",
                (
                    *(last + turn, mine, amount_minor, float_minor),
                    *(last + turn, accounts["voucher_sales"], -amount_minor),
                ),
            )
            raw.execute(
                "INSERT INTO ledger_transaction "
                "(id, kind, reference, terminal_id, sequence, created_at) "
                "VALUES (?, 'past', ?, ?, ?, 1)",
                (last + turn, f"past:{turn}", terminal_id, -turn),
            )


def _cpu_ms(times: int, work: Callable[[int], object]) -> float:
    begun_s = time.process_time()
    for turn in range(times):
        work(turn)
    return 1000 * (time.process_time() - begun_s) / times


def main() -> int:
    """Print a line for each history."""
    first: tuple[float, float] | None = None
    for past in PAST:
        with tempfile.TemporaryDirectory(prefix="duka-bench-") as folder:
            found = measure(Path(folder), past)
        first = first or found
        print(
            f"{past:>9,} past sales: "
            f"sale {found[0]:6.2f} ms CPU ({found[0] / first[0]:.2f} of none), "
            f"check-in {found[1]:6.2f} ms CPU ({found[1] / first[1]:.2f} of none)",
            flush=True,
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
