"""A merchant sells: online, from stock, with a printer that fails, through power cuts."""

from __future__ import annotations

from typing import Any

import pytest

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

IN: list[list[Any]] = [["sign_in"], ["see", "Menu"]]
CHOOSE_50: list[list[Any]] = [["press", "1"], ["see", "Sell what?"], ["press", "1"]]
SELL_50: list[list[Any]] = [*CHOOSE_50, ["see", "KES 50.00"], ["press", "#"]]
STOCK: list[Any] = ["stock", 5, "air50", 5000, 10]
FROM_STOCK: list[list[Any]] = [*SELL_50, ["see", "stock in this terminal"], ["press", "#"]]
OF_KILELE: dict[str, Any] = {
    "id": "kil50",
    "name": "Kilele 50",
    "operator": "Kilele",
    "amount_minor": 5000,
    "commission_minor": 250,
    "instructions": "",
    "pin_groups": [4, 4, 4, 4],
}
SOLD: list[list[Any]] = [["see", "Sold"], ["press", "#"], ["see", "Menu"]]
ONLINE_PIN = "1234 5678\n9012 3456"
STOCK_PIN = "7700 0000\n0000 5000"


def words_of(text: str) -> str:
    """Text with the padding of centred lines taken away."""
    return "\n".join(line.strip() for line in text.split("\n"))


def test_an_online_sale_shows_the_price_and_the_float_before_and_after_and_prints_the_voucher() -> (
    None
):
    done = run(*IN, ["server", ""], *SELL_50, *SOLD)
    assert done.saw("Sell Savanna 50? | KES 50.00 | Float now 1 000.00 | Float after 952.50")
    assert done.saw("Float KES 952.50")
    paper = words_of(done.paper[0])
    assert paper.count(ONLINE_PIN) == paper.count("Thank you") == 1
    assert "Dial *130*PIN#" in paper and "DUPLICATE" not in paper
    assert "Savanna 50             KES 50.00" in paper and "SER-1" in paper
    assert done.journaled == [ONLINE, DELIVERED, PRINTED] and done.begun == [DELIVERED]
    assert done.records[-1][2] == "0"  # the printer said that it is out
    assert done.asked == [["air50", 5000, None]] and done.is_debited(4750)


def test_the_pin_is_never_on_the_screen_nor_in_the_log_of_a_sale_that_printed() -> None:
    done = run(*IN, ["server", ""], *SELL_50, *SOLD)
    seen = " ".join(done.pages + done.log)
    assert "1234" not in seen and "5678" not in seen


def test_going_back_before_the_price_is_agreed_sells_nothing() -> None:
    done = run(
        *IN,
        ["server", ""],
        *CHOOSE_50[:-1],
        ["press", "9"],
        ["wait_ms", 50],
        ["see", "Sell what?"],
        ["press", "1"],
        ["see", "KES 50.00"],
        ["press", "07CD"],
        ["wait_ms", 50],
        ["see", "Sell Savanna 50?"],
        ["press", "*"],
        ["see", "Menu"],
    )
    assert done.left_no_trace and done.float_minor == 100000


def test_an_impatient_double_press_does_not_agree_to_the_price() -> None:
    slow: list[Any] = ["printer", "mute"]  # so long that both keys come before the price
    done = run(
        *IN,
        ["server", ""],
        slow,
        *CHOOSE_50[:-1],
        ["press", "1#"],
        ["see", "Sell Savanna 50?"],
        ["wait_ms", 100],
        ["see", "Sell Savanna 50?"],
    )
    assert done.left_no_trace


def test_without_network_it_sells_from_stock_when_the_merchant_wants_to() -> None:
    unwanted: list[list[Any]] = [*FROM_STOCK[:-1], ["press", "*"], ["see", "Menu"], ["no_paper"]]
    done = run(*IN, STOCK, ["network", "offline"], *unwanted, *FROM_STOCK, *SOLD)
    assert done.saw("Left: 10") and done.saw("In stock 10")
    paper = words_of(done.paper[0])
    assert paper.count(STOCK_PIN) == 1 and "sold from stock" in paper and "DUPLICATE" not in paper
    assert done.journaled == [STOCKED, OFFLINE, PRINTED] and done.begun == [OFFLINE]
    assert done.float_minor == 95250
    assert done.ledger_minor == 100000, "the office hears of it later"


def test_a_network_that_is_looked_for_is_waited_for_but_not_for_ever() -> None:
    done = run(
        *IN,
        STOCK,
        ["network", "searching"],
        *SELL_50,
        ["see", "Looking for the network"],
        ["press", "*"],
        ["see", "stock in this terminal"],
        ["press", "*"],
        ["see", "Menu"],
    )
    assert done.kinds == []


def test_coverage_lost_unnoticed_is_noticed_before_a_sale_is_begun_online() -> None:
    done = run(*IN, STOCK, ["lose_coverage"], *FROM_STOCK, *SOLD)
    assert done.kinds == [OFFLINE, PRINTED]


def test_the_offline_policy_refuses_the_third_sale_in_plain_words() -> None:
    done = run(
        *IN,
        STOCK,
        ["network", "offline"],
        *FROM_STOCK,
        *SOLD,
        *FROM_STOCK,
        *SOLD,
        *CHOOSE_50,
        ["see", "Not sold", "limit of sales without network"],
        ["press", "#"],
        ["see", "Menu"],
    )
    assert done.kinds == [OFFLINE, PRINTED] * 2
    paper = words_of(done.paper[0])
    assert paper.count("0000 5000") == 1 and paper.count("0000 5001") == 1


def test_a_deposit_that_nobody_told_the_terminal_of_is_sold_from_at_once() -> None:
    done = run(*IN, ["float", 4000], ["office", 54000, False], ["server", ""], *SELL_50, *SOLD)
    assert done.kinds == [ONLINE, DELIVERED, PRINTED]
    assert done.float_minor == 54000 - 4750


def test_a_blocked_terminal_that_was_let_go_sells_at_once() -> None:
    done = run(*IN, ["blocked"], ["office", 100000, False], ["server", ""], *SELL_50, *SOLD)
    assert done.kinds == [ONLINE, DELIVERED, PRINTED]


def test_an_office_that_does_not_answer_is_waited_for_as_long_as_the_merchant_likes() -> None:
    done = run(
        *IN,
        ["blocked"],
        ["office", "hang"],
        *CHOOSE_50,
        ["see", "Asking the office"],
        ["press", "*"],
        ["see", "Not sold", "This terminal is blocked"],
    )
    assert done.kinds == []


@pytest.mark.parametrize(
    ("prepare", "sell", "words"),
    [
        ([["float", 4000]], CHOOSE_50, "float is too low"),
        ([["blocked"]], CHOOSE_50, "This terminal is blocked"),
        ([["network", "offline"]], CHOOSE_50, "No voucher of this kind in stock"),
        ([["lose_coverage"]], CHOOSE_50, "No voucher of this kind in stock"),
        (
            [STOCK, ["network", "offline"], ["clock", 1795999999]],
            CHOOSE_50,
            "Too long without network",
        ),
        (
            [["network", "offline"]],
            [
                ["press", "1"],
                ["see", "Sell what"],
                ["press", "3"],
            ],
            "Too dear to sell without network",
        ),
        ([["server", "price_changed"]], SELL_50, "price has changed"),
        ([["server", "no_vouchers"]], SELL_50, "no vouchers now"),
        ([["server", "blocked"]], SELL_50, "This terminal is blocked"),
        ([["server", "no_float"]], SELL_50, "float is too low"),
        ([["server", "of_later_times"]], SELL_50, "of_later_times"),
    ],
)
def test_every_refusal_says_what_to_do_next(
    prepare: list[list[Any]], sell: list[list[Any]], words: str
) -> None:
    done = run(
        *IN, *prepare, *sell, ["see", "Not sold", words[:10]], ["press", "#"], ["see", "Menu"]
    )
    assert done.saw(words)
    assert PRINTED not in done.kinds and done.paper == [""]
    assert done.kinds in ([], [ONLINE, REFUSED])


@pytest.mark.parametrize(
    ("prepare", "words"),
    [
        ([["float", 4000]], "float is too low"),
        ([["blocked"]], "This terminal is blocked"),
        ([["network", "offline"]], "No voucher of this kind in stock"),
        ([["lose_coverage"]], "No voucher of this kind in stock"),
        ([["fill_journal"]], "The sales memory is full"),
    ],
)
def test_what_must_be_refused_is_refused_before_anybody_is_asked_to_agree(
    prepare: list[list[Any]], words: str
) -> None:
    done = run(*IN, *prepare, *CHOOSE_50, ["see", "Not sold", words[:10]], ["press", "#"])
    assert not done.saw("Sell Savanna 50?") and done.left_no_trace


def test_stock_limits_that_are_left_and_float_are_on_the_products_page() -> None:
    done = run(
        *IN,
        STOCK,
        *CHOOSE_50,
        ["see", "Sell Savanna 50?", "Float now 1 000.00", "Float after 952.50"],
        ["press", "B"],
        ["see", "In stock 10", "Left 2/200.00/72 h"],
        ["press", "*"],
        ["network", "offline"],
        *FROM_STOCK,
        *SOLD,
        *CHOOSE_50,
        ["see", "Sell Savanna 50?", "In stock 9", "Left 1/150.00/72 h"],
        ["press", "B"],
        ["see", "Float after 905.00"],
    )
    assert done.kinds == [OFFLINE, PRINTED]


def test_a_product_has_limits_of_its_own_without_network() -> None:
    own = {"offline": {"max_count": 1, "max_total_minor": 9000}}
    done = run(
        ["sell_also", {**OF_KILELE, **own}],
        *IN,
        STOCK,
        ["stock", 6, "kil50", 5000, 10],
        ["network", "offline"],
        ["press", "1"],
        ["see", "Sell what?", "4 Kilele 50"],
        ["press", "4"],
        ["see", "In stock 10", "Left 1/90.00/72 h"],
        ["press", "#"],
        ["see", "stock in this terminal"],
        ["press", "#"],
        *SOLD,
        ["press", "1"],
        ["see", "Sell what?"],
        ["press", "4"],
        ["see", "Not sold", "limit of sales without network"],
        ["press", "#"],
        *FROM_STOCK,
        *SOLD,
    )
    assert done.kinds == [OFFLINE, PRINTED] * 2


def test_the_same_again_is_one_key_and_agreeing() -> None:
    done = run(
        *IN,
        ["server", "", ""],
        *SELL_50,
        ["see", "Sold", "Savanna 50 KES 50.00", "0 Again"],
        ["press", "0"],
        ["see", "Sell Savanna 50?", "952.50"],
        ["press", "#"],
        *SOLD,
    )
    assert done.kinds == [ONLINE, DELIVERED, PRINTED] * 2
    assert done.float_minor == 100000 - 2 * 4750


def test_no_paper_is_found_before_anything_is_journaled() -> None:
    done = run(
        *IN,
        ["server", ""],
        ["printer", "paper_out"],
        *CHOOSE_50,
        ["see", "No paper", "Nothing was"],
        ["press", "*"],
        ["see", "Menu"],
    )
    assert done.left_no_trace


@pytest.mark.parametrize("state", ["cover_open", "error"])
def test_a_printer_fault_is_named_and_the_sale_goes_on_once_it_is_mended(state: str) -> None:
    done = run(
        *IN,
        ["server", ""],
        ["printer", state],
        *CHOOSE_50,
        ["see", "Printer"],
        ["printer", "ok"],
        ["press", "#"],
        ["see", "KES 50.00"],
        ["press", "#"],
        *SOLD,
    )
    assert done.kinds == [ONLINE, DELIVERED, PRINTED]


def test_a_head_that_never_answers_sells_and_the_journal_says_unknown() -> None:
    done = run(*IN, ["server", ""], ["printer", "mute"], *SELL_50, ["see", "Check the receipt"])
    assert ONLINE_PIN in words_of(done.paper[0])
    assert done.kinds == [ONLINE, DELIVERED, PRINTED] and done.records[-1][2] == "1"


def test_paper_that_ends_in_the_receipt_leads_to_a_copy_marked_duplicate() -> None:
    done = run(
        *IN,
        ["server", ""],
        ["printer", "paper_at:150"],
        *SELL_50,
        ["see", "Not printed", "Paper ran"],
        ["press", "#"],
        ["see", "Not printed", "Paper ran"],
        ["printer", "ok"],
        ["press", "#"],
        *SOLD,
    )
    paper = words_of(done.paper[0])
    assert paper.count("DUPLICATE") == 2 and ONLINE_PIN in paper.split("DUPLICATE")[1]
    assert done.journaled == [ONLINE, DELIVERED, REPRINT, REPRINT, PRINTED]
    assert done.begun_at == [4, 6], "each copy is in the journal before it is on paper"
    assert done.is_debited(4750)


def test_a_printer_that_fails_before_the_first_byte_prints_an_original_later() -> None:
    done = run(
        *IN,
        ["server", ""],
        *SELL_50[:-1],
        ["printer", "paper_out"],
        ["press", "#"],
        ["see", "Not printed", "Paper ran"],
        ["no_paper"],
        ["printer", "ok"],
        ["press", "#"],
        *SOLD,
    )
    assert words_of(done.paper[0]).count(ONLINE_PIN) == 1 and "DUPLICATE" not in done.paper[0]
    assert done.journaled == [ONLINE, DELIVERED, PRINTED] and done.is_debited(4750)


def test_with_a_dead_printer_the_customer_gets_the_pin_from_the_screen_after_a_question() -> None:
    done = run(
        *IN,
        ["server", ""],
        ["printer", "paper_at:150"],
        *SELL_50,
        ["see", "Not printed"],
        ["press", "D"],
        ["see", "Show the PIN"],
        ["not_see", "1234"],
        ["press", "#"],
        ["see", "1234 5678", "9012 3456"],
        ["newest", REPRINT],
        ["press", "#"],
        ["see", "Menu"],
        ["not_see", "1234"],
    )
    assert done.journaled == [ONLINE, DELIVERED, REPRINT, PRINTED] and done.begun == [DELIVERED]
    assert done.records[-1][2] == "1", "nobody saw it on paper"
    assert "Thank you" not in done.paper[0] and done.is_debited(4750)


def test_no_answer_keeps_the_sale_and_asking_again_finishes_it() -> None:
    done = run(
        *IN,
        ["server", None, ""],
        *SELL_50,
        ["see", "No answer yet", "is kept"],
        ["press", "#"],
        *SOLD,
    )
    assert done.kinds == [ONLINE, DELIVERED, PRINTED]


def test_a_server_that_does_not_answer_may_be_left_and_the_sale_is_kept() -> None:
    done = run(
        *IN,
        ["server", "hang", ""],
        *SELL_50,
        ["see", "Asking the server"],
        ["press", "*"],
        ["see", "No answer yet", "Sale 3 is kept"],
        ["press", "#"],
        *SOLD,
    )
    assert done.kinds == [ONLINE, DELIVERED, PRINTED]


def test_a_sale_left_for_later_stands_first_in_the_menu_and_prints_as_an_original() -> None:
    done = run(
        *IN,
        ["server", None, ""],
        *SELL_50,
        ["see", "No answer yet"],
        ["press", "*"],
        ["see", "Menu", "1 Unfinished sale"],
        ["press", "1"],
        ["see", "has not answered"],
        ["press", "#"],
        *SOLD,
        ["see", "1 Sell airtime"],
    )
    assert "DUPLICATE" not in done.paper[0]
    assert words_of(done.paper[0]).count(ONLINE_PIN) == 1
    assert done.journaled == [ONLINE, DELIVERED, PRINTED] and done.begun == [DELIVERED]
    assert done.is_debited(4750)


def test_each_sale_that_a_cut_left_open_is_one_question() -> None:
    done = run(
        *IN,
        STOCK,
        ["server", None],
        *SELL_50,
        ["see", "No answer yet"],
        ["press", "*"],
        ["see", "Menu", "1 Unfinished sale", "2 Sell airtime"],
        ["network", "offline"],
        ["printer", "paper_at:150"],
        ["press", "2"],
        *FROM_STOCK[1:],
        ["see", "Not printed"],
        ["cut"],
        ["printer", "ok"],
        ["see", "Sales to finish: 2"],
        ["press", "2580"],
        ["server", ""],
        ["press", "#"],
        ["see", "Sale was cut", "Sale 4, Savanna 50: the server has not answered"],
        ["press", "#"],
        ["see", "Sold"],
        ["press", "#"],
        ["see", "Sale was cut", "Sale 5, Savanna 50: has the customer the receipt"],
        ["press", "#"],
        *SOLD,
        ["see", "1 Sell airtime"],
    )
    original, copy = words_of(done.paper[1]).split("Thank you")[:2]
    assert ONLINE_PIN in original and "DUPLICATE" not in original
    assert STOCK_PIN in copy and copy.count("DUPLICATE") == 2
    assert done.journaled == [STOCKED, ONLINE, OFFLINE, DELIVERED, PRINTED, REPRINT, PRINTED]
    assert done.begun == [OFFLINE, DELIVERED, REPRINT]


def test_a_second_online_sale_waits_for_the_first() -> None:
    done = run(
        *IN,
        ["server", None],
        *SELL_50,
        ["see", "No answer yet"],
        ["press", "*"],
        ["see", "Menu"],
        ["press", "2"],
        ["see", "Sell what"],
        ["press", "1"],
        ["see", "Not sold", "First finish the sale"],
    )
    assert done.kinds == [ONLINE]


CUT_WHILE_PRINTING: list[list[Any]] = [
    *IN,
    STOCK,
    ["network", "offline"],
    ["printer", "paper_at:150"],
    *FROM_STOCK,
    ["see", "Not printed"],
    ["cut"],
    ["network", "offline"],
    ["see", "Sales to finish: 1"],
    ["printer", "ok"],
]


def test_after_a_cut_the_open_sale_is_offered_as_a_duplicate_before_the_menu() -> None:
    done = run(
        *CUT_WHILE_PRINTING,
        ["press", "2580#"],
        ["see", "Sale was cut", "Savanna 50"],
        ["press", "#"],
        *SOLD,
    )
    paper = words_of(done.paper[1])
    assert paper.count("DUPLICATE") == 2 and paper.count(STOCK_PIN) == 1
    assert "DUPLICATE" not in done.paper[0]
    assert done.journaled == [STOCKED, OFFLINE, REPRINT, PRINTED]
    assert done.begun == [OFFLINE, REPRINT]
    assert done.float_minor == 95250


def test_after_a_cut_the_merchant_may_say_that_the_receipt_came_out() -> None:
    done = run(
        *CUT_WHILE_PRINTING,
        ["press", "2580#"],
        ["see", "Sale was cut"],
        ["press", "C"],
        ["see", "Menu"],
    )
    assert done.paper[1] == "" and done.kinds == [OFFLINE, PRINTED] and done.records[-1][2] == "1"


def test_a_pin_that_was_cut_off_is_sold_to_nobody_else() -> None:
    done = run(
        *CUT_WHILE_PRINTING,
        ["press", "2580#"],
        ["see", "Sale was cut"],
        ["press", "*"],
        ["see", "Menu"],
        ["network", "offline"],
        ["press", "2"],
        ["see", "Sell what?"],
        ["press", "1"],
        ["see", "KES 50.00"],
        ["press", "#"],
        ["see", "stock in this"],
        ["press", "#"],
        *SOLD,
    )
    assert "0000 5001" in words_of(done.paper[1]) and "0000 5000" not in done.paper[1]


def test_a_cut_while_the_server_is_asked_ends_in_asking_again_and_an_original() -> None:
    done = run(
        *IN,
        ["server", "hang"],
        *SELL_50,
        ["see", "Asking the server"],
        ["cut"],
        ["see", "Sales to finish: 1"],
        ["press", "2580"],
        ["server", ""],
        ["press", "#"],
        ["see", "has not answered"],
        ["press", "#"],
        *SOLD,
    )
    assert done.kinds == [ONLINE, DELIVERED, PRINTED] and "DUPLICATE" not in done.paper[1]


def test_reprint_last_is_marked_duplicate_and_journaled() -> None:
    done = run(
        *IN,
        ["press", "D"],
        ["see", "No sale to print"],
        ["press", "*"],
        ["see", "Menu"],
        ["server", ""],
        *SELL_50,
        *SOLD,
        ["press", "D"],
        ["see", "Print sale 3 again, marked DUPLICATE? Savanna 50"],
        ["press", "#"],
        *SOLD,
    )
    paper = words_of(done.paper[0])
    assert paper.count(ONLINE_PIN) == 2 and paper.count("DUPLICATE") == 2
    assert done.journaled == [ONLINE, DELIVERED, PRINTED, REPRINT, PRINTED]
    assert len(done.asked) == 1 and done.float_minor == 95250
