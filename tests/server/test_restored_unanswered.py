"""Sales whose answer a terminal did not have when its server was put back: whether it had counted
them or not, it agrees, and nobody has to be given up."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.server.device import Device
from tests.server.shop import Shop
from tests.server.test_restored import DEBIT, FLOAT, Town
from updater_server.sales import restoring


@pytest.fixture
def town(shop: Shop, tmp_path: Path) -> Town:
    return Town(shop, tmp_path)


def begins(device: Device) -> int:
    return device.record(3, ["air50", 5000, 250])


def tells(town: Town, device: Device, own_float_minor: int) -> str:
    """What it is said of a terminal that says so, and then all of its journal."""
    device.check_in(own_float=own_float_minor)
    device.upload()
    return town.states()[device.terminal_id.hex()]


@pytest.mark.parametrize("counted", [False, True], ids=["not counted", "counted"])
@pytest.mark.parametrize("forgot", [False, True], ids=["in the back-up", "forgotten"])
def test_a_sale_whose_answer_was_lost_keeps_no_terminal_from_agreeing(
    town: Town, forgot: bool, counted: bool
) -> None:
    device = town.shop.enrol(5)
    if forgot:
        copy = town.back_up()
    sequence = begins(device)
    device.sale(sequence)  # the answer is lost
    if not forgot:
        copy = town.back_up()
    town.put_back(copy)
    assert tells(town, device, FLOAT - DEBIT * counted) == "agreed"
    town.talk()
    town.decide(restoring.settle, False)
    first = device.sale(sequence)
    assert first[1] == 0 and device.sale(sequence) == first
    assert town.shop.float_of(device) == FLOAT - DEBIT
    assert town.shop.problems() == []


@pytest.mark.parametrize("store", ["sqlite", "postgresql"], indirect=True)
def test_of_two_sales_without_an_answer_a_terminal_may_have_counted_either(town: Town) -> None:
    device = town.shop.enrol(5)
    device.sale(begins(device))
    other = device.record(3, ["air50", 5000, 50])
    device.sale(other, commission=50)
    town.put_back(town.back_up())
    assert tells(town, device, FLOAT - 4950) == "agreed"


@pytest.mark.parametrize("wrong_minor", [1, -1, 2 * DEBIT])
def test_a_float_that_no_lost_answer_explains_differs(town: Town, wrong_minor: int) -> None:
    device = town.shop.enrol(5)
    device.sale(begins(device))
    town.put_back(town.back_up())
    assert tells(town, device, FLOAT - wrong_minor) == "its float differs"


def test_a_sale_whose_answer_the_terminal_has_is_counted(town: Town) -> None:
    device = town.shop.enrol(5)
    sequence = begins(device)
    reply = device.sale(sequence)
    device.record(4, [sequence, b"sealed", reply[3], reply[4], reply[5]])
    town.put_back(town.back_up())
    assert tells(town, device, FLOAT) == "its float differs"
