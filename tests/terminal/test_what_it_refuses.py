"""Prices, settings and vouchers at and beyond the bounds, end to end: the terminal goes on selling
with what worked, and the office reads what it refused.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from typing import Any

import msgspec
import pytest

from tests.formats import documents
from tests.support.merchant import debit_minor, nothing_lost
from tests.support.world import PRICES, SERVER_NAME, SERVER_PORT, SILENT
from tests.terminal.conftest import MakeWorld, TerminalWorld
from tools import oracle
from tools.technician import custody
from tools.technician.log import Job
from tools.technician.progress import on_each_port
from updater_server import channels
from updater_server.wire import limits


def longest_prices() -> channels.Catalogue:
    """As many products as may be, in nearly as many bytes, dated with day and time."""
    more = [
        channels.Product(f"data-{n}", f"Data {n} MB", "Savanna", 5000, 250, "x" * 40, [4] * 4)
        for n in range(limits.PRODUCTS[1] - len(PRICES.products))
    ]
    first = [msgspec.structs.replace(p, instructions="Dial. " + "y" * 194) for p in PRICES.products]
    return msgspec.structs.replace(PRICES, version=202611261430, products=[*first, *more])


@pytest.mark.micropython
def test_the_longest_price_list_is_sold_from_after_a_restart(make_world: MakeWorld) -> None:
    world = make_world()
    prices = longest_prices()
    assert len(prices.encode()) > 10_000
    log = world.new_log()
    world.open_shop()
    world.wait_online()
    world.manager.set_prices(prices)
    world.manager.publish()
    world.wait_logged(log, "new catalogue")
    log = world.new_log()
    world.terminal.board.power_cycle()
    world.wait_online()
    world.merchant.sign_in()
    world.merchant.press("1", "Sell what?")
    world.terminal.board.type("2#")  # 20 could still be meant: # says that it was not
    world.terminal.wait_shows("Sell Savanna 100?", timeout_s=30)
    world.merchant.press("#", "Sold", timeout_s=60)
    world.terminal.wait_receipts(1)
    world.merchant.leave_sale()
    nothing_lost(world, [debit_minor(2)])


def _spoil_settings(world: TerminalWorld, monkeypatch: pytest.MonkeyPatch, **changes: Any) -> None:
    """A technician with a tool that does not look writes settings that no terminal can use."""
    port = world.terminal.board.serial_port
    table = documents.settings(
        server={"host": SERVER_NAME, "port": SERVER_PORT}, poll_s=1, sync_s=1, **changes
    )
    monkeypatch.setattr(oracle, "check_settings", lambda told: json.dumps(told).encode())
    office = custody.Office(world.server.url, world.token)
    with world.cable():
        result = on_each_port(
            [port],
            lambda name, row: custody.bring_settings(
                name, table, office, Job("configure", name), row
            ),
            SILENT,
        )[port]
    assert "keeps the old" in str(result)


def test_settings_that_it_cannot_use_leave_the_last_ones_and_are_told(
    make_world: MakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = make_world()
    world.open_shop()
    world.wait_online()
    _spoil_settings(world, monkeypatch, apn="a" * 100)
    world.wait_online()
    world.eventually(lambda: "file_refused" in world.books.alarms(), 60, "an alarm")
    told = json.loads(world.books.check_in()["refused_files"])
    assert told == [["config.json", "apn: not within 0..60 bytes"]]
    world.merchant.sign_in()
    world.merchant.sell()
    nothing_lost(world, [debit_minor(1)], alarms=["file_refused"])


@pytest.mark.micropython
def test_the_largest_batch_comes_and_is_sold_from(make_world: MakeWorld) -> None:
    world = make_world()
    rows = [f"air50,{n:032d},{'S' * 30}{n:010d},0" for n in range(60)]
    file = world.folder / "long.csv"
    file.write_text("\n".join(["product,pin,serial,expiry", *rows, ""]))
    # such long PINs look wrong, so the server wants to hear that just these are meant
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    world.server.command("vouchers", "import", str(file), "--sha256", digest)
    with sqlite3.connect(world.server.database) as database:  # only these are free
        database.execute(
            "UPDATE voucher SET free = 0 WHERE free AND product_id = 'air50' "
            "AND serial NOT LIKE 'SSS%'"
        )
        database.execute(
            "INSERT INTO voucher_aside SELECT id, 'twin', 'test', 1 FROM voucher WHERE free = 0 "
            "AND id NOT IN (SELECT voucher_id FROM voucher_assignment)"
        )
    for count in (60, 47):
        try:
            world.assign_stock("air50", count)
        except AssertionError as error:
            assert count == 60 and "assign 47" in str(error)
    log = world.new_log()
    world.open_shop()
    world.wait_logged(log, "1 new batches")
    assert "Memory" not in log()


def test_vouchers_that_it_could_not_take_are_passed_over_and_stock_still_comes(
    make_world: MakeWorld,
) -> None:
    world = make_world()
    with sqlite3.connect(world.server.database) as database:
        database.execute("DROP TRIGGER voucher_forward")
        database.execute(
            "UPDATE voucher SET expires_at = 253402300799 WHERE product_id = 'air50' AND free"
        )
        database.execute(
            "UPDATE voucher SET expires_at = 0 WHERE id = (SELECT MAX(id) FROM voucher "
            "WHERE product_id = 'air50' AND free)"
        )
    world.open_shop()
    world.wait_online()
    world.merchant.sign_in()
    world.merchant.sell()
    nothing_lost(world, [debit_minor(1)], alarms=["voucher_unfit"])
    log = world.new_log()
    world.assign_stock("air100", 2)
    world.wait_logged(log, "1 new batches")
