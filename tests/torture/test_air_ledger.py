"""What a terminal counts of its airtime is what the simulated network sees, and is told under what
it was for.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from firmware import counts
from firmware.office import by_sms, windows
from hw_sim.network.datagrams import Ways
from tests.server.shop import Shop, make_signed
from tests.support.by_sms import SmsCounter, without_data
from tests.support.without_tcp import Counter, at_counter
from tests.torture.gsm_trade import Report, Trade
from updater_server.telemetry import air
from updater_server.telemetry.windows import values_of

SALE, UPDATE, WASTED, SMS = 1, 6, 7, 8
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


def messages_agree(shop: Shop, folder: Path) -> None:
    async def story(counter: SmsCounter) -> None:
        windows.begin(7, lambda: shop.clock[0], lambda: 0)
        counts.add(0, 3_600_000)
        weather = counter.centre.weather
        weather.lost, weather.doubled = 0.3, 0.3
        counts.air(400)  # of an exchange that nobody ended
        for _ in range(6):
            await counter.ask(counter.sale())
        await counter.ask(SimpleNamespace(**vars(counter.sale()) | {"product_id": "x" * 120}))
        told = windows.due(at_once=True)
        assert told
        spent = dict(zip(air.PURPOSES, air.spent(values_of(told)), strict=True))
        sent = counter.driven.network.sms.sent
        assert (spent["sms"], len(sent)) == (len(counter.sent), len(counter.sent))
        assert spent["sale"] == 0, "no bytes beside them"
        assert (spent["wasted"], len(sent) >= 6) == (384, True)

    without_data(shop, story, folder)


def test_short_messages_are_counted_by_the_piece_as_the_centre_took_them(
    shop: Shop, tmp_path: Path
) -> None:
    messages_agree(shop, tmp_path)


@pytest.mark.parametrize("lost_lines", [1, 2])
def test_a_message_that_went_out_is_counted_though_the_modems_answer_to_it_was_lost(
    shop: Shop, tmp_path: Path, lost_lines: int
) -> None:
    async def story(counter: SmsCounter) -> None:
        before = spent(SMS)
        counter.driven.part.faults.swallow("+CMGS:", lost_lines)
        assert await counter.ask(counter.sale()), "it went out, so an answer comes"
        assert len(counter.driven.network.sms.sent) == 1
        assert spent(SMS) - before == 32

    without_data(shop, story, tmp_path)


def test_a_message_that_the_modem_refused_is_not_counted(shop: Shop, tmp_path: Path) -> None:
    async def story(counter: SmsCounter) -> None:
        before = spent(SMS)
        counter.driven.network.set_coverage(False)
        assert not await counter.ask(counter.sale())
        assert not counter.driven.network.sms.sent
        assert spent(SMS) == before

    without_data(shop, story, tmp_path)


def test_messages_that_are_counted_as_bytes_are_noticed(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(by_sms, "_AIR_ONE", 140)
    with pytest.raises(AssertionError):
        messages_agree(shop, tmp_path)
