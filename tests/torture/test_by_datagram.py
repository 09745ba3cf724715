"""Sales without TCP under what networks do to datagrams: each is sold once, whatever happens, and
where none pass they are not tried again and again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from firmware.net import coap
from firmware.net.modem.errors import LinkError, ModemError
from firmware.office import datagram, messenger
from firmware.office.messenger import Messenger, NoNetwork
from hw_sim.network.link import DATAGRAM_OVERHEAD_BYTES, LinkProfile, name_bytes
from tests.server.shop import Shop, make_signed
from tests.support import without_tcp
from tests.support.driven import HOST
from tests.support.without_tcp import COAP_PORT, Counter, Seen, at_counter


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_signed(tmp_path_factory.mktemp("signed"))


@pytest.fixture
def make_shop(tmp_path: Path, signed: Path) -> Iterator[Callable[[], Shop]]:
    """Makes shops with a full vault; a wrong variant is shown one of its own."""
    made: list[Shop] = []

    def make() -> Shop:
        made.append(Shop.open(tmp_path / f"data{len(made)}", signed / "repository"))
        made[-1].stock_vault(count=220)
        return made[-1]

    yield make
    for shop in made:
        shop.service.engine.dispose()


@pytest.fixture
def shop(make_shop: Callable[[], Shop]) -> Shop:
    return make_shop()


def test_a_cold_sale_is_two_datagrams_and_the_name_is_asked_for_once(shop: Shop) -> None:
    async def story(counter: Counter) -> None:
        traffic = counter.driven.network.traffic
        await counter.driven.http.transport.close()
        before, names = traffic.on_air_bytes, traffic.name_bytes
        await counter.sell()
        assert traffic.name_bytes - names == name_bytes(HOST)
        first = traffic.on_air_bytes - before
        await asyncio.sleep(7200)
        before = traffic.on_air_bytes
        await counter.sell()
        assert traffic.on_air_bytes - before == first - name_bytes(HOST) <= 220
        seen = counter.server.seen[-1]
        on_air = len(seen.asked) + len(seen.answers[0]) + 2 * DATAGRAM_OVERHEAD_BYTES
        assert traffic.on_air_bytes - before == on_air
        assert counter.server.posted == 0
        assert counter.lost_and_doubled() == (0, 0)

    at_counter(shop, story)


def test_an_answer_that_was_lost_is_had_by_the_same_question_and_costs_one_voucher(
    shop: Shop,
) -> None:
    async def story(counter: Counter) -> None:
        server = counter.server
        server.change = lambda seen, said: [] if len(server.seen) == 1 else [said]
        await counter.sell()
        assert len(server.seen) == 2
        assert server.seen[0].asked == server.seen[1].asked
        assert server.seen[0].answers == server.seen[1].answers
        assert (server.posted, counter.lost_and_doubled()) == (0, (0, 0))

    at_counter(shop, story)


def test_an_answer_that_never_comes_is_asked_for_by_http_and_costs_one_voucher(
    shop: Shop,
) -> None:
    async def story(counter: Counter) -> None:
        counter.server.change = lambda seen, said: []
        await counter.sell()
        assert (counter.server.posted, counter.unanswered) == (1, 0)
        assert counter.lost_and_doubled() == (0, 0)
        assert counter.longest_s < 20

    at_counter(shop, story)


@pytest.mark.parametrize("step", [1, -1], ids=["the-sale-first", "the-search-first"])
def test_a_sale_does_not_wait_behind_the_search_for_a_network_to_its_end(
    shop: Shop, step: int
) -> None:
    async def story(counter: Counter) -> None:
        driven = counter.driven
        await counter.sell()
        sale = counter.new_sale()
        driven.network.set_coverage(False)
        driven.modem.is_lost()
        works = [counter.ask(sale), driven.modem.connect("internet")]
        tasks = [asyncio.ensure_future(work) for work in works[::step]]
        asking, searching = tasks[::step]
        begun_s = driven.now_s
        assert not await asking
        assert driven.now_s - begun_s < 45
        with pytest.raises(ModemError):
            await searching
        assert driven.now_s - begun_s > 60, "there was no search to wait for"
        driven.network.set_coverage(True)
        await driven.online()
        assert await counter.ask(sale)
        assert counter.lost_and_doubled() == (0, 0)

    at_counter(shop, story)


def test_a_sale_that_finds_its_modem_restarting_is_answered_when_it_is_back(shop: Shop) -> None:
    async def story(counter: Counter) -> None:
        driven = counter.driven
        await counter.sell()
        driven.part.crash()
        await driven.until(lambda: not driven.modem.attached, 150, "its words")
        assert await counter.ask(counter.new_sale())
        assert (counter.server.posted, counter.lost_and_doubled()) == (0, (0, 0))

    at_counter(shop, story)


def test_a_socket_that_is_gone_ends_the_wait_and_the_sale_goes_the_other_road(shop: Shop) -> None:
    async def story(counter: Counter) -> None:
        def takes_the_context(seen: Seen, said: bytes) -> list[bytes]:
            if len(counter.server.seen) > 1:
                return [said]
            counter.driven.network.deactivate_pdp()
            return []

        counter.server.change = takes_the_context
        await counter.sell()
        assert counter.lost_and_doubled() == (0, 0)
        assert counter.longest_s < 60

    at_counter(shop, story)


def test_no_more_is_read_of_a_socket_that_is_gone() -> None:
    async def receive(max_bytes: int, timeout_ms: int) -> bytes:
        return b""

    gone: Any = SimpleNamespace(receive=receive)
    with pytest.raises(LinkError):
        asyncio.run(coap._datagram(gone, 2000))


def blocked_for_a_day(shop: Shop) -> None:
    async def story(counter: Counter) -> None:
        counter.driven.network.internet.ways.blocked = True
        for _ in range(24):
            await counter.sell()
            await asyncio.sleep(3600)
        tries = counter.driven.network.traffic.datagrams_up
        assert 2 <= tries <= 2 * 5, f"{tries} datagrams in a day for nothing"
        assert counter.server.posted == counter.sold
        assert counter.lost_and_doubled() == (0, 0)
        counter.driven.network.internet.ways.blocked = False
        await asyncio.sleep(16 * 3600)
        before = counter.server.posted
        await counter.sell()
        await counter.sell()
        assert counter.server.posted == before, "a road that is open again is not found"

    at_counter(shop, story)


def test_where_no_datagram_passes_they_rest_longer_each_time_and_are_found_again(
    make_shop: Callable[[], Shop], monkeypatch: pytest.MonkeyPatch
) -> None:
    blocked_for_a_day(make_shop())
    monkeypatch.setattr(messenger, "_REST_MS", 0)  # a wrong variant: they never rest
    with pytest.raises(AssertionError, match="for nothing"):
        blocked_for_a_day(make_shop())


def test_a_server_that_takes_no_datagrams_any_more_costs_two_tries(shop: Shop) -> None:
    async def story(counter: Counter) -> None:
        internet = counter.driven.network.internet
        internet.serve_datagrams(HOST, COAP_PORT, lambda data, port, answer: None)
        for _ in range(5):
            await counter.sell()
        assert counter.driven.network.traffic.datagrams_up == 2
        assert counter.server.posted == 5
        assert counter.lost_and_doubled() == (0, 0)

    at_counter(shop, story)


def test_a_road_that_has_passed_is_not_left_for_one_loss(shop: Shop) -> None:
    async def story(counter: Counter) -> None:
        await counter.sell()
        ways = counter.driven.network.internet.ways
        ways.loss = 1.0
        await counter.sell()
        assert counter.server.posted == 1
        ways.loss = 0.0
        await counter.sell()
        assert counter.server.posted == 1

    at_counter(shop, story)


def test_a_link_that_is_down_is_not_held_against_datagrams(shop: Shop) -> None:
    async def story(counter: Counter) -> None:
        counter.driven.network.set_coverage(False)
        selling = asyncio.ensure_future(counter.sell())
        await asyncio.sleep(120)
        counter.driven.network.set_coverage(True)
        await selling
        assert counter.messenger.misses <= 2
        await counter.sell()
        assert counter.lost_and_doubled() == (0, 0)

    at_counter(shop, story)


# --- what is not the answer ---


def forged(seen: Seen, said: bytes) -> bytes:
    """As the server's, with another seal."""
    return said[:-1] + bytes((said[-1] ^ 1,))


def unsealed(seen: Seen, said: bytes) -> bytes:
    """A voucher that nobody sealed."""
    return said[:5] + b"\xa6\x00\x02\x01\x00\x02\x641234\x03\x61x\x04\x00\x05\x00"


def refusal_of_another(seen: Seen, said: bytes) -> bytes:
    """A refusal that answers another question."""
    return bytes((said[0], 0x81)) + bytes((said[2] ^ 1, said[3]))


def takes_anything(messenger: Messenger, counter: int, body: bytes) -> bytes:
    """A wrong variant: believes what comes without opening it."""
    return body


@pytest.mark.parametrize("spoil", [forged, unsealed, refusal_of_another])
def test_what_was_forged_is_passed_over_and_the_answer_behind_it_taken(
    make_shop: Callable[[], Shop],
    spoil: Callable[[Seen, bytes], bytes],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def story(counter: Counter) -> None:
        server = counter.server

        def change(seen: Seen, said: bytes) -> list[bytes]:
            return [spoil(seen, said)] if len(server.seen) & 1 else [said]

        server.change = change
        await counter.sell()
        assert (server.posted, counter.unanswered, len(server.seen)) == (0, 0, 2)
        assert counter.lost_and_doubled() == (0, 0)
        pins = [pin for (pin,) in counter.till.pins.values()]
        assert all(pin.startswith("7") for pin in pins), "a PIN that is not of the vault"

    at_counter(make_shop(), story)
    if spoil is not refusal_of_another:
        monkeypatch.setattr(datagram, "opened", takes_anything)
        monkeypatch.setattr(without_tcp, "LONGEST_S", 60.0)
        with pytest.raises((AssertionError, ValueError)):
            at_counter(make_shop(), story)


def test_old_answers_and_those_of_other_questions_decide_nothing(shop: Shop) -> None:
    async def story(counter: Counter) -> None:
        server = counter.server
        old: list[bytes] = []

        def change(seen: Seen, said: bytes) -> list[bytes]:
            before = [seen.asked[:0] + b"\x60\x44" + said[2:4] + answer[4:] for answer in old]
            old.append(said)
            return [*before[-2:], said] if len(server.seen) % 3 else before[-2:]

        server.change = change
        for _ in range(12):
            await counter.sell()
        assert counter.lost_and_doubled() == (0, 0)
        assert (server.posted, counter.unanswered) == (0, 0)

    at_counter(shop, story)


def test_an_answer_from_elsewhere_never_gets_through_the_box_between(shop: Shop) -> None:
    async def story(counter: Counter) -> None:
        server, radio = counter.server, counter.driven.network
        await counter.sell()
        _, answer = server.answers["10.64.0.7", 1]
        heard = radio.traffic.datagrams_down
        radio.internet.ways.forgets_s = 5.0
        await asyncio.sleep(60)
        answer(b"\x60\x44\x00\x00\xff" + bytes(60))
        await asyncio.sleep(10)
        assert radio.traffic.datagrams_down == heard, "it was paid for"
        await counter.sell()
        assert counter.lost_and_doubled() == (0, 0)

    at_counter(shop, story)


# --- all of it at once ---


def one_counter_for_both(self: Messenger, plain: bytes) -> tuple[int, bytes]:
    """A wrong variant: what is asked again by HTTP has the counter of the datagram."""
    from bootloader.shared import cose

    known = self.__dict__.setdefault("_of_plain", {})
    if plain not in known:
        self._sent += 1
        known[plain] = cose.message_counter(self._boot_count, self._sent)
    counter = known[plain]
    sealed = cose.seal_request(self.keys.up, self.terminal_id, self.salt, counter, plain)
    return counter, sealed


def two_hundred(shop: Shop, seed: int, sales: int = 200) -> Counter:
    async def story(counter: Counter) -> Counter:
        ways = counter.driven.network.internet.ways
        ways.doubled, ways.late, ways.late_s = 0.2, 0.2, 4.0
        counter.driven.network.link = LinkProfile(loss=0.3)
        for _ in range(sales):
            await counter.sell()
            await asyncio.sleep(20)
        assert counter.lost_and_doubled() == (0, 0)
        assert counter.unanswered == 0, "a customer was sent away"
        return counter

    made: Counter = at_counter(shop, story, seed=seed)
    return made


def test_of_200_sales_with_every_third_datagram_lost_none_is_lost_and_none_doubled(
    make_shop: Callable[[], Shop], monkeypatch: pytest.MonkeyPatch
) -> None:
    counter = two_hundred(make_shop(), 8)
    by_datagram = counter.sold - counter.server.posted
    assert by_datagram > 120, "datagrams were given up for their losses"
    assert counter.longest_s < 60
    monkeypatch.setattr(Messenger, "seal", one_counter_for_both)
    monkeypatch.setattr(without_tcp, "LONGEST_S", 60.0)
    with pytest.raises(AssertionError):
        two_hundred(make_shop(), 8, 40)


def test_while_a_cable_carries_messages_no_datagram_leaves(shop: Shop) -> None:
    async def story(counter: Counter) -> None:
        async def cable(body: bytes) -> tuple[int, bytes]:
            raise NoNetwork("no answer through the cable")

        messenger = counter.messenger
        messenger.post, messenger.coap_port = cable, 0
        with pytest.raises(NoNetwork):
            await messenger.exchange(3, {1: []})
        assert counter.driven.network.traffic.datagrams_up == 0

    at_counter(shop, story)


# --- the address that a datagram has asked for ---


def test_a_connection_goes_where_datagrams_go_without_asking_for_the_name_again(
    shop: Shop,
) -> None:
    async def story(counter: Counter) -> None:
        traffic = counter.driven.network.traffic
        await counter.sell()
        await counter.driven.http.transport.close()
        names = traffic.name_bytes
        counter.messenger.coap_port = 0
        await counter.sell()
        assert counter.server.posted == 1
        assert traffic.name_bytes == names
        assert counter.lost_and_doubled() == (0, 0)

    at_counter(shop, story)


def test_a_server_that_has_moved_is_asked_for_by_name_at_once(shop: Shop) -> None:
    """Nobody is at the old address: the sale that finds out gets its answer all the same."""

    async def story(counter: Counter) -> None:
        await counter.sell()
        http = counter.driven.http
        await http.transport.close()
        counter.messenger.coap_port = 0
        http.address = "192.0.2.99"
        assert await counter.ask(counter.new_sale())
        assert http.address == ""
        assert counter.lost_and_doubled() == (0, 0)

    at_counter(shop, story)


def test_an_address_where_somebody_else_answers_is_forgotten(shop: Shop) -> None:
    async def stranger(reader: asyncio.StreamReader, writer: Any) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\nWelcome")

    async def story(counter: Counter) -> None:
        await counter.sell()
        http = counter.driven.http
        await http.transport.close()
        counter.messenger.coap_port = 0
        counter.driven.network.internet.serve("192.0.2.99", 80, stranger)
        http.address = "192.0.2.99"
        sale = counter.new_sale()
        assert not await counter.ask(sale), "that was not the server"
        assert http.address == ""
        await http.transport.close()
        assert await counter.ask(sale)
        assert counter.lost_and_doubled() == (0, 0)

    at_counter(shop, story)
