"""Deliveries and stock of a time that a restore forgot: no voucher of them is sold twice."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import update
from typer.testing import CliRunner

from firmware.sales.sale import SaleRefused
from tests.server.device import Device
from tests.server.shop import NOW, Shop, voucher_csv
from tests.server.test_restored import Town
from updater_server.__main__ import cli
from updater_server.sales import batches, incoming, restoring
from updater_server.store.engine import writing
from updater_server.store.tables import voucher

pytestmark = pytest.mark.parametrize("store", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture
def town(shop: Shop, tmp_path: Path) -> Town:
    return Town(shop, tmp_path)


def everything_sold(town: Town) -> None:
    with writing(town.shop.service.engine) as connection:
        connection.execute(update(voucher).values(free=False))


def deliver(town: Town, count: int, start: int, never_here: bool = False) -> None:
    with writing(town.shop.service.engine) as connection:
        text = voucher_csv("air50", range(start, start + count))
        key = town.shop.service.key
        incoming.import_csv(connection, key, text, NOW, never_here=never_here)


def sells(device: Device) -> str:
    """The PIN of its next sale, or the code of what it was refused for."""
    reply = device.sale(device.record(3, ["air50", 5000, 250]))
    return str(reply[2] if reply[1] == 0 else reply[6])


def test_a_delivery_that_is_brought_in_again_waits_until_all_have_told_what_they_sold_of_it(
    town: Town,
) -> None:
    other = town.shop.enrol(5)
    everything_sold(town)
    copy = town.back_up()
    deliver(town, 2, 500)
    sold = sells(other)
    town.put_back(copy)
    town.talk()
    deliver(town, 2, 500)
    assert town.till.sell_online() == "no_vouchers", "the other one may have sold any of them"
    deliver(town, 1, 900, never_here=True)
    assert town.till.sell_online() == "", "nobody can have sold this one"
    town.decide(restoring.give_up, other.terminal_id)
    town.decide(restoring.settle, False)
    assert town.till.sell_online() == "no_vouchers", "it never told"
    assert sold not in town.given()


def test_a_sale_of_a_forgotten_delivery_is_neither_voided_nor_in_the_way_when_it_comes_in_again(
    town: Town,
) -> None:
    everything_sold(town)
    copy = town.back_up()
    deliver(town, 3, 500)
    assert town.till.sell_online() == ""
    [pin] = town.given()
    town.talk()
    town.put_back(copy)
    town.talk()
    before = town.shop.float_of(town.device)
    [(sequence, time)] = town.shop.sql("SELECT sequence, terminal_time FROM sale")
    asks = Device(town.device.terminal_id, town.device.key, town.shop.post)
    asks.boot_count = 50
    content = {0: 2, 1: sequence, 2: "air50", 3: 5000, 4: time, 20: 250}
    assert asks.post(content)[0] == 503, "the customer has it, and its delivery is not here"
    assert town.shop.float_of(town.device) == before
    deliver(town, 3, 500)
    status, reply = asks.post(content)
    assert (status, reply[1], reply[2]) == (200, 0, pin)
    assert town.shop.sql("SELECT COUNT(*) FROM voucher WHERE free") == [(2,)]
    town.decide(restoring.settle, False)
    new = town.shop.enrol(6)
    assert len({pin, sells(new), sells(new)}) == 3
    assert sells(new) == "no_vouchers"
    assert "sale_voided" not in town.shop.alarms()


def test_stock_that_was_taken_back_in_a_forgotten_time_is_not_offered_again(town: Town) -> None:
    """Its vouchers went to others since."""
    away = town.shop.enrol(5)
    everything_sold(town)
    deliver(town, 2, 500)
    batch = town.shop.assign(away, count=2)
    copy = town.back_up()
    with writing(town.shop.service.engine) as connection:
        batches.recall(connection, batch, "asha", NOW)
    assert town.till.sell_online() == ""
    town.talk()
    town.put_back(copy)
    assert away.ask({0: 4, 1: batch})[1] == "unknown_batch", "not before all have told"
    town.talk()
    town.decide(restoring.give_up, away.terminal_id)
    town.decide(restoring.settle, True)
    assert away.ask({0: 4, 1: batch})[1] == "unknown_batch"
    assert "voucher_twice" in town.shop.alarms()


def test_stock_that_nobody_took_back_is_offered_again_after_the_restore(town: Town) -> None:
    town.shop.assign(town.device, count=2)
    copy = town.back_up()
    town.put_back(copy)
    town.talk()
    with pytest.raises(SaleRefused, match="no_stock"):
        town.till.sell_offline()
    assert set(town.states().values()) == {"agreed"}
    town.decide(restoring.settle, False)
    town.talk()
    town.till.sell_offline()
    assert town.given()
    assert town.shop.problems() == []


@pytest.mark.parametrize(("option", "is_told"), [([], True), (["--never-here"], False)])
def test_who_brings_a_delivery_in_while_a_restore_is_open_is_told_that_it_waits(
    town: Town, tmp_path: Path, option: list[str], is_told: bool
) -> None:
    town.put_back(town.back_up())
    file = tmp_path / "d.csv"
    file.write_text(voucher_csv("air50", range(900, 950)))
    words = ["vouchers", "import", str(file), "--yes", *option, "--data", str(town.shop.folder)]
    done = CliRunner(env={"COLUMNS": "80"}).invoke(cli, words)
    assert done.exit_code == 0, done.stderr
    assert ("they wait until it is" in " ".join(done.stdout.split())) == is_told
