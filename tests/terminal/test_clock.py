"""A clock that is wrong at the terminal costs no sale and dates none before what is known."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from hw_sim.rtc import RealTimeClock
from tests.support.merchant import debit_minor, nothing_lost
from tests.terminal.conftest import MakeWorld
from updater_server.wire.journal_record import Record


def lose_its_cell(rtc: RealTimeClock) -> None:
    rtc.cell_ok = False


def run_back_a_day(rtc: RealTimeClock) -> None:
    rtc.shift(-86_400)


@pytest.mark.parametrize("mishap", [lose_its_cell, run_back_a_day])
def test_with_a_clock_set_back_it_sells_on_and_dates_no_sale_before_the_last(
    shop: MakeWorld, mishap: Callable[[RealTimeClock], None]
) -> None:
    world = shop()
    world.wait_online()
    merchant, board = world.merchant, world.terminal.board
    merchant.sign_in()
    merchant.sell()
    board.power_off()
    board.call(mishap, board.board.rtc)
    world.terminal.set_coverage(False)
    board.power_on()
    merchant.sign_in()
    merchant.sell(from_stock=True)
    world.terminal.set_coverage(True)
    world.wait_online()
    merchant.sell()
    nothing_lost(world, [debit_minor(1)] * 3)
    rows = world.books.rows("select raw from journal_record order by sequence")
    times = [Record.parse(row["raw"]).time for row in rows]
    assert len(times) >= 6
    assert times == sorted(times)
