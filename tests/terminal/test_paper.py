"""Paper that is not there, runs out, or is printed by a head that never answers."""

from __future__ import annotations

from collections.abc import Callable

from tests.support.merchant import Merchant, debit_minor, nothing_lost, pin_on
from tests.terminal.conftest import MakeWorld, TerminalWorld


def at_the_menu(world: TerminalWorld) -> Merchant:
    world.wait_online()
    world.merchant.sign_in()
    return world.merchant


def at_printer(world: TerminalWorld, act: Callable[..., None], *arguments: float) -> None:
    world.terminal.board.call(act, *arguments)


def test_no_sale_is_begun_without_paper_and_it_goes_on_when_there_is(shop: MakeWorld) -> None:
    world = shop()
    merchant, printer = at_the_menu(world), world.terminal.printer
    at_printer(world, printer.run_out_of_paper)
    merchant.press("1", "Sell what?")
    merchant.press("1", "No paper")
    world.terminal.wait_shows("Nothing was sold.")
    assert world.books.debits_minor() == []
    at_printer(world, printer.load_paper)
    merchant.press("#", "Sell Savanna 50?")
    merchant.press("#", "Sold")
    world.terminal.wait_receipts(1)
    nothing_lost(world, [debit_minor(1)])


def test_an_open_cover_is_named_and_nothing_is_sold(shop: MakeWorld) -> None:
    world = shop()
    merchant = at_the_menu(world)
    at_printer(world, world.terminal.printer.open_cover)
    merchant.press("1", "Sell what?")
    merchant.press("1", "Close the printer")
    merchant.press("*", "Menu")
    nothing_lost(world, [])


def test_paper_that_ends_in_a_voucher_is_answered_with_a_duplicate(shop: MakeWorld) -> None:
    world = shop()
    merchant, printer = at_the_menu(world), world.terminal.printer
    merchant.choose()
    at_printer(world, printer.set_paper_left, 30)
    merchant.press("#", "Not printed", timeout_s=60)
    world.terminal.wait_shows("Paper ran out.")
    torn = world.terminal.receipts()[-1]
    assert "Thank you" not in torn.text
    at_printer(world, printer.load_paper)
    merchant.press("#", "Sold", timeout_s=60)
    # what the printer still had of the original comes first
    world.eventually(lambda: world.terminal.receipts()[-1].text.count("DUPLICATE") == 2)
    copy = world.terminal.receipts()[-1]
    assert pin_on(copy).startswith(pin_on(torn))
    merchant.press("#", "Menu")
    nothing_lost(world, [debit_minor(1)])


def test_a_power_cut_with_the_paper_out_still_leaves_the_voucher(shop: MakeWorld) -> None:
    world = shop()
    merchant, printer = at_the_menu(world), world.terminal.printer
    merchant.choose()
    at_printer(world, printer.set_paper_left, 30)
    merchant.press("#", "Not printed", timeout_s=60)
    world.terminal.board.power_off()
    at_printer(world, printer.load_paper)
    world.terminal.board.power_on()
    world.terminal.wait_shows("Sales to finish: 1.", timeout_s=60)
    world.terminal.board.type("2580#")
    world.terminal.wait_shows("Sale was cut")
    merchant.press("#", "Sold", timeout_s=60)
    assert "DUPLICATE" in world.terminal.wait_receipts(2)[-1].text
    nothing_lost(world, [debit_minor(1)])


def test_a_mute_printer_sells_but_the_merchant_is_asked_to_look(shop: MakeWorld) -> None:
    world = shop(printer={"mute": True})
    merchant = at_the_menu(world)
    merchant.start_sale()
    world.terminal.wait_shows("Sold", timeout_s=60)
    world.terminal.wait_shows("Check the receipt.")
    world.terminal.wait_receipts(1)
    nothing_lost(world, [debit_minor(1)])
