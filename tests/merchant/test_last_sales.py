"""After the sale: the last ones and how each stands, a copy of any, an answer to one without."""

from __future__ import annotations

from typing import Any

from tests.merchant.at_counter import (
    DELIVERED,
    OFFLINE,
    ONLINE,
    PRINTED,
    REFUSED,
    REPRINT,
    STOCKED,
    run,
)
from tests.merchant.test_made_by_others import AGREED, DETAILS, METER
from tests.merchant.test_made_by_others import IN as IN_WITH_OTHERS
from tests.merchant.test_selling import (
    CUT_WHILE_PRINTING,
    FROM_STOCK,
    IN,
    ONLINE_PIN,
    SELL_50,
    SOLD,
    STOCK,
    STOCK_PIN,
    words_of,
)

LIST: list[list[Any]] = [["press", "2"], ["see", "Last sales"]]
COPIED: list[list[Any]] = [["see", "Sold"], ["press", "#"], ["see", "Last sales"]]


def test_the_last_sales_are_listed_newest_first_with_number_time_product_amount_and_state() -> None:
    done = run(
        *IN,
        STOCK,
        ["server", "", "no_vouchers"],
        *SELL_50,
        *SOLD,
        *SELL_50,
        ["see", "Not sold"],
        ["press", "#"],
        ["see", "Menu"],
        ["network", "offline"],
        *FROM_STOCK,
        *SOLD,
        ["flash", False],
        *LIST,
        ["see", "9 11:06 printed Savanna 50 50.00 7 11:06 refused Savanna 50 50.00"],
        ["press", "BB"],
        ["see", "Last sales 4 11:06 printed Savanna 50 50.00"],
        ["clock", 1795086400],
        ["press", "B"],
        ["see", "9 18/11 printed"],
        ["press", "*"],
        ["see", "Menu"],
        ["flash", True],
    )
    assert done.journaled[1:] == [ONLINE, DELIVERED, PRINTED, ONLINE, REFUSED, OFFLINE, PRINTED]
    assert done.begun == [DELIVERED, OFFLINE], "nothing is printed by looking"
    assert done.loaded == ["firmware.flows.menu", "firmware.flows.session"]


def test_any_of_them_is_printed_again_by_its_number_with_both_times_and_the_copys_number() -> None:
    done = run(
        *IN,
        STOCK,
        ["server", ""],
        *SELL_50,
        *SOLD,
        ["network", "offline"],
        *FROM_STOCK,
        *SOLD,
        ["clock", 1795003600],
        *LIST,
        ["press", "4"],
        ["see", "Sale", "Type the sale's number"],
        ["press", "#"],
        ["see", "Sale 4", "Savanna 50 KES 50.00", "State printed", "18/11/2026 11:06"],
        ["press", "D"],
        *COPIED,
        ["press", "7#"],
        ["see", "Sale 7"],
        ["press", "D"],
        *COPIED,
        ["press", "4#"],
        ["see", "Sale 4"],
        ["press", "B"],
        ["see", "Reprints 1"],
        ["press", "D"],
        *COPIED,
    )
    paper = words_of(done.paper[0])
    assert paper.count(ONLINE_PIN) == 3 and paper.count(STOCK_PIN) == 2
    slips = paper.split("Thank you")
    assert [slip.count("DUPLICATE") for slip in slips] == [0, 0, 2, 2, 2, 0]
    assert "Sale 4          18/11/2026 11:06\nCopy 1          18/11/2026 12:06" in slips[2]
    assert "Copy 1 " in slips[3] and "Copy 2 " in slips[4]
    assert done.kinds == [ONLINE, DELIVERED, PRINTED, OFFLINE, PRINTED, *[REPRINT, PRINTED] * 3]
    assert [record[1] for record in done.records if record[0] == REPRINT] == ["4", "7", "4"]
    assert done.begun == [DELIVERED, OFFLINE, REPRINT, REPRINT, REPRINT]
    assert done.float_minor == 100000 - 2 * 4750, "a copy costs nothing"
    assert done.ledger_minor == 100000 - 4750, "what went from stock is not synced yet"


def test_a_number_that_is_none_of_them_is_told_so() -> None:
    done = run(
        *IN,
        ["server", ""],
        *SELL_50,
        *SOLD,
        *LIST,
        ["press", "0"],
        ["see", "Type the sale's number"],
        ["press", "123#"],
        ["see", "Look again", "Sale 123 is not one of"],
        ["press", "#"],
        ["see", "Last sales 3"],
        ["press", "0*"],
        ["see", "Last sales 3"],
    )
    assert done.journaled == [ONLINE, DELIVERED, PRINTED] and done.begun == [DELIVERED]
    assert done.is_debited(4750)


def test_before_the_first_sale_there_is_nothing_to_list() -> None:
    done = run(*IN, ["press", "2"], ["see", "Last sales", "No sale"], ["press", "*"], *IN[1:])
    assert done.kinds == []


def test_paid_but_no_token_asks_by_the_same_key_and_hands_over_the_same_token() -> None:
    """The office took the money and gave its answer once; the answer was lost on its way."""
    done = run(
        *IN_WITH_OTHERS,
        ["server", 3600],
        ["details", *DETAILS],
        *AGREED,
        ["see", "Not decided yet"],
        ["press", "*"],
        ["see", "Menu", "1 Unfinished sale"],
        ["cut"],
        ["see", "Sales to finish: 1"],
        ["press", "2580#"],
        ["see", "Sale was cut"],
        ["press", "*"],
        ["see", "Menu", "1 Unfinished sale"],
        ["server", ""],
        ["press", "6"],
        ["see", "Last sales", "no answer", "Umeme prepaid 200.00"],
        ["press", "#"],
        ["see", "Sale 3", "KES 200.00", "3712 3456 784", "State no answer", "# OK"],
        ["no_paper"],
        ["press", "#"],
        *COPIED,
        ["see", "3 11:06 printed"],
    )
    assert done.asked == [["power", 20000, METER]] * 2, "the office saw one sale, asked for twice"
    assert done.kinds == [ONLINE, DELIVERED, PRINTED] and done.begun == [DELIVERED]
    assert words_of(done.paper[1]).count("1234 5678 9012") == 1 and done.paper[0] == ""
    assert "DUPLICATE" not in done.paper[1] and done.is_debited(19600)


def test_an_answer_that_was_given_before_is_given_again_and_none_besides() -> None:
    done = run(
        *IN,
        ["server", ""],
        ["lose_reply"],
        *SELL_50,
        ["see", "No answer yet", "is kept"],
        ["press", "*"],
        ["see", "Menu", "1 Unfinished sale"],
        ["press", "3"],
        ["see", "Last sales", "3 11:06 no answer"],
        ["press", "#"],
        ["see", "Sale 3", "never a second", "# OK"],
        ["no_paper"],
        ["press", "#"],
        *COPIED,
    )
    assert done.asked == [["air50", 5000, None]], "it was decided once"
    assert done.journaled == [ONLINE, DELIVERED, PRINTED] and done.is_debited(4750)
    assert words_of(done.paper[0]).count(ONLINE_PIN) == 1 and done.begun == [DELIVERED]
    assert "DUPLICATE" not in done.paper[0]


def test_no_answer_again_leaves_the_sale_as_it_was() -> None:
    done = run(
        *IN,
        ["server", None],
        *SELL_50,
        ["see", "No answer yet"],
        ["press", "*"],
        ["see", "Menu"],
        ["press", "3"],
        ["see", "Last sales", "no answer"],
        ["press", "#"],
        ["see", "# OK"],
        ["press", "#"],
        ["see", "No answer yet"],
        ["press", "*"],
        ["see", "Last sales", "no answer"],
    )
    assert done.journaled == [ONLINE] and done.paper == [""]
    assert done.float_minor == 100000 - 4750, "kept for it until the office has decided"


def test_a_refused_sale_says_why_and_has_nothing_to_print() -> None:
    done = run(
        *IN,
        ["server", "price_changed"],
        *SELL_50,
        ["see", "Not sold"],
        ["press", "#"],
        ["see", "Menu"],
        *LIST,
        ["press", "#"],
        ["see", "Sale 3", "State refused", "The price has changed"],
        ["press", "D#"],
        ["see", "Sale 3"],
        ["press", "*"],
        ["see", "Last sales"],
    )
    assert done.kinds == [ONLINE, REFUSED] and done.paper == [""]


def test_paper_in_doubt_is_listed_so_and_its_copy_is_marked() -> None:
    done = run(
        *IN,
        STOCK,
        ["network", "offline"],
        ["printer", "mute"],
        *FROM_STOCK,
        ["see", "Check the receipt"],
        ["press", "#"],
        ["see", "Menu"],
        ["printer", "ok"],
        *LIST,
        ["see", "4 11:06 in doubt"],
        ["press", "#"],
        ["see", "Sale 4", "State in doubt", "The paper may be out"],
        ["press", "D"],
        *COPIED,
        ["see", "4 11:06 printed"],
    )
    paper = words_of(done.paper[0])
    assert paper.count(STOCK_PIN) == 2 and paper.count("DUPLICATE") == 2
    assert done.kinds == [OFFLINE, PRINTED, REPRINT, PRINTED]


def test_a_sale_that_was_cut_is_finished_from_the_list_as_from_the_menu() -> None:
    done = run(
        *CUT_WHILE_PRINTING,
        ["press", "2580#"],
        ["see", "Sale was cut"],
        ["press", "*"],
        ["see", "Menu", "1 Unfinished sale"],
        ["press", "3"],
        ["see", "Last sales", "4 11:06 in doubt"],
        ["press", "#"],
        ["see", "Sale 4", "# OK"],
        ["press", "#"],
        ["see", "Sale was cut", "has the customer the receipt"],
        ["press", "#"],
        *COPIED,
        ["press", "*"],
        ["see", "Menu", "1 Sell airtime"],
    )
    assert words_of(done.paper[1]).count("DUPLICATE") == 2
    assert done.journaled == [STOCKED, OFFLINE, REPRINT, PRINTED]
    assert done.begun == [OFFLINE, REPRINT]


def test_a_printed_slip_never_comes_as_an_original_again() -> None:
    """Not even while the printer fails on the copy, and with the paper back."""
    done = run(
        *IN,
        ["server", ""],
        *SELL_50,
        *SOLD,
        ["press", "2"],
        ["see", "Last sales"],
        ["printer", "paper_out"],
        ["press", "#"],
        ["see", "Sale 3"],
        ["press", "D"],
        ["see", "No paper"],
        ["newest", PRINTED],
        ["press", "*"],
        ["see", "Last sales"],
        ["printer", "paper_at:150"],
        ["press", "#"],
        ["see", "Sale 3"],
        ["press", "D"],
        ["see", "Not printed", "Paper ran"],
        ["printer", "ok"],
        ["press", "#"],
        *COPIED,
    )
    slips = words_of(done.paper[0]).split(ONLINE_PIN)
    assert len(slips) == 4 and all("DUPLICATE" in between for between in slips[1:])
    assert done.journaled == [ONLINE, DELIVERED, PRINTED, REPRINT, REPRINT, PRINTED]
    assert done.begun == [DELIVERED, REPRINT, REPRINT] and done.is_debited(4750)
