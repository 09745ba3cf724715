"""What a terminal counts of its airtime is what the simulated network sees, and is told under what
it was for.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest

from firmware import counts
from hw_sim.network.datagrams import Ways
from tests.server.shop import Shop, make_signed
from tests.support.without_tcp import Counter, at_counter
from tests.torture.gsm_trade import Report, Trade

SALE, UPDATE, WASTED = 1, 6, 7
BOUND = 0.05


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    (tmp_path / "signed").mkdir()
    shop = Shop.open(tmp_path / "data", make_signed(tmp_path / "signed") / "repository")
    shop.stock_vault(count=60)
    yield shop
    shop.service.engine.dispose()


def spent(purpose: int) -> int:
    return int(counts.values[51 + purpose])


class Seen:
    """The ledger and the network's own figures, each from now on."""

    def __init__(self, counter: Counter) -> None:
        self._traffic = counter.driven.network.traffic
        self._before = self._traffic.on_air_bytes - self._traffic.retransmitted_bytes
        for n in range(51, 60):
            counts.values[n] = 0

    def both(self) -> tuple[int, int]:
        """(What the terminal counted, what crossed the air but for what the radio sent again)."""
        now = self._traffic.on_air_bytes - self._traffic.retransmitted_bytes
        return sum(counts.values[51:60]), now - self._before


def agree(seen: Seen) -> None:
    counted, crossed = seen.both()
    assert abs(counted - crossed) <= BOUND * crossed, (counted, crossed)


@pytest.fixture(autouse=True)
def _fresh_counts() -> Iterator[None]:
    before = list(counts.values)
    yield
    for n, value in enumerate(before):
        counts.values[n] = value


def sells(by_http: bool) -> Callable[[Counter], Coroutine[Any, Any, None]]:
    async def story(counter: Counter) -> None:
        if by_http:
            counter.messenger.coap_port = 0
        await counter.driven.http.transport.close()
        await asyncio.sleep(60)
        seen = Seen(counter)
        for _ in range(12):
            await counter.sell()
            await asyncio.sleep(400)
            await counter.driven.http.transport.close()
            await asyncio.sleep(10)
        agree(seen)
        assert (spent(SALE) > 0, spent(WASTED)) == (True, 0)

    return story


@pytest.mark.parametrize("by_http", [False, True])
def test_sales_by_either_road_cost_what_the_network_sees(shop: Shop, by_http: bool) -> None:
    at_counter(shop, sells(by_http))


def test_a_release_costs_what_the_network_sees(shop: Shop) -> None:
    async def story(counter: Counter) -> None:
        await counter.driven.http.transport.close()
        await asyncio.sleep(60)
        seen = Seen(counter)
        await Trade(counter, Report()).update(random.Random(2).randbytes(40_000))
        await counter.driven.http.transport.close()
        await asyncio.sleep(10)
        agree(seen)
        assert spent(UPDATE) > 40_000
        assert spent(WASTED) == spent(SALE) == 0

    at_counter(shop, story)


def test_what_is_asked_in_vain_is_wasted_and_no_sale(shop: Shop) -> None:
    async def story(counter: Counter) -> None:
        counter.driven.network.internet.ways = Ways(blocked=True)
        seen = Seen(counter)
        await counter.sell()
        datagrams = counter.driven.network.traffic.datagrams_up
        assert datagrams == 2
        assert 2 * 28 < spent(WASTED) < 600
        assert spent(SALE) > 0
        counted, crossed = seen.both()
        # the terminal reckons with an answer's header for each datagram
        assert crossed <= counted <= crossed + datagrams * 28 + BOUND * crossed + 80

    at_counter(shop, story)
