"""Sales without a connection: by CoAP over UDP, and by HTTP wherever that does not pass."""

from __future__ import annotations

import cbor2
import pytest

from hw_sim.modem import M95
from hw_sim.network.datagram_tap import DatagramExchange
from hw_sim.network.link import DATAGRAM_OVERHEAD_BYTES
from tests.support.merchant import debit_minor, nothing_lost
from tests.terminal.conftest import MakeWorld, TerminalWorld
from updater_server.fleet import terminals
from updater_server.service import Service
from updater_server.store.engine import reading
from updater_server.wire import coap
from updater_server.wire.keys import KIND, Kind
from updater_server.wire.sealed import open_request, parse_envelope


def sales(world: TerminalWorld, seen: list[DatagramExchange]) -> list[DatagramExchange]:
    """Those of the exchanges that ask for a voucher, opened with the server's own keys."""
    service = Service.open(world.server.folder)
    with reading(service.engine) as connection:
        terminal_id = bytes.fromhex(world.terminal_id)
        keys = terminals.device_keys(connection, service.key, terminal_id)
    service.engine.dispose()
    assert keys is not None
    found = []
    for exchange in seen:
        envelope = parse_envelope(coap.parse(exchange.asked).payload)
        if cbor2.loads(open_request(envelope, keys))[KIND] == Kind.SALE:
            found.append(exchange)
    return found


@pytest.mark.micropython
def test_a_sale_goes_by_one_datagram_each_way_once_the_server_has_said_that_it_takes_them(
    make_world: MakeWorld,
) -> None:
    world = make_world()
    tap = world.start_with_datagrams()
    world.open_shop()
    world.wait_online()
    posts = len(world.tap.asked("/m"))
    world.merchant.sign_in()
    world.merchant.sell()
    (sale,) = sales(world, tap.exchanges)
    (answer,) = sale.answers
    assert len(sale.asked) + len(answer) + 2 * DATAGRAM_OVERHEAD_BYTES <= 220
    assert len(world.tap.asked("/m")) == posts, "something went by HTTP all the same"
    nothing_lost(world, [debit_minor(1)])


@pytest.mark.micropython
def test_a_terminal_with_another_make_of_modem_sells_by_datagram_and_by_http(
    make_world: MakeWorld,
) -> None:
    world = make_world(modem=M95)
    tap = world.start_with_datagrams()
    world.open_shop()
    world.wait_online()
    world.merchant.sign_in()
    world.merchant.sell()
    assert sales(world, tap.exchanges)
    world.terminal.network.internet.ways.blocked = True
    world.merchant.sell(2)
    nothing_lost(world, [debit_minor(1), debit_minor(2)])


def test_where_datagrams_are_blocked_the_sale_goes_by_http_and_they_rest(
    make_world: MakeWorld,
) -> None:
    world = make_world()
    tap = world.start_with_datagrams()
    world.terminal.network.internet.ways.blocked = True
    world.open_shop()
    world.wait_online()
    world.merchant.sign_in()
    world.merchant.sell()
    world.merchant.sell(2)
    assert tap.exchanges == []
    tries = world.terminal.network.traffic.datagrams_up
    assert tries in (2, 4), "one try, asked again once; a second may be under way by then"
    nothing_lost(world, [debit_minor(1), debit_minor(2)])
