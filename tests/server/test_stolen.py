"""A terminal that was stolen, or away for too long: what the server makes of it and of the stock
that was on it. No voucher is ever sold twice.
"""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from tests.server.device import Device
from tests.server.shop import Shop
from tests.server.test_unsold_stock import block, fetch, give_back, sell_from, states
from updater_server import channels
from updater_server.__main__ import cli
from updater_server.channels.entry import EntryError
from updater_server.fleet import operators
from updater_server.sales import returns, stolen
from updater_server.store.engine import reading, writing

ON_BOTH_ENGINES = {
    "test_what_a_terminal_wiped_by_itself_comes_back_once_and_is_sold_to_somebody_else",
    "test_a_stolen_terminal_is_told_so_and_gets_nothing",
}


def report(shop: Shop, device: Device) -> list[str]:
    with writing(shop.service.engine) as connection:
        found = stolen.report(connection, device.terminal_id, "asha", shop.clock[0])
        return [place.serial for place in found]


def wipe(device: Device, batch: int, index: int) -> None:
    device.record(9, [batch, index, 1])


def test_a_stolen_terminal_is_told_so_and_gets_nothing(shop: Shop) -> None:
    device = shop.enrol()
    shop.stock_vault()
    there, waiting = shop.assign(device), shop.assign(device)
    serials = fetch(device, there)
    sell_from(device, there, 0)
    device.upload()
    assert report(shop, device) == serials[1:], "of what may be on it, with what was opened"
    assert report(shop, device) == serials[1:], "and again"
    reply = device.check_in()
    assert (reply[2], reply[5], reply[7], reply[11]) == (0, [], True, True)
    assert "stolen" in reply[4] and reply[6] == [there]
    assert states(shop, device) == ["sold", "next", "unopened"] + ["returned"] * 3, waiting
    block(shop, device, False)
    assert 11 not in device.check_in()
    assert shop.problems() == []


def test_what_a_stolen_terminal_wiped_waits_for_a_person(shop: Shop) -> None:
    device = shop.enrol()
    shop.stock_vault()
    batch = shop.assign(device)
    serials = fetch(device, batch)
    sell_from(device, batch, 0)
    report(shop, device)
    device.check_in()
    wipe(device, batch, 1)
    device.upload()
    device.check_in()
    assert states(shop, device) == ["sold", "next", "unopened"]
    assert 6 not in device.check_in(), "it is not told again to stop"
    assert give_back(shop, device, wiped=True, unused=[serials[1]], note="asked") == serials[1:]
    assert shop.problems() == []


def test_what_a_terminal_wiped_by_itself_comes_back_once_and_is_sold_to_somebody_else(
    shop: Shop,
) -> None:
    device, other = shop.enrol(), shop.enrol(2)
    shop.stock_vault(count=3)
    batch = shop.assign(device)
    serials = fetch(device, batch)
    sell_from(device, batch, 0)
    wipe(device, batch, 1)
    device.upload()
    assert states(shop, device) == ["sold", "returned", "returned"]
    assert shop.alarms() == ["stock_wiped"]
    wipe(device, batch, 1)  # it was cut while it wiped, and says it twice
    device.upload()
    assert sorted(other.sale(n)[3] for n in (1, 2)) == serials[1:]
    assert other.sale(3)[6] == "no_vouchers"
    assert shop.problems() == []


def test_as_many_vouchers_as_a_terminal_lost_records_wait_for_a_person(shop: Shop) -> None:
    device = shop.enrol()
    shop.stock_vault()
    batch = shop.assign(device)
    fetch(device, batch)
    sell_from(device, batch, 0)
    sale = device.record(2, ["air50", 5000, 250, batch, 1])
    device.journal[sale - 1] = b""  # and with it perhaps what it sold
    wipe(device, batch, 1)
    device.upload()
    assert states(shop, device) == ["sold", "next", "returned"]
    assert shop.problems() == []


def test_a_blocked_terminal_that_was_away_too_long_gives_nothing_back_by_itself(shop: Shop) -> None:
    device = shop.enrol()
    shop.stock_vault()
    batch = shop.assign(device)
    fetch(device, batch)
    block(shop, device)
    wipe(device, batch, 0)
    device.upload()
    assert states(shop, device) == ["next", "unopened", "unopened"]


def test_a_wiped_batch_of_somebody_else_changes_nothing(shop: Shop) -> None:
    device, other = shop.enrol(), shop.enrol(2)
    shop.stock_vault()
    batch = shop.assign(device)
    fetch(device, batch)
    wipe(other, batch, 0)
    other.upload()
    assert states(shop, device) == ["next", "unopened", "unopened"]


def test_a_server_that_takes_back_what_may_have_been_opened_is_caught(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(returns, "_used", lambda *_: ({}, -1, 0))
    with pytest.raises(AssertionError):
        test_as_many_vouchers_as_a_terminal_lost_records_wait_for_a_person(shop)


def test_who_reported_it_is_kept_and_the_serials_go_to_the_supplier(shop: Shop) -> None:
    device = shop.enrol()
    shop.stock_vault()
    batch = shop.assign(device)
    serials = fetch(device, batch)
    file = shop.folder / "void.csv"
    name = device.terminal_id.hex()
    words = ["terminal", "stolen", name, "--serials", str(file), "--by", "asha"]
    done = CliRunner().invoke(cli, [*words, "--data", str(shop.folder)])
    assert done.exit_code == 0 and "3 vouchers may be on it" in done.output
    lines = file.read_text().splitlines()
    assert lines[0] == "product,serial,expiry,state"
    assert [line.split(",")[1] for line in lines[1:]] == serials
    with reading(shop.service.engine) as connection:
        assert operators.newest(connection, name, 1)[0]["action"] == "stolen"


def test_no_stock_is_wiped_while_it_may_still_be_sold() -> None:
    rule = channels.OfflinePolicy(10000, 2, 20000, 259200, 259199)
    listed = channels.Catalogue(1, "KES", 2, [], rule)
    with pytest.raises(EntryError, match="wipe_after_s"):
        listed.check()
    rule = channels.OfflinePolicy(10000, 2, 20000, 259200)
    assert b"wipe" not in channels.Catalogue(1, "KES", 2, [], rule).encode(), "airtime for nothing"
