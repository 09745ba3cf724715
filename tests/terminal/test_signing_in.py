"""The merchant's PIN, on the whole terminal."""

from __future__ import annotations

from tests.support.merchant import debit_minor, nothing_lost
from tests.terminal.conftest import MakeWorld


def test_a_wrong_pin_opens_nothing_and_the_lock_outlasts_a_power_cut(shop: MakeWorld) -> None:
    world = shop()
    terminal, merchant = world.terminal, world.merchant
    for left in ("2", "1"):
        terminal.wait_shows("Your PIN, then #", timeout_s=30)
        terminal.board.type("9999#")
        terminal.wait_shows("Wrong PIN")
        terminal.wait_shows("pause: " + left)
        merchant.press("#")
    terminal.wait_shows("Your PIN, then #")
    terminal.board.type("9999#")
    terminal.wait_shows("Please wait")
    terminal.board.power_cycle()
    terminal.wait_shows("Please wait", timeout_s=30)
    terminal.board.type("2580#")
    assert terminal.shows("Please wait"), "not even the right PIN ends the pause"
    nothing_lost(world, [])


def test_after_wrong_pins_the_right_one_still_sells(shop: MakeWorld) -> None:
    world = shop()
    terminal, merchant = world.terminal, world.merchant
    terminal.wait_shows("Your PIN, then #", timeout_s=30)
    terminal.board.type("1#")
    terminal.wait_shows("Wrong PIN")
    merchant.press("#")
    merchant.sign_in()
    world.wait_online()
    merchant.sell()
    nothing_lost(world, [debit_minor(1)])
