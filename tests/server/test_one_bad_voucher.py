"""A voucher that does not open is set aside; nobody behind it waits."""

from __future__ import annotations

import hashlib
import os
from typing import Any

import cbor2
import pytest
from cryptography.exceptions import InvalidTag
from sqlalchemy.exc import IntegrityError

from tests.server.device import Device
from tests.server.shop import NOW, Shop
from updater_server.sales import incoming, stock, vault
from updater_server.server_key import ServerKey
from updater_server.store.engine import writing


def spoil(shop: Shop, *serials: str, what: str = "a rotten byte") -> None:
    """Break vouchers in the database, as bit rot or another server key would."""
    with writing(shop.service.engine) as connection:
        sql = connection.exec_driver_sql
        (trigger,) = sql("SELECT sql FROM sqlite_master WHERE name = 'voucher_forward'").one()
        sql("DROP TRIGGER voucher_forward")
        for serial in serials:
            if what == "another key":
                other = ServerKey(os.urandom(32))
                sealed = other.seal("voucher", f"air50\0{serial}".encode(), b"7000000000000000")
                sql("UPDATE voucher SET pin_sealed = ? WHERE serial = ?", (sealed, serial))
            elif what == "nothing left":
                sql("UPDATE voucher SET pin_sealed = x'' WHERE serial = ?", (serial,))
            elif what == "an expiry beyond 2106":
                sql("UPDATE voucher SET expires_at = ? WHERE serial = ?", (2**40, serial))
            else:
                sql(
                    "UPDATE voucher SET pin_sealed = pin_sealed || x'00' WHERE serial = ?",
                    (serial,),
                )
        sql(trigger)


def serial(number: int) -> str:
    return f"AIR50-{number:06d}"


KINDS = ["a rotten byte", "another key", "nothing left", "an expiry beyond 2106"]


@pytest.mark.parametrize("what", KINDS)
def test_a_sale_takes_the_next_voucher_that_opens(shop: Shop, what: str) -> None:
    device = shop.enrol()
    shop.stock_vault(count=5)
    spoil(shop, serial(0), serial(1), serial(3), what=what)
    assert sorted(device.sale(n)[3] for n in (1, 2)) == [serial(2), serial(4)]
    assert device.sale(3)[6] == "no_vouchers"
    assert shop.float_of(device) == 100_000 - 2 * 4750
    why = "unfit" if "expiry" in what else "unreadable"
    assert shop.sql("SELECT reason FROM voucher_aside") == [(why,)] * 3
    assert shop.alarms() == ["no_vouchers", f"voucher_{why}"]
    assert shop.problems() == []


def test_a_whole_delivery_that_does_not_open_is_passed_in_some_sales(shop: Shop) -> None:
    device = shop.enrol()
    shop.stock_vault(count=450)
    spoil(shop, *(serial(n) for n in range(449)))
    answers = [device.sale(n)[1] for n in range(1, 5)]
    assert 0 in answers  # and each of them was answered
    assert shop.problems() == []


def test_assigned_stock_holds_only_vouchers_that_open(shop: Shop) -> None:
    device = shop.enrol()
    shop.stock_vault(count=5)
    spoil(shop, serial(1))
    with writing(shop.service.engine) as connection:
        batch = stock.assign(
            connection, shop.service.key, shop.service.prices, device.terminal_id, "air50", 3, NOW
        )
    opened = device.open_stock(device.ask({0: 4, 1: batch})[1])
    assert [name for name, _ in opened] == [serial(0), serial(2), serial(3)]
    assert shop.problems() == []


def fetch_all(device: Device) -> dict[int, list[tuple[str, str]]]:
    """What a terminal has after it asked for each batch named, check-in by check-in."""
    had: dict[int, list[tuple[str, str]]] = {}
    for _ in range(5):
        waiting = device.check_in()[5]
        if not waiting:
            return had
        for batch in waiting:
            reply = device.ask({0: 4, 1: batch})
            if reply[0] == -1:
                break  # as the firmware: the rest is for the next check-in
            digest = hashlib.sha256(reply[1]).digest()
            assert device.ask({0: 5, 1: batch, 2: digest})[1] is True
            had[batch] = device.open_stock(reply[1])
    raise AssertionError("a batch is waiting for ever")


@pytest.mark.parametrize("what", KINDS)
def test_a_batch_that_spoiled_before_it_was_fetched_is_replaced(shop: Shop, what: str) -> None:
    device = shop.enrol()
    shop.stock_vault(count=9)
    first, second = shop.assign(device, count=3), shop.assign(device, count=3)
    spoil(shop, serial(1), what=what)
    had = fetch_all(device)
    assert first not in had
    assert {len(opened) for opened in had.values()} == {3}
    assert second in had
    assert serial(1) not in {name for opened in had.values() for name, _ in opened}
    assert sum(len(opened) for opened in had.values()) == 6
    assert device.ask({0: 4, 1: first})[1] == "unknown_batch"
    assert shop.problems() == []


def test_a_batch_that_cannot_be_filled_again_comes_with_what_opens(shop: Shop) -> None:
    device = shop.enrol()
    shop.stock_vault(count=3)
    shop.assign(device, count=3)
    spoil(shop, serial(0), serial(2))
    assert list(fetch_all(device).values()) == [[(serial(1), "7000000000000001")]]
    assert shop.problems() == []


def test_a_batch_of_which_nothing_opens_waits_no_more(shop: Shop) -> None:
    device = shop.enrol()
    shop.stock_vault(count=2)
    shop.assign(device, count=2)
    spoil(shop, serial(0), serial(1))
    assert fetch_all(device) == {}
    assert shop.problems() == []


def test_a_batch_that_spoiled_after_it_left_keeps_its_places(shop: Shop) -> None:
    device = shop.enrol()
    shop.stock_vault(count=9)
    batch = shop.assign(device, count=3)
    stored = device.ask({0: 4, 1: batch})[1]  # stored, but never confirmed
    spoil(shop, serial(1))
    confirmed = device.ask({0: 5, 1: batch, 2: hashlib.sha256(stored).digest()})
    assert confirmed[1] is True
    again = cbor2.loads(device.ask({0: 4, 1: batch})[1])
    before = cbor2.loads(stored)
    assert (again[5][0], again[5][2]) == (before[5][0], before[5][2])
    with pytest.raises(InvalidTag):
        device.open_stock(cbor2.dumps({**again, 5: [again[5][1]]}))
    assert 8 < len(again[5][1][1]) <= 48  # as the format says
    assert shop.sql("SELECT COUNT(*) FROM stock_batch") == [(1,)]  # its PINs may be on paper
    assert shop.problems() == []


def test_a_sale_whose_voucher_rotted_before_its_answer_arrived_is_given_back(shop: Shop) -> None:
    device = shop.enrol()
    shop.stock_vault(count=3)
    sale = device.record(3, ["air50", 5000, 250])
    device.sale(sale)
    spoil(shop, serial(0))
    answers = [device.sale(sale) for _ in range(3)]
    assert [(answer[1], answer[6]) for answer in answers] == [(1, "no_vouchers")] * 3
    assert shop.float_of(device) == 100_000
    device.record(5, [sale, "no_vouchers"])
    assert device.upload() == {0: 3, 1: 2, 2: 100_000}
    device.check_in(own_float=100_000)
    assert shop.sql("SELECT reconciled FROM check_in") == [(1,)]
    assert shop.alarms() == ["sale_voided", "voucher_unreadable"]
    assert shop.problems() == []


def test_a_sale_that_is_on_paper_is_not_given_back_when_its_voucher_rots(shop: Shop) -> None:
    """Whoever asks again all the same is told to ask later."""
    device = shop.enrol()
    shop.stock_vault(count=1)
    sale = device.record(3, ["air50", 5000, 250])
    answer = device.sale(sale)
    device.record(4, [sale, b"sealed", answer[3], answer[4], answer[5]])
    device.record(6, [sale, 1])
    device.upload()
    spoil(shop, serial(0))
    before = shop.float_of(device)
    content = {0: 2, 1: sale, 2: "air50", 3: 5000, 4: NOW, 20: 250}
    assert device.post(content)[0] == 503
    assert shop.float_of(device) == before
    assert "sale_voided" not in shop.alarms()


def test_a_set_aside_voucher_cannot_be_given_or_freed(shop: Shop) -> None:
    device = shop.enrol()
    shop.stock_vault(count=1)
    spoil(shop, serial(0))
    device.sale(1)
    for act in (
        lambda c: vault.give(c, [1], device.terminal_id, NOW, sale_sequence=9),
        lambda c: c.exec_driver_sql("UPDATE voucher SET free = 1"),
    ):
        with pytest.raises(IntegrityError), writing(shop.service.engine) as connection:
            act(connection)


def test_the_old_way_of_taking_the_first_voucher_is_caught(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def first_only(*arguments: Any) -> list[vault.Voucher]:
        connection, key, product_id, count, now, spare_s = arguments
        ids = vault.take(connection, product_id, count, now, spare_s)
        return [vault.reveal(connection, key, voucher_id) for voucher_id in ids]

    monkeypatch.setattr(vault, "take_open", first_only)
    device = shop.enrol()
    shop.stock_vault(count=5)
    spoil(shop, serial(0))
    assert device.post({0: 2, 1: 1, 2: "air50", 3: 5000, 4: NOW, 20: 250}) == (503, {})
    assert device.post({0: 2, 1: 2, 2: "air50", 3: 5000, 4: NOW, 20: 250}) == (503, {})


def test_a_device_key_that_does_not_open_stops_its_terminal_alone_and_is_told(shop: Shop) -> None:
    device, other = shop.enrol(1), shop.enrol(2)
    shop.stock_vault(count=3)
    with writing(shop.service.engine) as connection:
        connection.exec_driver_sql(
            "UPDATE terminal SET key_sealed = x'00' WHERE id = ?", (device.terminal_id,)
        )
    assert device.post({0: 1}) == (503, {})
    assert other.sale(1)[1] == 0
    assert shop.alarms() == ["device_key"]


def test_a_batch_that_would_expire_before_it_is_sold_is_not_sent(shop: Shop) -> None:
    device = shop.enrol()
    rows = "".join(f"air50,{8 * 10**15 + n},E{n},{NOW + 10 * 86400}\n" for n in range(2))
    with writing(shop.service.engine) as connection:
        csv = "product,pin,serial,expiry\n" + rows
        incoming.import_csv(connection, shop.service.key, csv, NOW)
    shop.assign(device, count=2)
    shop.clock[0] += 10 * 86400
    shop.stock_vault(count=2)
    assert [len(opened) for opened in fetch_all(device).values()] == [2]
    assert {row[0] for row in shop.sql("SELECT free FROM voucher WHERE serial LIKE 'E%'")} == {1}
    assert shop.problems() == []
