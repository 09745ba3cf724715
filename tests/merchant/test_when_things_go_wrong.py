"""What the tests of single flows leave of docs/flows.md: each flow when a part fails it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.merchant.at_counter import DELIVERED, ONLINE, PRINTED, REFUSED, REPRINT, Outcome, run
from tests.merchant.test_made_by_others import AGREED, METER, NAME
from tests.merchant.test_made_by_others import IN as IN_WITH_OTHERS
from tests.merchant.test_selling import IN, ONLINE_PIN, SELL_50, SOLD, STOCK, words_of

BILL = "881234567890"
TO_SELL: dict[str, list[list[Any]]] = {
    "topup": [
        ["press", "2"],
        ["see", "Sell what?"],
        ["press", "1"],
        ["see", "Number"],
        ["press", "0712345678#"],
        ["see", "Amount"],
        ["press", "200#"],
        ["see", "Once more"],
        ["press", "0712345678#"],
        ["see", "Sell Savanna top-up?"],
        ["press", "#"],
    ],
    "meter": AGREED,
    "bill": [
        ["customer", BILL, NAME],
        ["press", "4"],
        ["see", "Sell what?"],
        ["press", "1"],
        ["see", "Reference"],
        ["press", BILL + "#"],
        ["see", "Amount"],
        ["press", "20000#"],
        ["see", "Is it this one?", NAME],
        ["press", "#"],
        ["see", "Sell City water bill?"],
        ["press", "#"],
    ],
}
ASKED = {
    "topup": ["topup", 20000, "0712345678"],
    "meter": ["power", 20000, METER],
    "bill": ["water", 20000, BILL],
}
DEBIT_MINOR = {"topup": 19000, "meter": 19600, "bill": 19800}
NUMBER = {"topup": "0712 345 678", "meter": "3712 3456 784", "bill": "8812 3456 7890"}
others = pytest.mark.parametrize("kind", TO_SELL)
UNFINISHED: list[list[Any]] = [["see", "Menu", "1 Unfinished sale"], ["press", "1"]]


def is_sold_once(done: Outcome, kind: str) -> bool:
    """One sale, one debit, whatever happened on the way."""
    return (
        done.kinds.count(ONLINE) == done.kinds.count(DELIVERED) == 1
        and set(map(tuple, done.asked)) == {tuple(ASKED[kind])}
        and done.float_minor == 100000 - DEBIT_MINOR[kind]
    )


@pytest.mark.parametrize("key", ["2", "4"])
def test_what_others_make_is_refused_without_network_before_a_digit_is_typed(key: str) -> None:
    done = run(
        *IN_WITH_OTHERS,
        ["network", "offline"],
        ["press", key],
        ["see", "Sell what?"],
        ["press", "1"],
        ["see", "No network", "Nothing was sold"],
        ["press", "#"],
        ["see", "Menu"],
    )
    assert done.kinds == [] and done.paper == [""] and not done.saw("Type the")


@pytest.mark.parametrize("kind", ["topup", "bill"])
def test_a_float_that_does_not_reach_is_told_before_agreeing(kind: str) -> None:
    done = run(
        *IN_WITH_OTHERS,
        ["float", 15000],
        *TO_SELL[kind][:-2],
        ["see", "Not sold", "float is too low"],
        ["press", "#"],
        ["see", "Menu"],
    )
    assert done.kinds == [] and done.asked == [] and done.float_minor == 15000


@others
def test_a_lost_reply_leaves_one_sale_that_asking_again_ends(kind: str) -> None:
    done = run(
        *IN_WITH_OTHERS,
        ["server", ""],
        ["lose_reply"],
        *TO_SELL[kind],
        ["see", "No answer yet", "is kept"],
        ["press", "#"],
        *SOLD,
    )
    assert is_sold_once(done, kind) and len(done.asked) == 1
    assert done.kinds == [ONLINE, DELIVERED, PRINTED]
    assert words_of(done.paper[0]).count(NUMBER[kind]) == 1


@pytest.mark.parametrize("kind", ["topup", "bill"])
def test_what_the_vendor_has_not_decided_waits_and_is_sold_once(kind: str) -> None:
    done = run(
        *IN_WITH_OTHERS,
        ["server", 3600],
        *TO_SELL[kind],
        ["see", "Not decided yet", "Do not sell it again"],
        ["press", "*"],
        ["server", ""],
        *UNFINISHED,
        ["see", "has not answered"],
        ["press", "#"],
        *SOLD,
    )
    assert is_sold_once(done, kind) and done.kinds == [ONLINE, DELIVERED, PRINTED]


@pytest.mark.parametrize("kind", ["topup", "bill"])
def test_a_printer_that_dies_in_the_slip_leads_to_a_copy(kind: str) -> None:
    done = run(
        *IN_WITH_OTHERS,
        ["server", ""],
        ["printer", "paper_at:150"],
        *TO_SELL[kind],
        ["see", "Not printed", "Paper ran"],
        ["printer", "ok"],
        ["press", "#"],
        *SOLD,
    )
    assert is_sold_once(done, kind)
    assert done.kinds == [ONLINE, DELIVERED, REPRINT, PRINTED]
    assert words_of(done.paper[0]).count("DUPLICATE") == 2


@pytest.mark.parametrize("kind", ["topup", "bill"])
def test_a_cut_in_the_slip_is_followed_by_a_copy(kind: str) -> None:
    done = run(
        *IN_WITH_OTHERS,
        ["server", ""],
        ["printer", "paper_at:150"],
        *TO_SELL[kind],
        ["see", "Not printed"],
        ["cut"],
        ["printer", "ok"],
        ["see", "Sales to finish: 1"],
        ["press", "2580#"],
        ["see", "Sale was cut"],
        ["press", "#"],
        *SOLD,
    )
    assert is_sold_once(done, kind) and done.kinds == [ONLINE, DELIVERED, REPRINT, PRINTED]
    assert words_of(done.paper[1]).count("DUPLICATE") == 2 and NUMBER[kind] in done.paper[1]


def test_a_reference_that_nobody_knows_is_not_paid() -> None:
    done = run(
        *IN_WITH_OTHERS,
        *TO_SELL["bill"][1:8],
        ["see", "Not sold", "not known"],
        ["press", "#"],
        ["see", "Menu"],
    )
    assert done.kinds == [] and done.asked == []


def test_a_voucher_that_the_office_has_not_decided_waits_and_is_sold_once() -> None:
    done = run(
        *IN,
        ["server", 3600],
        *SELL_50,
        ["see", "Not decided yet"],
        ["press", "*"],
        ["server", ""],
        *UNFINISHED,
        ["see", "has not answered"],
        ["press", "#"],
        *SOLD,
    )
    assert done.kinds == [ONLINE, DELIVERED, PRINTED] and len(done.asked) == 2
    assert done.float_minor == 95250 and words_of(done.paper[0]).count(ONLINE_PIN) == 1


@pytest.mark.parametrize("what", ["never comes", "is lost"])
def test_an_unfinished_sale_whose_answer(what: str) -> None:
    """Is as it was, and ends when an answer comes."""
    lost: list[list[Any]] = [["server", ""], ["lose_reply"]] if what == "is lost" else []
    done = run(
        *IN,
        ["server", None],
        *SELL_50,
        ["see", "No answer yet"],
        ["press", "*"],
        *lost,
        *UNFINISHED,
        ["see", "has not answered"],
        ["press", "#"],
        ["see", "No answer yet"],
        ["press", "*"],
        ["see", "Menu", "1 Unfinished sale"],
        *([["server", ""]] if not lost else []),
        ["press", "1"],
        ["see", "has not answered"],
        ["press", "#"],
        *SOLD,
    )
    assert done.kinds == [ONLINE, DELIVERED, PRINTED] and len(done.asked) == 1
    assert done.float_minor == 95250 and "DUPLICATE" not in done.paper[0]


@pytest.mark.parametrize("from_where", ["the menu", "the list"])
def test_a_cut_in_a_copy_leaves_the_sale_ended_and_the_next_copy_has_the_next_number(
    from_where: str,
) -> None:
    copy: list[list[Any]] = [["press", "D"], ["see", "marked DUPLICATE"], ["press", "#"]]
    if from_where == "the list":
        copy = [["press", "2#"], ["see", "Sale 4"], ["press", "D"]]
    done = run(
        *IN,
        STOCK,
        ["server", ""],
        *SELL_50,
        *SOLD,
        ["printer", "paper_at:150"],
        *copy,
        ["see", "Not printed"],
        ["cut"],
        ["printer", "ok"],
        ["sign_in"],
        ["see", "Menu", "1 Sell airtime"],
        *copy,
        ["see", "Sold"],
    )
    assert done.kinds == [ONLINE, DELIVERED, PRINTED, REPRINT, REPRINT, PRINTED]
    assert "Copy 2 " in words_of(done.paper[1]) and done.float_minor == 95250


@pytest.mark.parametrize("state", ["cover_open", "error"])
def test_a_printer_that_cannot_print_begins_no_copy(state: str) -> None:
    done = run(
        *IN,
        ["server", ""],
        *SELL_50,
        *SOLD,
        ["printer", state],
        ["press", "D"],
        ["see", "marked DUPLICATE"],
        ["press", "#"],
        ["see", "Printer"],
        ["press", "*"],
        ["see", "Menu"],
    )
    assert done.kinds == [ONLINE, DELIVERED, PRINTED], "no copy was begun"


def test_an_unfinished_sale_stays_so_while_the_printer_is_dead() -> None:
    done = run(
        *IN,
        ["server", ""],
        ["printer", "paper_at:150"],
        *SELL_50,
        ["see", "Not printed"],
        ["press", "*"],
        *UNFINISHED,
        ["see", "Sale was cut"],
        ["press", "#"],
        ["see", "Not printed"],
        ["press", "*"],
        ["see", "Menu", "1 Unfinished sale"],
    )
    assert PRINTED not in done.kinds and REFUSED not in done.kinds
    assert done.float_minor == 95250


def test_a_report_that_the_paper_ends_in_says_so() -> None:
    done = run(
        *IN,
        ["press", "4"],
        ["see", "1 Today"],
        ["press", "1"],
        ["see", "Sales"],
        ["printer", "paper_at:40"],
        ["press", "#"],
        ["see", "Not printed", "Paper ran"],
        ["press", "#"],
        ["see", "Menu"],
    )
    assert done.kinds == []
