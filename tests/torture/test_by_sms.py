"""Sales by short message where a terminal has a network and no data, under what networks do to
messages: each is sold once; and the office's words, under what a thief does with them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from firmware.duties import radio
from firmware.net.link import ONLINE
from firmware.office import sms_box
from hw_sim.network.sms_pdu import of_text
from tests.server.shop import NOW, Shop, make_signed
from tests.support.by_sms import MINE, OFFICE, THIEF, SmsCounter, data, without_data
from updater_server.fleet import texting
from updater_server.store.engine import reading

HOUR_S = 3600.0


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_signed(tmp_path_factory.mktemp("signed"))


@pytest.fixture
def shop(tmp_path: Path, signed: Path) -> Iterator[Shop]:
    made = Shop.open(tmp_path / "data", signed / "repository")
    made.stock_vault(count=120)
    yield made
    made.service.engine.dispose()


def test_a_sale_without_data_is_one_short_message_each_way(shop: Shop, tmp_path: Path) -> None:
    async def story(counter: SmsCounter) -> None:
        assert await counter.ask(counter.sale())
        ((asked), (said)) = counter.centre.passed
        assert (asked.source, asked.destination) == (MINE, OFFICE)
        assert (said.source, said.destination) == (OFFICE, MINE)
        assert len(asked.message.data) <= 140
        assert len(said.message.data) <= 140
        assert counter.lost_and_doubled() == (0, 0)
        with reading(shop.service.engine) as connection:
            assert texting.number_of(connection, counter.device.terminal_id) == MINE
        await asyncio.sleep(HOUR_S)
        assert len(counter.centre.passed) == 2, "nothing goes by SMS but what a merchant asks for"
        assert counter.on_card == 0

    without_data(shop, story, tmp_path)


def test_an_answer_that_is_lost_is_had_by_asking_again_and_costs_one_voucher(
    shop: Shop, tmp_path: Path
) -> None:
    async def story(counter: SmsCounter) -> None:
        sale = counter.sale()
        counter.centre.leave(MINE)
        assert not await counter.ask(sale)
        counter.centre._waiting.clear()  # the operator lost it
        counter.centre.join(MINE, counter.driven.network.sms)
        assert await counter.ask(sale)
        assert len(counter.sent) == 2
        assert counter.lost_and_doubled() == (0, 0)

    without_data(shop, story, tmp_path)


def test_a_message_that_comes_twice_is_one_sale_and_is_answered_once(
    shop: Shop, tmp_path: Path
) -> None:
    async def story(counter: SmsCounter) -> None:
        counter.centre.weather.doubled = 1.0
        assert await counter.ask(counter.sale())
        await asyncio.sleep(600)
        assert len(counter.office_said) == 1, "the second is a counter that was seen"
        assert counter.on_card == 0
        assert counter.lost_and_doubled() == (0, 0)

    without_data(shop, story, tmp_path)


def test_an_answer_an_hour_late_ends_the_sale_without_another_message(
    shop: Shop, tmp_path: Path
) -> None:
    async def story(counter: SmsCounter) -> None:
        sale = counter.sale()
        counter.centre.leave(MINE)
        assert not await counter.ask(sale)
        await asyncio.sleep(HOUR_S)
        assert not counter.till.pins
        counter.centre.join(MINE, counter.driven.network.sms)
        await counter.driven.until(lambda: counter.till.pins, 900, "the late answer")
        assert await counter.ask(sale), "it is here"
        assert len(counter.sent) == 1
        assert counter.till.given == 1
        assert counter.lost_and_doubled() == (0, 0)

    without_data(shop, story, tmp_path)


def test_answers_in_another_order_go_each_to_its_own_sale(shop: Shop, tmp_path: Path) -> None:
    async def story(counter: SmsCounter) -> None:
        counter.centre.leave(MINE)
        sales = [counter.sale(), counter.sale()]
        for sale in sales:
            assert not await counter.ask(sale)
        counter.centre._waiting.clear()
        for said in reversed(counter.office_said):
            counter.driven.network.sms.forward(data(OFFICE, said))
        await counter.driven.until(lambda: len(counter.till.pins) == 2, 900, "both answers")
        assert counter.lost_and_doubled() == (0, 0)
        assert counter.till.given == 2

    without_data(shop, story, tmp_path)


def test_a_card_full_of_the_operators_texts_keeps_no_sale_waiting(
    shop: Shop, tmp_path: Path
) -> None:
    async def story(counter: SmsCounter) -> None:
        await asyncio.sleep(600)
        for number in range(25):
            counter.driven.network.sms.forward(of_text("144", f"Dear customer {number}"))
        counter.driven.modem.sms_waiting = False  # the notice was lost
        assert counter.on_card == 20
        assert await counter.ask(counter.sale())
        assert counter.lost_and_doubled() == (0, 0)

    without_data(shop, story, tmp_path)


def test_what_strangers_send_does_nothing_and_costs_nothing(shop: Shop, tmp_path: Path) -> None:
    async def story(counter: SmsCounter) -> None:
        other = shop.enrol(2, float_minor=10**6)
        sale = counter.sale()
        assert await counter.ask(sale)
        asked, said = counter.sent[0].message.data, counter.office_said[0]
        spoiled = bytes([*said[:-1], said[-1] ^ 1])
        before = counter.till.given
        # to the terminal, in the office's name: a replay, a spoiled one, another's, noise
        not_mine, _ = other.seal({0: 2, 1: 5})
        for content in (said, spoiled, not_mine, b"", bytes(140), b"\x83" * 90):
            counter.bring(content)
        # to the office: a replay by a thief, who gets no answer, and noise
        for content in (asked, asked[:-1], bytes(60)):
            counter.centre.bring(THIEF, OFFICE, data(OFFICE, content))
        await asyncio.sleep(900)
        assert counter.on_card == 0
        assert counter.till.given == before
        assert len(counter.office_said) == 1
        with reading(shop.service.engine) as connection:
            assert texting.number_of(connection, counter.device.terminal_id) == MINE
        assert counter.lost_and_doubled() == (0, 0)

    without_data(shop, story, tmp_path)


def keeps_the_network(shop: Shop, folder: Path) -> None:
    async def story(counter: SmsCounter) -> None:
        driven = counter.driven
        driven.idle_ms = 0  # a merchant is at the keys
        presses = driven.key_presses
        await driven.until(lambda: not driven.modem.lock.locked(), 300, "the climb that goes on")
        for _ in range(1800):
            assert driven.modem.registered, "nothing can be sold meanwhile"
            await asyncio.sleep(1)
        assert await counter.ask(counter.sale())
        driven.idle_ms = 1_000_000
        await driven.until(lambda: driven.key_presses > presses, 600, "climbed when he has gone")
        driven.idle_ms = 0
        card = driven.network.sim
        assert card is not None
        card.gprs_contract = True
        await driven.until(lambda: driven.link.state == ONLINE, 600, "data again")

    without_data(shop, story, folder)


def test_who_waits_to_sell_by_short_message_does_not_lose_the_network_to_the_search_for_data(
    shop: Shop, tmp_path: Path
) -> None:
    keeps_the_network(shop, tmp_path)


def test_what_is_longer_than_a_message_is_not_sent(shop: Shop, tmp_path: Path) -> None:
    async def story(counter: SmsCounter) -> None:
        sale = counter.sale()
        sale.product_id = "x" * 120
        assert not await counter.ask(sale)
        assert "too long" in counter.driven.log[-1][1]
        assert not counter.sent

    without_data(shop, story, tmp_path)


def test_the_offices_word_locks_once_and_whoever_repeats_it_does_nothing(
    shop: Shop, tmp_path: Path
) -> None:
    async def story(counter: SmsCounter) -> None:
        till, memory = counter.till, counter.memory
        word = counter.word(texting.LOCK)
        assert len(word) == 20
        counter.bring(word, sender=THIEF)  # who sent it does not count
        await counter.driven.until(lambda: till.blocked, 900, "the lock")
        assert memory.get("held", False), "it outlives a restart"
        till.blocked = False  # the office let it go
        counter.bring(word)
        other = shop.enrol(2, float_minor=10**6)
        mine, counter.device = counter.device, other
        counter.bring(counter.word(texting.LOCK, 5))
        counter.device = mine
        counter.bring(word[:-1] + b"\0")
        await asyncio.sleep(900)
        assert not till.blocked
        assert counter.on_card == 0

    without_data(shop, story, tmp_path)


def test_a_word_older_than_a_week_is_passed_over(shop: Shop, tmp_path: Path) -> None:
    async def story(counter: SmsCounter) -> None:
        word = counter.word(texting.LOCK)
        shop.clock[0] = NOW + 8 * 86400
        counter.bring(word)
        await asyncio.sleep(900)
        assert not counter.till.blocked

    without_data(shop, story, tmp_path)


def test_no_sale_is_lost_or_doubled_where_messages_are_lost_doubled_and_late(
    shop: Shop, tmp_path: Path
) -> None:
    async def story(counter: SmsCounter) -> None:
        weather = counter.centre.weather
        weather.lost, weather.doubled, weather.late = 0.2, 0.2, 0.2
        for _ in range(40):
            sale = counter.sale()
            for _ in range(12):
                if await counter.ask(sale):
                    break
                await asyncio.sleep(120)
        weather.lost = 0.0
        await asyncio.sleep(2 * HOUR_S)
        assert counter.lost_and_doubled() == (0, 0)
        assert len(counter.sent) < 120

    without_data(shop, story, tmp_path)


def test_a_ladder_that_is_climbed_under_a_merchants_hands_is_noticed(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(radio.Radio, "_sells_by_sms", lambda self: False)
    with pytest.raises(AssertionError, match="nothing can be sold"):
        keeps_the_network(shop, tmp_path)


@pytest.mark.parametrize("wrong", ["counter is not looked at", "any sale's answer"])
def test_wrong_builds_are_noticed(
    shop: Shop, tmp_path: Path, wrong: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if wrong == "counter is not looked at":

        def forgets(self: sms_box.Box, data: bytes, now: int) -> None:
            self._memory.put("word", 0)
            heed(self, data, now)

        heed = sms_box.Box._heed
        monkeypatch.setattr(sms_box.Box, "_heed", forgets)
        with pytest.raises(AssertionError):
            test_the_offices_word_locks_once_and_whoever_repeats_it_does_nothing(shop, tmp_path)
        return
    settle = sms_box.Box._settle
    monkeypatch.setattr(sms_box.Box, "_settle", lambda self, n, said: settle(self, 5 - n, said))
    with pytest.raises(AssertionError):
        test_answers_in_another_order_go_each_to_its_own_sale(shop, tmp_path)
