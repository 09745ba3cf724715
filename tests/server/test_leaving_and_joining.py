"""A server that is told to end says so before it refuses anybody, and another one joins a database
while the first sells from it.
"""

from __future__ import annotations

import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.measure.load import FLOAT_MINOR, Load, Terminal, make_folder
from tests.measure.past import PRODUCT, Life
from tests.server.shop import NOW, voucher_csv
from tests.server.test_server_process import Process
from tests.support import nursery, postgres
from updater_server.faces.health import FRESH_S, SICK_FRESH_S, Health
from updater_server.sales import incoming
from updater_server.service import Service
from updater_server.store.engine import writing

DRAIN_S = 2.0


class Draining(Process):
    """A server that is given some time to leave."""

    def start(self, *, cold: bool = False) -> None:
        program = ("updater_server", "serve", "--data", str(self.folder), "--port", "0")
        with (self.folder.parent / "log").open("ab") as log:
            self.process = nursery.start(*program, "--drain", str(DRAIN_S), stdout=log, stderr=log)
        deadline = time.monotonic() + 30
        while not (self.folder / "port").exists():
            assert time.monotonic() < deadline, (self.folder.parent / "log").read_text()
            time.sleep(0.02)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, signed: Path) -> Iterator[Draining]:
    folder = tmp_path_factory.mktemp("leaving") / "data"
    make_folder(folder, signed / "repository", 2)
    service = Service.open(folder)
    with writing(service.engine) as connection:
        incoming.import_csv(connection, service.key, voucher_csv(PRODUCT, range(40)), NOW)
    service.engine.dispose()
    made = Draining(folder)
    yield made
    if made.process:
        made.end()


def terminal(number: int, port: int) -> Terminal:
    return Terminal(Life(number.to_bytes(8, "big"), 0, FLOAT_MINOR), port)


def test_who_is_told_to_end_says_so_and_sells_on_until_terminals_were_sent_elsewhere(
    server: Draining,
) -> None:
    server.start()
    port = server.port
    health = f"http://127.0.0.1:{port}/health"
    assert httpx.get(health).status_code == 200
    kept, seen = terminal(1, port), Load()
    kept.sell(seen)
    assert server.process
    server.process.send_signal(signal.SIGTERM)
    told_at = time.monotonic()
    while httpx.get(health).status_code == 200:
        assert time.monotonic() - told_at < DRAIN_S / 2
    assert "about to end" in httpx.get(health).text
    kept.sell(seen)  # on its connection, and on a new one
    fresh = terminal(2, port)
    fresh.sell(seen)
    assert seen.statuses == {200: 3}
    assert server.process.wait(20) == 0
    assert time.monotonic() - told_at >= DRAIN_S
    server.process = None
    kept.close()
    fresh.close()


def test_the_word_said_twice_ends_at_once(server: Draining) -> None:
    server.start()
    assert server.process
    server.process.send_signal(signal.SIGTERM)
    time.sleep(0.2)
    started = time.monotonic()
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(20) == 0
    assert time.monotonic() - started < DRAIN_S / 2
    server.process = None


def test_a_bad_word_about_the_health_is_looked_at_again_sooner_than_a_good_one(
    server: Draining,
) -> None:
    service = Service.open(server.folder)
    clock = [0.0]
    health = Health(service, lambda: clock[0])
    repository = service.folder.repository
    assert health.problems() == []
    aside = repository.with_name("aside")
    repository.rename(aside)
    (repository / "metadata").mkdir(parents=True)
    clock[0] = FRESH_S - 0.1
    assert health.problems() == []  # a good one is some seconds old
    clock[0] = FRESH_S + 0.1
    assert health.problems()
    shutil.rmtree(repository)
    aside.rename(repository)
    clock[0] += SICK_FRESH_S / 2
    assert health.problems()
    clock[0] += SICK_FRESH_S
    assert health.problems() == []
    service.engine.dispose()


def test_another_server_joins_a_database_that_is_sold_from(tmp_path: Path, signed: Path) -> None:
    books = postgres.PostgresServer()
    url = books.url(books.make())
    first = make_folder(tmp_path / "one" / "data", signed / "repository", 1, url)
    first.start()
    try:
        other = Process(tmp_path / "two" / "data")
        other.folder.mkdir(parents=True, mode=0o700)
        shutil.copy2(first.folder / "server.key", other.folder / "server.key")
        shutil.copytree(first.folder / "repository", other.folder / "repository")
        joined = other.quick("init", "--database", url)
        assert joined.exit_code == 0, joined.output
        assert "token" not in joined.output
        other.start()
        for process in (first, other):
            assert httpx.get(f"{process.url}/health", timeout=20).text == "ok"
        assert other.end() == 0
    finally:
        first.end()
        books.end()


def test_who_joins_with_another_key_is_refused(tmp_path: Path, signed: Path) -> None:
    books = postgres.server()
    url = books.url(books.make())
    first = make_folder(tmp_path / "one" / "data", signed / "repository", 1, url)
    stranger = Process(tmp_path / "two" / "data")
    refused = stranger.quick("init", "--database", url)
    assert refused.exit_code == 1
    assert "key" in refused.output
    assert first.quick("check").exit_code == 0
