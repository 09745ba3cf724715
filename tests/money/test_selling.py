"""A sale at the till: online, from stock, refused by each rule, reprinted, reported."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bootloader.shared import cbor
from firmware.office.ask import ask, delivery
from firmware.office.messenger import BadReply, NoNetwork
from firmware.sales import offline_limits, tally
from firmware.sales.catalogue import Catalogue
from firmware.sales.sale import SaleRefused
from firmware.sales.state import INTENT_OFFLINE
from tests.money import office, oracle
from tests.money.shop import CATALOGUE, FLOAT_MINOR, TIME, Shop, open_shop, run


def refusal(shop: Shop, product: str = "air50") -> tuple[str, Any]:
    before = bytes(shop.flash.cells)
    with pytest.raises(SaleRefused) as caught:
        shop.till.begin_offline(product)
    assert bytes(shop.flash.cells) == before, "a refusal leaves no trace"
    return caught.value.code, caught.value.details


def today(shop: Shop, now: int) -> Any:
    """Today's sales, added up."""
    found = tally.of_days(shop.journal, now, 0)
    found.finish()
    return found


def with_offline(**limits: int) -> dict[str, Any]:
    return {**CATALOGUE, "offline": {**CATALOGUE["offline"], **limits}}


def test_a_sale_from_stock_takes_the_float_and_gives_the_next_voucher(tmp_path: Path) -> None:
    shop = open_shop(tmp_path / "stock")
    sale = shop.till.begin_offline("air50")
    voucher = shop.till.voucher(sale)
    assert (voucher.pin, voucher.serial) == (office.stock_pin(7, 0), "S7-0")
    assert (voucher.product.name, voucher.amount_minor) == ("Savanna 50", 5000)
    assert voucher.sequence == sale.sequence
    assert shop.till.float_minor == FLOAT_MINOR - 4750
    assert shop.till.stock_left("air50") == 99
    shop.print(sale, voucher, "original")
    assert shop.till.unfinished() == []


def test_an_online_sale_ends_with_the_float_of_the_ledger(tmp_path: Path) -> None:
    shop = open_shop(tmp_path / "stock")
    assert shop.sell_online() == ""
    assert shop.till.float_minor == shop.server.ledger_minor == FLOAT_MINOR - 4750
    assert shop.paper[0][0] == shop.server.answers[shop.paper[0][2]][1][2]


def test_a_sale_whose_answer_was_lost_is_asked_again_at_once_under_its_own_number(
    tmp_path: Path,
) -> None:
    shop = open_shop(tmp_path / "stock")
    post = shop.messenger.post
    asked: list[bytes] = []

    async def loses_the_first(body: bytes) -> tuple[int, bytes]:
        asked.append(body)
        answer: tuple[int, bytes] = await post(body)
        if len(asked) == 1:
            raise NoNetwork("cut", may_be_seen=True)
        return answer

    shop.messenger.post = loses_the_first
    assert shop.sell_online() == ""
    assert len(set(asked)) == 2, "sealed anew: the server has seen the first counter"
    assert len(shop.server.answers) == 1
    assert shop.till.float_minor == shop.server.ledger_minor == FLOAT_MINOR - 4750


def test_a_sale_that_never_left_is_not_asked_twice_and_none_is_asked_three_times(
    tmp_path: Path,
) -> None:
    for may_be_seen, times in ((False, 1), (True, 2)):
        shop = open_shop(tmp_path / str(times))
        asked: list[bytes] = []

        async def never(
            body: bytes, asked: list[bytes] = asked, may_be_seen: bool = may_be_seen
        ) -> tuple[int, bytes]:
            asked.append(body)
            raise NoNetwork("cut", may_be_seen)

        shop.messenger.post = never
        with pytest.raises(NoNetwork):
            shop.sell_online()
        assert len(asked) == times


def test_a_pin_is_never_in_clear_in_flash(tmp_path: Path) -> None:
    shop = open_shop(tmp_path / "stock")
    shop.sell_online()
    shop.sell_offline()
    for pin, _, _ in shop.paper:
        assert pin.encode() not in bytes(shop.flash.cells)


def test_an_online_sale_that_the_server_refuses_costs_nothing(tmp_path: Path) -> None:
    shop = open_shop(tmp_path / "stock")
    shop.server.refuse = "no_vouchers"
    assert shop.sell_online() == "no_vouchers"
    assert shop.till.float_minor == FLOAT_MINOR
    assert shop.till.unfinished() == []
    assert shop.till.last_sale() is None


def test_an_unanswered_online_sale_holds_back_the_next_online_one_and_nothing_else(
    tmp_path: Path,
) -> None:
    shop = open_shop(tmp_path / "stock")
    shop.online = False
    with pytest.raises(NoNetwork):
        shop.sell_online()
    assert shop.till.float_minor == FLOAT_MINOR - 4750, "it may have been sold"
    with pytest.raises(SaleRefused, match="pending_sale"):
        shop.till.begin_online("air50")
    shop.sell_offline()
    shop.online = True
    shop.sync()
    (sale,) = shop.till.unfinished()
    assert sale.has_voucher
    assert not sale.may_be_out, "it came just now: the original was never printed"
    shop.print(sale, shop.till.voucher(sale), "original")
    assert shop.troubles(shop.durable) == []


@pytest.mark.parametrize(
    ("spoil", "key"),
    [
        ({2: ""}, 2),
        ({2: 5}, 2),
        ({2: "123"}, 2),
        ({2: "9" * 33}, 2),
        ({3: None}, 3),
        ({3: ""}, 3),
        ({3: "S" * 41}, 3),
        ({4: -1}, 4),
        ({4: 1 << 32}, 4),
        ({5: True}, 5),
        ({5: (1 << 40) + 1}, 5),
    ],
)
def test_a_malformed_answer_leaves_the_sale_unanswered(
    spoil: dict[int, Any], key: int, tmp_path: Path
) -> None:
    shop = open_shop(tmp_path / "stock")
    sale = shop.till.begin_online("air50")
    with pytest.raises(BadReply, match=f"field {key}"):
        shop.till.delivered(sale, *delivery({2: "1234", 3: "N", 4: 0, 5: 10, **spoil}))
    assert [s.has_voucher for s in shop.till.unfinished()] == [False]


def test_a_repeated_answer_never_raises_the_float(tmp_path: Path) -> None:
    shop = open_shop(tmp_path / "stock")
    sale = shop.till.begin_online("air50")
    shop.till.delivered(sale, "1234", "N", 0, FLOAT_MINOR * 9)
    assert shop.till.float_minor == FLOAT_MINOR - 4750
    before = shop.journal.next_sequence
    shop.till.delivered(sale, "1234", "N", 0, FLOAT_MINOR * 9)
    assert shop.journal.next_sequence == before


def test_an_unknown_product_is_refused(tmp_path: Path) -> None:
    assert refusal(open_shop(tmp_path / "stock"), "air51") == ("unknown_product", None)


def test_a_float_that_does_not_reach_is_refused(tmp_path: Path) -> None:
    shop = open_shop(tmp_path / "stock")
    shop.server.ledger_minor = 4749
    shop.check_in()
    assert refusal(shop) == ("no_float", 4749)
    with pytest.raises(SaleRefused, match="no_float"):
        shop.till.begin_online("air50")
    shop.server.ledger_minor = 4750
    shop.check_in()
    shop.till.begin_offline("air50")


@pytest.mark.parametrize(
    ("limits", "sold", "code"),
    [
        ({"max_amount_minor": 4999}, 0, "offline_amount"),
        ({"max_count": 2}, 2, "offline_count"),
        ({"max_total_minor": 14999}, 2, "offline_total"),
    ],
)
def test_the_offline_policy_refuses(
    limits: dict[str, int], sold: int, code: str, tmp_path: Path
) -> None:
    shop = open_shop(tmp_path / "stock", catalogue=with_offline(**limits))
    for _ in range(sold):
        shop.sell_offline()
    assert refusal(shop) == (code, next(iter(limits.values())))
    again = Shop(shop.flash, shop.server, [], shop.folder, 2, with_offline(**limits))
    assert refusal(again)[0] == code, "switching off and on changes nothing"
    if sold:
        again.sync()
        again.sell_offline()


@pytest.mark.parametrize(
    ("own", "code", "limit"),
    [
        ({"max_count": 1}, "offline_count", 1),
        ({"max_count": 99, "max_total_minor": 9000}, "offline_total", 9000),
        ({"max_age_s": 10}, "offline_age", 10),
        ({"max_count": 0}, "offline_count", 0),
    ],
)
def test_a_product_has_limits_of_its_own_beside_those_of_all(
    own: dict[str, int], code: str, limit: int, tmp_path: Path
) -> None:
    table = json.loads(json.dumps(CATALOGUE))
    table["products"][0]["offline"] = own
    shop = open_shop(tmp_path / "stock", catalogue=table)
    if limit:
        shop.sell_offline()
    shop.time += 11
    assert refusal(shop) == (code, limit)
    again = Shop(shop.flash, shop.server, [], shop.folder, 2, table)
    again.time = shop.time
    assert refusal(again)[0] == code, "switching off and on changes nothing"
    if limit:
        again.sync()
        again.sell_offline()


def test_a_products_own_limits_never_widen_those_of_all(tmp_path: Path) -> None:
    table = json.loads(json.dumps(CATALOGUE))
    table["offline"].update(max_count=1, max_total_minor=5000, max_age_s=1000)
    table["products"][0]["offline"] = {
        "max_count": 50,
        "max_total_minor": 400000,
        "max_age_s": 9999,
    }
    shop = open_shop(tmp_path / "stock", catalogue=table)
    shop.sell_offline()
    assert refusal(shop) == ("offline_count", 1)


def test_a_record_that_flash_lost_counts_as_a_sale_of_the_product(tmp_path: Path) -> None:
    table = json.loads(json.dumps(CATALOGUE))
    table["products"][0]["offline"] = {"max_count": 1}
    shop = open_shop(tmp_path / "stock", catalogue=table)
    product = shop.till.catalogue.product("air50")
    records: list[Any] = [(1, 0, 0, None, b"")]
    state = SimpleNamespace(
        acknowledged=0, offline_count=1, offline_total_minor=5000, time_seen=1, settled_at=1,
        blind_starts=0,
    )  # fmt: skip
    journal = SimpleNamespace(state=state, records=lambda first: records)
    assert offline_limits.offline_left(shop.till.catalogue, product, journal, 1)[0] == 0
    records[0] = (1, INTENT_OFFLINE, 0, ["air100", 10000, 250, 5, 0], b"")
    assert offline_limits.offline_left(shop.till.catalogue, product, journal, 1)[0] == 1


def test_stock_is_not_sold_when_the_last_settlement_is_too_old(tmp_path: Path) -> None:
    shop = open_shop(tmp_path / "stock", catalogue=with_offline(max_age_s=1000))
    shop.time = TIME + 1000
    shop.sell_offline()
    shop.time = TIME + 1001
    assert refusal(shop) == ("offline_age", 1000)


def test_a_clock_that_runs_backwards_or_is_lost_does_not_widen_the_age(tmp_path: Path) -> None:
    shop = open_shop(tmp_path / "stock", catalogue=with_offline(max_age_s=1000))
    shop.time = TIME + 900
    shop.sell_offline()
    shop.time = TIME + 1500
    shop.till.booted(9, 1, "power-on")
    for backwards in (TIME + 10, 0):
        shop.time = backwards
        assert refusal(shop)[0] == "offline_age"
    again = Shop(shop.flash, shop.server, [], shop.folder, 2, with_offline(max_age_s=1000))
    again.time = 0
    assert refusal(again)[0] == "offline_age"


@pytest.mark.parametrize(("starts", "code"), [(3, ""), (4, "offline_age")])
def test_a_start_whose_clock_knows_nothing_counts_as_a_day(
    starts: int, code: str, tmp_path: Path
) -> None:
    shop = open_shop(tmp_path / "stock")
    for _ in range(starts):
        shop = shop.reboot()
        shop.till.booted(shop.boot_count, 1, "power-on", True)
    if code:
        assert refusal(shop)[0] == code
    else:
        shop.sell_offline()
    shop = shop.reboot()
    assert shop.journal.state.blind_starts == starts, "it outlives the power-off"
    shop.check_in()
    assert shop.reboot().journal.state.blind_starts == 0, "the server told the time"
    shop.sell_offline()


@pytest.mark.parametrize("figure", ["amount_minor", "commission_minor"])
def test_what_changed_since_the_merchant_looked_is_refused_not_charged(
    figure: str, tmp_path: Path
) -> None:
    shop = open_shop(tmp_path / "stock")
    shown = shop.till.catalogue.product("air50")
    changed = copy.deepcopy(CATALOGUE)
    changed["products"][0][figure] -= 50
    shop.till.catalogue = Catalogue(json.dumps(changed))
    for begin in (shop.till.begin_online, shop.till.begin_offline):
        with pytest.raises(SaleRefused) as caught:
            begin("air50", shown)
        assert caught.value.code == "price_changed"
    assert shop.till.unfinished() == []
    shop.till.begin_online("air50", shop.till.catalogue.product("air50"))


def test_a_commission_that_the_server_does_not_give_any_more_is_refused(tmp_path: Path) -> None:
    shop = open_shop(tmp_path / "stock")
    shop.server.commission_minor = 200
    assert shop.sell_online() == "price_changed"
    assert shop.till.float_minor == shop.server.ledger_minor == FLOAT_MINOR


def test_an_open_sale_whose_intent_flash_has_lost_is_given_up_and_not_waited_for(
    tmp_path: Path,
) -> None:
    shop = open_shop(tmp_path / "stock")
    sale = shop.till.begin_offline("air50")
    sector = shop.journal.ring.newest
    while shop.journal.ring.newest == sector:
        shop.till.booted(1, 1, "power-on")
    shop.sync()
    raw = shop.durable[sale.sequence]
    at = bytes(shop.flash.cells).index(raw)
    shop.flash.cells[at + 12] &= 0x0F
    shop = shop.reboot()
    assert shop.till.unfinished() == []
    assert [e[0] for e in shop.journal.state.unfinished] == [sale.sequence]
    shop.sync()
    assert shop.journal.state.unfinished == []
    record = next(r for r in shop.server.records if r and r.kind == 5)
    assert record.body == [sale.sequence, "lost"]


def test_an_answer_that_flash_has_lost_is_asked_for_again(tmp_path: Path) -> None:
    shop = open_shop(tmp_path / "stock")
    sale = shop.till.begin_online("air50")
    assert run(ask(shop.messenger, shop.till, sale)) == ""
    shop.sync()
    raw = shop.durable[sale.voucher_sequence]
    at = bytes(shop.flash.cells).index(raw)
    shop.flash.cells[at + 12] &= 0x0F
    shop = shop.reboot()
    (sale,) = shop.till.unfinished()
    assert not sale.has_voucher
    shop.recover()
    assert shop.till.unfinished() == []
    assert shop.paper == [(f"7{sale.sequence:015d}", "original", sale.sequence)]
    shop.sync()
    shop.check_in()
    assert shop.till.float_minor == shop.server.ledger_minor == FLOAT_MINOR - 4750


def test_a_clock_that_was_far_ahead_is_put_right_by_the_server(tmp_path: Path) -> None:
    shop = open_shop(tmp_path / "stock", catalogue=with_offline(max_age_s=1000))
    shop.time = TIME + 10_000_000
    shop.till.booted(9, 1, "power-on")
    assert refusal(shop)[0] == "offline_age"
    shop.time = shop.server.time = TIME + 20
    shop.check_in()
    shop.sell_offline()
    assert shop.journal.state.time_seen == TIME + 20


def test_a_terminal_that_never_met_the_server_sells_nothing_from_stock(tmp_path: Path) -> None:
    shop = open_shop(tmp_path / "stock")
    shop.journal.state.settled_at = 0
    assert refusal(shop)[0] == "offline_age"


def test_sold_out_stock_is_refused_and_expired_stock_too(tmp_path: Path) -> None:
    batches = {
        3: office.stock_file(3, "air50", 5000, 1),
        4: office.stock_file(4, "air50", 5000, 5, expiry=TIME + 100),
        5: office.stock_file(5, "air50", 4000, 5),
    }
    shop = open_shop(tmp_path / "stock", batches=batches)
    assert shop.till.stock_left("air50") == 6, "another price is another product"
    shop.sell_offline()
    shop.sell_offline()
    shop.time = TIME + 100
    assert refusal(shop) == ("no_stock", None)


def test_a_voucher_that_does_not_open_is_taken_back_and_never_offered_again(
    tmp_path: Path,
) -> None:
    shop = open_shop(tmp_path / "stock")
    file = shop.folder / "7.cbor"
    data = bytearray(file.read_bytes())
    data[data.index(b"S7-0") + 8] ^= 1
    file.write_bytes(data)
    sale = shop.till.begin_offline("air50")
    with pytest.raises(SaleRefused, match="spoiled"):
        shop.till.voucher(sale)
    assert shop.till.unfinished() == []
    assert shop.sell_offline().place == [7, 1]
    shop.sync()
    assert shop.till.float_minor == shop.server.ledger_minor == FLOAT_MINOR - 4750
    assert today(shop, TIME).count == 1


def test_four_open_vouchers_must_be_settled_before_the_next_sale(tmp_path: Path) -> None:
    shop = open_shop(tmp_path / "stock")
    for _ in range(4):
        shop.till.begin_offline("air50")
    code, first = refusal(shop)
    assert code == "pending_sale"
    sales = shop.till.unfinished()
    assert sales[0].sequence == first
    shop.till.printed(sales[0], False)
    shop.till.begin_offline("air50")


def test_a_sale_cut_while_printing_is_found_and_reprinted_as_a_copy_only(tmp_path: Path) -> None:
    shop = open_shop(tmp_path / "stock")
    sale = shop.till.begin_offline("air50")
    pin = shop.till.voucher(sale).pin
    again = shop.reboot()
    (found,) = again.till.unfinished()
    assert found.sequence == sale.sequence and found.may_be_out
    with pytest.raises(SaleRefused, match="pending_sale"):
        again.till.voucher(found)
    copy = again.till.reprint(found)
    assert copy.pin == pin
    kinds = [r.kind for r in oracle.read(bytes(again.flash.cells)).values()]
    assert kinds[-1] == 7, "the reprint is in the journal before the PIN is given"
    again.till.printed(found, True)
    assert again.till.unfinished() == []


def test_the_last_sale_can_be_reprinted_after_a_restart_online_and_offline(tmp_path: Path) -> None:
    shop = open_shop(tmp_path / "stock")
    for sell in (shop.sell_online, shop.sell_offline):
        sell()
        again = shop.reboot()
        last = again.till.last_sale()
        assert again.till.reprint(last).pin == shop.paper[-1][0]


def test_the_product_of_an_open_sale_may_leave_the_catalogue(tmp_path: Path) -> None:
    shop = open_shop(tmp_path / "stock")
    shop.sell_offline()
    slim = {**CATALOGUE, "products": CATALOGUE["products"][1:]}
    again = Shop(shop.flash, shop.server, [], shop.folder, 2, slim)
    assert again.till.reprint(again.till.last_sale()).product.id == "air50"


def test_the_day_report_counts_what_was_sold_today_and_nothing_else(tmp_path: Path) -> None:
    shop = open_shop(tmp_path / "stock")
    shop.sell_offline()
    shop.time += 86400
    shop.sell_offline()
    shop.sell_online("air100")
    shop.sell_offline()
    shop.server.refuse = "blocked"
    shop.sell_online()
    last = shop.till.last_sale()
    shop.print(last, shop.till.reprint(last), "copy")
    report = today(shop, shop.time)
    assert sorted(report.products) == [("air100", 1, 10000), ("air50", 2, 10000)]
    assert (report.count, report.total_minor, report.commission_minor) == (3, 20000, 750)
    assert report.reprints == 1
    assert today(shop.reboot(), shop.time).count == 3


@pytest.mark.parametrize(
    "change",
    [
        {"version": 0},
        {"currency": 5},
        {"minor_digits": True},
        {"products": [{}]},
        {"products": CATALOGUE["products"] + CATALOGUE["products"][:1]},
        {"products": [{**CATALOGUE["products"][0], "commission_minor": 5001}]},
        {"products": [{**CATALOGUE["products"][0], "pin_groups": [0]}]},
        {"offline": {}},
    ],
)
def test_a_malformed_catalogue_is_refused_by_field(change: dict[str, Any]) -> None:
    from firmware.sales.catalogue import Catalogue, CatalogueError

    Catalogue(json.dumps(CATALOGUE))
    for text in (json.dumps({**CATALOGUE, **change}), "[]", "{", "x" * 13000):
        with pytest.raises(CatalogueError, match="catalogue: "):
            Catalogue(text)


def test_a_spoiled_last_record_never_lets_its_pin_be_sold_again(tmp_path: Path) -> None:
    shop = open_shop(tmp_path / "stock", 6)
    sale = shop.till.begin_offline("air50")
    pin = shop.till.voucher(sale).pin
    shop.paper.append((pin, "original", sale.sequence))
    image = bytearray(shop.flash.cells)
    ring = shop.journal.ring
    offset, size = ring.base(ring.newest), ring.at
    image[offset + size - 40] &= 0x0F  # inside the intent, which nothing follows
    again = shop.reboot(bytes(image))
    fresh = again.sell_offline()
    assert again.paper[-1][0] != pin
    assert cbor.dumps(fresh.place) != cbor.dumps(sale.place)


def test_an_answer_that_was_lost_is_asked_for_again_and_sold_once(tmp_path: Path) -> None:
    shop = open_shop(tmp_path / "stock")
    shop.lose_replies = True
    with pytest.raises(NoNetwork):
        shop.sell_online()
    again = shop.reboot()
    (sale,) = again.till.unfinished()
    assert not sale.has_voucher
    again.recover()
    assert again.till.unfinished() == []
    assert again.till.float_minor == again.server.ledger_minor
    assert [how for _, how, _ in again.paper] == ["original"]
    assert len(again.server.answers) == 1
