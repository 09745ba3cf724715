"""Signing in and out, and what a merchant looks up between sales."""

from __future__ import annotations

from typing import Any

from firmware.flows.steps.pin import FREE_TRIES, LONGEST_LOCK_S, lock_s
from tests.merchant.at_counter import DELIVERED, ONLINE, PRINTED, run
from tests.merchant.test_selling import CHOOSE_50, IN, SELL_50, SOLD

WRONG: list[list[Any]] = [["see", "Your PIN"], ["press", "1111#"]]


def test_the_lock_grows_with_every_wrong_pin_up_to_an_hour() -> None:
    locks = [lock_s(wrong) for wrong in range(14)]
    assert locks[:FREE_TRIES] == [0, 0, 0]
    assert locks[FREE_TRIES : FREE_TRIES + 4] == [30, 60, 120, 240]
    assert locks == sorted(locks) and locks[-1] == LONGEST_LOCK_S


def test_the_right_pin_opens_the_menu_and_is_never_shown() -> None:
    done = run(*IN)
    typing = [page for page in done.pages if "Your PIN" in page]
    assert len(typing) == 5 and not any(digit in page for page in typing for digit in "2580")
    assert "2580" not in " ".join(done.log) and done.left_no_trace


def test_a_wrong_pin_says_how_many_tries_are_left() -> None:
    again: list[list[Any]] = [["press", "#"], *WRONG, ["see", "Wrong PIN", "pause: 1"]]
    done = run(*WRONG, ["see", "Wrong PIN", "pause: 2"], *again, ["press", "#"], *IN)
    assert done.left_no_trace


def test_the_third_wrong_pin_locks_and_the_lock_outlives_a_power_cut() -> None:
    done = run(
        *WRONG,
        ["see", "Wrong PIN"],
        ["press", "#"],
        *WRONG,
        ["see", "Wrong PIN"],
        ["press", "#"],
        ["second_ms", 400],  # a machine with much else to do presses keys slowly
        *WRONG,
        ["see", "Please wait", "Try again in 3"],
        ["press", "2580#"],
        ["not_see", "Menu"],
        ["second_ms", 20],
        ["cut"],
        ["see", "Please wait"],
        ["see", "Your PIN"],
        ["press", "1111#"],
        ["see", "Please wait"],
        ["see", "Your PIN"],
        ["press", "2580#"],
        ["see", "Menu"],
    )
    told = [page.replace(" | ", " ") for page in done.pages if "Please wait" in page]
    left_s = [int(page.split("Try again in ")[1].split(" ")[0]) for page in told]
    begun_s = [n for n, before in zip(left_s, [0, *left_s], strict=False) if n != before - 1]
    assert begun_s == [30, 30, 60] and left_s[-1] == 1, "whole after the cut, and longer each time"
    assert done.left_no_trace


def test_a_right_pin_ends_the_counting() -> None:
    twice = [*WRONG, ["see", "Wrong PIN"], ["press", "#"]] * 2
    run(*twice, *IN, ["press", "*"], *twice, *IN)


def test_typing_can_be_corrected() -> None:
    run(["see", "Your PIN"], ["press", "2599CC80#"], ["see", "Menu"])


def test_a_terminal_left_alone_signs_out() -> None:
    run(["idle_after_ms", 300], *IN, ["see", "Your PIN"])


def test_a_question_left_alone_before_a_sale_sells_nothing() -> None:
    done = run(["server", ""], ["idle_after_ms", 300], *IN, *SELL_50[:-1], ["see", "Your PIN"])
    assert done.kinds == []


def test_float_and_commission_are_shown() -> None:
    done = run(
        *[*IN, ["server", "", ""], *SELL_50, *SOLD, ["clock", 1795000000 + 86400]],
        *[*SELL_50, *SOLD, ["press", "3"], ["see", "Float", "KES 905.00"]],
    )
    assert done.saw("Commission 2.50") and done.saw("Not sent yet 2"), "and of today alone"
    assert done.journaled == [ONLINE, DELIVERED, PRINTED] * 2 and len(done.receipts) == 2


TODAY: list[list[Any]] = [["press", "4"], ["see", "1 Today"], ["press", "1"]]


def test_the_day_report_adds_up_and_prints() -> None:
    done = run(
        *IN,
        ["server", "", ""],
        *SELL_50,
        *SOLD,
        *SELL_50,
        *SOLD,
        *TODAY,
        ["see", "Today", "2 x Savanna 50", "100.00"],
        ["press", "*"],
        ["see", "1 Today"],
        ["press", "1"],
        ["see", "Today", "2 x Savanna 50", "100.00"],
        ["press", "#"],
        ["see", "Menu"],
    )
    assert done.paper[0].count("DAY REPORT") == 1, "only when it is wanted"
    paper = done.paper[0].split("DAY REPORT")[1]
    assert paper.count("18/11/2026") == 2, "its day, and when it was printed"
    assert "2 x Savanna 50            100.00" in paper
    assert "KES 100.00" in paper and "KES 5.00" in paper and "KES 905.00" in paper
    assert done.journaled == [ONLINE, DELIVERED, PRINTED] * 2


def test_a_report_without_paper_says_so() -> None:
    done = run(
        *IN,
        ["printer", "paper_out"],
        *TODAY,
        ["see", "Today", "Sales"],
        ["press", "#"],
        ["see", "No paper"],
        ["press", "*"],
        ["see", "Menu"],
    )
    assert done.paper == [""] and done.journaled == []


def test_the_language_changes_at_once_and_is_kept() -> None:
    done = run(
        *IN,
        ["press", "6"],
        ["see", "Language", "Français"],
        ["press", "2"],
        ["see", "Menu", "Vendre du crédit"],
        ["cut"],
        ["see", "Votre code"],
        ["press", "2580#"],
        ["see", "Menu", "Vendre du crédit"],
        ["server", ""],
        *[["press", "1"], ["see", "Savanna 50"], ["press", "1"], ["see", "KES 50.00"]],
        *[["press", "#"], ["see", "Vendu"]],
    )
    assert done.paper[0] == "" and "Vente" in done.paper[1] and "Sale" not in done.paper[1]
    assert done.journaled == [ONLINE, DELIVERED, PRINTED]


def test_the_servers_message_is_read_from_the_menu() -> None:
    run(
        *IN,
        ["press", "5"],
        ["see", "No messages"],
        ["press", "*"],
        ["see", "Menu"],
        ["message", "Tariff changes on Monday"],
        ["press", "5"],
        ["see", "Tariff changes on Monday"],
    )


def test_a_long_message_is_paged() -> None:
    text = " ".join(f"word{n}" for n in range(60))
    run(
        *IN,
        ["message", text],
        ["press", "5"],
        ["see", "word1 "],
        ["press", "B"],
        ["not_see", "word1 "],
        ["press", "BBBBBBBBBB"],
        ["see", "word59"],
        ["press", "AAAAAAAAAA"],
        ["see", "word1 "],
    )


def test_the_terminal_tells_a_technician_what_it_is() -> None:
    done = run(
        *IN,
        ["press", "7"],
        ["see", "0001020304050607", "Release 7", "Slot a"],
        ["press", "B"],
        ["see", "Signal 18", "Battery 3900 mV 73%", "Time 18/11/2026 "],
        ["press", "*"],
        ["see", "Menu"],
        ["unheard"],
        ["press", "7"],
        ["see", "Release 7"],
        ["press", "B"],
        ["see", "Signal - ", "Battery"],
    )
    assert done.paper == [""] and done.journaled == []


def test_the_menu_can_be_walked_with_up_and_down() -> None:
    run(
        *IN,
        ["press", "BBBB"],
        ["see", "5 Messages"],
        ["press", "#"],
        ["see", "No messages"],
        ["press", "*"],
        ["see", "Menu"],
        ["press", "A"],
        ["see", "9 People"],
    )


def test_without_a_price_list_nothing_can_be_sold_until_it_comes_back() -> None:
    good = (
        '{"version": 2, "currency": "KES", "minor_digits": 2, "products":'
        ' [{"id": "a", "name": "Air", "operator": "S", "amount_minor": 100,'
        ' "commission_minor": 1, "instructions": "", "pin_groups": [4]}],'
        ' "offline": {"max_amount_minor": 0, "max_count": 0,'
        ' "max_total_minor": 0, "max_age_s": 0}}'
    )
    done = run(
        ["see", "Your PIN"],
        ["spoil_catalogues"],
        ["cut"],
        ["see", "Needs service", "price list"],
        ["catalogue", good],
        ["see", "Your PIN"],
    )
    assert any("catalogue" in line for line in done.log)


def test_a_spoiled_price_list_does_not_replace_a_good_one() -> None:
    run(*IN, ["catalogue", "{broken"], ["press", "1"], ["see", "Sell what?", "Savanna 50"])


def test_a_flow_lies_in_the_heap_only_while_it_runs() -> None:
    stay = {"firmware.flows.menu", "firmware.flows.session"}
    during = set(run(*IN, *CHOOSE_50).loaded)
    assert during > stay | {"firmware.flows.sell", "firmware.flows.steps.hand_over"}
    assert set(run(*IN, ["server", ""], *SELL_50, *SOLD).loaded) == stay
