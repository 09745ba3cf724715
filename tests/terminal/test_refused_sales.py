"""Sales that the server or the terminal refuses: the merchant reads why, and nothing is booked."""

from __future__ import annotations

from functools import partial

import msgspec

from tests.support.merchant import FLOAT_MINOR, debit_minor, nothing_lost
from tests.support.world import PRICES
from tests.terminal.conftest import STOCK, VOUCHERS, MakeWorld, TerminalWorld


def at_the_counter(shop: MakeWorld, state: str = "calm") -> TerminalWorld:
    """Signed in, the network up, nothing more to be fetched."""
    world = shop(state)
    world.wait_online()
    world.merchant.sign_in()
    return world


def new_prices(world: TerminalWorld, **changes: object) -> None:
    world.manager.set_prices(msgspec.structs.replace(PRICES, version=2, **changes))
    world.manager.publish()


def heard_after(world: TerminalWorld, second: int) -> bool:
    return int(world.books.check_in()["at"]) > second


def after_restart(world: TerminalWorld, *debits: int) -> None:
    """What a terminal tells when it starts again agrees with the ledger."""
    world.terminal.board.power_cycle()
    nothing_lost(world, debits)


def test_a_product_that_was_withdrawn_meanwhile_is_not_sold(shop: MakeWorld) -> None:
    world = at_the_counter(shop)
    new_prices(world, products=PRICES.products[:1])
    world.merchant.is_refused("This product is not sold", product=2)
    world.merchant.sell(1)
    after_restart(world, debit_minor(1))


def test_a_withdrawn_product_leaves_the_menu_with_the_next_poll(shop: MakeWorld) -> None:
    world = at_the_counter(shop, "ready")
    log = world.new_log()
    new_prices(world, products=PRICES.products[:1])
    world.wait_logged(log, "new catalogue")
    world.merchant.press("1", "Sell what?")
    world.terminal.wait_shows("Savanna 50")
    assert not world.terminal.shows("Savanna 100")


def test_a_price_that_changed_meanwhile_is_never_charged(shop: MakeWorld) -> None:
    world = at_the_counter(shop)
    dearer = msgspec.structs.replace(PRICES.products[0], amount_minor=6000)
    new_prices(world, products=[dearer, PRICES.products[1]])
    world.merchant.is_refused("The price has changed")
    after_restart(world)
    world.merchant.sign_in()
    world.terminal.wait_log("new catalogue")
    world.merchant.choose(1)
    world.terminal.wait_shows("KES 60.00")  # the new price came by itself


def test_without_float_the_server_refuses_what_the_terminal_thinks_it_can_sell(
    shop: MakeWorld,
) -> None:
    world = at_the_counter(shop)
    world.pay_back(FLOAT_MINOR - 1000)
    world.merchant.is_refused("Your float is too low.")
    assert world.books.debits_minor() == []
    assert world.books.float_minor() == 1000
    assert world.terminal.receipts() == []


def test_a_terminal_that_knows_its_float_is_spent_does_not_even_ask(shop: MakeWorld) -> None:
    world = at_the_counter(shop, "ready")
    world.pay_back(FLOAT_MINOR - 1000)
    nothing_lost(world, [], float_minor=1000)
    asked = len(world.books.rows("select * from sale"))
    world.merchant.is_refused("Your float is too low.")
    assert len(world.books.rows("select * from sale")) == asked


def test_an_empty_vault_sells_nothing_and_tells_the_operator(shop: MakeWorld) -> None:
    world = at_the_counter(shop)
    world.assign_stock("air100", VOUCHERS - STOCK["air100"])
    world.merchant.is_refused("The operator has", product=2)
    assert world.books.alarms() == ["no_vouchers"]
    world.merchant.sell(1)
    world.terminal.board.power_cycle()
    nothing_lost(world, [debit_minor(1)], alarms=["no_vouchers"])


def test_a_blocked_terminal_sells_nothing_until_it_is_let_go(shop: MakeWorld) -> None:
    world = at_the_counter(shop)
    world.server.command("terminal", "block", world.terminal_id)
    world.merchant.is_refused("This terminal is blocked.")
    world.server.command("terminal", "unblock", world.terminal_id)
    world.merchant.sell()
    after_restart(world, debit_minor(1))


def test_what_the_server_has_to_say_reaches_the_merchant(shop: MakeWorld) -> None:
    world = at_the_counter(shop, "ready")
    world.server.command("terminal", "text", world.terminal_id, "Closed on Friday")
    for _ in range(2):
        seen = world.books.check_in()["at"]
        world.eventually(partial(heard_after, world, seen), what="a check-in")
    world.merchant.press("5", "Messages")
    world.terminal.wait_shows("Closed on Friday")


def test_a_deposit_is_a_notice_that_stays_until_it_is_read_and_is_there_once(
    shop: MakeWorld,
) -> None:
    world = at_the_counter(shop, "ready")
    world.deposit(250_000)
    for _ in range(3):
        seen = world.books.check_in()["at"]
        world.eventually(partial(heard_after, world, seen), what="a check-in")
    world.terminal.board.power_cycle()
    world.merchant.sign_in()
    for _ in range(3):
        world.merchant.press("B")
    world.merchant.press("B", "5 Messages @1")
    world.merchant.press("#", "2 500.00")
    world.merchant.press("1", "Deposit")
    world.merchant.press("#")
    (slip,) = world.terminal.wait_receipts(1)
    assert "2 500.00" in slip.text and "Float after it" in slip.text
    world.merchant.press("*", "Menu")
    world.eventually(lambda: not world.terminal.shows("@"), what="no sign any more")


def test_a_stolen_terminal_says_so_holds_no_stock_and_sells_again_if_it_was_a_mistake(
    shop: MakeWorld,
) -> None:
    world = at_the_counter(shop, "ready")
    said = world.server.command("terminal", "stolen", world.terminal_id)
    assert f"{sum(STOCK.values())} vouchers may be on it" in said
    world.terminal.wait_log("stock wiped", 120)
    world.terminal.wait_shows("stolen. It sells", timeout_s=200)  # once who was signed in is out
    world.terminal.board.power_cycle()
    world.terminal.wait_shows("stolen. It sells", timeout_s=120)
    world.server.command("terminal", "unblock", world.terminal_id)
    world.terminal.wait_shows("Your PIN", timeout_s=600)
    world.merchant.sign_in()
    world.merchant.sell()
    shown = world.server.command("stock", "show", world.terminal_id)
    assert "unopened" in shown and "sold" not in shown
    nothing_lost(world, [debit_minor(1)], alarms=["stock_wiped"] * 2)
