"""Two server processes on one PostgreSQL, as an operator runs them: under load, and while the
database is killed under them.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from tests.measure.load import FLOAT_MINOR, Load, Terminal, make_folder
from tests.measure.past import AMOUNT_MINOR, COMMISSION_MINOR, PRODUCT, Life
from tests.server.shop import NOW, voucher_csv
from tests.server.test_server_process import Process
from tests.support.postgres import PostgresServer
from updater_server.sales import incoming
from updater_server.service import Service
from updater_server.store.engine import reading, writing

TERMINALS = 6
KILLS = 10


@dataclass
class Two:
    """Two processes on one folder and one database."""

    postgres: PostgresServer
    processes: list[Process]
    ports: list[int]

    @property
    def folder(self) -> Path:
        return self.processes[0].folder

    def terminals(self, first: int, count: int) -> list[Terminal]:
        """Terminals that were enrolled, at one process or the other in turn."""
        return [
            Terminal(Life(number.to_bytes(8, "big"), 0, FLOAT_MINOR), self.ports[number % 2])
            for number in range(first, first + count)
        ]

    def count(self, question: str) -> int:
        """What the database says."""
        service = Service.open(self.folder)
        with reading(service.engine) as connection:
            found = connection.execute(text(question)).scalar()
        service.engine.dispose()
        return int(found or 0)


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory, signed: Path) -> Iterator[Two]:
    postgres = PostgresServer()  # a durable one: what is answered is on the disk
    folder = tmp_path_factory.mktemp("two") / "data"
    first = make_folder(folder, signed / "repository", 2 * TERMINALS, postgres.url(postgres.make()))
    service = Service.open(folder)
    with writing(service.engine) as connection:
        incoming.import_csv(connection, service.key, voucher_csv(PRODUCT, range(4000)), NOW)
    service.engine.dispose()
    made = Two(postgres, [first, Process(folder)], [])
    for process in made.processes:
        process.start()
        made.ports.append(process.port)
    yield made
    codes = [process.end() for process in made.processes]
    postgres.end()
    assert codes == [0, 0]


def test_both_sell_at_once_and_nothing_is_lost_or_sold_twice(two: Two) -> None:
    each = 15
    seen = [Load() for _ in range(TERMINALS)]

    def work(terminal: Terminal, load: Load) -> None:
        for _ in range(each):
            terminal.sell(load)
        terminal.tell(load)
        terminal.report(load)
        terminal.close()

    terminals = two.terminals(1, TERMINALS)
    threads = [
        threading.Thread(target=work, args=pair) for pair in zip(terminals, seen, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert {status for load in seen for status in load.statuses} == {200}
    pins = [pin for load in seen for pin in load.pins]
    assert len(pins) == len(set(pins)) == each * TERMINALS
    sold = "SELECT COUNT(DISTINCT voucher_id) FROM sale WHERE state = 'delivered'"
    assert two.count(sold) == each * TERMINALS
    for port in two.ports:
        assert httpx.get(f"http://127.0.0.1:{port}/health", timeout=20).text == "ok"
    assert two.processes[0].quick("check", "--full").exit_code == 0


class Persistent(Terminal):
    """A terminal that asks for each sale until it is answered, by whichever process."""

    def __init__(self, life: Life, ports: list[int]) -> None:
        super().__init__(life, ports[0])
        self.ports = ports
        self.answers: dict[int, dict[int, Any]] = {}

    def ask_until_answered(self, sequence: int) -> dict[int, Any]:
        """The answer; every asking has a counter of its own."""
        content = {
            0: 2, 1: sequence, 2: PRODUCT, 3: AMOUNT_MINOR, 4: NOW, 20: COMMISSION_MINOR,
        }  # fmt: skip
        for attempt in range(400):
            self._port = self.ports[attempt % 2]
            with suppress(OSError, StopIteration):
                status, answer = self.post(content)
                if status == 200:
                    return answer
            self.close()
            self._rest = b""
            time.sleep(0.05)
        raise AssertionError(f"sale {sequence} was never answered")

    def sell_until(self, over: threading.Event) -> None:
        """Sale after sale, each kept once it is answered."""
        sequence = 0
        while not over.is_set():
            sequence += 1
            self.answers[sequence] = self.ask_until_answered(sequence)
        self.close()


@pytest.mark.slow
def test_a_database_that_is_killed_under_load_loses_nothing_that_was_answered(two: Two) -> None:
    over = threading.Event()
    terminals = [
        Persistent(Life(number.to_bytes(8, "big"), 0, FLOAT_MINOR), two.ports)
        for number in range(TERMINALS + 1, TERMINALS + 4)
    ]
    threads = [threading.Thread(target=each.sell_until, args=(over,)) for each in terminals]
    for thread in threads:
        thread.start()
    answered = []
    for _ in range(KILLS):
        had = sum(len(each.answers) for each in terminals)
        deadline = time.monotonic() + 60
        while sum(len(each.answers) for each in terminals) < had + 5:
            assert time.monotonic() < deadline, "no sale came through"
            time.sleep(0.01)
        two.postgres.kill()
        two.postgres.start()
        answered.append(sum(len(each.answers) for each in terminals) - had)
    over.set()
    for thread in threads:
        thread.join(120)
    assert min(answered) >= 5
    pins = []
    for each in terminals:
        for sequence, answer in each.answers.items():
            assert answer[1] == 0
            assert each.ask_until_answered(sequence) == answer
            pins.append(answer[2])
        each.close()
    assert len(pins) == len(set(pins)) >= 5 * KILLS
    assert two.processes[0].quick("check", "--full").exit_code == 0
