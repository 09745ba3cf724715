"""A server is moved to PostgreSQL while terminals sell; and the judge sees what it must see."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.env.move import MERCHANTS, UP_S, move_under_load
from tests.env.parts import until
from tests.env.selling import judge, sell
from tests.measure.load import fill, make_folder
from tests.server.shop import make_repository
from tests.server.test_server_process import Process
from tests.support import nursery
from tests.support.postgres import PostgresServer
from updater_server.service import Service
from updater_server.store.engine import is_sqlite

STEADY_S = 1.0
PAUSE_S = 0.05
"""Eighty sales a second at most: more is written than a move can follow on a busy machine, which
says so and is right.
"""


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("signed")
    make_repository(base / "repository", base / "keys")
    return base / "repository"


@pytest.mark.slow
def test_a_move_under_load_killed_as_it_is_decided_costs_no_sale_and_one_retry_at_most(
    tmp_path: Path, repository: Path
) -> None:
    postgres = PostgresServer()
    server = make_folder(tmp_path / "data", repository, MERCHANTS + 1)
    fill(server, 200, 1, 40_000)  # more than four merchants buy on a fast machine
    server.start()
    said = tmp_path / "worker.said"
    with said.open("wb") as file:
        worker = nursery.start(
            "updater_server", "worker", "--data", str(server.folder), stdout=file, stderr=file
        )
    try:
        until(lambda: said.read_bytes().count(b"working\n") == 1, UP_S, "a worker")
        url = postgres.url(postgres.make())
        seen = move_under_load(
            server, url, 4, STEADY_S, first=2, dies_decided=True, pause_s=PAUSE_S
        )
        service = Service.open(server.folder)
        assert not is_sqlite(service.engine)
        service.engine.dispose()
        until(lambda: said.read_bytes().count(b"working\n") == 2, UP_S, "the worker, anew")
    finally:
        worker.send_signal(signal.SIGTERM)
        ended = worker.wait(30)
        assert server.end() == 0
        postgres.end()
    assert ended == 0, said.read_text()
    assert seen.is_right, (seen.judged, seen.books, seen.said)
    assert seen.judged.answered > 20
    assert seen.tries <= 2, "more than one retry"
    assert seen.after > 0


def test_the_judge_sees_a_sale_that_is_lost_doubled_or_made_up(
    tmp_path: Path, repository: Path
) -> None:
    server: Process = make_folder(tmp_path / "data", repository, 2)
    fill(server, 0, 0, 50)
    server.start()
    try:
        trade = sell(server.port, [1, 2], 3)
    finally:
        server.end()
    assert judge(server.folder, [trade]).is_right
    one, other = trade.merchants
    kept = one.sold.pop()
    one.sequence -= 1
    assert judge(server.folder, [trade]).made_up == [(kept.terminal_id.hex(), kept.sequence)]
    assert judge(server.folder, [trade], {(kept.terminal_id, kept.sequence)}).is_right
    kept.sequence += 1
    one.sold.append(kept)
    one.sequence += 2
    assert judge(server.folder, [trade]).lost == [(kept.terminal_id.hex(), kept.sequence)]
    one.sold.pop()
    other.sold[0].reply[3] = "AIR50-OTHER"
    assert judge(server.folder, [trade]).lost == [(other.terminal_id.hex(), 1)]
