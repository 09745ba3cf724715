"""Online sales: sold once, answered the same for ever, refused in plain words."""

from __future__ import annotations

import dataclasses
import threading
from pathlib import Path

import pytest

from tests.server import shop as shops
from tests.server.device import Device
from tests.server.shop import CATALOGUE, Shop
from updater_server import channels
from updater_server.fleet import terminals
from updater_server.sales import incoming
from updater_server.sales.prices import PriceLists
from updater_server.store.engine import writing

ON_BOTH_ENGINES = True

DAY_S = 86400


def test_a_sale_gives_a_pin_and_debits_amount_less_commission(shop: Shop) -> None:
    device = shop.enrol()
    shop.stock_vault()
    reply = device.sale(4)
    assert reply == {0: 2, 1: 0, 2: "7000000000000000", 3: "AIR50-000000", 4: 0, 5: 95_250}
    assert shop.float_of(device) == 95_250
    moved = shop.sql(
        "SELECT a.name, e.amount_minor FROM ledger_entry e JOIN account a ON a.id = e.account_id "
        "JOIN ledger_transaction t ON t.id = e.transaction_id WHERE t.kind = 'sale' ORDER BY a.name"
    )
    assert dict(moved) == {
        f"float:{device.terminal_id.hex()}": -4750,
        "voucher_sales": 5000,
        "commission": -250,
    }
    assert shop.problems() == []


def test_asking_again_gives_the_same_pin_and_sells_nothing(shop: Shop) -> None:
    device = shop.enrol()
    shop.stock_vault()
    first = device.sale(4)
    shop.clock[0] += 10 * 365 * 86400
    shop.top_up(device, 5000, "later")
    assert device.sale(4) == first
    assert shop.float_of(device) == 100_250
    assert len(shop.sql("SELECT * FROM voucher_assignment")) == 1


def test_a_refusal_is_also_the_answer_for_ever(shop: Shop) -> None:
    device = shop.enrol()
    first = device.sale(4)
    assert (first[1], first[6]) == (1, "no_vouchers")
    shop.stock_vault()
    assert device.sale(4) == first
    assert device.sale(5)[1] == 0


@pytest.mark.parametrize("change", [{"product": "air20"}, {"amount": 5001}, {"time": 1}])
def test_the_same_sequence_with_another_body_is_a_conflict_and_an_alarm(
    shop: Shop, change: dict[str, object]
) -> None:
    device = shop.enrol()
    shop.stock_vault()
    first = device.sale(4)
    reply = device.sale(4, **change)  # type: ignore[arg-type]
    assert (reply[0], reply[1]) == (-1, "conflict")
    assert shop.alarms() == ["sale_conflict"]
    assert shop.float_of(device) == 95_250
    assert device.sale(4) == first


def test_a_sequence_that_the_journal_used_for_something_else_is_a_conflict(shop: Shop) -> None:
    device = shop.enrol()
    shop.stock_vault()
    device.record(1, [1, 7, "power-on"])
    device.upload()
    assert device.sale(1)[1] == "conflict"
    assert shop.alarms() == ["sale_conflict"]


def test_a_journaled_intent_may_still_be_asked_for(shop: Shop) -> None:
    device = shop.enrol()
    shop.stock_vault()
    sequence = device.record(3, ["air50", 5000, 250])
    device.upload()
    assert device.sale(sequence)[1] == 0
    assert shop.alarms() == []


def test_two_terminals_may_use_the_same_sequence(shop: Shop) -> None:
    first, second = shop.enrol(1), shop.enrol(2)
    shop.stock_vault()
    assert first.sale(4)[2] != second.sale(4)[2]
    assert shop.problems() == []


def test_no_float_is_refused(shop: Shop) -> None:
    device = shop.enrol(float_minor=4749)
    shop.stock_vault()
    assert device.sale(1)[6] == "no_float"
    assert shop.float_of(device) == 4749
    shop.top_up(device, 1, "one cent")
    assert device.sale(2)[1] == 0
    assert shop.float_of(device) == 0


def test_an_unknown_product_a_changed_price_and_a_blocked_terminal_are_refused(
    shop: Shop,
) -> None:
    device = shop.enrol()
    shop.stock_vault()
    assert device.sale(1, product="gold")[6] == "unknown_product"
    assert device.sale(2, amount=4900)[6] == "price_changed"
    with writing(shop.service.engine) as connection:
        terminals.set_blocked(connection, device.terminal_id, True)
    assert device.sale(3)[6] == "blocked"
    assert shop.float_of(device) == 100_000
    assert shop.sql("SELECT COUNT(*) FROM voucher WHERE NOT free") == [(0,)]


def test_selling_out_is_refused_and_an_operator_is_told(shop: Shop) -> None:
    device = shop.enrol()
    shop.stock_vault(count=1)
    assert device.sale(1)[1] == 0
    assert device.sale(2)[6] == "no_vouchers"
    assert shop.alarms() == ["no_vouchers"]


def test_an_expired_voucher_is_not_sold_and_the_soonest_to_expire_goes_first(
    shop: Shop,
) -> None:

    device = shop.enrol()
    csv = (
        "product,pin,serial,expiry\n"
        f"air50,1111222233334444,NEVER,0\n"
        f"air50,1111222233335555,LATER,{shop.clock[0] + 3 * DAY_S}\n"
        f"air50,1111222233336666,SOON,{shop.clock[0] + 2 * DAY_S}\n"
    )
    with writing(shop.service.engine) as connection:
        incoming.import_csv(connection, shop.service.key, csv, shop.clock[0])
    assert device.sale(1)[3] == "SOON"
    shop.clock[0] += 2 * DAY_S  # LATER has a day to live: too little for a customer
    assert device.sale(2)[3] == "NEVER"
    assert device.sale(3)[6] == "no_vouchers"


def test_a_new_price_list_counts_from_its_publication(shop: Shop, signed: Path) -> None:
    device = shop.enrol()
    shop.stock_vault()
    assert device.sale(1)[1] == 0
    signers = channels.keys.load_all(signed / "keys", shops.PASSPHRASE)
    repository = channels.Repository.open(shop.folder / "repository")
    dearer = channels.Product("air50", "Savanna 50", "Savanna", 6000, 300, "Dial", [4])
    prices = channels.Catalogue(2, "KES", 2, [dearer], CATALOGUE.offline)
    repository.set_catalogue("default", prices, signers)
    assert device.sale(2)[1] == 0
    repository.publish(signers)
    assert device.sale(3)[6] == "price_changed"
    assert device.sale(4, amount=6000)[1] == 0
    assert device.sale(1)[5] == 95_250


def test_without_a_sound_catalogue_a_sale_is_asked_to_try_later(shop: Shop) -> None:
    device = shop.enrol()
    shop.stock_vault()
    timestamp = shop.folder / "repository" / "metadata" / "timestamp.json"
    good = timestamp.read_bytes()
    timestamp.write_bytes(good.replace(b'"version":2}}', b'"version":1}}'))
    prices = PriceLists(shop.folder / "repository")  # of a server that starts now
    shop.service = dataclasses.replace(shop.service, prices=prices)
    assert device.post({0: 2, 1: 1, 2: "air50", 3: 5000, 4: 0, 20: 250}) == (503, {})
    assert shop.sql("SELECT * FROM sale") == []
    timestamp.write_bytes(good)
    assert device.sale(1)[1] == 0


def test_a_price_list_that_is_spoiled_meanwhile_stops_no_sale_and_changes_no_price(
    shop: Shop,
) -> None:
    device = shop.enrol()
    shop.stock_vault()
    assert device.sale(1)[1] == 0
    timestamp = shop.folder / "repository" / "metadata" / "timestamp.json"
    timestamp.write_bytes(b"{}")
    assert device.sale(2)[1] == 0
    assert device.sale(3, amount=1)[6] == "price_changed"


def test_one_sale_asked_for_by_many_at_once_is_sold_once(shop: Shop) -> None:
    device = shop.enrol()
    shop.stock_vault()
    content = {0: 2, 1: 9, 2: "air50", 3: 5000, 4: 0, 20: 250}
    sealed = [device.seal(content) for _ in range(8)]
    answers: list[tuple[int, bytes, int]] = []

    def send(body: bytes, counter: int) -> None:
        answers.append((*shop.post(body), counter))

    threads = [threading.Thread(target=send, args=one) for one in sealed]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {status for status, _, _ in answers} <= {200, 409}
    pins = {device.open(body, counter)[2] for status, body, counter in answers if status == 200}
    assert len(pins) == 1
    assert shop.float_of(device) == 95_250
    assert shop.problems() == []


def test_the_last_voucher_goes_to_one_of_two(shop: Shop) -> None:
    devices = [shop.enrol(1), shop.enrol(2)]
    shop.stock_vault(count=1)
    states: list[int] = []

    def sell(device: Device) -> None:
        states.append(device.sale(1)[1])

    threads = [threading.Thread(target=sell, args=(device,)) for device in devices]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(states) == [0, 1]
    assert shop.problems() == []


@pytest.mark.parametrize("commission", [0, 249, 251, 5000])
def test_a_commission_that_is_not_what_the_merchant_was_shown_is_refused_not_charged(
    shop: Shop, commission: int
) -> None:
    device = shop.enrol()
    shop.stock_vault()
    assert device.sale(1, commission=commission)[6] == "price_changed"
    assert device.sale(1, commission=commission)[6] == "price_changed", "for ever"
    assert device.sale(1)[1] == "conflict"
    assert shop.float_of(device) == 100_000
    device.sale(2)
    assert shop.float_of(device) == 95_250
    assert shop.problems() == []


def test_a_journal_that_says_another_commission_than_was_asked_is_an_alarm(shop: Shop) -> None:
    device = shop.enrol()
    shop.stock_vault()
    device.record(3, ["air50", 5000, 300])
    device.sale(1)
    device.upload()
    assert shop.alarms() == ["journal_nonsense"]
    assert shop.float_of(device) == 95_250
