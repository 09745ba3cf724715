"""A merchant sells to a number, to a meter and to a reference; nothing of it is in the terminal."""

from __future__ import annotations

import json
import random
from types import SimpleNamespace
from typing import Any

import pytest

from firmware.flows.steps.recipient import is_meter, operator_of
from firmware.sales.catalogue import Catalogue
from firmware.ui.money_and_dates import grouped
from tests.merchant.at_counter import (
    DELIVERED,
    ONLINE,
    PENDING,
    PRINTED,
    REFUSED,
    REPRINT,
    Outcome,
    run,
)
from tests.merchant.at_counter import (
    DETAILS as OF_DETAILS,
)
from tests.money.shop import CATALOGUE

TOPUP = {
    "id": "topup",
    "name": "Savanna top-up",
    "operator": "Savanna",
    "amount_minor": 10000,
    "commission_minor": 500,
    "instructions": "Dial *144# for the balance",
    "pin_groups": [4, 4, 4, 4],
    "kind": "topup",
    "recipient": {"digits": [10, 10], "starts": ["07", "011"]},
    "open": {
        "min_minor": 1000,
        "max_minor": 500000,
        "step_minor": 500,
        "commission_permille": 50,
    },
}
BUNDLE = {**TOPUP, "id": "gb1", "name": "Savanna 1 GB week", "amount_minor": 25000}
del BUNDLE["open"]
POWER = {
    "id": "power",
    "name": "Umeme prepaid",
    "operator": "Umeme",
    "amount_minor": 20000,
    "commission_minor": 400,
    "instructions": "Type the token into the meter, then ENTER. Helpline 0800 123 456",
    "pin_groups": [4, 4, 4, 4, 4],
    "kind": "meter",
    "recipient": {"digits": [11, 13], "starts": []},
    "open": {
        "min_minor": 2000,
        "max_minor": 10000000,
        "step_minor": 100,
        "commission_permille": 20,
    },
}
WATER = {
    "id": "water",
    "name": "City water bill",
    "operator": "City Water",
    "amount_minor": 30000,
    "commission_minor": 300,
    "instructions": "Keep this slip",
    "pin_groups": [4],
    "kind": "bill",
    "recipient": {"digits": [6, 14], "starts": ["88"]},
    "open": {
        "min_minor": 100,
        "max_minor": 10000000,
        "step_minor": 1,
        "commission_permille": 10,
    },
}
METER = "37123456784"
NAME = "Wanjiku Njoroge"
DETAILS = [
    ["customer", NAME],
    ["key_change_1", "11112222333344445555"],
    ["key_change_2", "66667777888899990000"],
    ["token_2", "12121212343434345656"],
    ["units_kwh", "12.3"],
    ["tariff", "Domestic"],
    ["tax", "27.59"],
    ["arrears", "0.00"],
    ["free_units", "1.0"],
    ["of_later_times", "xyz"],
]
TOKENS = [
    "FIRST",
    "1111 2222 3333\n4444 5555",
    "Key token 2 of 2",
    "6666 7777 8888\n9999 0000",
    "THEN",
    "Token 1 of 2",
    "1234 5678 9012\n3456 7890",
    "Token 2 of 2",
    "1212 1212 3434\n3434 5656",
]
IN: list[list[Any]] = [
    ["sell_also", TOPUP, BUNDLE, POWER, WATER],
    ["sign_in"],
    ["see", "Menu", "2 Top up a number", "3 Electricity", "4 Pay a bill"],
]
TO_A_NUMBER: list[list[Any]] = [
    ["press", "2"],
    ["see", "Sell what?", "1 Savanna top-up"],
    ["press", "1"],
    ["see", "Number", "Type the number"],
]
CUSTOMER: list[Any] = ["customer", METER, NAME]
TO_A_METER: list[list[Any]] = [
    CUSTOMER,
    ["press", "3"],
    ["see", "Sell what?"],
    ["press", "1"],
    ["see", "Meter", "Type the meter"],
    ["press", METER],
    ["see", "3712 3456 784"],
    ["press", "#"],
    ["see", "Amount", "At least 20.00", "At most 100 000.00"],
    ["press", "200"],
    ["see", "KES 200.00"],
    ["press", "#"],
]
AGREED: list[list[Any]] = [
    *TO_A_METER,
    ["see", "Is it this one?", "3712 3456 784", NAME],
    ["press", "#"],
    ["see", "Sell Umeme prepaid?", "KES 200.00", "3712 3456 784", "Float after 804.00"],
    ["press", "#"],
]
SOLD: list[list[Any]] = [["see", "Sold"], ["press", "#"], ["see", "Menu"]]


def paper_of(done: Outcome, at: int = 0) -> str:
    return "\n".join(line.strip() for line in done.paper[at].split("\n"))


def test_without_such_products_the_menu_does_not_speak_of_them() -> None:
    done = run(["sign_in"], ["see", "Menu", "2 Last sales"])
    assert not done.saw("Top up") and not done.saw("Electricity")


def test_a_number_is_topped_up_once_it_was_typed_twice() -> None:
    done = run(
        *IN,
        ["server", ""],
        *TO_A_NUMBER,
        ["press", "0712345678"],
        ["see", "0712 345 678"],
        ["press", "#"],
        ["see", "Amount"],
        ["press", "150#"],
        ["see", "Once more"],
        ["not_see", "0712"],
        ["press", "0712345678#"],
        ["see", "Sell Savanna top-up?", "KES 150.00", "0712 345 678", "Float after 857.50"],
        ["press", "#"],
        ["see", "Sold", "KES 150.00", "0712 345 678", "Float KES 857.50"],
        ["press", "#"],
        ["see", "Menu"],
    )
    assert done.asked == [["topup", 15000, "0712345678"]]
    assert done.journaled == [ONLINE, DELIVERED, PRINTED] and done.is_debited(14250)
    assert [ONLINE, "topup", "15000", "750", "0712345678"] in done.records
    assert done.look_ups == 0, "a question costs airtime"
    paper = paper_of(done)
    assert "Savanna top-up        KES 150.00" in paper and paper.count("0712 345 678") == 1
    assert "SER-1" in paper and "REF-0001" not in paper and done.begun == [DELIVERED]


@pytest.mark.parametrize(
    ("number", "words"),
    [("071234567", "10 digits"), ("0812345678", "07, 011"), ("0101234567", "07, 011")],
)
def test_a_number_that_cannot_be_one_is_told_before_it_costs_airtime(
    number: str, words: str
) -> None:
    done = run(
        *IN,
        *TO_A_NUMBER,
        ["press", number + "#"],
        ["see", "Look again", words],
        ["press", "#"],
        ["see", grouped(number, "topup")],
        ["press", "*"],
        ["see", "Menu"],
    )
    assert done.left_no_trace and done.look_ups == 0


def test_a_number_that_is_typed_otherwise_the_second_time_is_not_topped_up() -> None:
    done = run(
        *IN,
        *TO_A_NUMBER,
        ["press", "0712345678#"],
        ["see", "Amount"],
        ["press", "150#"],
        ["see", "Once more"],
        ["press", "0712345687#"],
        ["see", "Look again", "not the same"],
        ["press", "#"],
        ["see", "Menu"],
    )
    assert done.left_no_trace and done.look_ups == 0


@pytest.mark.parametrize("typed", ["5", "5001", "152"])
def test_an_amount_out_of_bounds_is_told_with_the_bounds(typed: str) -> None:
    done = run(
        *IN,
        ["float", 10**9],
        *TO_A_NUMBER,
        ["press", "0712345678#"],
        ["see", "Amount", "At least 10.00", "At most 5 000.00"],
        ["press", typed + "#"],
        ["see", "Look again", "In steps of KES 5.00"],
        ["press", "#"],
        ["see", "Amount"],
        ["press", "*"],
        ["see", "Menu"],
    )
    assert done.asked == [] and done.kinds == []


def test_a_bundle_has_a_fixed_price_and_shows_its_name_in_full() -> None:
    done = run(
        *IN,
        ["server", ""],
        ["press", "2"],
        ["see", "Sell what?"],
        ["press", "2"],
        ["see", "Number"],
        ["press", "0112345678#"],
        ["see", "Once more"],
        ["press", "0112345678#"],
        ["see", "Sell Savanna 1 GB week?", "KES 250.00"],
        ["press", "#"],
        *SOLD,
    )
    assert done.asked == [["gb1", 25000, "0112345678"]]


def test_electricity_prints_key_tokens_first_then_every_token_and_all_figures() -> None:
    done = run(*IN, ["server", ""], ["details", *DETAILS], *AGREED, *SOLD)
    assert done.asked == [["power", 20000, METER]] and done.look_ups == 1
    *details, answer, printed = done.journaled[1:]
    assert set(details) == {OF_DETAILS} and [answer, printed] == [DELIVERED, PRINTED]
    assert done.kinds == [ONLINE, DELIVERED, PRINTED] and done.is_debited(19600)
    assert done.begun == [DELIVERED]
    paper = paper_of(done)
    places = [paper.index(text) for text in ("3712 3456 784", NAME, *TOKENS)]
    assert places == sorted(places)
    assert [paper.count(text) for text in TOKENS] == [1] * len(TOKENS)
    for label, value in DETAILS[4:]:
        name = {"units_kwh": "Units kWh", "free_units": "Free units kWh"}.get(label, label)
        name = name if "_" in name else name[0].upper() + name[1:]
        assert f"\n{name}{value:>{32 - len(name)}}\n" in paper
    assert "Umeme prepaid         KES 200.00" in paper
    seen = " ".join(done.pages + done.log)
    assert "1234 5678" not in seen and "1111 2222" not in seen


@pytest.mark.parametrize(
    ("meter", "words"),
    [("37123456785", "A digit is wrong"), ("3712345678", "11 / 13"), ("371234567849", "11 / 13")],
)
def test_a_meter_with_a_wrong_digit_is_told_without_asking_anybody(meter: str, words: str) -> None:
    done = run(
        *IN,
        ["press", "3"],
        ["see", "Sell what?"],
        ["press", "1"],
        ["see", "Meter"],
        ["press", meter + "#"],
        ["see", "Look again"],
        ["press", "#"],
        ["see", "Meter"],
    )
    assert done.saw(words) and done.look_ups == 0 and done.left_no_trace


def test_a_meter_that_nobody_knows_is_not_sold_to() -> None:
    done = run(
        *IN,
        *TO_A_METER[1:],
        ["see", "Not sold", "not known"],
        ["press", "#"],
        ["see", "Menu"],
    )
    assert done.kinds == [] and done.asked == []


def test_a_name_that_is_not_the_customers_stops_the_sale() -> None:
    done = run(*IN, *TO_A_METER, ["see", NAME], ["press", "*"], ["see", "Menu"])
    assert done.left_no_trace


def test_a_meter_without_a_name_is_typed_twice() -> None:
    done = run(
        *IN,
        ["server", ""],
        ["customer", METER, ""],
        *TO_A_METER[1:],
        ["see", "Once more"],
        ["press", METER + "#"],
        ["see", "Sell Umeme prepaid?"],
        ["press", "#"],
        *SOLD,
    )
    assert done.asked == [["power", 20000, METER]]


def test_arrears_that_must_be_paid_first_raise_the_amount() -> None:
    done = run(
        *IN,
        ["server", ""],
        ["customer", METER, NAME, 35050, 60000],
        *TO_A_METER[1:],
        ["see", NAME],
        ["press", "#"],
        ["see", "Look again", "At least KES 350.50"],
        ["press", "#"],
        ["see", "Amount", "At least 351.00", "At most 600.00"],
        ["press", "400#"],
        ["see", "Sell Umeme prepaid?", "KES 400.00"],
        ["press", "#"],
        *SOLD,
    )
    assert done.asked == [["power", 40000, METER]]


def test_a_bill_is_paid_by_its_reference_to_the_cent() -> None:
    done = run(
        *IN,
        ["server", ""],
        ["customer", "881234567890", "Estate of Otieno"],
        ["press", "4"],
        ["see", "Sell what?"],
        ["press", "1"],
        ["see", "Reference"],
        ["press", "881234567890#"],
        ["see", "Amount"],
        ["press", "12345"],
        ["see", "KES 123.45"],
        ["press", "#"],
        ["see", "Is it this one?", "8812 3456 7890", "Estate of Otieno"],
        ["press", "#"],
        ["see", "Sell City water bill?", "KES 123.45"],
        ["press", "#"],
        *SOLD,
    )
    assert done.asked == [["water", 12345, "881234567890"]]
    assert [ONLINE, "water", "12345", "123", "881234567890"] in done.records
    assert done.journaled == [ONLINE, DELIVERED, PRINTED] and done.records[-1][2] == "0"
    assert done.begun == [DELIVERED] and done.is_debited(12345 - 123)
    paper = paper_of(done)
    assert paper.count("8812 3456 7890") == 1 and "City water bill       KES 123.45" in paper


def test_a_pending_sale_is_asked_for_by_itself_and_prints_when_it_is_decided() -> None:
    done = run(*IN, ["server", 1, 1, ""], *AGREED, ["see", "Not decided yet"], *SOLD)
    assert len(done.asked) == 3 and done.kinds == [ONLINE, DELIVERED, PRINTED]
    assert done.float_minor == 100000 - 19600


def test_a_pending_sale_may_be_left_and_others_sold_and_is_finished_from_the_menu() -> None:
    done = run(
        *IN,
        ["server", 3600],
        *AGREED,
        ["see", "Not decided yet", "Do not sell it again"],
        ["no_paper"],
        ["float_is", 100000 - 19600],
        ["press", "*"],
        ["see", "Menu", "1 Unfinished sale"],
        ["server", "", ""],
        ["press", "2"],
        ["see", "Sell what?"],
        ["press", "1"],
        ["see", "KES 50.00"],
        ["press", "#"],
        *SOLD,
        ["press", "1"],
        ["see", "has not answered", METER],
        ["press", "#"],
        *SOLD,
    )
    other = [ONLINE, DELIVERED, PRINTED]
    assert done.journaled == [ONLINE, PENDING, *other, DELIVERED, PRINTED]
    assert done.is_debited(19600, 4750) and done.begun == [DELIVERED, DELIVERED]
    paper = paper_of(done)
    assert paper.count("3712 3456 784") == paper.count("1234 5678 9012") == 1
    assert "DUPLICATE" not in paper


def test_a_pending_sale_that_is_refused_in_the_end_is_told_so() -> None:
    done = run(
        *IN,
        ["server", 1, "supplier_refused"],
        *AGREED,
        ["see", "Not decided yet"],
        ["see", "Not sold", "supplier refuses"],
        ["press", "#"],
        ["see", "Menu"],
    )
    assert done.kinds == [ONLINE, REFUSED] and done.paper == [""]


def test_a_cut_after_the_answer_prints_all_tokens_as_a_copy_with_both_times() -> None:
    done = run(
        *IN,
        ["server", ""],
        ["details", *DETAILS],
        ["printer", "paper_at:300"],
        *AGREED,
        ["see", "Not printed"],
        ["cut"],
        ["printer", "ok"],
        ["see", "Sales to finish: 1"],
        ["press", "2580#"],
        ["see", "Sale was cut", "Umeme prepaid", METER],
        ["press", "#"],
        *SOLD,
    )
    paper = paper_of(done, 1)
    assert paper.count("DUPLICATE") == 2 and "DUPLICATE" not in done.paper[0]
    places = [paper.index(text) for text in ("3712 3456 784", NAME, *TOKENS)]
    assert places == sorted(places)
    assert "Sale 3          18/11/2026 11:06\nCopy 1          18/11/2026 11:07" in paper
    assert done.kinds == [ONLINE, DELIVERED, REPRINT, PRINTED] and done.is_debited(19600)
    assert done.begun == [DELIVERED, REPRINT]


def test_with_a_dead_printer_all_tokens_are_shown_in_their_order() -> None:
    done = run(
        *IN,
        ["server", ""],
        ["details", *DETAILS],
        ["printer", "paper_at:300"],
        *AGREED,
        ["see", "Not printed"],
        ["press", "D"],
        ["see", "Show the PIN"],
        ["press", "#"],
        ["see", "FIRST"],
        ["newest", REPRINT],
        ["press", "BBBBB"],
        ["wait_ms", 50],
        ["press", "#"],
        ["see", "Menu"],
    )
    shown = " ".join(done.pages)
    assert shown.index("1111 2222 3333") < shown.index("6666 7777 8888")
    assert shown.index("6666 7777 8888") < shown.index("1234 5678 9012") < shown.index("1212 1212")
    assert done.kinds == [ONLINE, DELIVERED, REPRINT, PRINTED] and done.begun == [DELIVERED]
    assert done.records[-1][2] == "1", "nobody saw it on paper"
    assert "Thank you" not in done.paper[0] and done.is_debited(19600)


@pytest.mark.parametrize(
    ("prepare", "words"),
    [
        ([["network", "offline"]], "No network This is sold with network only"),
        ([["float", 1900]], "Not sold Your float is too low"),
        ([["blocked"]], "Not sold This terminal is blocked"),
    ],
    ids=["offline", "no float", "blocked"],
)
def test_what_must_be_refused_is_refused_before_a_digit_is_typed(
    prepare: list[list[Any]], words: str
) -> None:
    done = run(*IN, *prepare, ["press", "3"], ["see", "Sell what?"], ["press", "1"], ["see", words])
    assert not done.saw("Type the meter") and done.left_no_trace and done.look_ups == 0


def test_a_float_that_the_amount_is_over_is_told_before_agreeing() -> None:
    too_low: list[Any] = ["see", "Not sold", "float is too low"]
    done = run(*IN, ["float", 15000], *TO_A_METER, ["see", NAME], ["press", "#"], too_low)
    assert not done.saw("Sell Umeme prepaid?") and done.left_no_trace


def test_flows_are_not_kept_when_they_are_over() -> None:
    done = run(*IN, ["server", ""], *AGREED, *SOLD)
    assert done.loaded == ["firmware.flows.menu", "firmware.flows.session"]


def test_forty_eight_products_need_few_keys() -> None:
    names = ["Savanna", "Kilele", "Baridi", "Mlima"]
    many = [
        {
            **BUNDLE,
            "id": f"p{n}",
            "name": f"{names[n % 4]} {n} MB",
            "operator": names[n % 4],
            "instructions": "",
            "pin_groups": [4],
        }
        for n in range(48)
    ]
    done = run(
        ["sell_also", *many],
        ["sign_in"],
        ["see", "Menu"],
        ["press", "2"],
        ["see", "Which operator?", "2 Kilele"],
        ["press", "2"],
        ["see", "Kilele", "1 Kilele 1 MB"],
        ["press", "12"],
        ["see", "Number"],
        ["press", "0712345678#"],
        ["see", "Once more"],
        ["press", "0712345678#"],
        ["see", "Sell Kilele 45 MB?"],
        ["press", "*"],
        ["see", "Menu"],
    )
    assert done.kinds == []


# --- numbers ---


def _check_digit(body: str) -> str:
    """The digit that makes `body` a meter, found by trying (a second way to Luhn's formula)."""
    doubled = [sum(divmod(2 * int(d), 10)) for d in reversed(body)][::2]
    plain = [int(d) for d in reversed(body)][1::2]
    return str(-(sum(doubled) + sum(plain)) % 10)


def test_one_wrong_digit_or_two_neighbours_the_other_way_round_are_no_meter() -> None:
    dice = random.Random(41)
    for length in (11, 13):
        for _ in range(200):
            body = "".join(dice.choice("0123456789") for _ in range(length - 1))
            meter = body + _check_digit(body)
            assert is_meter(meter)
            for at in range(length):
                for other in "0123456789":
                    changed = meter[:at] + other + meter[at + 1 :]
                    assert is_meter(changed) == (other == meter[at])
            for at in range(length - 1):
                pair = meter[at : at + 2]
                swapped = meter[:at] + pair[::-1] + meter[at + 2 :]
                # the one slip that the formula does not see
                unseen = pair[0] == pair[1] or pair in ("09", "90")
                assert is_meter(swapped) == unseen
    for number in ("", "0", "0" * 12, "0" * 10, "0" * 14):
        assert not is_meter(number)


@pytest.mark.parametrize("kind", ["topup", "meter", "bill", ""])
def test_groups_lose_no_digit_and_leave_none_alone(kind: str) -> None:
    for length in range(1, 21):
        number = "12345678901234567890"[:length]
        groups = grouped(number, kind).split(" ")
        assert "".join(groups) == number and all(len(group) <= 4 for group in groups)
        assert kind != "topup" or length < 6 or len(groups[-1]) > 1


# --- whose number, and what is sold most ---

TWO_OPERATORS = {"Savanna": "07 0110", "Kilele": "0711 011"}


@pytest.mark.parametrize(
    ("number", "whose"),
    [("0712345678", "Savanna"), ("0711345678", "Kilele"), ("0110345678", "Savanna"), ("0999", "")],
)
def test_the_longest_that_a_number_begins_with_says_whose_it_seems(number: str, whose: str) -> None:
    table = {**CATALOGUE, "prefixes": TWO_OPERATORS}
    desk = SimpleNamespace(catalogue=Catalogue(json.dumps(table)))
    assert operator_of(desk, SimpleNamespace(kind="topup"), number) == whose
    assert operator_of(desk, SimpleNamespace(kind="meter"), number) == ""
    desk.catalogue = Catalogue(json.dumps(CATALOGUE))
    assert operator_of(desk, SimpleNamespace(kind="topup"), number) == ""


def test_a_number_that_seems_to_be_of_another_operator_is_warned_of_before_it_costs_airtime() -> (
    None
):
    done = run(
        ["prefixes", TWO_OPERATORS],
        ["sell_also", TOPUP],
        ["sign_in"],
        ["see", "Menu"],
        ["press", "2"],
        ["see", "Sell what?"],
        ["press", "1"],
        ["see", "Number"],
        ["press", "0711345678#"],
        ["see", "Look again", "a number of Kilele, not of Savanna"],
        ["press", "*"],
        ["see", "Menu"],
        ["press", "2"],
        ["see", "Sell what?"],
        ["press", "1"],
        ["see", "Number"],
        ["press", "0711345678#"],
        ["see", "Look again"],
        ["press", "#"],
        ["see", "Amount"],
        ["press", "50#"],
        ["see", "Once more"],
        ["press", "0711345678#"],
        ["see", "Sell Savanna top-up?", "Kilele 0711 345 678"],
    )
    assert done.left_no_trace and done.look_ups == 0


def test_a_favourite_of_a_long_list_has_a_key_of_its_own_over_a_restart() -> None:
    many = [{**BUNDLE, "id": f"p{n}", "name": f"Savanna {n} MB"} for n in range(12)]
    done = run(
        ["sell_also", *many],
        ["sign_in"],
        ["see", "Menu"],
        ["press", "2"],
        ["see", "Sell what?"],
        ["press", "12"],
        ["see", "Number"],
        ["press", "0712345678#"],
        ["see", "Once more"],
        ["press", "0712345678#"],
        ["see", "Sell Savanna 11 MB?", "C Favourite"],
        ["press", "C"],
        ["see", "Favourites", "Savanna 11 MB: it has key 1"],
        ["press", "#"],
        ["see", "Sell Savanna 11 MB?"],
        ["press", "*"],
        ["see", "Menu"],
        ["cut"],
        ["sign_in"],
        ["see", "Menu"],
        ["press", "2"],
        ["see", "Favourites", "1 Savanna 11 MB", "0 All"],
        ["press", "0"],
        ["see", "Sell what?"],
        ["press", "*"],
        ["see", "Menu"],
        ["press", "2"],
        ["see", "Favourites"],
        ["press", "1"],
        ["see", "Number"],
        ["press", "*"],
        ["see", "Menu"],
        ["sell_also", *many[:11]],
        ["press", "2"],
        ["see", "Favourites", "1 p11 --"],
        ["press", "1"],
        ["see", "p11", "not sold any more"],
        ["press", "#"],
        ["see", "Menu"],
        ["press", "2"],
        ["see", "Sell what?"],
    )
    assert done.kinds == []
