"""A small fleet on a fast clock before the real server: what `inv fleet --live` plays at length."""

from __future__ import annotations

import http.client
import json
import socket
import threading
from pathlib import Path

import pytest

from tests.live.fleet import Failing, Fleet
from tests.live.scenarios import Scenario, play
from tests.server.shop import make_signed


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Fleet:
    """Fifty terminals with a week behind them."""
    folder = tmp_path_factory.mktemp("live")
    (folder / "signed").mkdir()
    (folder / "start").mkdir()
    fleet = Fleet(folder / "start", 50, seed=2, sales_a_day=96)
    fleet.make(make_signed(folder / "signed"))
    fleet.open()
    fleet.run()
    fleet.pre_period(Failing())
    fleet.close()
    return fleet


def test_a_bad_release_is_halted_by_the_worker_alone_and_nobody_switches_after(
    start: Fleet, tmp_path: Path
) -> None:
    bad = Scenario("bad", Failing(effect=15), 20, 9, ("halt",), kills=2, by_itself=True)
    outcome = play(start, tmp_path / "bad", bad)
    assert outcome.broken == []
    assert 0 < outcome.switched < 20


def test_an_outage_halts_nothing_and_what_is_wanted_else_is_found_missing(
    start: Fleet, tmp_path: Path
) -> None:
    wrong = Scenario("outage", Failing(outage=(1, 5)), 20, 5, ("halt",))
    outcome = play(start, tmp_path / "outage", wrong)
    assert outcome.broken == ["the last ruling should be one of ('halt',)"], json.dumps(
        outcome.rulings
    )


def test_a_line_that_the_server_closed_in_a_pause_costs_no_message(tmp_path: Path) -> None:
    fleet = Fleet(tmp_path, 1)
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            for _ in range(2):
                line, _ = server.accept()
                with line:  # one answer, and the line is closed without a word
                    line.recv(4096)
                    line.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

        serving = threading.Thread(target=serve, daemon=True)
        serving.start()
        fleet._line = http.client.HTTPConnection(*server.getsockname())
        assert [fleet.post(b"sale"), fleet.post(b"sale")] == [(200, b"ok")] * 2
        serving.join(10)
        fleet._line.close()
    assert fleet.messages == 2
