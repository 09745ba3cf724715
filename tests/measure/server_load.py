"""How many sales a second the server's own process takes, by how many terminals at once, and what
the database under it could do at most: `python -m tests.measure.server_load [SECONDS]`.

The driver shares the machine with the server, so look at CPU per sale and at the statuses first.
"""

from __future__ import annotations

import hashlib
import http.client
import os
import re
import shutil
import sqlite3
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import select

from tests.server.device import Device
from tests.server.shop import make_repository, voucher_csv
from tests.server.test_server_process import Process
from updater_server.fleet import technicians
from updater_server.fleet.enrolment import Enrolment
from updater_server.sales import incoming, opening
from updater_server.service import Service
from updater_server.store.engine import writing
from updater_server.store.tables import technician

CONNECTIONS = (1, 8, 32, 64)
VOUCHERS = 6000


@dataclass
class Load:
    """What one run saw. Answers are by (terminal, sequence)."""

    statuses: Counter[int] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    pins: list[str] = field(default_factory=list)
    elapsed_s: float = 0.0
    cpu_s: float = 0.0

    @property
    def sales(self) -> int:
        """How many brought a voucher."""
        return len(self.pins)

    def percentile_ms(self, percent: float) -> float:
        """Of the times to an answer."""
        ordered = sorted(self.seconds)
        return 1000 * ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


def prepare(folder: Path, repository: Path, count: int, vouchers_count: int) -> Process:
    """A server that runs, with `count` terminals and vouchers to sell."""
    server = Process(folder)
    made = server.quick("init")
    assert made.exit_code == 0, made.output
    shutil.copytree(repository, folder / "repository")
    service = Service.open(folder)
    with writing(service.engine) as connection:
        who = connection.scalar(select(technician.c.id))
        assert who is not None
        name = technicians.listing(connection)[0]["name"]
        technicians.allow_float(connection, name, 10**12, "measured", service.now())
        technicians.set_daily_limit(connection, name, 100_000, "measured", service.now())
        for number in range(1, count + 1):
            enrolment = Enrolment(_id(number), _key(number), "duka-r1", 1, 900_000_000)
            opening.enrol(connection, service.key, enrolment, who, service.now())
        csv = voucher_csv("air50", range(vouchers_count))
        incoming.import_csv(connection, service.key, csv, service.now())
    service.engine.dispose()
    server.start()
    return server


def _id(number: int) -> bytes:
    return number.to_bytes(8, "big")


def _key(number: int) -> bytes:
    return hashlib.sha256(b"load %d" % number).digest()


class Terminal(Device):
    """A device on a kept connection, which derives its keys once."""

    def __init__(self, number: int, port: int, boot_count: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self._derived: dict[bytes, bytes] = {}
        super().__init__(_id(number), _key(number), self._send)
        self.boot_count = boot_count

    def derive(self, info: bytes, size: int = 16) -> bytes:
        """Remembered: the driver must not be what is measured."""
        if info not in self._derived:
            self._derived[info] = super().derive(info, size)
        return self._derived[info]

    def _send(self, body: bytes) -> tuple[int, bytes]:
        self._connection.request("POST", "/m", body, {"content-type": "application/cose"})
        answer = self._connection.getresponse()
        return answer.status, answer.read()

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


def load(server: Process, count: int, boot: int, until: Callable[[int], bool]) -> Load:
    """`count` terminals sell one after another each, while `until(sales of this one)` is false."""
    seen, guard = Load(), threading.Lock()

    def work(number: int) -> None:
        device = Terminal(number, server.port, boot)
        own = 0
        while not until(own):
            own += 1
            content = {0: 2, 1: boot * 100_000 + own, 2: "air50", 3: 5000, 4: own, 20: 250}
            started = time.perf_counter()
            status, reply = device.post(content)
            took = time.perf_counter() - started
            with guard:
                seen.statuses[status] += 1
                seen.seconds.append(took)
                if reply.get(1) == 0:
                    seen.pins.append(reply[2])
        device.close()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(1, count + 1)]
    cpu, started = cpu_s(server), time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seen.elapsed_s = time.perf_counter() - started
    seen.cpu_s = cpu_s(server) - cpu
    return seen


def cpu_s(server: Process) -> float:
    """What the server's process has used, user and system."""
    assert server.process
    fields = Path(f"/proc/{server.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def sqlite_limit(folder: Path, seconds: float) -> float:
    """Transactions a second of four inserts and an update, nothing else, as durable as ours."""
    with closing(sqlite3.connect(folder / "limit.db", isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("CREATE TABLE entry(id INTEGER PRIMARY KEY, at INTEGER, what BLOB)")
        connection.execute("CREATE TABLE balance(id INTEGER PRIMARY KEY, sum INTEGER)")
        connection.execute("INSERT INTO balance VALUES (1, 0)")
        done, end = 0, time.perf_counter() + seconds
        while time.perf_counter() < end:
            connection.execute("BEGIN IMMEDIATE")
            for _ in range(4):
                connection.execute("INSERT INTO entry(at, what) VALUES (?, ?)", (done, bytes(40)))
            connection.execute("UPDATE balance SET sum = sum + 1 WHERE id = 1")
            connection.execute("COMMIT")
            done += 1
    return done / seconds


def _later(seconds: float) -> Callable[[int], bool]:
    end = time.monotonic() + seconds
    return lambda _own: time.monotonic() > end


def main(seconds: float) -> None:
    """Print a line for each number of connections."""
    with tempfile.TemporaryDirectory(dir="build") as place:
        base = Path(place)
        make_repository(base / "repository", base / "keys")
        limit = sqlite_limit(base, min(seconds, 3))
        server = prepare(base / "data", base / "repository", max(CONNECTIONS), VOUCHERS)
        sys.stdout.write(f"SQLite alone: {limit:.0f} transactions/s\n")
        try:
            for boot, count in enumerate(CONNECTIONS, 2):
                seen = load(server, count, boot, _later(seconds))
                rate = seen.sales / seen.elapsed_s
                each_ms = 1000 * seen.cpu_s / max(seen.sales, 1)
                sys.stdout.write(
                    f"{count:3} at once: {rate:6.1f} sales/s (SQLite alone: "
                    f"{limit / max(rate, 0.1):.0f} times), {each_ms:.1f} ms CPU each,"
                    f" p50 {seen.percentile_ms(50):.0f} ms, p99 {seen.percentile_ms(99):.0f} ms,"
                    f" statuses {dict(seen.statuses)}\n"
                )
        finally:
            server.end()
        found = server.quick("check").output
        sys.stdout.write(re.sub(r"\s+", " ", found) + "\n")


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 5)
