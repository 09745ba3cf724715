"""No SIM, no cell, no server: what the merchant reads, what may still be sold, and that everything
reaches the server when it is there again.
"""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import msgspec
import pytest

from firmware.duties.radio import Radio
from firmware.net.link import OFFLINE, ONLINE, SEARCHING, Link
from hw_sim.network.sim_card import Registration
from tests.support.merchant import Merchant, debit_minor, nothing_lost
from tests.support.tap import Exchange
from tests.support.world import PRICES
from tests.terminal.conftest import STOCK, MakeWorld, TerminalWorld
from updater_server.channels import OfflinePolicy

AGAIN_S = 12
"""Between two attempts of the first half minute, and what an attempt takes."""


def without_network(world: TerminalWorld) -> Merchant:
    world.terminal.wait_shows("No network", timeout_s=60)
    world.merchant.sign_in()
    return world.merchant


def offline_after_new_policy(make_world: MakeWorld, policy: OfflinePolicy) -> TerminalWorld:
    world = make_world()
    prices = msgspec.structs.replace(PRICES, version=2, offline=policy)
    world.manager.set_prices(prices)
    world.manager.publish()
    world.open_shop()
    world.terminal.wait_log("new catalogue", 60)
    world.terminal.set_coverage(False)
    without_network(world)
    return world


def back_online(world: TerminalWorld) -> None:
    world.terminal.set_coverage(True)


def test_without_a_sim_card_the_merchant_reads_so_and_a_card_mends_it(shop: MakeWorld) -> None:
    world = shop(network={"sim_inserted": False})
    merchant = without_network(world)
    merchant.choose()
    merchant.press("#", "No SIM card")
    merchant.press("*", "Menu")
    world.terminal.board.call(world.terminal.network.insert_sim)
    world.wait_online()
    merchant.sell()
    nothing_lost(world, [debit_minor(1)])


def test_a_sim_that_the_network_refuses_is_named_as_the_reason(make_world: MakeWorld) -> None:
    world = make_world()
    world.terminal.board.call(world.terminal.network.set_admission, Registration.DENIED)
    world.open_shop()
    merchant = without_network(world)
    merchant.choose()
    merchant.press("#", "SIM refused")
    merchant.press("#", "Sold", timeout_s=60)
    merchant.press("#", "Menu")
    world.terminal.board.call(world.terminal.network.set_admission, Registration.HOME)
    nothing_lost(world, [debit_minor(1)])


@pytest.mark.parametrize(("has_cell", "shown"), [(False, OFFLINE), (True, SEARCHING)])
def test_while_the_modem_wins_its_data_service_back_no_sale_counts_on_it(
    has_cell: bool, shown: int
) -> None:
    """That takes a minute and more, and whoever else noticed the loss has not told."""
    seen: list[int] = []

    async def connect(apn: str, login: tuple[str, str], gently: bool) -> None:
        seen.append(link.state)
        raise InterruptedError

    modem = SimpleNamespace(
        attached=False, registered=has_cell, connect=connect, sms_waiting=False, trouble=""
    )
    link = Link(modem)
    link.reached()
    assert link.state == ONLINE
    app = SimpleNamespace(
        link=link,
        config=SimpleNamespace(apn="internet", apn_login=("", "")),
        journal=SimpleNamespace(state=None),
    )
    with pytest.raises(InterruptedError):
        asyncio.run(Radio(app, SimpleNamespace()).run())
    assert seen == [shown]


def test_where_there_is_no_cell_it_sells_from_stock_up_to_the_count(shop: MakeWorld) -> None:
    world = shop()
    world.wait_online()
    world.terminal.set_coverage(False)
    merchant = without_network(world)
    merchant.sell(1, from_stock=True)
    merchant.sell(1, from_stock=True)
    merchant.is_refused("The limit of sales", from_stock=True)
    assert world.books.debits_minor() == [], "the server knows nothing of them"
    world.terminal.board.power_cycle()
    merchant.sign_in()
    merchant.is_refused("The limit of sales", from_stock=True)
    back_online(world)
    nothing_lost(world, [debit_minor(1)] * 2)


@pytest.mark.parametrize(
    ("policy", "allowed", "refused", "text"),
    [
        (OfflinePolicy(5000, 9, 90000, 259200), 1, 2, "Too dear to sell"),
        (OfflinePolicy(10000, 9, 12000, 259200), 1, 2, "The limit of money"),
    ],
    ids=["amount", "total"],
)
def test_the_signed_policy_bounds_each_sale_and_their_sum(
    make_world: MakeWorld, policy: OfflinePolicy, allowed: int, refused: int, text: str
) -> None:
    world = offline_after_new_policy(make_world, policy)
    merchant = world.merchant
    merchant.sell(allowed, from_stock=True)
    merchant.is_refused(text, refused, from_stock=True)
    back_online(world)
    nothing_lost(world, [debit_minor(allowed)])


def test_a_long_outage_is_settled_to_the_cent(make_world: MakeWorld) -> None:
    world = offline_after_new_policy(make_world, OfflinePolicy(10000, 50, 500000, 259200))
    merchant = world.merchant
    sold = [1, 2, 1, 2, 1, 1]
    for product in sold:
        merchant.sell(product, from_stock=True)
    merchant.is_refused("No voucher of this kind", 2, from_stock=True)
    assert len(sold) == sum(STOCK.values()), "the stock is sold out"
    world.terminal.board.power_cycle()
    back_online(world)
    nothing_lost(world, [debit_minor(product) for product in sold])


def test_a_server_that_is_down_is_outlived_from_stock(shop: MakeWorld) -> None:
    world = shop()
    world.wait_online()
    merchant = world.merchant
    merchant.sign_in()
    world.server.stop()
    without_network(world)
    merchant.sell(from_stock=True)
    world.server.start()
    world.reach()
    nothing_lost(world, [debit_minor(1)])


@pytest.mark.parametrize("late_s", [5, 15])
def test_a_terminal_that_was_on_before_its_server_listens_reaches_it_within_seconds(
    make_world: MakeWorld, late_s: int
) -> None:
    """As on a bench where both are switched on at once: a person may sign in meanwhile."""
    world = make_world()
    world.reach()
    world.terminal.board.power_on()
    world.terminal.wait_shows("Your PIN", timeout_s=10)
    world.merchant.sign_in()
    world.terminal.board.pause(late_s)
    assert not world.terminal.shows("Online")
    world.server.start()
    world.terminal.wait_shows("Online", timeout_s=AGAIN_S)


def test_a_stock_delivery_that_power_cut_short_is_fetched_again(make_world: MakeWorld) -> None:
    world = make_world()
    world.server.start()
    world.assign_stock("air50", 5)
    board = world.terminal.board
    cuts: list[int] = []

    def cut_while_storing(exchange: Exchange) -> bytes:
        if len(exchange.reply_body) > 150 and exchange.path == "/m" and not cuts:
            cuts.append(board.flash.operations + 3)
            board.board.cut_power_at_flash_operation(cuts[0])
        return exchange.reply

    world.tap.change = cut_while_storing
    board.power_on()
    board.wait_for(lambda: bool(cuts) and not board.board.powered, 60, what="the cut")
    log = world.new_log()
    board.power_on()
    world.wait_logged(log, "new batches")
    world.terminal.set_coverage(False)
    merchant = without_network(world)
    merchant.sell(1, from_stock=True)
    merchant.sell(1, from_stock=True)
    back_online(world)
    nothing_lost(world, [debit_minor(1)] * 2)
