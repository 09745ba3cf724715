"""Training: a sale to practise on that nobody can take for one, and that leaves nothing."""

from __future__ import annotations

from typing import Any

import pytest

from firmware.paper import letters, practice
from firmware.ui import texts
from tests.merchant.at_counter import DELIVERED, ONLINE, PRINTED, Outcome, run
from tests.merchant.test_made_by_others import METER, POWER, TOPUP
from tests.merchant.test_people import ADA_IN, WITH_ADA
from tests.merchant.test_selling import IN, SELL_50, SOLD, STOCK
from tests.merchant.test_shifts import REPORTS

MARK = "TRAINING: WORTH NOTHING"
BEGIN: list[list[Any]] = [
    *[["see", "Menu"], ["press", "A#"], ["see", "Nothing is sold or sent"], ["press", "#"]],
    ["see", "1 Sell airtime", "* End"],
]
PRACTISE: list[list[Any]] = [
    *[["press", "1"], ["see", "Sell what?"], ["press", "1"], ["see", "KES 50.00", MARK]],
    ["press", "#"],
    ["see", "worth nothing", "0 Again"],
]
END: list[list[Any]] = [["press", "#"], ["see", "* End"], ["press", "*"], ["see", "Your PIN"]]


def marks(done: Outcome, n: int = 0) -> int:
    """How often a large mark stands on the paper."""
    return " ".join(done.paper[n].split()).count("TRAINING: WORTH NOTHING")


def test_a_sale_in_training_leaves_nothing_in_flash_and_tells_the_office_nothing() -> None:
    done = run(
        *[*IN, STOCK, ["flash", False], ["counts", False], *BEGIN, *PRACTISE, *END],
        *[["flash", True], ["counts", True], *IN, *REPORTS, ["press", "4"], ["see", "Sales 0"]],
    )
    assert done.asked == [] and done.journaled == [9] and done.float_minor == 100000
    assert "XXXX XXXX" in done.paper[0] and "Dial" not in done.paper[0]


def test_a_sale_that_is_real_does_leave_something() -> None:
    with pytest.raises(AssertionError, match="STUCK"):
        run(*IN, ["flash", False], ["server", ""], *SELL_50, *SOLD, ["flash", True])
    with pytest.raises(AssertionError, match="STUCK"):
        run(*IN, ["counts", False], ["server", ""], *SELL_50, *SOLD, ["counts", True])


def test_every_page_has_the_mark_until_it_ends_and_every_slip_above_and_below() -> None:
    shots = [["shot", "before"], *BEGIN, ["shot", "list"], *PRACTISE, ["shot", "sold"]]
    again = [["press", "0"], ["see", "KES 50.00", MARK], ["press", "*"], *END[1:]]
    done = run(*IN, *shots, *again, ["shot", "after"])
    bars = {name: picture[:128] for name, picture in done.shots.items()}
    assert bars["list"] == bars["sold"] and bars["list"] not in (bars["before"], bars["after"])
    assert bars["list"][0] == 0xFF, "light letters on dark"
    lines = [line.strip() for line in done.paper[0].splitlines() if line.strip()]
    assert lines[0].startswith("TRAINING") and lines[-1] == "NOTHING" and marks(done) >= 2


def test_it_ends_with_the_power_and_whoever_signs_in_then_sells() -> None:
    cut: list[list[Any]] = [["see", "Not printed"], ["cut"], ["printer", "ok"]]
    done = run(
        *[*IN, *BEGIN, ["printer", "paper_at:60"], *PRACTISE[:-1], *cut],
        *[*IN, ["shot", "after"], ["not_see", "End"], ["server", ""], *SELL_50, *SOLD],
    )
    assert done.shots["after"][0] != 0xFF, "no mark"
    assert done.paper[0].lstrip().startswith("TRAINING"), "half a slip has its mark"
    assert len(done.asked) == 1 and "TRAINING" not in done.paper[1]
    assert done.journaled == [ONLINE, DELIVERED, PRINTED], "and of the training nothing"


def test_who_practised_is_signed_out_at_its_end() -> None:
    done = run(*IN, *BEGIN, ["press", "*"], ["see", "Your PIN"])
    assert done.pages[-1].startswith("Mama Asha Shop")


def test_it_asks_no_network_and_goes_on_without() -> None:
    done = run(*IN, ["network", "offline"], *BEGIN, *PRACTISE, *END)
    assert done.asked == [] and done.look_ups == 0 and done.journaled == []
    assert marks(done) >= 2 and "XXXX XXXX" in done.paper[0] and len(done.receipts) == 1


def test_a_number_and_a_meter_are_practised_with_what_is_checked_here() -> None:
    done = run(
        *[*IN, ["sell_also", TOPUP, POWER], *BEGIN, ["press", "2"], ["see", "Sell what?"]],
        *[["press", "1"], ["see", "Type the number"], ["press", "12#"], ["see", "Look again"]],
        *[["press", "#"], ["press", "CC0712345678#"], ["see", "Amount"], ["press", "50#"]],
        *[["see", "Once more"], ["press", "0712345678#"], ["see", "0712 345 678", MARK]],
        *[["press", "#"], ["see", "worth nothing"], ["press", "#"], ["see", "* End"]],
        *[["press", "3"], ["see", "Sell what?"], ["press", "1"], ["see", "the meter"]],
        *[["press", METER + "#"], ["see", "Amount"], ["press", "50#"], ["see", "A customer"]],
        *[["press", "#"], ["see", MARK], ["press", "#"], ["see", "worth nothing"], *END],
    )
    assert done.look_ups == 0 and done.asked == [] and done.journaled == []
    assert len(done.receipts) == 2, "of a number that cannot be none"
    assert "XXXX XXXX XXXX" in done.paper[0]


def test_a_printer_without_paper_is_told_before_and_in_the_middle() -> None:
    done = run(
        *[*IN, *BEGIN, ["printer", "paper_out"], ["press", "1"], ["see", "Sell what?"]],
        *[["press", "1"], ["see", "No paper"], ["press", "*"], ["see", "* End"]],
        *[["printer", "paper_at:60"], ["press", "1"], ["see", "Sell what?"], ["press", "1"]],
        *[["see", "KES 50.00"], ["press", "#"], ["see", "Not printed"], ["press", "#"]],
        *[["see", "* End"], ["press", "*"], ["see", "Your PIN"]],
    )
    assert done.paper[0].lstrip().startswith("TRAINING"), "the half slip has the mark as well"
    assert done.journaled == [] and done.asked == [] and len(done.receipts) == 1


def test_a_cashier_cannot_begin_it() -> None:
    done = run(*WITH_ADA, *ADA_IN, ["press", "A#"], ["see", "1 Sound"])
    assert not done.saw("Nothing is sold or sent")


@pytest.mark.parametrize("language", texts.LANGUAGES)
def test_the_mark_on_paper_is_large_in_every_language(language: str) -> None:
    assert letters.is_plain(texts.Words(language)("tr_paper"))


def test_no_code_of_a_practice_slip_has_a_figure() -> None:
    assert not any(char.isdigit() for char in practice.code(20))
