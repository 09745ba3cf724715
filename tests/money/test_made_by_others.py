"""Sales that others make: for a number or a meter, pending, with details that outlive a record."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import cbor2
import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESCCM

from firmware.office import ask as asking
from firmware.office import look_up
from firmware.office.messenger import BadReply
from firmware.sales import by_others, details, journal, state
from firmware.sales import till as tills
from firmware.sales.journal import JournalFull
from firmware.sales.sale import PENDING, SaleRefused
from tests.money import office, oracle
from tests.money.shop import FLOAT_MINOR, Shop, open_shop, run

METER = "37123456785"
TOKENS = [
    ["key_change_1", "11112222333344445555"],
    ["key_change_2", "66667777888899990000"],
    ["token_2", "12121212343434345656"],
    ["customer", "Wanjiku wa Ngugi na Watoto"],
    ["units_kwh", "123.4"],
    ["tariff", "Domestic 1"],
    ["tax", "16.00"],
    ["arrears", "0.00"],
    ["free_units", "5.0"],
]
LONGEST = [[f"label_{n:010d}", "é" * 64] for n in range(12)]


def flash_of(shop: Shop) -> dict[int, oracle.Record]:
    return oracle.read(bytes(shop.flash.cells))


def opened(shop: Shop, sale: int) -> Any:
    """The details of a sale out of raw flash, by the format's page."""
    records = {**{r.sequence: r for r in shop.server.records if r}, **flash_of(shop)}
    _, _, sealed = oracle.said_of(records, sale)
    answer = shop.server.answers[sale][1]
    aad = b"duka/details/1" + b"power" + answer[3].encode() + b"/" + answer[2].encode()
    nonce = b"\x04" + hashlib.sha256(sale.to_bytes(4, "big") + aad).digest()[:12]
    return cbor2.loads(AESCCM(office.STOCK, 8).decrypt(nonce, sealed, aad))


def test_the_question_and_the_intent_carry_the_recipient_and_the_amount(tmp_path: Path) -> None:
    shop = open_shop(tmp_path)
    assert shop.sell_power(METER, 20000) == ""
    asked = shop.server.asked[-1]
    assert (asked[2], asked[3], asked[20], asked[21]) == ("power", 20000, 500, METER)
    (intent,) = [r for r in flash_of(shop).values() if r.kind == 3]
    assert intent.body == ["power", 20000, 500, METER]
    assert shop.till.float_minor == FLOAT_MINOR - 19500
    assert shop.troubles(shop.durable) == []


def test_a_voucher_is_asked_for_as_before(tmp_path: Path) -> None:
    shop = open_shop(tmp_path)
    assert shop.sell_online() == ""
    assert sorted(shop.server.asked[-1]) == [0, 1, 2, 3, 4, 20]
    kinds = {r.kind: r.body for r in flash_of(shop).values()}
    assert kinds[3] == ["air50", 5000, 250] and len(kinds[4]) == 5


@pytest.mark.parametrize("told", [TOKENS, LONGEST], ids=["usual", "longest"])
def test_details_are_sealed_in_flash_and_come_back_after_a_power_cut(
    told: list[list[str]], tmp_path: Path
) -> None:
    shop = open_shop(tmp_path)
    shop.server.details = told
    sale = shop.till.begin_online("power", None, METER, 20000)
    assert run(asking.ask(shop.messenger, shop.till, sale)) == ""
    assert opened(shop, sale.sequence) == told
    for _, value in told:
        assert value.encode() not in bytes(shop.flash.cells)
    again = shop.reboot()
    (open_sale,) = again.till.unfinished()
    assert open_sale.recipient == METER and open_sale.amount_minor == 20000
    voucher = again.till.reprint(open_sale)
    assert voucher.details == told and voucher.recipient == METER
    again.print(open_sale, voucher, "copy")
    assert again.till.reprint(again.till.last_sale()).details == told
    again.sync()
    assert again.troubles({**shop.durable, **again.durable}) == []


def test_a_recipient_that_cannot_be_one_is_refused_before_anything_is_written(
    tmp_path: Path,
) -> None:
    shop = open_shop(tmp_path)
    before = shop.journal.next_sequence
    for recipient in (None, "", "3712345678", "37123456785123", "3712345678x", "٣٧١٢٣٤٥٦٧٨٥"):
        with pytest.raises(SaleRefused, match="bad_recipient"):
            shop.till.begin_online("power", None, recipient, 20000)
    with pytest.raises(SaleRefused, match="bad_recipient"):
        shop.till.begin_online("air50", None, METER)
    for amount in (0, 900, 500100, 1050, -1000):
        with pytest.raises(SaleRefused, match="price_changed"):
            shop.till.begin_online("power", None, METER, amount)
    with pytest.raises(SaleRefused, match="price_changed"):
        shop.till.begin_online("air50", None, None, 4000)
    with pytest.raises(SaleRefused, match="no_stock"):
        shop.till.begin_offline("power")
    assert shop.journal.next_sequence == before


def test_an_open_amount_over_the_float_is_refused(tmp_path: Path) -> None:
    shop = open_shop(tmp_path)
    shop.journal.acknowledge(shop.journal.next_sequence - 1, 97500, 0)
    shop.till.begin_online("power", None, METER, 100000)
    shop = open_shop(tmp_path / "other")
    shop.journal.acknowledge(shop.journal.next_sequence - 1, 97499, 0)
    with pytest.raises(SaleRefused, match="no_float"):
        shop.till.begin_online("power", None, METER, 100000)


def test_bounds_that_changed_behind_the_merchants_back_are_not_sold_by(tmp_path: Path) -> None:
    shop = open_shop(tmp_path)
    shown = shop.till.catalogue.product("power")
    assert shown is not None and shown.open is not None
    shown.open.permille = 30
    with pytest.raises(SaleRefused, match="price_changed"):
        shop.till.begin_online("power", shown, METER, 20000)


def test_a_pending_sale_keeps_its_part_of_the_float_lets_others_pass_and_is_asked_again(
    tmp_path: Path,
) -> None:
    shop = open_shop(tmp_path)
    shop.server.pending[0] = 2
    assert shop.sell_power() == PENDING
    (sale,) = shop.till.unfinished()
    assert not sale.has_voucher and shop.till.due_ms(sale) > 0
    assert shop.till.float_minor == FLOAT_MINOR - 19500
    asked = len(shop.server.asked)
    shop.sync()
    assert len(shop.server.asked) == asked, "it was asked before its time"
    assert shop.sell_online() == "", "another sale does not wait for it"
    assert run(asking.ask(shop.messenger, shop.till, sale)) == PENDING
    assert run(asking.ask(shop.messenger, shop.till, sale)) == ""
    first, second, third = [r for r in shop.server.asked if 21 in r]
    assert first == second == third
    shop.print(sale, shop.till.voucher(sale), "original")
    assert shop.till.float_minor == FLOAT_MINOR - 19500 - 4750 == shop.server.ledger_minor
    assert shop.troubles(shop.durable) == []


def test_a_pending_sale_is_asked_for_by_a_sync_after_a_power_cut(tmp_path: Path) -> None:
    shop = open_shop(tmp_path)
    shop.server.pending[0] = 1
    shop.server.details = TOKENS
    assert shop.sell_power() == PENDING
    again = shop.reboot()
    assert again.sell_online() == "", "that the server has it is known after a cut, too"
    again.sync()
    (sale,) = again.till.unfinished()
    assert sale.has_voucher and not sale.may_be_out
    assert again.till.voucher(sale).details == TOKENS


def test_a_sale_that_is_refused_after_it_was_pending_gives_its_float_back(tmp_path: Path) -> None:
    shop = open_shop(tmp_path)
    shop.server.pending[0] = 1
    assert shop.sell_power() == PENDING
    shop.server.refuse = "supplier_refused"
    (sale,) = shop.till.unfinished()
    assert run(asking.ask(shop.messenger, shop.till, sale)) == "supplier_refused"
    assert shop.till.unfinished() == []
    assert shop.till.float_minor == FLOAT_MINOR - 19500, "never more than the ledger may say"
    shop.sync()
    assert shop.till.float_minor == FLOAT_MINOR == shop.server.ledger_minor


@pytest.mark.parametrize("answered", [True, False])
def test_a_sale_of_others_outlives_many_turns_of_the_ring(answered: bool, tmp_path: Path) -> None:
    shop = open_shop(tmp_path, sectors=6)
    shop.server.details = LONGEST
    shop.server.pending[0] = 0 if answered else 1
    sale = shop.till.begin_online("power", None, METER, 20000)
    code = run(asking.ask(shop.messenger, shop.till, sale))
    assert code == ("" if answered else PENDING)
    for n in range(900):
        shop.journal.append(state.SETTING, ["n", n])
        shop.journal.acknowledge(shop.journal.next_sequence - 1, shop.till.float_minor, 0)
    assert shop.journal.oldest > sale.sequence + 100
    carried = [r for r in flash_of(shop).values() if r.kind == state.CARRIED]
    assert 1 <= len(carried) <= 2, "it is restated once a turn"
    again = shop.reboot()
    (found,) = again.till.unfinished()
    assert (found.recipient, found.amount_minor, found.has_voucher) == (METER, 20000, answered)
    if answered:
        assert again.till.reprint(found).details == LONGEST
        assert opened(again, sale.sequence) == LONGEST
    else:
        assert run(asking.ask(again.messenger, again.till, found)) == ""


def _spoil(shop: Shop, sequence: int) -> None:
    raw = flash_of(shop)[sequence].raw
    at = bytes(shop.flash.cells).index(raw)
    shop.flash.cells[at + 12 : at + 16] = bytes(4)


def test_a_piece_that_flash_loses_is_asked_for_again(tmp_path: Path) -> None:
    shop = open_shop(tmp_path)
    shop.server.details = LONGEST
    sale = shop.till.begin_online("power", None, METER, 20000)
    assert run(asking.ask(shop.messenger, shop.till, sale)) == ""
    pieces = [r.sequence for r in flash_of(shop).values() if r.kind == state.DETAILS]
    assert len(pieces) >= 5
    _spoil(shop, pieces[2])
    again = shop.reboot()
    (found,) = again.till.unfinished()
    assert not found.has_voucher
    assert run(asking.ask(again.messenger, again.till, found)) == ""
    assert again.till.voucher(found).details == LONGEST


def test_a_cut_among_the_pieces_leaves_a_sale_without_an_answer(tmp_path: Path) -> None:
    shop = open_shop(tmp_path)
    shop.server.details = LONGEST
    sale = shop.till.begin_online("power", None, METER, 20000)
    assert run(asking.ask(shop.messenger, shop.till, sale)) == ""
    (answer,) = [r for r in flash_of(shop).values() if r.kind == 4]
    content = bytearray(shop.flash.cells)
    at = bytes(content).index(answer.raw)
    content[at : at + len(answer.raw)] = b"\xff" * len(answer.raw)
    again = shop.reboot(bytes(content))
    (found,) = again.till.unfinished()
    assert not found.has_voucher and again.till.float_minor == FLOAT_MINOR - 19500
    again.sync()
    (found,) = again.till.unfinished()
    assert again.till.voucher(found).details == LONGEST
    assert again.troubles({}) == []


@pytest.mark.parametrize(
    "told",
    [
        {9: [["customer"]]},
        {9: [["customer", 5]]},
        {9: [["x" * 17, ""]]},
        {9: [["", "x"]]},
        {9: [["x", "y" * 65]]},
        {9: [["x", "y"]] * 13},
        {9: "x"},
        {9: None},
    ],
)
def test_details_that_are_not_as_specified_are_no_answer(told: dict[int, Any]) -> None:
    with pytest.raises(BadReply):
        asking.delivery({2: "1234", 3: "N", 4: 0, 5: 10, **told})


def test_the_name_of_a_meter_is_told_and_an_unknown_one_is_refused(tmp_path: Path) -> None:
    shop = open_shop(tmp_path)
    shop.server.customers[METER] = "Wanjiku"
    before = bytes(shop.flash.cells)
    found = run(look_up.look_up(shop.messenger, "power", METER, 20000))
    assert (found.code, found.name) == ("", "Wanjiku")
    other = run(look_up.look_up(shop.messenger, "power", "37123456793", 20000))
    assert (other.code, other.name) == ("bad_recipient", "")
    assert bytes(shop.flash.cells) == before


WRONG_BUILDS: dict[str, tuple[Any, Any, str, Any]] = {
    "details are left where the ring turns over them": (
        lambda folder: test_a_sale_of_others_outlives_many_turns_of_the_ring(True, folder),
        journal.Journal,
        "_restate",
        lambda restate: (
            lambda self, sale, said: (
                self._write(state.CARRIED, [sale, *said], cbor2.dumps([sale, *said])) > 0
            )
        ),
    ),
    "the recipient is not restated": (
        lambda folder: test_a_sale_of_others_outlives_many_turns_of_the_ring(False, folder),
        journal,
        "restated",
        lambda restated: (
            lambda read, known: [
                None if n == 5 else item for n, item in enumerate(restated(read, known))
            ]
        ),
    ),
    "a piece is believed unseen": (
        test_a_piece_that_flash_loses_is_asked_for_again,
        state,
        "pieces_of",
        lambda pieces_of: lambda read, sale, places: [[sale, b""]],
    ),
    "the answer counts before its details are in flash": (
        test_a_cut_among_the_pieces_leaves_a_sale_without_an_answer,
        details,
        "put_down",
        lambda put_down: lambda journal, key, sale, serial, pin, told: [],
    ),
    "a pending sale stands in the way": (
        test_a_pending_sale_keeps_its_part_of_the_float_lets_others_pass_and_is_asked_again,
        tills.Till,
        "pending",
        lambda pending: lambda self, sale, again_s: None,
    ),
    "any number will do": (
        test_a_recipient_that_cannot_be_one_is_refused_before_anything_is_written,
        by_others.Recipient,
        "takes",
        lambda takes: lambda self, number: self.fewest <= len(number) <= self.most,
    ),
}


@pytest.mark.parametrize("wrong", WRONG_BUILDS)
def test_a_wrong_build_is_noticed(
    wrong: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    case, where, name, change = WRONG_BUILDS[wrong]
    case(tmp_path / "right")
    monkeypatch.setattr(where, name, change(getattr(where, name)))
    with pytest.raises((AssertionError, SaleRefused, JournalFull, pytest.fail.Exception)):
        case(tmp_path / "wrong")
