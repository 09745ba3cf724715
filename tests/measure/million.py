"""`inv bench million`: what a fleet of a million terminals asks of servers, database, store and
air, and what that is in machines and dollars. What a message, a sale and a release cost is measured
in this run; what nobody can measure here (prices, how busy a machine may be) is an option, printed
with the result.
"""

from __future__ import annotations

import argparse
import math
import os
import sys
import tempfile
import time
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from tests.measure import airtime, datagrams, idle, telemetry
from tests.measure.load import RECORDS_A_SALE, Terminal, load
from tests.measure.past import Life
from tests.measure.sales_on_postgresql import prepare
from tests.server.shop import Shop, make_repository, make_signed
from tests.support.postgres import PostgresServer
from tests.support.world import quiet_tools
from updater_server.waves.worker import KEPT_DAYS

DAY_S = 86_400
MONTH_DAYS = 30
CONNECTIONS = 8
COMMITS_A_RELEASE = 100
WARM = 20
"""Sales of each connection before it is measured: PostgreSQL plans a statement five times anew."""
STANDBYS = 2


@dataclass
class Assumed:
    """What is not measured here."""

    terminals: float = 1_000_000
    sales_a_day: float = 20
    """Of one terminal."""
    peak_sales_a_second: float = 1200
    """Of the whole fleet; shops sell in some hours of the day."""
    check_ins_a_day: float = 8
    """`poll_s` as provisioning sets it: every three hours."""
    windows_a_day: float = 1.72
    """Of counters: daily, and hourly of the 30,000 that try a release."""
    releases_a_month: float = 4
    busy: float = 0.5
    """So much of a machine is used at the peak; the rest is for the day a machine dies."""
    cores_a_machine: float = 8
    core_month_dollars: float = 20
    disk_gb_month_dollars: float = 0.1
    store_million_gets_dollars: float = 0.4
    store_gb_out_dollars: float = 0.09
    airtime_mb_dollars: float = 0.02
    kept_days: float = 365
    """So long the database keeps a sale."""


@dataclass
class Measured:
    """What was measured in this run."""

    sale_cpu_ms: float
    sync_cpu_ms: float
    check_in_cpu_ms: float
    """Of the server's process, for each message."""
    sale_db_cpu_ms: float
    sync_db_cpu_ms: float
    check_in_db_cpu_ms: float
    """Of PostgreSQL's processes."""
    sales_a_second: float
    """Of this machine, which carried terminals, a server and the database."""
    sale_disk_bytes: float
    """With its journal and its indexes."""
    sale_wal_bytes: float
    window_cpu_us: float
    window_disk_bytes: float
    sale_air_bytes: float
    sync_air_bytes: float
    """By CoAP, cold, with all headers."""
    idle_day_air_bytes: float
    """Of a terminal that sells nothing: check-ins and what they bring."""
    release_air_bytes: float
    """The patch from this project's image a hundred commits ago; without its metadata."""


@dataclass
class Needed:
    """What comes of it. Dollars are a month's."""

    sales_a_second: float
    messages_a_second_at_peak: float
    times_this_machine: float
    server_cores: int
    server_machines: int
    database_cores: int
    """Of each of the machines; the standbys must be able to take over."""
    wal_mb_a_second: float
    disk_gb: float
    """Of each of the machines, after `kept_days`."""
    telemetry_cpu_s_a_day: float
    telemetry_disk_gb: float
    """Of the days that are kept."""
    store_million_gets: float
    store_gb_out: float
    air_bytes_a_day: float
    """Of one terminal, releases with it."""
    machines_dollars: float
    disk_dollars: float
    store_dollars: float
    airtime_dollars: float


REQUESTS_A_RELEASE = 8
"""Timestamp, snapshot, targets, the channel's list, and the payload in ranges."""


def needed(seen: Measured, given: Assumed) -> Needed:
    """The arithmetic, and nothing else."""
    mean = given.terminals * given.sales_a_day / DAY_S
    check_ins = given.terminals * given.check_ins_a_day / DAY_S
    peak = given.peak_sales_a_second
    server_ms = peak * (seen.sale_cpu_ms + seen.sync_cpu_ms) + check_ins * seen.check_in_cpu_ms
    database_ms = (
        peak * (seen.sale_db_cpu_ms + seen.sync_db_cpu_ms) + check_ins * seen.check_in_db_cpu_ms
    )
    server_cores = math.ceil(server_ms / 1000 / given.busy)
    machines = math.ceil(server_cores / given.cores_a_machine) + 1  # one may be away
    database_cores = math.ceil(database_ms / 1000 / given.busy)
    day_bytes = given.terminals * given.sales_a_day * seen.sale_disk_bytes
    disk_gb = day_bytes * given.kept_days / 1e9
    windows = given.terminals * given.windows_a_day
    told_gb = windows * seen.window_disk_bytes * KEPT_DAYS / 1e9
    releases = given.releases_a_month * given.terminals
    gets, out_gb = releases * REQUESTS_A_RELEASE, releases * seen.release_air_bytes / 1e9
    air = given.sales_a_day * (seen.sale_air_bytes + seen.sync_air_bytes) + seen.idle_day_air_bytes
    air += given.releases_a_month / MONTH_DAYS * seen.release_air_bytes
    copies = 1 + STANDBYS
    cores = machines * given.cores_a_machine + copies * database_cores
    return Needed(
        sales_a_second=mean,
        messages_a_second_at_peak=2 * peak + check_ins,
        times_this_machine=peak / seen.sales_a_second,
        server_cores=server_cores,
        server_machines=machines,
        database_cores=database_cores,
        wal_mb_a_second=peak * seen.sale_wal_bytes / 1e6,
        disk_gb=disk_gb,
        telemetry_cpu_s_a_day=windows * seen.window_cpu_us / 1e6,
        telemetry_disk_gb=told_gb,
        store_million_gets=gets / 1e6,
        store_gb_out=out_gb,
        air_bytes_a_day=air,
        machines_dollars=cores * given.core_month_dollars,
        disk_dollars=copies * (disk_gb + told_gb) * given.disk_gb_month_dollars,
        store_dollars=gets / 1e6 * given.store_million_gets_dollars
        + out_gb * given.store_gb_out_dollars,
        airtime_dollars=air * MONTH_DAYS * given.terminals / 1e6 * given.airtime_mb_dollars,
    )


class _Counted(Terminal):
    """Knows how large its messages were."""

    sealed_bytes = 0

    def _send(self, body: bytes) -> tuple[int, bytes]:
        status, answer = super()._send(body)
        self.sealed_bytes += len(body) + len(answer)
        return status, answer


class _Work:
    """What PostgreSQL used and wrote since the last look."""

    def __init__(self, postgres: PostgresServer, database: str) -> None:
        self._postgres, self._database = postgres, database
        self._before = self._look()

    def _look(self) -> tuple[float, int, int]:
        with self._postgres.connect(self._database) as connection:
            row = connection.execute(
                "SELECT pg_database_size(current_database()), pg_current_wal_lsn() - '0/0'::pg_lsn"
            ).fetchone()
        assert row
        return self._postgres.cpu_s(), int(row[0]), int(row[1])

    def since(self) -> tuple[float, int, int]:
        """(CPU seconds, bytes of the database, bytes of its log)."""
        before, self._before = self._before, self._look()
        cpu_s, size, wal = self._before
        return cpu_s - before[0], size - before[1], wal - before[2]


def _messages(base: Path, postgres: PostgresServer, seconds: float) -> dict[str, float]:
    """What a sale, a sync and a check-in cost on PostgreSQL."""
    database, processes, lives = prepare(base, postgres, 2000, 40_000)
    server = processes[0]
    server.start()
    try:
        return _by_kind(server, lives, _Work(postgres, database), seconds)
    finally:
        server.end()


def _by_kind(server: Any, lives: list[Life], work: _Work, seconds: float) -> dict[str, float]:
    terminals = [_Counted(life, server.port) for life in lives[:CONNECTIONS]]
    load([server], terminals, Terminal.sell, lambda own: own == WARM)
    work.since()
    before = sum(one.sealed_bytes for one in terminals)
    end = time.monotonic() + seconds
    sold = load([server], terminals, Terminal.sell, lambda _: time.monotonic() > end)
    cpu_s, size, wal = work.since()
    sale_bytes = sum(one.sealed_bytes for one in terminals) - before
    shares = max(1, min(len(one.untold) for one in terminals) // RECORDS_A_SALE)
    before = sum(one.sealed_bytes for one in terminals)
    told = load([server], terminals, Terminal.tell, lambda own: own == shares)
    sync_cpu_s, sync_size, sync_wal = work.since()
    sync_bytes = sum(one.sealed_bytes for one in terminals) - before
    end = time.monotonic() + seconds / 2
    checked = load([server], terminals, Terminal.report, lambda _: time.monotonic() > end)
    check_cpu_s, _, _ = work.since()
    for terminal in terminals:
        terminal.close()
    sales, syncs = len(sold.seconds), len(told.seconds)
    return {
        "sale_cpu_ms": sold.cpu_ms,
        "sync_cpu_ms": told.cpu_ms,
        "check_in_cpu_ms": checked.cpu_ms,
        "sale_db_cpu_ms": 1000 * cpu_s / sales,
        "sync_db_cpu_ms": 1000 * sync_cpu_s / syncs,
        "check_in_db_cpu_ms": 1000 * check_cpu_s / len(checked.seconds),
        "sales_a_second": sold.rate,
        "sale_disk_bytes": size / sales + sync_size / syncs,
        "sale_wal_bytes": wal / sales + sync_wal / syncs,
        "sync_more_bytes": sync_bytes / syncs - sale_bytes / sales,
    }


def _on_the_air(base: Path, sync_more_bytes: float) -> dict[str, float]:
    """Bytes with all headers, as the simulated network counts."""
    (base / "signed").mkdir()
    signed = make_signed(base / "signed")
    shop = Shop.open(base / "counter", signed / "repository")
    shop.stock_vault()
    cold = float(datagrams.sales(shop)["CoAP, cold, an hour later"])
    shop.service.engine.dispose()
    with quiet_tools():
        day = idle.measure(base / "idle", 24)
    before, after = airtime.newest_pair(COMMITS_A_RELEASE)
    return {
        "sale_air_bytes": cold,
        "sync_air_bytes": cold + sync_more_bytes,
        "idle_day_air_bytes": float(day.bytes_by_purpose.total()),
        "release_air_bytes": float(airtime.ours(before, after)),
    }


def measure(base: Path, seconds: float) -> Measured:
    """All of it; a minute or two."""
    make_repository(base / "repository", base / "keys")
    postgres = PostgresServer()
    try:
        found = _messages(base, postgres, seconds)
    finally:
        postgres.end()
    found |= _on_the_air(base, found.pop("sync_more_bytes"))
    told = telemetry.measure(0.01, "sqlite")
    found["window_cpu_us"] = (told.laid_s + told.taken_s) / told.windows * 1e6
    found["window_disk_bytes"] = told.kept_bytes / told.windows
    return Measured(**found)


def _table(title: str, what: object) -> str:
    values = (
        (field.name.replace("_", " "), getattr(what, field.name))
        for field in fields(what)  # type: ignore[arg-type]
    )
    return f"{title}:\n" + "".join(f"    {name:<28} {value:>16,.2f}\n" for name, value in values)


def main() -> int:
    """Print what was measured, what was assumed, and what comes of both."""
    parser = argparse.ArgumentParser(prog="inv bench million", description=__doc__)
    parser.add_argument("--seconds", type=float, default=6, help="of each measurement")
    for field in fields(Assumed):
        name = "--" + field.name.replace("_", "-")
        parser.add_argument(name, type=float, default=field.default)
    options = vars(parser.parse_args())
    seconds = options.pop("seconds")
    given = Assumed(**options)
    print(f"load of this machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors")
    with tempfile.TemporaryDirectory(prefix="duka-million-") as folder:
        seen = measure(Path(folder), seconds)
    print(_table("measured", seen), _table("assumed", given), _table("so", needed(seen, given)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
