"""`inv env --rate`: sales a second through the balancer with one server process and with two,
beside what `pgbench` does with the rows of a sale on the same cluster, where every commit waits for
a second disk; all in one run.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from typing import Any

import psycopg

from tests.env.parts import until
from tests.env.whole import SERVERS, UP_S, Whole, whole
from tests.measure.load import FLOAT_MINOR, Load, Terminal, load
from tests.measure.past import Life
from tests.measure.sales import TERMINALS
from tests.measure.sales_on_postgresql import PART_BAR, Where, limits
from tests.server.test_server_process import Process

MANY = 16
SECONDS = 8.0
VOUCHERS = 30_000
WARM = 3


def where(made: Whole) -> Where:
    """The whole's PostgreSQL."""

    def connect(database: str) -> psycopg.Connection[Any]:
        return psycopg.connect(made.url_of_primary(database), autocommit=True)

    return Where(connect, made.url_of_primary, made.folder)


def _selling(made: Whole, terminals: Sequence[Terminal], boot: int, servers: int) -> Load:
    """All of them sell for a while, through the balancer."""
    for terminal in terminals:
        terminal.boot_count = boot
        terminal.untold = []
    parts = [made.parts[f"server-{number}"] for number in range(1, servers + 1)]
    load(parts, terminals, Terminal.sell, lambda own: own == WARM)
    end = time.monotonic() + SECONDS
    seen = load(parts, terminals, Terminal.sell, lambda _: time.monotonic() > end)
    for terminal in terminals:
        terminal.close()
    return seen


def _told(seen: Load) -> str:
    return (
        f"{seen.sales / seen.elapsed_s:.0f} sales/s, {seen.cpu_ms:.2f} ms of CPU each "
        f"({seen.cpu_s / seen.elapsed_s:.2f} cores), p50 {seen.percentile_ms(50):.0f} ms, "
        f"p99 {seen.percentile_ms(99):.0f} ms"
    )


def rate(line: Callable[[str], None], bar: float = PART_BAR) -> int:
    """Print all of it; 0 if two processes reach their part of `pgbench`'s rate."""
    with whole(terminals=TERMINALS, vouchers=VOUCHERS) as made:
        names = [f"server-{number}" for number in range(1, SERVERS + 1)]
        line(f"load of this machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors")
        for name in (*names, "worker", "worker-2"):
            made.parts[name].end()
        bare = limits(where(made), "duka", (1, MANY), SECONDS)
        line(f"pgbench: {bare[1]:.0f}/s on one connection, {bare[MANY]:.0f}/s on {MANY}")
        for name in ("worker", "worker-2"):
            made.parts[name].start()
        terminals = [
            Terminal(Life(number.to_bytes(8, "big"), 0, FLOAT_MINOR), made.balancer_port)
            for number in range(1, MANY + 1)
        ]
        part = 0.0
        for count in range(1, SERVERS + 1):
            made.parts[names[count - 1]].start()
            until(lambda: all(made.healthy(n + 1) for n in range(count)), UP_S, "servers")  # noqa: B023
            time.sleep(2)  # the balancer sees it
            seen = _selling(made, terminals, boot=2 * count, servers=count)
            part = seen.rate / bare[MANY]
            line(
                f"{count} server process{'es' * (count > 1)}: {_told(seen)}, {part:.2f} of pgbench"
            )
        books = Process(made.data()).quick("check", "--full")
        line("check --full: " + " ".join(books.output.split()))
    is_held = part >= bar
    line(f"{'held  ' if is_held else 'MISSED'} two processes at least {bar} of pgbench: {part:.2f}")
    return 0 if is_held and not books.exit_code else 1
