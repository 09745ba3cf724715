"""Owner, cashier, technician: who may do what, with a PIN of one's own, and who sold what."""

from __future__ import annotations

from typing import Any

from tests.merchant.at_counter import OFFLINE, ONLINE, run
from tests.merchant.test_selling import IN, SELL_50, SOLD

PEOPLE = [["press", "9"], ["see", "People"]]
ADD_ADA: list[list[Any]] = [
    *PEOPLE,
    ["see", "Add a person"],
    ["press", "1"],
    ["see", "Cashier"],
    ["press", "1"],
    ["see", "Name"],
    ["press", "2B3B2"],
    ["see", "ADA"],
    ["press", "#"],
    ["see", "The new PIN"],
    ["press", "7391#"],
    ["see", "once more"],
    ["press", "7391#"],
    ["see", "Kept in this terminal"],
    ["press", "#"],
    ["see", "ADA", "Cashier"],
    ["press", "*"],
    ["see", "Menu"],
]
OUT: list[list[Any]] = [["press", "*"], ["see", "Mama Asha Shop", "1 Owner", "2 ADA"]]
ADA_IN: list[list[Any]] = [
    ["press", "2"],
    ["see", "ADA", "Your PIN"],
    ["press", "7391#"],
    ["see", "Menu"],
]
OWNER_IN: list[list[Any]] = [
    ["press", "1"],
    ["see", "Owner", "Your PIN"],
    ["press", "2580#"],
    ["see", "Menu"],
]
WITH_ADA: list[list[Any]] = [*IN, *ADD_ADA, *OUT]
WRONG: list[list[Any]] = [["see", "2 ADA"], ["press", "2"], ["see", "Your PIN"], ["press", "1111#"]]


def intents(records: list[list[Any]]) -> list[list[Any]]:
    """Kind and what stands behind the product, of each intent."""
    return [[r[0], *r[3:]] for r in records if r[0] in (OFFLINE, ONLINE)]


def test_a_cashier_signs_in_with_a_pin_of_her_own_and_the_journal_says_that_she_sold_it() -> None:
    done = run(*WITH_ADA, *ADA_IN, ["server", ""], *SELL_50, *SOLD)
    assert intents(done.records) == [[ONLINE, "250", "None", "1"]]
    assert ["10", "person 1", "ADA"] in [[str(r[0]), *r[1:]] for r in done.records]
    assert "Cashier                      ADA" in done.paper[0]
    assert not done.saw("7391") and "7391" not in " ".join(done.log)


def test_what_the_owner_sells_is_written_as_ever() -> None:
    done = run(*WITH_ADA, *OWNER_IN, ["server", ""], *SELL_50, *SOLD)
    assert intents(done.records) == [[ONLINE, "250"]]
    assert "Cashier" not in done.paper[0]


def test_a_cashier_is_not_offered_what_is_the_owners() -> None:
    done = run(*WITH_ADA, *ADA_IN, ["press", "BBBBBB"], ["see", "My PIN"])
    menus = [page for page in done.pages if page.startswith("Menu") and "1 Sell" in page]
    assert any("3 Float" in page for page in menus) and "Float" not in menus[-1]
    assert "People" not in " ".join(done.pages[-8:])


def test_a_technician_sees_the_terminal_and_no_voucher() -> None:
    done = run(
        *IN,
        *PEOPLE,
        *[["press", "1"], ["see", "2 Technician"], ["press", "2"], ["see", "Name"]],
        *[["press", "8B3#"], ["see", "The new PIN"], ["press", "86420#"], ["see", "once more"]],
        *[["press", "86420#"], ["see", "Kept"], ["press", "#"], ["see", "TD", "Technician"]],
        *[["press", "*"], ["see", "Menu"], ["press", "*"], ["see", "2 TD"], ["press", "2"]],
        *[["see", "Your PIN"], ["press", "86420#"], ["see", "Menu", "1 Language", "3 My PIN"]],
        *[["press", "D"], ["press", "2"], ["see", "Release 7"]],
    )
    assert "Copy" not in done.pages[-2] and "Sell" not in done.pages[-2]


def test_a_person_changes_the_pin_by_the_old_one_and_the_new_one_twice() -> None:
    done = run(
        *IN,
        *[["press", "8"], ["see", "as it is now"], ["press", "2580#"], ["see", "The new PIN"]],
        *[["press", "9173#"], ["see", "once more"], ["press", "9173#"], ["see", "counts from now"]],
        *[["cut"], ["see", "Your PIN"], ["press", "2580#"]],
        *[["see", "Wrong PIN"], ["press", "#"], ["see", "Your PIN"], ["press", "9173#"]],
        ["see", "Menu"],
    )
    assert not any(done.saw(pin) or pin in " ".join(done.log) for pin in ("2580", "9173"))
    assert done.journaled == [] and done.paper == ["", ""]


def test_a_new_pin_that_is_short_easy_or_typed_otherwise_is_not_taken() -> None:
    done = run(
        *IN,
        *[["press", "8"], ["see", "as it is now"], ["press", "2580#"], ["see", "The new PIN"]],
        *[["press", "91#"], ["see", "too short"], ["press", "#"], ["see", "The new PIN"]],
        *[["press", "1234#"], ["see", "thief"], ["press", "#"], ["see", "The new PIN"]],
        *[["press", "9173#"], ["see", "once more"], ["press", "9174#"], ["see", "differ"]],
        *[["press", "#"], ["see", "The new PIN"], ["press", "*"], ["see", "Menu"], ["press", "*"]],
        *IN,
    )
    assert done.journaled == [] and done.paper == [""]


def test_the_owner_gives_nobody_a_pin_that_is_short_easy_or_typed_otherwise() -> None:
    spoilt: list[list[Any]] = [
        *[["see", "The new PIN"], ["press", "739#"], ["see", "too short"], ["press", "#"]],
        *[["see", "The new PIN"], ["press", "4444#"], ["see", "thief"], ["press", "#"]],
        *[["see", "The new PIN"], ["press", "7391#"], ["see", "once more"], ["press", "7390#"]],
        *[["see", "differ"], ["press", "#"], ["see", "The new PIN"]],
    ]
    done = run(
        *[*IN, *PEOPLE, ["press", "1"], ["see", "Cashier"], ["press", "1"], ["see", "Name"]],
        *[["press", "#"], ["see", "Name"], ["press", "2B3B2#"], *spoilt, ["press", "*"]],
        *[["see", "1 Add"], ["press", "*"], ["see", "Menu"], *ADD_ADA],
        *[*PEOPLE, ["press", "1"], ["see", "1 A new PIN"], ["press", "1"], *spoilt, ["press", "*"]],
        *[["see", "1 ADA"], ["press", "*"], ["see", "Menu"], *OUT, *ADA_IN],
    )
    assert done.journaled == [10] and done.paper == [""], "of her who came, once"


def test_a_full_journal_lets_nobody_in_under_no_name_and_keeps_nobody_in() -> None:
    full = ["see", "The sales memory is full"]
    done = run(
        *[*IN, *ADD_ADA, ["fill_journal"], *PEOPLE, ["press", "1"], ["see", "2 Another"]],
        *[["press", "2"], ["see", "ADA"], ["press", "CC6B6B#"], full, ["press", "#"]],
        *[["see", "Menu"], *PEOPLE, ["see", "1 ADA"], ["press", "2"], ["see", "Cashier"]],
        *[["press", "1"], ["see", "Name"], ["press", "3#"], ["see", "The new PIN"]],
        *[["press", "8642#"], ["see", "once more"], ["press", "8642#"], full, ["press", "#"]],
        *[["see", "Menu"], *PEOPLE, ["see", "2 Add"], ["press", "1"], ["see", "3 Remove"]],
        *[["press", "3"], ["see", "Remove ADA?"], ["press", "#"], ["see", "Kept"]],
        *[["cut"], ["see", "Mama Asha Shop", "Your PIN"]],
    )
    named = [record[1:] for record in done.records if record[1:2] and "person" in record[1]]
    assert named == [["person 1", "ADA"]]


def test_who_finds_a_terminal_open_cannot_try_pins_there() -> None:
    wrong = [["press", "8"], ["see", "as it is now"], ["press", "1111#"]]
    done = run(
        *IN,
        *[*wrong, ["see", "pause: 2"], ["press", "#"], ["see", "Menu"]],
        *[*wrong, ["see", "pause: 1"], ["press", "#"], ["see", "Menu"]],
        *[*wrong, ["see", "Please wait"], ["cut"], ["see", "Please wait"]],
    )
    assert done.journaled == [] and done.paper == ["", ""]


def test_a_cashiers_lock_outlives_a_power_cut_and_keeps_nobody_else_from_selling() -> None:
    done = run(
        *WITH_ADA,
        *[*WRONG, ["see", "pause: 2"], ["press", "#"]],
        *[*WRONG, ["see", "pause: 1"], ["press", "#"]],
        *[*WRONG, ["see", "Please wait"], ["cut"], ["see", "2 ADA"]],
        *[["press", "2"], ["see", "Please wait", "in 3"], ["press", "*"], ["see", "1 Owner"]],
        *[*OWNER_IN, ["press", "*"], ["see", "2 ADA"], ["press", "2"]],
        *[["see", "Please wait"], ["see", "Your PIN"], ["press", "7391#"], ["see", "Menu"]],
    )
    told = [page.replace(" | ", " ") for page in done.pages]
    assert sum("Try again in 30 s." in page for page in told) == 3, "whole at each of her tries"
    assert "".join(done.paper) == "" and done.kinds == []


def test_the_owner_gives_a_cashier_a_new_pin_another_name_and_notice() -> None:
    done = run(
        *[*IN, *ADD_ADA[:-4], ["cut"], ["see", "2 ADA"], *OWNER_IN],
        *[*PEOPLE, ["press", "1"], ["see", "ADA", "1 A new PIN"], ["press", "1"]],
        *[["see", "The new PIN"], ["press", "40408#"], ["see", "once more"], ["press", "40408#"]],
        *[["see", "Kept"], ["cut"], ["see", "2 ADA"], *OWNER_IN, *PEOPLE, ["press", "1"]],
        ["see", "2 Another"],
        *[["press", "2"], ["see", "ADA"], ["press", "CC6B6B#"], ["see", "Kept"], ["press", "#"]],
        *[["see", "1 AMM"], ["press", "*"], ["see", "Menu"], ["press", "*"], ["see", "2 AMM"]],
        *[["press", "2"], ["see", "Your PIN"], ["press", "40408#"], ["see", "Menu"]],
        *[["press", "*"], ["see", "1 Owner"], *OWNER_IN, *PEOPLE, ["press", "1"], ["see", "AMM"]],
        *[["press", "3"], ["see", "Remove AMM?"], ["press", "*"], ["see", "1 AMM"]],
        *[["press", "1"], ["see", "3 Remove"], ["press", "3"], ["see", "Remove AMM?"]],
        *[["press", "#"], ["see", "Kept"], ["cut"], ["see", "Your PIN"]],
    )
    named = [r[1:] for r in done.records if r[0] == 10]
    assert done.journaled == [10] * 3 and set(done.paper) == {""} and done.float_minor == 100000
    assert named == [["person 1", "ADA"], ["person 1", "AMM"], ["person 1", ""]]


def test_the_day_report_says_who_sold_what_and_a_cashier_sees_her_own() -> None:
    done = run(
        *WITH_ADA,
        ["server", "", "", ""],
        *[*OWNER_IN, *SELL_50, *SOLD, *OUT],
        *[*ADA_IN, *SELL_50, *SOLD, *SELL_50, *SOLD, ["press", "3"], ["see", "1 Today"]],
        *[["press", "4"], ["see", "2 x Savanna 50"], ["press", "*"], ["see", "1 Today"]],
        *[["press", "1"], ["see", "2 x Savanna 50"], ["press", "B"], ["not_see", "Float"]],
        *[["press", "*"], ["see", "1 Today"], ["press", "*"], ["see", "Menu"], *OUT],
        *[*OWNER_IN, ["press", "4"], ["see", "1 Today"]],
        *[["press", "1"], ["see", "3 x Savanna 50"], ["press", "#"]],
        ["see", "Menu"],
    )
    assert done.journaled == [10, *[3, 4, 6] * 3], "a report leaves nothing in the journal"
    paper = done.paper[0].split("DAY REPORT")[1]
    assert "2 x ADA                   100.00" in paper
    assert "1 x Owner                  50.00" in paper


def test_a_sale_from_stock_says_who_sold_it_and_so_does_its_copy() -> None:
    done = run(
        *[["stock", 1, "air50", 5000, 3], *WITH_ADA, ["network", "offline"], *ADA_IN],
        *[*SELL_50, ["see", "Sell from the stock"], ["press", "#"], *SOLD],
        *[["press", "*"], ["see", "1 Owner"], *OWNER_IN, ["press", "D"], ["see", "Print sale"]],
        *[["press", "#"], *SOLD],
    )
    ((kind, _, batch, index, person),) = intents(done.records)
    assert (kind, batch, index, person) == (OFFLINE, "1", "0", "1")
    assert done.paper[0].count("Cashier                      ADA") == 2
