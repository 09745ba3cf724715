"""Selling without the network, seen from the server: stock goes out, the journal comes in."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import cbor2
import pytest
from cryptography.exceptions import InvalidTag

from tests.server.device import Device, make_record
from tests.server.shop import CATALOGUE, PASSPHRASE, Shop
from updater_server import channels
from updater_server.errors import InputError
from updater_server.sales import stock
from updater_server.store.engine import writing
from updater_server.wire.journal_record import RecordKind

ON_BOTH_ENGINES = {
    "test_stock_is_fetched_opened_and_confirmed",
    "test_a_voucher_in_stock_is_never_sold_online",
    "test_offline_sales_are_posted_when_the_journal_arrives",
    "test_an_overlapping_upload_adds_only_what_is_new",
    "test_a_fork_of_the_journal_is_refused_with_an_alarm",
    "test_a_gap_is_not_jumped",
    "test_a_voucher_sold_twice_from_stock_is_posted_once_with_an_alarm",
    "test_a_sale_that_cannot_be_is_kept_and_alarmed_and_does_not_stop_the_journal",
    "test_a_commission_that_was_never_offered_is_not_paid",
    "test_a_spoiled_voucher_is_given_back_once",
    "test_offline_sales_over_the_float_are_facts_and_alarmed",
    "test_a_terminal_whose_figure_agrees_is_reconciled",
    "test_a_top_up_that_the_terminal_has_not_heard_of_is_no_mismatch",
    "test_a_voucher_given_back_that_the_terminal_has_not_heard_of_is_no_mismatch",
    "test_an_online_sale_in_mid_air_is_waited_for",
}


def test_stock_is_fetched_opened_and_confirmed(shop: Shop) -> None:
    device = shop.enrol()
    shop.stock_vault()
    batch = shop.assign(device, count=3)
    assert device.check_in()[5] == [batch]
    file = device.ask({0: 4, 1: batch})[1]
    assert {k: v for k, v in cbor2.loads(file).items() if k != 5} == {
        1: batch, 2: "air50", 3: 5000, 4: 0,
    }  # fmt: skip
    assert device.open_stock(file) == [
        (f"AIR50-{n:06d}", str(7_000_000_000_000_000 + n)) for n in range(3)
    ]
    assert device.ask({0: 4, 1: batch})[1] == file
    reply = device.ask({0: 5, 1: batch, 2: hashlib.sha256(file).digest()})
    assert reply == {0: 5, 1: True}
    assert device.check_in()[5] == []
    assert shop.float_of(device) == 100_000


def test_stock_opens_on_its_own_terminal_only(shop: Shop) -> None:
    device, thief = shop.enrol(1), shop.enrol(2)
    shop.stock_vault()
    batch = shop.assign(device)
    assert thief.ask({0: 4, 1: batch})[1] == "unknown_batch"
    file = device.ask({0: 4, 1: batch})[1]
    with pytest.raises(InvalidTag):
        thief.open_stock(file)


def test_stock_that_arrived_damaged_stays_waiting(shop: Shop) -> None:
    device = shop.enrol()
    shop.stock_vault()
    batch = shop.assign(device)
    assert device.ask({0: 5, 1: batch, 2: bytes(32)})[1] == "conflict"
    assert device.check_in()[5] == [batch]
    assert shop.alarms() == ["stock_damaged"]
    assert device.ask({0: 5, 1: batch + 1, 2: bytes(32)})[1] == "unknown_batch"


def test_a_voucher_in_stock_is_never_sold_online(shop: Shop) -> None:
    device, other = shop.enrol(1), shop.enrol(2)
    shop.stock_vault(count=4)
    batch = shop.assign(device, count=3)
    held = {pin for _, pin in device.open_stock(device.ask({0: 4, 1: batch})[1])}
    assert other.sale(1)[2] not in held
    assert other.sale(2)[6] == "no_vouchers"
    assert shop.problems() == []


@pytest.mark.parametrize(("product", "count"), [("air50", 21), ("air50", 0), ("gold", 1)])
def test_stock_that_cannot_be_assigned_takes_nothing(shop: Shop, product: str, count: int) -> None:
    device = shop.enrol()
    shop.stock_vault()
    with pytest.raises(InputError):
        shop.assign(device, product, count)
    with pytest.raises(InputError), writing(shop.service.engine) as connection:
        stock.assign(connection, shop.service.key, shop.service.prices, b"nobody..", "air50", 1, 1)
    assert shop.sql("SELECT COUNT(*) FROM voucher WHERE NOT free") == [(0,)]


# --- journal ---


def sold_offline(shop: Shop, count: int = 2) -> tuple[Device, int]:
    """A terminal with a batch that journaled a boot and `count` offline sales, nothing uploaded."""
    device = shop.enrol()
    shop.stock_vault()
    batch = shop.assign(device, count=3)
    device.record(1, [1, 7, "power-on"])
    for index in range(count):
        sale = device.record(2, ["air50", 5000, 250, batch, index])
        device.record(6, [sale, 1])
    return device, batch


def test_offline_sales_are_posted_when_the_journal_arrives(shop: Shop) -> None:
    device, _ = sold_offline(shop)
    assert device.upload() == {0: 3, 1: 5, 2: 90_500}
    assert shop.float_of(device) == 90_500
    assert device.check_in(own_float=90_500)[3] == 5
    assert shop.problems() == []
    assert shop.alarms() == []


def test_the_same_journal_twice_is_posted_once(shop: Shop) -> None:
    device, _ = sold_offline(shop)
    device.upload()
    assert device.upload() == {0: 3, 1: 5, 2: 90_500}
    assert device.upload(2, 3) == {0: 3, 1: 5, 2: 90_500}
    assert shop.alarms() == []


def test_an_overlapping_upload_adds_only_what_is_new(shop: Shop) -> None:
    device, _ = sold_offline(shop)
    assert device.upload(1, 3)[1] == 3
    assert device.upload(2, 5)[1] == 5
    assert shop.float_of(device) == 90_500


def test_an_intent_counts_even_if_nothing_was_printed(shop: Shop) -> None:
    device, _ = sold_offline(shop, 0)
    device.record(2, ["air50", 5000, 250, 1, 0])
    assert device.upload()[2] == 95_250


def test_an_empty_upload_is_answered(shop: Shop) -> None:
    assert shop.enrol().ask({0: 3, 1: []}) == {0: 3, 1: 0, 2: 100_000}


def test_a_fork_of_the_journal_is_refused_with_an_alarm(shop: Shop) -> None:
    device, batch = sold_offline(shop)
    device.upload()
    forked = [device.journal[0]]
    tag = forked[0][-8:]
    for sequence in range(2, 8):
        raw, tag = make_record(2, sequence, ["air50", 5000, 250, batch, 2], tag)
        forked.append(raw)
    reply = device.ask({0: 3, 1: forked})
    assert (reply[0], reply[1]) == (-1, "conflict")
    assert shop.alarms() == ["journal_fork"]
    assert shop.float_of(device) == 90_500
    assert device.check_in()[3] == 5


def test_a_forged_chain_is_not_acknowledged(shop: Shop) -> None:
    device, batch = sold_offline(shop)
    forged, _ = make_record(2, 4, ["air50", 5000, 250, batch, 2], b"wrongtag")
    reply = device.ask({0: 3, 1: [*device.journal[:3], forged]})
    assert (reply[0], reply[1]) == (-1, "conflict")
    assert shop.alarms() == ["journal_chain"]
    assert device.check_in()[3] == 3  # what came before it is kept
    assert shop.float_of(device) == 95_250
    assert device.upload()[1] == 5


def test_a_gap_is_not_jumped(shop: Shop) -> None:
    device, _ = sold_offline(shop)
    assert device.upload(3, 5) == {0: 3, 1: 0, 2: 100_000}
    assert shop.alarms() == ["journal_gap"]
    assert device.upload()[1] == 5


def test_a_record_lost_on_the_terminal_is_an_alarm_and_the_rest_counts(shop: Shop) -> None:
    device, _ = sold_offline(shop)
    damaged = [*device.journal[:2], b"", *device.journal[3:]]
    assert device.ask({0: 3, 1: damaged})[1] == 5
    assert shop.float_of(device) == 90_500
    assert shop.alarms() == ["journal_lost"]
    assert shop.problems() == []
    assert device.upload()[1] == 5


def test_a_lost_record_leaves_the_chain_open_for_one_record(shop: Shop) -> None:
    device, batch = sold_offline(shop)
    device.record(10, ["language", "sw"])
    assert device.ask({0: 3, 1: [*device.journal[:4], b"", device.journal[5]]})[1] == 6
    device.record(10, ["language", "en"])
    assert device.upload(7)[1] == 7
    forged, _ = make_record(2, 8, ["air50", 5000, 250, batch, 2], b"wrongtag")
    assert device.ask({0: 3, 1: [forged]})[1] == "conflict"


@pytest.mark.parametrize(
    "spoil",
    [
        lambda raw: raw[:-1],
        lambda raw: raw + b"\0",
        lambda raw: bytes((raw[0] ^ 2,)) + raw[1:],
        lambda raw: raw[:12] + bytes((raw[12] ^ 1,)) + raw[13:],
        lambda raw: b"\x00" * 22,
        lambda raw: b"x",
    ],
)
def test_what_is_no_record_refuses_the_whole_message(shop: Shop, spoil: Any) -> None:
    device, _ = sold_offline(shop)
    spoiled = [*device.journal[:3], spoil(device.journal[3]), device.journal[4]]
    assert device.ask({0: 3, 1: spoiled})[1] == "bad_message"
    assert shop.float_of(device) == 100_000
    assert device.upload()[1] == 5


def test_records_out_of_order_refuse_the_whole_message(shop: Shop) -> None:
    device, _ = sold_offline(shop)
    first, second, *rest = device.journal
    assert device.ask({0: 3, 1: [second, first, *rest]})[1] == "bad_message"


def test_a_voucher_sold_twice_from_stock_is_posted_once_with_an_alarm(shop: Shop) -> None:
    device, batch = sold_offline(shop, 1)
    device.record(2, ["air50", 5000, 250, batch, 0])
    assert device.upload() == {0: 3, 1: 4, 2: 95_250}
    assert shop.alarms() == ["journal_nonsense"]
    assert shop.problems() == []


@pytest.mark.parametrize(
    "body",
    [
        ["air50", 5000, 250, 99, 0],
        ["air50", 5000, 250, 1, 3],
        ["air50", 5000, 250, 1],
        ["air50", "5000", 250, 1, 0],
        ["air50", 5000, -250, 1, 0],
        [],
    ],
)
def test_a_sale_that_cannot_be_is_kept_and_alarmed_and_does_not_stop_the_journal(
    shop: Shop, body: list[Any]
) -> None:
    device, _ = sold_offline(shop, 0)
    device.record(2, body)
    device.record(10, ["language", "sw"])
    assert device.upload() == {0: 3, 1: 3, 2: 100_000}
    assert shop.alarms() == ["journal_nonsense"]


def test_an_offline_sale_under_an_older_or_newer_price_list_is_charged_as_it_was_shown(
    shop: Shop, signed: Path
) -> None:
    device, batch = sold_offline(shop, 0)
    signers = channels.keys.load_all(signed / "keys", PASSPHRASE)
    for version, commission in ((2, 200), (3, 300)):
        product = channels.Product("air50", "S", "S", 5000, commission, "Dial", [4] * 4)
        repository = channels.Repository.open(shop.folder / "repository")
        prices = channels.Catalogue(version, "KES", 2, [product], CATALOGUE.offline)
        repository.set_catalogue("default", prices, signers)
        repository.publish(signers)
        device.check_in()
    for index, commission in enumerate((250, 200, 300)):
        device.record(2, ["air50", 5000, commission, batch, index])
    device.upload()
    assert shop.float_of(device) == 100_000 - 3 * 5000 + 750
    assert shop.alarms() == []
    assert shop.problems() == []


def test_a_commission_that_was_never_offered_is_not_paid(shop: Shop) -> None:
    device, batch = sold_offline(shop, 0)
    device.record(2, ["air50", 5000, 5000, batch, 0])
    device.record(2, ["air50", 1, 0, batch, 1])
    assert device.upload()[2] == 90_500
    assert shop.alarms() == ["journal_price", "journal_price"]


def test_a_spoiled_voucher_is_given_back_once(shop: Shop) -> None:
    device, batch = sold_offline(shop, 0)
    sale = device.record(2, ["air50", 5000, 250, batch, 0])
    device.record(5, [sale, "spoiled"])
    assert device.upload()[2] == 100_000
    assert shop.alarms() == ["voucher_spoiled"]
    device.record(5, [sale, "spoiled"])
    assert device.upload()[2] == 100_000
    assert shop.alarms() == ["journal_nonsense", "voucher_spoiled"]
    assert shop.problems() == []


def test_a_printed_sale_is_not_given_back(shop: Shop) -> None:
    device, _ = sold_offline(shop, 1)
    device.record(5, [2, "spoiled"])
    assert device.upload()[2] == 95_250
    assert shop.alarms() == ["journal_nonsense"]


def test_offline_sales_over_the_float_are_facts_and_alarmed(shop: Shop) -> None:
    device, _ = sold_offline(shop)
    shop.top_up(device, -99_000, "paid back too early")
    assert device.upload()[2] == -8_500
    assert "float_negative" in shop.alarms()
    assert shop.problems() == []


def test_the_journal_of_an_online_sale_must_agree_with_the_sale(shop: Shop) -> None:
    device = shop.enrol()
    shop.stock_vault()
    sale = device.record(3, ["air50", 5000, 250])
    answer = device.sale(sale)
    device.record(4, [sale, b"sealed", answer[3], 0, answer[5]])
    device.record(6, [sale, 0])
    assert device.upload()[1] == 3
    assert shop.alarms() == []
    device.record(4, [sale, b"sealed", "OTHER", 0, answer[5]])
    device.record(5, [sale, "no_float"])
    device.upload()
    assert shop.alarms() == ["journal_nonsense", "journal_nonsense"]
    assert shop.float_of(device) == 95_250


# --- reconciliation ---


def test_a_terminal_whose_figure_agrees_is_reconciled(shop: Shop) -> None:
    device, _ = sold_offline(shop)
    device.check_in(own_float=90_500)
    assert shop.sql("SELECT reconciled FROM check_in") == [(None,)]
    device.upload()
    assert shop.sql("SELECT reconciled FROM check_in") == [(1,)]
    assert shop.alarms() == []


def test_what_says_nothing_new_need_not_be_here_for_a_figure_to_be_compared(shop: Shop) -> None:
    device, _ = sold_offline(shop)
    sold = len(device.journal)
    device.record(RecordKind.SETTLED, [sold, 90_500, 0, 0, 0, 0])
    device.check_in(own_float=90_500, _10=[1, sold + 2, sold + 1])
    assert shop.sql("SELECT reconciled FROM check_in") == [(None,)]
    device.upload(last=sold)
    assert shop.sql("SELECT reconciled FROM check_in") == [(1,)]
    device.check_in(own_float=90_501, _10=[1, sold + 2, sold + 1])
    assert shop.alarms() == ["float_mismatch"]
    device.check_in(own_float=90_501)  # a terminal that tells each settlement
    assert shop.sql("SELECT reconciled FROM check_in") == [(None,)]


def test_a_terminal_whose_figure_is_off_by_a_cent_is_an_alarm(shop: Shop) -> None:
    device, _ = sold_offline(shop)
    device.upload()
    device.check_in(own_float=90_501)
    assert shop.sql("SELECT reconciled FROM check_in") == [(0,)]
    assert shop.alarms() == ["float_mismatch"]


def test_a_top_up_that_the_terminal_has_not_heard_of_is_no_mismatch(shop: Shop) -> None:
    device, _ = sold_offline(shop)
    device.upload()
    shop.top_up(device, 7_000, "new money")
    device.check_in(own_float=90_500)
    device.check_in(own_float=97_500)
    assert shop.alarms() == []


def test_a_terminal_that_holds_itself_too_poor_twice_is_an_alarm(shop: Shop) -> None:
    device, _ = sold_offline(shop)
    device.upload()
    device.check_in(own_float=85_750)
    assert shop.sql("SELECT reconciled FROM check_in") == [(0,)]
    assert shop.alarms() == []
    device.check_in(own_float=85_750)
    assert shop.alarms() == ["float_mismatch"]


def test_a_voucher_given_back_that_the_terminal_has_not_heard_of_is_no_mismatch(
    shop: Shop,
) -> None:
    device, batch = sold_offline(shop, 0)
    sale = device.record(2, ["air50", 5000, 250, batch, 0])
    device.record(5, [sale, "spoiled"])
    device.check_in(own_float=95_250)
    device.upload()
    assert shop.sql("SELECT reconciled FROM check_in") == [(1,)]
    device.check_in(own_float=100_000)
    assert shop.sql("SELECT reconciled FROM check_in") == [(1,)]


def test_records_written_after_the_check_in_do_not_disturb_it(shop: Shop) -> None:
    device, batch = sold_offline(shop)
    device.check_in(own_float=90_500)
    device.record(2, ["air50", 5000, 250, batch, 2])
    device.upload()
    assert shop.sql("SELECT reconciled FROM check_in") == [(1,)]


def test_an_online_sale_in_mid_air_is_waited_for(shop: Shop) -> None:
    device = shop.enrol()
    shop.stock_vault()
    device.record(3, ["air50", 5000, 250])
    device.upload()
    device.check_in(own_float=95_250)
    assert shop.sql("SELECT reconciled FROM check_in") == [(None,)]
    assert shop.alarms() == []
