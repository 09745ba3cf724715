"""`inv bench sales`: what a sale, a sync and a check-in cost the server's own process over HTTP,
with sealed messages, on an empty database and on one with so many past sales and free vouchers; and
how far that is from what SQLite alone does on this disk with the same rows under the same guards.

    python -m tests.measure.sales [--past N] [--free N] [--terminals N] [--connections 1,8,64]
    python -m tests.measure.sales --full    a million past sales, 10,000 terminals, 5 million free

Four figures are bars: CPU of a sale, its growth from empty to full, the part of SQLite's limit
that one connection reaches, and how much longer than most the slowest of many wait. What is counted
(statements, steps of SQLite's machine) does not depend on how busy the machine is; look at it
first.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from tests.measure.counts import counted
from tests.measure.kept import make_past
from tests.measure.load import Act, Load, Terminal, load
from tests.measure.past import PRODUCT, Life
from tests.server.shop import make_repository
from tests.server.test_server_process import Process
from updater_server.faces.terminal import handle
from updater_server.service import Service

CPU_BAR_MS = 1.5
"""Of one sale: a core of the smallest rented machine then takes 600 a second."""
GROWTH_BAR = 1.3
LIMIT_BAR = 0.15
TAIL_BAR = 8.0
"""p99 as a multiple of p50, with as many connections as are asked for."""
TERMINALS = 64
FULL = 1_000_000, 5_000_000, 10_000
"""Past sales, free vouchers, terminals."""
_TURNS = 20
_ACTS: tuple[tuple[str, Act], ...] = (
    ("sale", Terminal.sell),
    ("sync", Terminal.tell),
    ("check-in", Terminal.report),
)


@dataclass(frozen=True)
class Size:
    """A database to measure on."""

    past: int
    on: int
    free: int

    def __str__(self) -> str:
        return f"{self.past:,} past sales on {self.on}, {self.free:,} free"


@dataclass
class Figures:
    """What one size came to: CPU of a sale on one connection, its part of SQLite's limit, and p99
    over p50 with the most connections.
    """

    cpu_ms: float = 0.0
    part: float = 0.0
    tail: float = 0.0


class InProcess(Terminal):
    """A terminal that asks the service without HTTP."""

    def __init__(self, life: Life, service: Service) -> None:
        super().__init__(life, 0)
        self.transport = lambda body: handle(service, body)
        self.boot_count = 1  # before those that come by HTTP


def count(folder: Path, life: Life) -> dict[str, tuple[float, float]]:
    """(statements, steps of SQLite's machine) of each act of one terminal, in the middle of its
    day.
    """
    service, found = Service.open(folder), {}
    terminal = InProcess(life, service)
    for _, act in _ACTS:
        act(terminal, Load())
    for name, act in _ACTS:
        seen = Load()
        with counted(service.engine) as counts:
            act(terminal, seen)  # the connection's own pragmas
            before = len(counts.statements), counts.steps
            for _ in range(_TURNS):
                act(terminal, seen)
        assert set(seen.statuses) == {200}, seen.statuses
        found[name] = (
            (len(counts.statements) - before[0]) / _TURNS,
            (counts.steps - before[1]) / _TURNS,
        )
    service.engine.dispose()
    life.sequence, life.tag = terminal.sequence, terminal.tag
    life.float_minor = terminal.own_float_minor
    return found


def bare_limit(folder: Path, seconds: float) -> float:
    """Transactions a second of four inserts and an update, nothing else, as durable as ours."""
    path = folder / "bare.db"
    path.unlink(missing_ok=True)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("CREATE TABLE entry(id INTEGER PRIMARY KEY, at INTEGER, what BLOB)")
        connection.execute("CREATE TABLE balance(id INTEGER PRIMARY KEY, sum INTEGER)")
        connection.execute("INSERT INTO balance VALUES (1, 0)")

        def turn(number: int) -> None:
            connection.execute("BEGIN IMMEDIATE")
            for _ in range(4):
                connection.execute("INSERT INTO entry(at, what) VALUES (?, ?)", (number, bytes(40)))
            connection.execute("UPDATE balance SET sum = sum + 1 WHERE id = 1")
            connection.execute("COMMIT")

        return _rate(turn, seconds)


def own_rows_limit(copy: Path, life: Life, seconds: float) -> tuple[float, float]:
    """(transactions a second, CPU ms of one) that write a sale's own rows into a copy of a
    database, under its own guards, with nothing around them.
    """
    with closing(sqlite3.connect(copy, isolation_level=None)) as raw:
        raw.execute("PRAGMA journal_mode = WAL")
        raw.execute("PRAGMA synchronous = FULL")
        raw.execute("PRAGMA foreign_keys = ON")
        accounts = dict(raw.execute("SELECT name, id FROM account"))
        for name in ("voucher_sales", "commission"):
            if name not in accounts:
                made = raw.execute("INSERT INTO account(name, currency) VALUES (?, 'KES')", (name,))
                accounts[name] = made.lastrowid
        mine = accounts[f"float:{life.terminal_id.hex()}"]
        (first,) = raw.execute("SELECT MAX(id) + 1 FROM ledger_transaction").fetchone()

        def turn(number: int) -> None:
            transaction_id = first + number
            sequence = 100_000_000 + transaction_id
            raw.execute("BEGIN IMMEDIATE")
            raw.execute(
                "UPDATE terminal SET last_counter = last_counter + 1 WHERE id = ?",
                (life.terminal_id,),
            )
            (voucher_id,) = raw.execute(
                "SELECT id FROM voucher WHERE product_id = ? AND free = 1 AND expires_at = 0"
                " ORDER BY id LIMIT 1",
                (PRODUCT,),
            ).fetchone()
            raw.execute("UPDATE voucher SET free = 0 WHERE id = ?", (voucher_id,))
            raw.execute(
                "INSERT INTO sale(terminal_id, sequence, product_id, amount_minor, terminal_time,"
                " state, commission_minor, voucher_id, float_after_minor, created_at)"
                " VALUES (?, ?, ?, 2, 1, 'delivered', 1, ?, 1, 1)",
                (life.terminal_id, sequence, PRODUCT, voucher_id),
            )
            raw.execute(
                "INSERT INTO voucher_assignment(voucher_id, turn, terminal_id, sale_sequence,"
                " assigned_at) VALUES (?, 0, ?, ?, 1)",
                (voucher_id, life.terminal_id, sequence),
            )
            (before,) = raw.execute(
                "SELECT balance_after_minor FROM ledger_entry WHERE account_id = ?"
                " ORDER BY id DESC LIMIT 1",
                (mine,),
            ).fetchone()
            entries = ((mine, -1, before - 1), (accounts["voucher_sales"], 2, None))
            for account, amount, after in (*entries, (accounts["commission"], -1, None)):
                raw.execute(
                    "INSERT INTO ledger_entry(transaction_id, account_id, amount_minor,"
                    " balance_after_minor) VALUES (?, ?, ?, ?)",
                    (transaction_id, account, amount, after),
                )
            raw.execute(
                "INSERT INTO ledger_transaction(id, kind, reference, terminal_id, sequence,"
                " created_at) VALUES (?, 'sale', ?, ?, ?, 1)",
                (transaction_id, f"limit:{transaction_id}", life.terminal_id, sequence),
            )
            raw.execute("COMMIT")

        began_s = time.process_time()
        rate = _rate(turn, seconds)
        cpu_ms = 1000 * (time.process_time() - began_s) / (rate * seconds)
    return rate, cpu_ms


def _rate(turn: Callable[[int], None], seconds: float) -> float:
    number, started = 0, time.perf_counter()
    while time.perf_counter() - started < seconds:
        turn(number)
        number += 1
    return number / (time.perf_counter() - started)


def _later(seconds: float) -> Callable[[int], bool]:
    end = time.monotonic() + seconds
    return lambda _own: time.monotonic() > end


def _line(words: str) -> None:
    sys.stdout.write(words + "\n")
    sys.stdout.flush()


def _told(name: str, seen: Load, extra: str = "") -> str:
    return (
        f"    {name:<16} {seen.rate:6.0f}/s, {seen.cpu_ms:5.2f} ms CPU each, "
        f"p50 {seen.percentile_ms(50):5.1f} ms, p99 {seen.percentile_ms(99):5.1f} ms{extra}"
    )


def measure(
    base: Path, size: Size, connections: Sequence[int], seconds: float, kept: Path | None
) -> Figures:
    """Print all of one size."""
    folder = base / f"data-{size.past}-{size.on}-{size.free}"
    terminals_made = max(TERMINALS, size.on, *connections)
    server, lives = make_past(
        folder, base / "repository", terminals_made, size.past, size.on, size.free, kept
    )
    _line(f"{size}:")
    copy = _copy(server)
    counts = count(folder, lives[0])
    asked = {name: f", {n:.0f} statements, {s:,.0f} steps" for name, (n, s) in counts.items()}
    server.start()
    figures = Figures()
    try:
        terminals = [Terminal(life, server.port) for life in lives[: max(connections)]]
        for several in sorted(set(connections)):
            at_work = terminals[:several]
            load([server], at_work, Terminal.sell, lambda own: own == 1)  # connections opened, warm
            before, before_ms = own_rows_limit(copy, lives[0], seconds / 4)
            seen = load([server], at_work, Terminal.sell, _later(seconds))
            behind, behind_ms = own_rows_limit(copy, lives[0], seconds / 4)
            limit = (before + behind) / 2  # the disk is others', too
            assert seen.sales == len(seen.seconds), seen.statuses
            of_it = (
                f", {seen.rate / limit:.2f} of SQLite alone with the same rows ({limit:.0f}/s, "
                f"{(before_ms + behind_ms) / 2:.2f} ms CPU each)"
            )
            _line(_told(f"sale, {several} at once", seen, of_it + asked["sale"] * (several == 1)))
            if several == 1:
                figures.cpu_ms, figures.part = seen.cpu_ms, seen.rate / limit
            figures.tail = seen.percentile_ms(99) / seen.percentile_ms(50)
        for name, act in _ACTS[1:]:
            seen = load([server], terminals[:1], act, _until_told(terminals[0], name, seconds / 2))
            _line(_told(name, seen, asked[name]))
            assert set(seen.statuses) == {200}, seen.statuses
        for terminal in terminals:
            terminal.close()
    finally:
        server.end()
    found = " ".join(server.quick("check").output.split())
    _line(f"    check: {found}")
    assert "agree" in found, found
    shutil.rmtree(folder)  # two of them may not fit on the disk
    return figures


def _copy(server: Process) -> Path:
    database, copy = server.folder / "duka.db", server.folder / "limit.db"
    with closing(sqlite3.connect(database)) as raw:
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    shutil.copyfile(database, copy)
    return copy


def _until_told(terminal: Terminal, name: str, seconds: float) -> Callable[[int], bool]:
    later = _later(seconds)
    return lambda own: later(own) or (name == "sync" and not terminal.untold)


def main() -> int:
    """Print every size, and which bars are held; 1 if one is missed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--past", type=int, default=30_000)
    parser.add_argument("--free", type=int, default=100_000)
    parser.add_argument("--terminals", type=int, default=TERMINALS)
    parser.add_argument("--connections", default="1,8,64")
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--full", action="store_true", help="of everything as much as is promised")
    parser.add_argument("--kept", type=Path, help="a folder for pasts that take long to make")
    parser.add_argument("--largest-alone", action="store_true", help="not one terminal's past")
    options = parser.parse_args()
    if options.full:
        options.past, options.free, options.terminals = FULL
    connections = [int(word) for word in options.connections.split(",")]
    sizes = [
        Size(0, 1, 100_000),
        *([] if options.largest_alone else [Size(options.past, 1, options.free)]),
        Size(options.past, options.terminals, options.free),
    ]
    Path("build").mkdir(exist_ok=True)
    figures = []
    with tempfile.TemporaryDirectory(dir="build") as place:
        base = Path(place)
        make_repository(base / "repository", base / "keys")
        _line(f"SQLite, four inserts and an update, no guards: {bare_limit(base, 1):.0f}/s")
        _line(f"load of this machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors")
        for size in sizes:
            figures.append(measure(base, size, connections, options.seconds, options.kept))
    worst_ms = max(each.cpu_ms for each in figures)
    growth = worst_ms / figures[0].cpu_ms
    least = min(each.part for each in figures)
    tail = max(each.tail for each in figures)
    bars = [
        (f"CPU of a sale at most {CPU_BAR_MS} ms: {worst_ms:.2f}", worst_ms <= CPU_BAR_MS),
        (f"full at most {GROWTH_BAR} of empty: {growth:.2f}", growth <= GROWTH_BAR),
        (
            f"at least {LIMIT_BAR} of SQLite alone with the same rows: {least:.2f}",
            least >= LIMIT_BAR,
        ),
        (
            f"p99 at most {TAIL_BAR} of p50 with {max(connections)} at once: {tail:.1f}",
            tail <= TAIL_BAR,
        ),
    ]
    for words, is_held in bars:
        _line(f"{'held  ' if is_held else 'MISSED'} {words}")
    return 0 if all(is_held for _, is_held in bars) else 1


if __name__ == "__main__":
    sys.exit(main())
