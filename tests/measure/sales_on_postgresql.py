"""`inv bench sales --database postgresql`: a sale, a sync and a check-in over HTTP with sealed
messages, on a PostgreSQL of its own with one and with two server processes; and how far that is
from what `pgbench` does there with the rows of a sale under the same guards.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from tests.measure.kept import make_past
from tests.measure.load import Load, Terminal, load
from tests.measure.moved import move
from tests.measure.past import PRODUCT, Life
from tests.measure.sales import FULL, TAIL_BAR, TERMINALS, Size
from tests.server.shop import make_repository
from tests.server.test_server_process import Process
from tests.support.postgres import PostgresServer, programs_folder
from updater_server.store.postgresql import SCHEMA

PART_BAR = 0.3
"""Of `pgbench`'s rate, with two processes."""
CPU_BAR_MS = 1.5

# One transaction: what a sale writes, and what it must ask to know what to write.
_SCRIPT = f"""\\set t random(1, {TERMINALS})
BEGIN;
SELECT name, decode(substr(name, 7), 'hex') AS terminal FROM account
  WHERE name = 'float:' || lpad(to_hex(CAST(:t AS BIGINT)), 16, '0') \\gset
UPDATE terminal SET last_counter = last_counter + 1
  WHERE id = CAST(:terminal AS BYTEA) RETURNING acknowledged_through;
SELECT nextval('ledger_transaction_number') AS n \\gset
WITH chosen AS (SELECT id FROM voucher WHERE product_id = '{PRODUCT}' AND free
  AND (expires_at, id) > (0, 0) AND expires_at <= 0
  ORDER BY expires_at, id LIMIT 1 FOR UPDATE SKIP LOCKED)
  UPDATE voucher SET free = false FROM chosen WHERE voucher.id = chosen.id
  RETURNING voucher.id AS v \\gset
INSERT INTO ledger_entry (transaction_id, account_id, amount_minor, balance_after_minor)
  SELECT CAST(:n AS BIGINT), a.id, -1, (SELECT balance_after_minor FROM ledger_entry e
  WHERE e.account_id = a.id ORDER BY id DESC LIMIT 1) - 1 FROM account a WHERE a.name = :name;
INSERT INTO ledger_entry (transaction_id, account_id, amount_minor)
  SELECT CAST(:n AS BIGINT), id, 2 FROM account WHERE name = 'voucher_sales';
INSERT INTO ledger_entry (transaction_id, account_id, amount_minor)
  SELECT CAST(:n AS BIGINT), id, -1 FROM account WHERE name = 'commission';
INSERT INTO ledger_transaction (id, kind, reference, terminal_id, sequence, created_at)
  VALUES (:n, 'sale', 'limit:' || :n, :terminal, 100000000 + CAST(:n AS BIGINT), 1);
INSERT INTO sale (terminal_id, sequence, product_id, amount_minor, terminal_time, state,
  commission_minor, voucher_id, float_after_minor, created_at)
  VALUES (:terminal, 100000000 + CAST(:n AS BIGINT), '{PRODUCT}', 2, 1, 'delivered', 1, :v, 1, 1);
INSERT INTO voucher_assignment (voucher_id, turn, terminal_id, sale_sequence, assigned_at)
  VALUES (:v, 0, :terminal, 100000000 + CAST(:n AS BIGINT), 1);
COMMIT;
"""


def _line(words: str) -> None:
    sys.stdout.write(words + "\n")
    sys.stdout.flush()


@dataclass(frozen=True)
class Where:
    """A PostgreSQL as its owner reaches it."""

    connect: Callable[[str], psycopg.Connection[Any]]
    """To a database, every statement committed."""
    url: Callable[[str], str]
    """Of a database, for `pgbench`."""
    folder: Path
    """For its script."""

    @staticmethod
    def of(postgres: PostgresServer) -> Where:
        """The tests' own server."""
        return Where(postgres.connect, postgres.url, postgres.folder)


def limits(where: Where, database: str, many: Iterable[int], seconds: float) -> dict[int, float]:
    """Transactions a second of `_SCRIPT`, by `pgbench`, by connections, in a copy of this database,
    which nobody may use meanwhile.
    """
    copy = f"{database}_limit"
    with where.connect("postgres") as connection:
        connection.execute(f'CREATE DATABASE "{copy}" TEMPLATE "{database}" STRATEGY FILE_COPY')
        connection.execute(f'ALTER DATABASE "{copy}" SET search_path = {SCHEMA}')
    with where.connect(copy) as connection:
        for name in ("voucher_sales", "commission"):
            connection.execute(
                "INSERT INTO account (name, currency) VALUES (%s, 'KES') ON CONFLICT DO NOTHING",
                (name,),
            )
    script = where.folder / "sale.pgbench"
    script.write_text(_SCRIPT)
    script.chmod(0o644)
    found = {clients: _rate(where.url(copy), script, clients, seconds) for clients in sorted(many)}
    with where.connect("postgres") as connection:
        connection.execute(f'DROP DATABASE "{copy}" WITH (FORCE)')
    return found


def _rate(url: str, script: Path, clients: int, seconds: float) -> float:
    done = subprocess.run(
        [
            programs_folder() / "pgbench", "-n", "-M", "prepared", "-f", script,
            "-c", str(clients), "-j", "2", "-T", str(max(1, round(seconds))),
            url,
        ],
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    found = re.search(r"tps = ([0-9.]+)", done.stdout)
    assert found, done.stderr
    return float(found[1])


def _later(seconds: float) -> Callable[[int], bool]:
    end = time.monotonic() + seconds
    return lambda _own: time.monotonic() > end


def _later_or_sold(seconds: float, share: int) -> Callable[[int], bool]:
    """After so long, or when a terminal has sold its share of what is free: who finds the vault
    empty is refused, and that is no sale to measure.
    """
    later = _later(seconds)
    return lambda own: own >= share or later(own)


def _told(name: str, seen: Load, extra: str = "") -> str:
    return (
        f"    {name:<28} {seen.rate:6.0f}/s, {seen.cpu_ms:5.2f} ms CPU each, "
        f"p50 {seen.percentile_ms(50):6.1f} ms, p99 {seen.percentile_ms(99):6.1f} ms{extra}"
    )


class Measured:
    """What one size came to."""

    def __init__(self) -> None:
        self.cpu_ms = 0.0
        self.part = 0.0
        self.tail = 0.0


def prepare(
    base: Path,
    postgres: PostgresServer,
    past: int,
    free: int,
    on: int = TERMINALS,
    kept: Path | None = None,
) -> tuple[str, list[Process], list[Life]]:
    """(database, two processes that are not started, terminals) with a past."""
    made, lives = make_past(
        base / f"past-{past}", base / "repository", on, past, min(on, max(1, past)), free, kept
    )
    database = postgres.make()
    folder = base / f"data-{past}"
    folder.mkdir()
    (folder / "server.key").write_bytes((made.folder / "server.key").read_bytes())
    (folder / "server.key").chmod(0o600)
    server = Process(folder)
    begun = server.quick("init", "--database", postgres.url(database))
    assert begun.exit_code == 0, begun.output
    (made.folder / "repository").rename(folder / "repository")
    with postgres.connect(database) as connection:
        connection.execute(f"SET search_path = {SCHEMA}")
        move(made.folder / "duka.db", connection)
    (made.folder / "duka.db").unlink()  # two of them may not fit on the disk
    return database, [server, Process(folder)], lives


def measure(
    base: Path,
    postgres: PostgresServer,
    size: Size,
    seconds: float,
    many: Sequence[int],
    kept: Path | None,
) -> Measured:
    """Print all of one size."""
    free = size.free
    database, processes, lives = prepare(base, postgres, size.past, free, size.on, kept)
    _line(f"{size}:")
    bare = limits(Where.of(postgres), database, {1, *many}, seconds)
    told = (f"{rate:.0f}/s on {clients}" for clients, rate in bare.items())
    _line(f"    pgbench, by connections: {', '.join(told)}")
    found = Measured()
    ports = []
    for process in processes:
        process.start()
        ports.append(process.port)
    try:
        runs = [(1, 1), *((1, several) for several in many), *((2, several) for several in many)]
        for boot, (servers, connections) in enumerate(runs, 2):
            terminals = [
                Terminal(life, ports[number % servers])
                for number, life in enumerate(lives[:connections])
            ]
            for terminal in terminals:
                terminal.boot_count = boot  # its counters go on
            at_work = processes[:servers]
            load(at_work, terminals, Terminal.sell, lambda own: own == 2)
            share = max(2, (free // len(runs) - 2 * connections) // connections)
            seen = load(at_work, terminals, Terminal.sell, _later_or_sold(seconds, share))
            assert seen.sales == len(seen.seconds), seen.statuses
            part = seen.rate / bare[connections]
            name = f"sale, {servers} process{'es' * (servers - 1)}, {connections} at once"
            _line(_told(name, seen, f", {part:.2f} of pgbench"))
            if (servers, connections) == (1, 1):
                found.cpu_ms = seen.cpu_ms
                _others(processes, terminals, seconds)
            if (servers, connections) == (2, many[0]):
                found.part = part
            found.tail = seen.percentile_ms(99) / seen.percentile_ms(50)
            for terminal, life in zip(terminals, lives, strict=False):
                terminal.close()
                life.sequence, life.tag = terminal.sequence, terminal.tag
                life.float_minor = terminal.own_float_minor
    finally:
        for process in processes:
            process.end()
    checked = processes[0].quick("check")
    _line(f"    check: {' '.join(checked.output.split())}")
    assert checked.exit_code == 0, checked.output
    return found


def _others(processes: Sequence[Process], terminals: Sequence[Terminal], seconds: float) -> None:
    terminal = terminals[0]
    later = _later(seconds / 2)
    told = load(processes[:1], [terminal], Terminal.tell, lambda _: later(0) or not terminal.untold)
    _line(_told("sync", told))
    _line(_told("check-in", load(processes[:1], [terminal], Terminal.report, _later(seconds))))


def main() -> int:
    """Print every size, and which bars are held; 1 if one is missed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--past", type=int, default=30_000)
    parser.add_argument("--free", type=int, default=30_000)
    parser.add_argument("--terminals", type=int, default=TERMINALS)
    parser.add_argument("--connections", default="8,64", help="besides one")
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--full", action="store_true", help="of everything as much as is promised")
    parser.add_argument("--kept", type=Path, help="a folder for pasts that take long to make")
    options = parser.parse_args()
    if options.full:
        options.past, options.free, options.terminals = FULL
    many = [int(word) for word in options.connections.split(",")]
    Path("build").mkdir(exist_ok=True)
    postgres = PostgresServer(
        max_connections="120", shared_buffers="512MB", max_wal_size="4GB",
        autovacuum="on", wal_level="minimal", max_wal_senders="0",
    )  # fmt: skip
    figures = []
    try:
        with tempfile.TemporaryDirectory(dir="build") as place:
            base = Path(place)
            make_repository(base / "repository", base / "keys")
            _line(f"load of this machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors")
            for size in (
                Size(0, TERMINALS, 20_000),
                Size(options.past, options.terminals, options.free),
            ):
                figures.append(measure(base, postgres, size, options.seconds, many, options.kept))
    finally:
        postgres.end()
    worst_ms = max(each.cpu_ms for each in figures)
    least = min(each.part for each in figures)
    tail = max(each.tail for each in figures)
    bars = [
        (f"CPU of a sale at most {CPU_BAR_MS} ms: {worst_ms:.2f}", worst_ms <= CPU_BAR_MS),
        (f"two processes at least {PART_BAR} of pgbench: {least:.2f}", least >= PART_BAR),
        (f"p99 at most {TAIL_BAR} of p50 with {many[-1]} at once: {tail:.1f}", tail <= TAIL_BAR),
    ]
    for words, is_held in bars:
        _line(f"{'held  ' if is_held else 'MISSED'} {words}")
    return 0 if all(is_held for _, is_held in bars) else 1


if __name__ == "__main__":
    sys.exit(main())
