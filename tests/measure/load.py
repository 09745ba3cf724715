"""Terminals that keep the server's own process busy over HTTP, each on a connection that is kept,
under its own seal. For `sales` and the tests.

The driver shares the machine with the server, so it does as little as it can: keys are derived
once, and it reads of HTTP what it needs.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import select

from tests.measure.past import AMOUNT_MINOR, COMMISSION_MINOR, PRODUCT, Life, live_through
from tests.server.device import Device, make_record
from tests.server.shop import KES
from tests.server.test_server_process import Process
from updater_server.fleet import technicians
from updater_server.fleet.enrolment import Enrolment
from updater_server.sales import opening
from updater_server.service import Service
from updater_server.store.engine import writing
from updater_server.store.tables import technician
from updater_server.wire.journal_record import RecordKind

FLOAT_MINOR = 900_000_000
_TIME = 1_790_000_000
RECORDS_A_SALE = 3


@dataclass
class Load:
    """What one run saw."""

    statuses: Counter[int] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    pins: list[str] = field(default_factory=list)
    elapsed_s: float = 0.0
    cpu_s: float = 0.0

    @property
    def sales(self) -> int:
        """How many brought a voucher."""
        return len(self.pins)

    @property
    def rate(self) -> float:
        """Answers of any kind, a second."""
        return len(self.seconds) / self.elapsed_s

    @property
    def cpu_ms(self) -> float:
        """CPU of the server's process for one answer, user and system."""
        return 1000 * self.cpu_s / max(len(self.seconds), 1)

    def percentile_ms(self, percent: float) -> float:
        """Of the times to an answer."""
        ordered = sorted(self.seconds)
        return 1000 * ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


def make_folder(folder: Path, repository: Path, terminals: int, url: str = "") -> Process:
    """A server's folder with so many terminals, not started; `url`: of its PostgreSQL database."""
    server = Process(folder)
    made = server.quick("init", *(["--database", url] if url else []))
    assert made.exit_code == 0, made.output
    shutil.copytree(repository, folder / "repository")
    service = Service.open(folder)
    with writing(service.engine) as connection:
        who = connection.scalar(select(technician.c.id))
        assert who is not None
        name = technicians.listing(connection)[0]["name"]
        technicians.set_daily_limit(connection, name, 100_000, "measured", service.now())
        for number in range(1, terminals + 1):
            if number % 1000 == 1:  # no more is allowed at once
                technicians.allow_float(connection, name, 10**12, "measured", service.now())
            enrolment = Enrolment(_id(number), key_of(number), "duka-r1", 1, FLOAT_MINOR)
            opening.enrol(connection, service.key, enrolment, who, service.now(), KES)
    service.engine.dispose()
    return server


def fill(server: Process, past: int, on: int, free: int) -> list[Life]:
    """Give a folder its past (`live_through`)."""
    service = Service.open(server.folder)
    lives = live_through(service, past, on, free)
    service.engine.dispose()
    return lives


def _id(number: int) -> bytes:
    return number.to_bytes(8, "big")


def key_of(number: int) -> bytes:
    """The device key of a terminal that was enrolled here."""
    return hashlib.sha256(b"load %d" % number).digest()


class Terminal(Device):
    """A device that goes on with its past: it sells, tells its journal, and checks in."""

    def __init__(self, life: Life, port: int) -> None:
        number = int.from_bytes(life.terminal_id, "big")
        self._port = port
        self._socket: socket.socket | None = None
        self._rest = b""
        self._derived: dict[bytes, bytes] = {}
        super().__init__(life.terminal_id, key_of(number), self._send)
        self.boot_count = 2
        self.tag = life.tag
        self.sequence = life.sequence
        self.own_float_minor = life.float_minor
        self.untold: list[bytes] = []

    def derive(self, info: bytes, size: int = 16) -> bytes:
        """Remembered: the driver must not be what is measured."""
        if info not in self._derived:
            self._derived[info] = super().derive(info, size)
        return self._derived[info]

    def _send(self, body: bytes) -> tuple[int, bytes]:
        if self._socket is None:
            self._socket = socket.create_connection(("127.0.0.1", self._port), 60)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        head = b"POST /m HTTP/1.1\r\nHost: d\r\nContent-Type: application/cose\r\n"
        self._socket.sendall(head + b"Content-Length: %d\r\n\r\n" % len(body) + body)
        seen = self._rest
        while (end := seen.find(b"\r\n\r\n")) < 0:
            seen += self._receive()
        lines = seen[:end].lower().split(b"\r\n")
        length = next(int(line[15:]) for line in lines if line.startswith(b"content-length:"))
        while len(seen) < end + 4 + length:
            seen += self._receive()
        self._rest = seen[end + 4 + length :]
        return int(lines[0].split()[1]), seen[end + 4 : end + 4 + length]

    def _receive(self) -> bytes:
        assert self._socket
        data = self._socket.recv(65536)
        if not data:
            raise ConnectionError("the server closed the connection")
        return data

    def close(self) -> None:
        """Close the connection."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def record(self, kind: int, body: list[Any], time: int = _TIME) -> int:
        """Append a record; returns its sequence number."""
        self.sequence += 1
        raw, self.tag = make_record(kind, self.sequence, body, self.tag, time)
        self.untold.append(raw)
        return self.sequence

    def sell(self, seen: Load) -> None:
        """One online sale with its three journal records."""
        own = self.record(RecordKind.INTENT_ONLINE, [PRODUCT, AMOUNT_MINOR, COMMISSION_MINOR])
        content = {0: 2, 1: own, 2: PRODUCT, 3: AMOUNT_MINOR, 4: _TIME, 20: COMMISSION_MINOR}
        reply = self.timed(seen, content)
        if reply.get(1) != 0:
            self.record(RecordKind.REFUSED, [own, str(reply.get(6, "none"))])
            return
        seen.pins.append(reply[2])
        self.own_float_minor = reply[5]
        self.record(RecordKind.DELIVERED, [own, bytes(24), reply[3], reply[4], reply[5]])
        self.record(RecordKind.PRINTED, [own])

    def tell(self, seen: Load) -> None:
        """The records of one sale."""
        part, self.untold = self.untold[:RECORDS_A_SALE], self.untold[RECORDS_A_SALE:]
        self.timed(seen, {0: 3, 1: part})

    def report(self, seen: Load) -> None:
        """A check-in that has nothing new to say; its float is right."""
        content = {
            0: 1, 1: _TIME, 2: 7, 3: "a", 4: False, 5: self.boot_count, 6: 3900, 7: 20,
            8: None, 9: self.own_float_minor, 10: [1, self.sequence + 1],
        }  # fmt: skip
        self.timed(seen, content)

    def timed(self, seen: Load, content: object) -> dict[int, Any]:
        """Send a message and note how long its answer took."""
        body, counter = self.seal(content)
        started = time.perf_counter()
        status, answer = self.transport(body)
        seen.seconds.append(time.perf_counter() - started)
        seen.statuses[status] += 1
        return self.open(answer, counter) if status == 200 else {}


Act = Callable[[Terminal, Load], None]


class Runs(Protocol):
    """A server whose CPU is counted."""

    @property
    def process(self) -> Any:
        """Its process."""


def load(
    servers: Sequence[Runs],
    terminals: Sequence[Terminal],
    act: Act,
    until: Callable[[int], bool],
) -> Load:
    """Each of `terminals`, all at once, does `act` again and again while `until(how often it
    did)` is false; CPU of all `servers`.
    """
    each = [Load() for _ in terminals]

    def work(terminal: Terminal, seen: Load) -> None:
        own = 0
        while not until(own):
            act(terminal, seen)
            own += 1

    threads = [
        threading.Thread(target=work, args=pair) for pair in zip(terminals, each, strict=True)
    ]
    whole = Load()
    cpu, started = sum(map(cpu_s, servers)), time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    whole.elapsed_s = time.perf_counter() - started
    whole.cpu_s = sum(map(cpu_s, servers)) - cpu
    for seen in each:
        whole.statuses += seen.statuses
        whole.seconds += seen.seconds
        whole.pins += seen.pins
    return whole


def cpu_s(server: Runs) -> float:
    """What the server's process has used, user and system."""
    assert server.process
    fields = Path(f"/proc/{server.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
