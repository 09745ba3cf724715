"""Many who want to write at the same time: in order, bounded, nothing lost and nothing twice."""

from __future__ import annotations

import asyncio
import threading
import time
from contextlib import closing
from pathlib import Path
from sqlite3 import connect
from typing import Any

import httpx
import pytest

from tests.measure.load import Terminal, fill, load, make_folder
from tests.server.shop import Shop
from updater_server.errors import BusyError
from updater_server.faces.app import make_app
from updater_server.faces.lanes import Lane
from updater_server.store import engine
from updater_server.store.engine import WriteLine, write_line, writing


def until(condition: Any, seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def queued(line: WriteLine, names: str) -> tuple[list[str], list[threading.Thread]]:
    """Threads that stand in line in this order; who was served, so far."""
    served: list[str] = []

    def work(name: str) -> None:
        with line.turn(10):
            served.append(name)

    threads = []
    for place, name in enumerate(names, line.waiting + 1):
        threads.append(threading.Thread(target=work, args=(name,)))
        threads[-1].start()
        until(lambda place=place: line.waiting == place)
    return served, threads


def test_writers_are_served_in_the_order_in_which_they_came() -> None:
    line = WriteLine()
    with line.turn(1):
        served, threads = queued(line, "abcdefgh")
        assert served == []
    for thread in threads:
        thread.join(10)
    assert "".join(served) == "abcdefgh"
    with line.turn(0):
        assert line.waiting == 0


def test_who_finds_the_line_full_or_waits_too_long_is_told_and_keeps_nobody_waiting() -> None:
    line = WriteLine(limit=2)
    with line.turn(1):
        served, threads = queued(line, "ab")
        with pytest.raises(BusyError, match="at once"), line.turn(10):
            pass
    for thread in threads:
        thread.join(10)
    assert served == ["a", "b"]
    with line.turn(1):
        with pytest.raises(BusyError, match="too long"), line.turn(0.01):
            pass
        assert line.waiting == 0
    with line.turn(0):
        pass


def test_a_turn_that_fails_is_given_on() -> None:
    line = WriteLine()
    for _ in range(3):
        with pytest.raises(ZeroDivisionError), line.turn(1):
            raise ZeroDivisionError
    with line.turn(0):
        pass


def test_a_terminal_that_cannot_be_served_in_time_is_told_when_to_come_back(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.stock_vault()
    device = shop.enrol()
    body, counter = device.seal({0: 2, 1: 1, 2: "air50", 3: 5000, 4: 0, 20: 250})
    application: Any = make_app(shop.service)

    async def post() -> httpx.Response:
        transport = httpx.ASGITransport(application)
        async with httpx.AsyncClient(transport=transport, base_url="http://a") as client:
            return await client.post("/m", content=body)

    with writing(shop.service.engine):
        monkeypatch.setattr(engine, "PATIENCE_S", 0.05)
        busy = asyncio.run(post())
        assert busy.status_code == 503
        assert busy.content == b""
        assert int(busy.headers["retry-after"]) > 0
        assert write_line(shop.service.engine).waiting == 0
    sold = asyncio.run(post())  # the very same bytes: the counter was not used up
    assert sold.status_code == 200
    assert device.open(sold.content, counter)[1] == 0
    assert shop.float_of(device) == 95_250


def test_a_lane_begins_nothing_that_nobody_waits_for_any_more() -> None:
    begun: list[int] = []
    gate = threading.Event()

    async def main() -> None:
        lane = Lane("tests", threads=1, waiting=2, patience_s=0.1)
        first = asyncio.create_task(lane.run(gate.wait, 10))
        await asyncio.sleep(0.02)
        late = [asyncio.create_task(lane.run(begun.append, number)) for number in range(2)]
        await asyncio.sleep(0.02)
        with pytest.raises(BusyError, match="too many"):
            await lane.run(begun.append, 9)
        await asyncio.sleep(0.2)
        gate.set()
        await first
        outcomes = await asyncio.gather(*late, return_exceptions=True)
        assert [type(outcome) for outcome in outcomes] == [BusyError, BusyError]
        assert lane.inside == 0
        await lane.run(begun.append, 1)
        lane.close()

    asyncio.run(main())
    assert begun == [1]


@pytest.mark.slow
def test_sixty_four_terminals_at_once_lose_nothing_and_get_nothing_twice(
    tmp_path: Path, signed: Path
) -> None:
    each = 4
    server = make_folder(tmp_path / "data", signed / "repository", 64)
    lives = fill(server, 0, 1, 64 * each + 32 * each)
    server.start()
    try:
        terminals = [Terminal(life, server.port) for life in lives]
        for count in (32, 64):
            seen = load([server], terminals[:count], Terminal.sell, lambda own: own == each)
            assert dict(seen.statuses) == {200: count * each}
            assert len(set(seen.pins)) == seen.sales == count * each
            # In line, everybody waits about as long as everybody else.
            assert seen.percentile_ms(99) < 10 * seen.percentile_ms(50) + 2000
        for terminal in terminals:
            terminal.close()
    finally:
        server.end()
    assert server.quick("check").exit_code == 0
    with closing(connect(server.folder / "duka.db")) as connection:
        assert connection.execute(
            "SELECT COUNT(*), COUNT(DISTINCT voucher_id) FROM sale WHERE state = 'delivered'"
        ).fetchone() == (96 * each, 96 * each)
