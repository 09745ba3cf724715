"""What the tests of single flows leave of docs/flows.md: each flow when a part fails it."""

from __future__ import annotations

from typing import Any

import pytest

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
        and done.is_debited(DEBIT_MINOR[kind])
    )


def is_one_original(done: Outcome, kind: str) -> bool:
    """On paper, and in the journal before that."""
    paper = "".join(done.paper)
    return (
        paper.count(NUMBER[kind]) == paper.count("Thank you") == 1
        and "DUPLICATE" not in paper
        and done.begun == [DELIVERED]
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
    assert done.left_no_trace and done.look_ups == 0 and not done.saw("Type the")


@pytest.mark.parametrize("key", ["2", "3", "4"])
def test_without_paper_what_others_make_is_not_begun(key: str) -> None:
    done = run(
        *IN_WITH_OTHERS,
        ["printer", "paper_out"],
        ["press", key],
        ["see", "Sell what?"],
        ["press", "1"],
        ["see", "No paper", "Nothing was sold"],
        ["press", "*"],
        ["see", "Menu"],
    )
    assert done.left_no_trace and done.look_ups == 0 and not done.saw("Type the")


@pytest.mark.parametrize("kind", ["meter", "bill"])
def test_a_lost_answer_to_whose_it_is_sells_nothing_and_is_asked_for_again(kind: str) -> None:
    asked: list[list[Any]] = [["lose_reply"], *TO_SELL[kind][:-4], ["see", "No answer yet"]]
    done = run(
        *IN_WITH_OTHERS,
        *asked,
        ["press", "#"],
        ["see", "Is it this one?", NAME],
        ["press", "*"],
        ["see", "Menu"],
        *asked,
        ["press", "*"],
        ["see", "Menu"],
    )
    assert done.left_no_trace and done.look_ups == 3


@others
def test_coverage_that_is_lost_before_the_merchant_agrees_sells_nothing(kind: str) -> None:
    done = run(
        *IN_WITH_OTHERS,
        ["server", ""],
        *TO_SELL[kind][:-1],
        ["lose_coverage"],
        ["press", "#"],
        ["see", "No network", "Nothing was sold"],
        ["press", "#"],
        ["see", "Menu"],
    )
    assert done.left_no_trace


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
    assert done.left_no_trace and done.float_minor == 15000 and "? | KES" not in str(done.pages)


@others
def test_a_lost_reply_leaves_one_sale_that_asking_again_ends(kind: str) -> None:
    done = run(
        *IN_WITH_OTHERS,
        ["server", ""],
        *TO_SELL[kind][:-1],
        ["lose_reply"],
        TO_SELL[kind][-1],
        ["see", "No answer yet", "is kept"],
        ["no_paper"],
        ["press", "#"],
        *SOLD,
    )
    assert is_sold_once(done, kind) and len(done.asked) == 1
    assert done.journaled == [ONLINE, DELIVERED, PRINTED] and is_one_original(done, kind)


@pytest.mark.parametrize("kind", ["topup", "bill"])
def test_what_the_vendor_has_not_decided_waits_and_is_sold_once(kind: str) -> None:
    done = run(
        *IN_WITH_OTHERS,
        ["server", 3600],
        *TO_SELL[kind],
        ["see", "Not decided yet", "Do not sell it again"],
        ["no_paper"],
        ["float_is", 100000 - DEBIT_MINOR[kind]],
        ["press", "*"],
        ["server", ""],
        *UNFINISHED,
        ["see", "has not answered"],
        ["press", "#"],
        *SOLD,
    )
    assert is_sold_once(done, kind) and is_one_original(done, kind) and len(done.asked) == 2
    assert done.journaled == [ONLINE, PENDING, DELIVERED, PRINTED]


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
    assert done.journaled == [ONLINE, DELIVERED, REPRINT, PRINTED]
    assert done.begun == [DELIVERED, REPRINT]
    begun, copy, _ = done.paper[0].split("DUPLICATE")
    assert "Thank you" not in begun and copy.count(NUMBER[kind]) == 1


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
        ["see", "Sale was cut", ASKED[kind][2]],
        ["press", "#"],
        *SOLD,
    )
    assert is_sold_once(done, kind) and done.begun == [DELIVERED, REPRINT]
    assert done.journaled == [ONLINE, DELIVERED, REPRINT, PRINTED]
    assert done.paper[1].count("DUPLICATE") == 2 and done.paper[1].count(NUMBER[kind]) == 1


STARTED: list[list[Any]] = [[1, "2", "7", "power-on"], [8, "1", "100000"], [9, "5", "10"]]


@pytest.mark.parametrize(
    "trace",
    [
        {"paper": ["", "Sale 3"]},
        {"records": [*STARTED, [10, "language", "fr"]]},
        {"asked": [["air50", 5000, None]]},
        {"ledger_minor": 95250},
        {"float_minor": 95250},
    ],
    ids=["paper", "a record", "a question", "the ledger", "the float"],
)
def test_whatever_leaves_a_trace_is_noticed(trace: dict[str, Any]) -> None:
    nothing: dict[str, Any] = {"paper": ["", ""], "records": STARTED}
    nothing.update(float_minor=100000, ledger_minor=100000)
    assert Outcome(**nothing).left_no_trace and Outcome(**nothing).is_debited()
    assert not Outcome(**{**nothing, **trace}).left_no_trace


def test_a_reference_that_nobody_knows_is_not_paid() -> None:
    done = run(
        *IN_WITH_OTHERS,
        *TO_SELL["bill"][1:8],
        ["see", "Not sold", "not known"],
        ["press", "#"],
        ["see", "Menu"],
    )
    assert done.left_no_trace and done.look_ups == 1


def test_a_voucher_that_the_office_has_not_decided_waits_and_is_sold_once() -> None:
    waits: list[list[Any]] = [
        ["see", "Not decided yet", "Do not sell it again"],
        ["no_paper"],
        ["float_is", 95250],
        ["press", "*"],
    ]
    ask: list[list[Any]] = [*UNFINISHED, ["see", "has not answered"], ["press", "#"]]
    done = run(
        *IN, ["server", 3600, 3600], *SELL_50, *waits, *ask, *waits, ["server", ""], *ask, *SOLD
    )
    assert done.journaled == [ONLINE, PENDING, DELIVERED, PRINTED] and len(done.asked) == 3
    assert done.is_debited(4750) and done.begun == [DELIVERED]
    assert words_of(done.paper[0]).count(ONLINE_PIN) == 1 and "DUPLICATE" not in done.paper[0]


@pytest.mark.parametrize("what", ["never comes", "is lost"])
def test_an_unfinished_sale_whose_answer(what: str) -> None:
    """Is as it was, and ends when an answer comes."""
    lost: list[list[Any]] = [["server", ""], ["lose_reply"]]
    never: list[list[Any]] = [["network", "offline"]]
    done = run(
        *IN,
        ["server", None],
        *SELL_50,
        ["see", "No answer yet"],
        ["press", "*"],
        *(lost if what == "is lost" else never),
        *UNFINISHED,
        ["see", "has not answered"],
        ["press", "#"],
        ["see", "No answer yet"],
        ["newest", ONLINE],
        ["no_paper"],
        ["press", "*"],
        ["see", "Menu", "1 Unfinished sale"],
        *([["network", "online"], ["server", ""]] if what != "is lost" else []),
        ["press", "1"],
        ["see", "has not answered"],
        ["press", "#"],
        *SOLD,
    )
    assert done.journaled == [ONLINE, DELIVERED, PRINTED] and len(done.asked) == 1
    assert done.is_debited(4750) and done.begun == [DELIVERED]
    assert words_of(done.paper[0]).count(ONLINE_PIN) == 1 and "DUPLICATE" not in done.paper[0]


@pytest.mark.parametrize("from_where", ["the menu", "the list"])
def test_an_unfinished_sale_that_the_float_is_gone_for_is_refused(from_where: str) -> None:
    """The office never heard of it, and paid out what was left meanwhile."""
    ask = [*UNFINISHED, ["see", "has not answered"]]
    if from_where == "the list":
        ask = [["press", "3"], ["see", "Last sales", "no answer"], ["press", "#"], ["see", "# OK"]]
    done = run(
        *IN,
        ["server", None],
        *SELL_50,
        ["see", "No answer yet"],
        ["press", "*"],
        ["see", "Menu", "1 Unfinished sale"],
        ["float", 1000],
        ["server", "no_float"],
        *ask,
        ["press", "#"],
        ["see", "Not sold", "float is too low"],
        ["press", "#"],
        *([["see", "Last sales", "refused"], ["press", "*"]] if from_where == "the list" else []),
        ["see", "Menu", "1 Sell airtime"],
    )
    assert done.journaled == [ONLINE, REFUSED] and done.paper == [""]
    assert done.float_minor == done.ledger_minor == 1000 and len(done.asked) == 1


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
    assert done.paper[0].count("DUPLICATE") == 1, "part of a copy, marked above"


@pytest.mark.parametrize(
    ("state", "says"),
    [("cover_open", "Close the printer's"), ("error", "reports a fault")],
)
def test_a_printer_that_cannot_print_begins_no_copy(state: str, says: str) -> None:
    done = run(
        *IN,
        ["server", ""],
        *SELL_50,
        *SOLD,
        ["printer", state],
        ["press", "D"],
        ["see", "marked DUPLICATE"],
        ["press", "#"],
        ["see", "Printer", says],
        ["press", "*"],
        ["see", "Menu"],
    )
    assert done.journaled == [ONLINE, DELIVERED, PRINTED], "no copy was begun"
    assert len(done.receipts) == 1


def test_an_unfinished_sale_stays_so_while_the_printer_is_dead_and_through_a_cut() -> None:
    done = run(
        *IN,
        ["server", ""],
        ["printer", "paper_at:150"],
        *SELL_50,
        ["see", "Not printed"],
        ["press", "*"],
        ["printer", "paper_at:150"],
        *UNFINISHED,
        ["see", "Sale was cut", "has the customer the receipt"],
        ["press", "#"],
        ["see", "Not printed", "Paper ran"],
        ["newest", REPRINT],
        ["press", "*"],
        ["see", "Menu", "1 Unfinished sale"],
        ["cut"],
        ["printer", "ok"],
        ["see", "Sales to finish: 1"],
        ["press", "2580#"],
        ["see", "Sale was cut", "has the customer the receipt"],
        ["press", "#"],
        *SOLD,
    )
    first, copy = done.paper
    assert first.count("DUPLICATE") == 1 and "Thank you" not in first
    assert copy.count("DUPLICATE") == 2 and "Copy 2 " in copy
    assert done.journaled == [ONLINE, DELIVERED, REPRINT, REPRINT, PRINTED]
    assert done.begun == [DELIVERED, REPRINT, REPRINT] and done.is_debited(4750)


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
    assert done.journaled == []
    assert done.paper[0].split() == ["Mama", "Asha", "Shop"], "as far as the paper went"
