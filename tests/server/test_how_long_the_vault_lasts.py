"""Somebody is told while there is still time to order."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from tests.server.device import Device
from tests.server.shop import Shop
from updater_server.__main__ import cli
from updater_server.sales import forecast
from updater_server.sales.forecast import Lasting
from updater_server.store.engine import reading, writing

DAY_S = 86400


def sell(shop: Shop, device: Device, count: int, first: int = 1) -> None:
    """Spread over a day."""
    for n in range(count):
        assert device.sale(first + n)[1] == 0
        shop.clock[0] += DAY_S // count


def watch(shop: Shop) -> list[str]:
    with writing(shop.service.engine) as connection:
        forecast.watch(connection, shop.clock[0])
    return [code for code in shop.alarms() if code == "low_stock"]


def test_a_product_that_runs_low_is_an_alarm_until_a_delivery_comes(shop: Shop) -> None:
    device = shop.enrol(float_minor=1_000_000)
    shop.stock_vault(count=30)
    sell(shop, device, 14)
    assert watch(shop) == []  # 16 left at 2 a day
    sell(shop, device, 11, first=15)
    assert watch(shop) == ["low_stock"]  # 5 left at 3.6 a day
    assert watch(shop) == ["low_stock"]
    shop.stock_vault(count=10, start=500)
    assert watch(shop) == []


def test_what_nobody_buys_lasts_for_ever_and_old_sales_count_no_more(shop: Shop) -> None:
    device = shop.enrol(float_minor=1_000_000)
    shop.stock_vault(count=10)
    sell(shop, device, 9)
    assert watch(shop) == ["low_stock"]
    shop.clock[0] += forecast.LOOK_BACK_DAYS * DAY_S
    assert watch(shop) == []
    with reading(shop.service.engine) as connection:
        assert forecast.look(connection, shop.clock[0]) == [Lasting("air50", 1, 0.0)]


def test_stock_that_went_to_terminals_has_left_the_vault(shop: Shop) -> None:
    device = shop.enrol()
    shop.stock_vault(count=10)
    shop.assign(device, count=7)
    with reading(shop.service.engine) as connection:
        (found,) = forecast.look(connection, shop.clock[0])
    assert (found.free, found.a_day, found.days) == (3, 1.0, 3.0)


@pytest.mark.parametrize(("free", "a_day", "low"), [(0, 1, True), (2, 1, True), (3, 1, False)])
def test_three_days_are_enough_to_order(free: int, a_day: float, low: bool) -> None:
    assert Lasting("x", free, a_day).is_low is low


def test_the_operator_sees_it_at_a_glance(shop: Shop) -> None:
    device = shop.enrol()
    shop.stock_vault(count=10)
    sell(shop, device, 9)
    shop.service.engine.dispose()
    result = CliRunner(env={"COLUMNS": "80"}).invoke(
        cli, ["vouchers", "forecast", "--data", str(shop.folder)]
    )
    assert result.exit_code == 0, result.output
    assert "air50" in result.output
