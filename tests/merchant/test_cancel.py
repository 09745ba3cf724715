"""A sale that was never handed over is cancelled if the office says so, once, by its own key."""

from __future__ import annotations

from typing import Any

from tests.merchant.at_counter import CANCEL, DELIVERED, ONLINE, PRINTED, REFUSED, run
from tests.merchant.test_selling import IN, SELL_50, SOLD

NO_ANSWER: list[list[Any]] = [
    *SELL_50,
    ["see", "No answer yet"],
    ["press", "*"],
    ["see", "Unfinished sale"],
]
OPEN_IT: list[list[Any]] = [
    ["press", "3"],
    ["see", "Last sales", "no answer"],
    ["press", "#"],
    ["see", "Sale 3", "C Cancel"],
]
ASK: list[list[Any]] = [
    ["press", "C"],
    ["see", "Cancel sale 3?", "office decides"],
    ["press", "#"],
]
CANCELLED: list[list[Any]] = [["see", "This sale is cancelled"], ["press", "#"]]


def ends(done: Any) -> list[list[str]]:
    return [record for record in done.records if record[0] in (REFUSED, CANCEL)]


def test_a_sale_without_an_answer_is_cancelled_and_a_slip_says_so() -> None:
    done = run(
        *[*IN, *NO_ANSWER, ["server", ""], *OPEN_IT, *ASK, *CANCELLED],
        *[["see", "Last sales", "refused"], ["press", "#"], ["see", "sale is cancelled"]],
        *[["press", "#"], ["see", "Last sales"], ["press", "*"], ["see", "1 Sell"]],
    )
    assert ends(done) == [[CANCEL, "3"], [REFUSED, "3", "cancelled"]]
    assert done.paper[0].count("SALE CANCELLED") == 2 and "KES 50.00" in done.paper[0]
    assert "1234" not in done.paper[0]
    assert done.begun == [REFUSED, REFUSED], "on paper once it is in the journal"
    assert done.is_debited()


def test_what_the_office_had_sold_is_cancelled_too_and_never_printed() -> None:
    done = run(
        *[*IN, ["server", ""], ["lose_reply"], *NO_ANSWER, *OPEN_IT, *ASK, *CANCELLED],
        ["see", "Last sales", "refused"],
    )
    assert ends(done) == [[CANCEL, "3"], [REFUSED, "3", "cancelled"]]
    assert "1234" not in done.paper[0] and done.is_debited()


def test_asked_without_network_it_is_kept_and_asked_again_by_the_same_key() -> None:
    done = run(
        *[*IN, *NO_ANSWER, *OPEN_IT, *ASK, ["see", "asked by itself"], ["press", "#"]],
        *[["see", "Last sales", "no answer"], ["cut"], ["server", ""]],
        *[["see", "Sales to finish"], ["press", "2580#"]],
        *[["see", "Sale was cut"], ["press", "#"], ["see", "This sale is cancelled"]],
        *[["press", "#"], ["see", "Menu", "1 Sell"]],
    )
    assert ends(done) == [[CANCEL, "3"], [REFUSED, "3", "cancelled"]]
    assert done.journaled == [ONLINE, CANCEL, REFUSED] and done.is_debited()


def test_a_lost_answer_to_the_request_is_the_same_when_it_is_asked_again() -> None:
    done = run(
        *[*IN, ["server", ""], ["lose_reply"], *NO_ANSWER, ["float_is", 95250]],
        *[["lose_reply"], *OPEN_IT, *ASK, ["see", "asked by itself"], ["no_paper"]],
        *[["press", "#"], ["see", "Last sales", "no answer"], ["press", "#"], ["see", "# OK"]],
        *[["press", "#"], ["see", "Not sold", "This sale is cancelled"], ["press", "#"]],
        ["see", "Last sales", "refused"],
    )
    assert done.journaled == [ONLINE, CANCEL, REFUSED] and ends(done)[-1][-1] == "cancelled"
    assert done.is_debited() and done.paper == [""]


def test_asked_twice_it_is_one_request() -> None:
    done = run(
        *[*IN, *NO_ANSWER, *OPEN_IT, *ASK, ["see", "asked by itself"], ["press", "#"]],
        *[["see", "no answer"], ["press", "#"], ["see", "C Cancel"], *ASK],
        *[["see", "asked by itself"], ["press", "#"], ["see", "Last sales"]],
    )
    assert ends(done) == [[CANCEL, "3"]]


def test_what_the_office_does_not_cancel_is_handed_over_once() -> None:
    done = run(
        *[*IN, ["cancels", False], *NO_ANSWER, ["server", ""], *OPEN_IT, *ASK],
        *[["see", "does not cancel it"], ["press", "#"], ["see", "Sold"], ["press", "#"]],
        ["see", "Last sales", "printed"],
    )
    assert done.kinds == [ONLINE, DELIVERED, PRINTED] and done.paper[0].count("1234 5678") == 1
    assert "DUPLICATE" not in done.paper[0]


def test_what_was_printed_or_may_be_out_is_not_offered_for_cancelling() -> None:
    press: list[list[Any]] = [["press", "C"], ["wait_ms", 100]]
    done = run(
        *[*IN, ["server", ""], *SELL_50, *SOLD, ["press", "2"], ["see", "Last sales"]],
        ["press", "#"],
        ["see", "Sale 3", "printed"],
        *[*press, ["see", "Sale 3"], ["not_see", "Cancel"]],
        *[["press", "*"], ["see", "Last sales"], ["press", "*"], ["see", "Menu"]],
        *[["server", ""], ["printer", "paper_at:150"], *SELL_50, ["see", "Not printed"]],
        *[["press", "*"], ["see", "Unfinished sale"], ["press", "3"], ["see", "in doubt"]],
        *[["press", "#"], ["see", "Sale 6", "in doubt", "# OK"]],
        *[*press, ["see", "Sale 6"], ["not_see", "Cancel"]],
    )
    assert ends(done) == [] and done.is_debited(4750, 4750)


def test_going_back_asks_nobody() -> None:
    done = run(
        *[*IN, *NO_ANSWER, *OPEN_IT, ["press", "C"], ["see", "Cancel sale 3?"], ["press", "*"]],
        ["see", "Last sales", "no answer"],
    )
    assert ends(done) == []


def test_a_slip_without_paper_is_printed_later_from_the_list() -> None:
    done = run(
        *[*IN, *NO_ANSWER, ["server", ""], ["printer", "paper_out"], *OPEN_IT, *ASK],
        *[*CANCELLED, ["see", "No paper"], ["printer", "ok"], ["press", "*"]],
        *[["see", "Last sales", "refused"], ["press", "#"], ["see", "# Print"], ["press", "#"]],
        ["see", "Last sales"],
    )
    assert done.paper[0].count("SALE CANCELLED") == 1
    assert done.journaled == [ONLINE, CANCEL, REFUSED] and done.begun == [REFUSED]
