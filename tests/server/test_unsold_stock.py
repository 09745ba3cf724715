"""A blocked terminal gets nothing worth money; what nobody will sell comes back, once."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError

from tests.server.device import Device
from tests.server.shop import NOW, Shop
from updater_server.errors import InputError
from updater_server.faces import messages
from updater_server.fleet import terminals
from updater_server.sales import batches, returns, stock
from updater_server.store.engine import reading, writing
from updater_server.wire.journal_record import RecordKind

ON_BOTH_ENGINES = {
    "test_stock_may_come_and_go_many_times_and_each_voucher_is_sold_once",
    "test_a_voucher_that_was_passed_over_is_named_and_comes_back_on_a_persons_word",
    "test_a_terminal_that_sells_what_came_back_is_an_alarm_and_fails_the_check",
    "test_the_database_lets_only_an_unsold_voucher_come_back_once",
}


def block(shop: Shop, device: Device, blocked: bool = True) -> None:
    with writing(shop.service.engine) as connection:
        terminals.set_blocked(connection, device.terminal_id, blocked)


def fetch(device: Device, batch: int) -> list[str]:
    """Store and confirm a batch; its serials by index."""
    file = device.ask({0: 4, 1: batch})[1]
    assert device.ask({0: 5, 1: batch, 2: hashlib.sha256(file).digest()})[1] is True
    return [serial for serial, _ in device.open_stock(file)]


def sell_from(device: Device, batch: int, index: int) -> int:
    sale = device.record(2, ["air50", 5000, 250, batch, index])
    device.record(6, [sale, 1])
    return sale


def states(shop: Shop, device: Device) -> list[str]:
    with reading(shop.service.engine) as connection:
        return [place.state for place in returns.places(connection, device.terminal_id)]


def give_back(shop: Shop, device: Device, **options: Any) -> list[str]:
    with writing(shop.service.engine) as connection:
        came = returns.give_back(
            connection, device.terminal_id, "asha", options.pop("note", ""), NOW, **options
        )
    return [place.serial for place in came]


# --- blocked ---


def test_a_blocked_terminal_gets_no_sale_no_stock_and_no_float(shop: Shop) -> None:
    device = shop.enrol()
    shop.stock_vault()
    before, other = shop.assign(device), shop.assign(device)
    fetch(device, before)
    block(shop, device)
    shop.top_up(device, 5000, "booked by the bank all the same")
    reply = device.check_in(own_float=100_000)
    assert (reply[2], reply[5]) == (0, [])
    assert "blocked" in reply[4]
    assert device.sale(50)[6] == "blocked"
    assert device.ask({0: 4, 1: other})[1] == "blocked"
    assert device.ask({0: 4, 1: before})[1] == "blocked"
    with pytest.raises(InputError, match="blocked"):
        shop.assign(device)
    assert shop.problems() == []


def test_what_a_blocked_terminal_sold_is_booked_and_after_unblocking_all_comes(shop: Shop) -> None:
    device = shop.enrol()
    shop.stock_vault()
    batch, other = shop.assign(device), shop.assign(device)
    fetch(device, batch)
    sale = device.record(3, ["air50", 5000, 250])
    answer = device.sale(sale)
    sell_from(device, batch, 0)
    block(shop, device)
    assert device.sale(sale) == answer  # it was answered, debited, and is owed
    device.record(4, [sale, b"sealed", answer[3], 0, answer[5]])
    assert device.upload() == {0: 3, 1: 4, 2: 0, 7: True}
    assert shop.float_of(device) == 90_500
    device.check_in(own_float=0)
    device.check_in(own_float=0)
    assert shop.alarms() == []
    block(shop, device, False)
    reply = device.check_in(own_float=0)
    assert (reply[2], reply[4], reply[5]) == (90_500, None, [other])
    device.check_in(own_float=90_500)
    assert len(fetch(device, other)) == 3
    assert shop.alarms() == []
    assert shop.problems() == []


def test_debts_of_a_blocked_terminal_are_told(shop: Shop) -> None:
    device = shop.enrol(float_minor=0)
    shop.stock_vault()
    batch = shop.assign(device)
    sell_from(device, batch, 0)
    device.upload()
    block(shop, device)
    assert device.check_in()[2] == -4750


@pytest.mark.parametrize("guard", ["float", "stock"])
def test_a_server_that_forgets_a_guard_is_caught(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, guard: str
) -> None:
    if guard == "float":
        monkeypatch.setattr(messages, "_float_told", lambda c, t, _: 100_000)
    else:
        monkeypatch.setattr(stock, "is_blocked", lambda *_: False)
    with pytest.raises(AssertionError):
        test_a_blocked_terminal_gets_no_sale_no_stock_and_no_float(shop)


# --- back to the vault ---


def test_a_batch_that_never_left_the_server_comes_back_whole_and_is_sold_again(shop: Shop) -> None:
    device, other = shop.enrol(1), shop.enrol(2)
    shop.stock_vault(count=3)
    batch = shop.assign(device)
    assert other.sale(1)[6] == "no_vouchers"
    assert len(give_back(shop, device)) == 3
    assert give_back(shop, device) == []
    assert device.check_in()[5] == []
    assert device.ask({0: 4, 1: batch})[1] == "unknown_batch"
    assert [other.sale(n)[1] for n in (2, 3, 4)] == [0, 0, 0]
    assert states(shop, device) == ["returned"] * 3
    assert shop.problems() == []


def test_stock_may_come_and_go_many_times_and_each_voucher_is_sold_once(shop: Shop) -> None:
    shop.stock_vault(count=2)
    for number in range(1, 5):
        device = shop.enrol(number)
        shop.assign(device, count=2)
        assert len(give_back(shop, device)) == 2
        assert shop.problems() == []
    last = shop.enrol(9)
    assert len({last.sale(1)[3], last.sale(2)[3]}) == 2
    assert last.sale(3)[6] == "no_vouchers"
    assert shop.problems() == []


def test_what_was_fetched_stays_until_the_terminal_is_wiped_and_its_journal_is_here(
    shop: Shop,
) -> None:
    device = shop.enrol()
    shop.stock_vault(count=9)
    batch = shop.assign(device, count=6)
    serials = fetch(device, batch)
    sell_from(device, batch, 0)
    device.upload()
    assert states(shop, device) == ["sold", "next", *["unopened"] * 4]
    assert give_back(shop, device) == []
    with pytest.raises(InputError, match="not blocked"):
        give_back(shop, device, wiped=True)
    block(shop, device)
    with pytest.raises(InputError, match="journal"):
        give_back(shop, device, wiped=True)
    sell_from(device, batch, 1)
    sold = device.record(RecordKind.SETTLED, [len(device.journal), 90_500, 0, 0, 0, 0]) - 1
    device.check_in(_10=[1, sold + 2, sold + 1])
    with pytest.raises(InputError, match="journal"):
        give_back(shop, device, wiped=True)
    device.upload(last=sold)
    assert give_back(shop, device, wiped=True) == serials[3:]
    assert states(shop, device) == ["sold", "sold", "next", *["returned"] * 3]
    assert give_back(shop, device, wiped=True) == []
    assert shop.problems() == []


def test_a_voucher_that_was_passed_over_is_named_and_comes_back_on_a_persons_word(
    shop: Shop,
) -> None:
    device, other = shop.enrol(1), shop.enrol(2)
    shop.stock_vault(count=4)
    batch = shop.assign(device, count=4)
    serials = fetch(device, batch)
    sell_from(device, batch, 0)
    sell_from(device, batch, 2)
    device.upload()
    assert states(shop, device) == ["sold", "passed", "sold", "next"]
    with reading(shop.service.engine) as connection:
        assert returns.passed_counts(connection) == {device.terminal_id: 1}
    assert give_back(shop, device) == []
    with pytest.raises(InputError, match="note"):
        give_back(shop, device, unused=[serials[1]])
    for sold_or_next in (serials[0], serials[3], "NONE"):
        with pytest.raises(InputError):
            give_back(shop, device, unused=[sold_or_next], note="Savanna says so")
    word = {"unused": [serials[1]], "note": "Savanna says so, ticket 7"}
    assert give_back(shop, device, **word) == [serials[1]]
    assert give_back(shop, device, **word) == []
    with reading(shop.service.engine) as connection:
        assert returns.passed_counts(connection) == {}
    assert other.sale(1)[3] == serials[1]
    assert other.sale(2)[6] == "no_vouchers"
    assert shop.sql("SELECT returned_by, note FROM stock_return") == [("asha", word["note"])]
    assert shop.problems() == []


def test_each_lost_record_may_have_been_a_sale_of_what_comes_next(shop: Shop) -> None:
    device = shop.enrol()
    shop.stock_vault(count=6)
    batch = shop.assign(device, count=6)
    fetch(device, batch)
    sell_from(device, batch, 0)
    sell_from(device, batch, 1)
    device.record(1, [2, 1, "power-on"])
    device.ask({0: 3, 1: [*device.journal[:2], b"", b"", device.journal[-1]]})
    assert states(shop, device) == ["sold", *["next"] * 3, *["unopened"] * 2]


def test_a_voucher_that_did_not_open_on_the_terminal_waits_for_a_persons_word(shop: Shop) -> None:
    device = shop.enrol()
    shop.stock_vault(count=3)
    batch = shop.assign(device)
    serials = fetch(device, batch)
    sale = device.record(2, ["air50", 5000, 250, batch, 0])
    device.record(5, [sale, "spoiled"])
    device.upload()
    assert states(shop, device) == ["passed", "next", "unopened"]
    assert give_back(shop, device, unused=[serials[0]], note="asked Savanna") == [serials[0]]
    assert shop.problems() == []


def test_a_terminal_that_sells_what_came_back_is_an_alarm_and_fails_the_check(shop: Shop) -> None:
    device = shop.enrol()
    shop.stock_vault(count=3)
    batch = shop.assign(device)
    fetch(device, batch)
    block(shop, device)
    device.check_in()
    give_back(shop, device, wiped=True)
    sell_from(device, batch, 1)  # it was not wiped
    assert device.upload()[1] == 2
    assert shop.float_of(device) == 95_250
    assert shop.alarms() == ["returned_and_sold"]
    assert any("came back" in problem for problem in shop.problems())


def test_the_database_lets_only_an_unsold_voucher_come_back_once(shop: Shop) -> None:
    device = shop.enrol()
    shop.stock_vault(count=3)
    batch = shop.assign(device)
    fetch(device, batch)
    sell_from(device, batch, 0)
    device.upload()
    ids = [row[0] for row in shop.sql("SELECT voucher_id FROM voucher_assignment")]
    for index, voucher_id in ((0, ids[0]), (1, ids[2]), (7, ids[1])):
        with pytest.raises(IntegrityError), writing(shop.service.engine) as connection:
            batches.come_back(connection, batch, index, voucher_id, "asha", "", NOW)
    for times in range(2):
        try:
            with writing(shop.service.engine) as connection:
                batches.come_back(connection, batch, 1, ids[1], "asha", "", NOW)
        except IntegrityError:
            assert times == 1
    assert shop.sql("SELECT COUNT(*) FROM stock_return") == [(1,)]
