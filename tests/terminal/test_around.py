"""A whole terminal looked at by a technician, set to taste, and practised on."""

from __future__ import annotations

from firmware.drivers.keypad import KEYS
from tests.support.merchant import debit_minor, nothing_lost
from tests.terminal.conftest import MakeWorld


def test_a_technician_looks_at_a_terminal_and_a_cashier_practises_on_it(shop: MakeWorld) -> None:
    world = shop()
    terminal, merchant = world.terminal, world.merchant
    board = terminal.board
    world.wait_online()
    merchant.sign_in()
    # every part, by the parts themselves
    board.type("AA#")
    merchant.press("2", "Press each key once", timeout_s=60)
    board.type(KEYS)
    terminal.wait_shows("All dots light up", timeout_s=30)
    merchant.press("#")
    board.wait_for(lambda: all(all(row) for row in board.lcd_picture().rows), 10, what="all lit")
    merchant.press("#", "Was every dot lit?")
    merchant.press("#", "Battery", timeout_s=30)
    assert not terminal.shows("FAULT")
    merchant.press("B")
    assert not terminal.shows("FAULT")
    merchant.press("*", "3 SIM, network")
    merchant.press("3", "at home", timeout_s=30)
    merchant.press("*", "4 Print")
    merchant.press("4", "Reports, shift", timeout_s=60)
    terminal.wait_receipts(1)
    terminal.wait_shows("1 Versions")
    slip = terminal.receipts()[0].text
    assert "00C3 1A2B" in slip and "SERVICE SLIP" in slip and "FAULT" not in slip
    # sound off, picture stronger: at once, and after a power cut
    merchant.press("*", "Menu")
    board.type("AAA#")
    merchant.press("2", "4 / 5")
    merchant.press("A", "5 / 5")
    merchant.press("#", "Menu")
    assert board.call(lambda: board.board.lcd.contrast) == 0xFF
    board.type("AAA#")
    merchant.press("1", "3 Silent")
    merchant.press("3", "Menu")
    board.power_cycle()
    world.wait_online()
    heard = len(board.board.buzzer.tones)
    merchant.sign_in()
    assert board.call(lambda: board.board.lcd.contrast) == 0xFF
    assert len(board.board.buzzer.tones) == heard, "not even a key is heard"
    # practised, then sold
    board.type("A#")
    merchant.press("#", "1 Sell airtime")
    merchant.press("1", "Sell what?")
    merchant.press("1", "WORTH NOTHING")
    merchant.press("#", "Tear the slip up", timeout_s=60)
    terminal.wait_receipts(2)
    assert "XXXX" in terminal.receipts()[1].text
    merchant.press("#", "1 Sell airtime")
    merchant.press("*", "Your PIN, then #")
    nothing_lost(world, [])
    merchant.sign_in()
    merchant.sell()
    nothing_lost(world, [debit_minor(1)])
