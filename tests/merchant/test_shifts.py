"""Shifts and the reports X and Z at the counter: what is asked, shown, printed and journaled."""

from __future__ import annotations

from typing import Any

from tests.merchant.at_counter import Outcome, run
from tests.merchant.test_people import ADA_IN, OUT, OWNER_IN, WITH_ADA
from tests.merchant.test_selling import IN, SELL_50, SOLD

SETTING, OPENED, CLOSED, Z = 10, 15, 16, 17
REPORTS: list[list[Any]] = [["press", "4"], ["see", "1 Today"]]
HERS: list[list[Any]] = [["press", "3"], ["see", "1 Today"]]
MENU: list[list[Any]] = [["see", "Menu"]]
OPEN: list[list[Any]] = [
    *[["press", "5"], ["see", "Cash in the drawer now"], ["press", "200"]],
    *[["see", "KES 200.00"], ["press", "#"], ["see", "The shift is open"], ["press", "#"]],
]
COUNT: list[list[Any]] = [["press", "5"], ["see", "Count the cash"], ["press", "240#"]]
MAKE_Z: list[list[Any]] = [
    *[*REPORTS, ["press", "6"], ["see", "Make the next Z"], ["press", "1"]],
]
FULL = ["see", "The sales memory is full"]
DAY: list[list[Any]] = [["server", "", "", ""], *SELL_50, *SOLD]


def copy_of(number: int) -> list[list[Any]]:
    return [
        *[*REPORTS, ["press", "6"], ["see", "Copy of a Z"], ["press", "2"]],
        *[["see", "Number of the Z"], ["press", f"{number}#"]],
    ]


def of_kind(done: Outcome, kind: int) -> list[list[Any]]:
    return [record[1:] for record in done.records if record[0] == kind]


def test_a_cashier_opens_a_shift_sells_counts_and_the_slip_says_what_is_missing() -> None:
    done = run(
        *[*WITH_ADA, *ADA_IN, *HERS, *OPEN, *MENU, ["server", ""], *SELL_50, *SOLD, *HERS],
        *[*COUNT, ["see", "Expected", "250.00", "Counted", "240.00"], ["press", "B"]],
        *[["see", "Difference", "-10.00"], ["press", "#"], *MENU],
    )
    ((opened, person),) = of_kind(done, OPENED)
    assert (opened, person) == ("20000", "1")
    ((_, counted, expected, count, whose, by),) = of_kind(done, CLOSED)
    assert (counted, expected, count, whose, by) == ("24000", "25000", "1", "1", "1")
    slip = done.paper[0].split("SHIFT CLOSED")[1]
    lines = [line.split(maxsplit=1) for line in slip.splitlines()]
    for wanted in ("Expected KES 250.00", "Counted KES 240.00", "Difference KES -10.00"):
        assert wanted.split(maxsplit=1) in lines
    assert "Cash at start         KES 200.00" in slip and "ADA  " in slip
    assert "1 x Savanna 50             50.00" in slip and "Total                  KES 50.00" in slip
    assert len(done.receipts) == 2 and done.journaled == [10, OPENED, 3, 4, 6, CLOSED]
    assert done.float_minor == 95250, "of the sale alone"
    page = next(page for page in done.pages if "Count the cash" in page)
    assert "Expected" not in page, "nobody counts up to what is expected"


def test_the_owner_closes_anybodys_shift_and_a_cashier_her_own_alone() -> None:
    done = run(
        *[*WITH_ADA, *ADA_IN, *HERS, *OPEN, *MENU, *OUT, *OWNER_IN, *REPORTS, ["press", "5"]],
        *[["see", "1 ADA", "2 Open a shift"], ["press", "2"], ["see", "Cash in the drawer now"]],
        *[["press", "*"], *MENU, *REPORTS, ["press", "5"], ["see", "2 Open a shift"]],
        *[["press", "2"], ["see", "Cash in the drawer now"]],
        *[["press", "0#"], ["see", "The shift is open"], ["press", "#"], *MENU, *OUT],
        *[*ADA_IN, *HERS, ["press", "5"], ["see", "Count the cash"], ["press", "*"], *MENU, *OUT],
        *[*OWNER_IN, ["server", ""], *SELL_50, *SOLD],
        *[*REPORTS, ["press", "5"], ["see", "1 ADA", "2 Owner"], ["press", "1"]],
        *[["see", "Count the cash"], ["press", "150#"], ["see", "Expected", "200.00"]],
        *[["press", "*"], ["see", "Count the cash"], ["press", "200#"], ["see", "Counted"]],
        *[["press", "B"], ["see", "Difference", "0.00"], ["press", "#"], *MENU],
    )
    assert done.journaled == [10, OPENED, OPENED, 3, 4, 6, CLOSED]
    assert len(done.receipts) == 2
    ((_, *closed),) = of_kind(done, CLOSED)
    assert closed == ["20000", "20000", "0", "1", "0"], "counted, expected, sales, whose, by whom"


def test_who_opens_no_shift_sells_as_ever() -> None:
    done = run(*IN, *DAY)
    assert of_kind(done, OPENED) == [] and len(of_kind(done, 6)) == 1


def test_a_shift_outlives_a_power_cut_and_is_closed_once() -> None:
    done = run(
        *[*IN, *REPORTS, *OPEN, *MENU, *DAY, ["cut"], *IN, *REPORTS, *COUNT],
        *[["see", "Expected", "250.00"], ["press", "#"], *MENU, ["cut"], *IN, *REPORTS],
        *[["press", "5"], ["see", "Cash in the drawer now"], ["press", "*"], *MENU],
    )
    assert len(of_kind(done, CLOSED)) == 1


def test_a_shift_is_closed_without_paper_and_nothing_is_lost() -> None:
    done = run(
        *[*IN, *REPORTS, *OPEN, *MENU, ["printer", "paper_out"], *REPORTS, *COUNT],
        *[["see", "Counted"], ["press", "#"], ["see", "No paper"], ["cut"], ["printer", "ok"]],
        *[*IN, *REPORTS, *OPEN, *MENU, ["printer", "paper_out"], *REPORTS, *COUNT],
        *[["see", "Counted"], ["press", "#"], ["see", "No paper"], ["printer", "ok"]],
        *[["press", "#"], *MENU],
    )
    assert done.journaled == [OPENED, CLOSED] * 2, "closed before the paper is asked for"
    assert {tuple(body[1:]) for body in of_kind(done, CLOSED)} == {("24000", "20000", *"000")}
    assert done.paper[0] == "" and done.paper[1].count("SHIFT CLOSED") == 1


def test_paper_that_ends_in_a_shifts_slip_leaves_it_closed_and_a_copy() -> None:
    done = run(
        *[*IN, *REPORTS, *OPEN, *MENU, *REPORTS, *COUNT, ["see", "Counted"]],
        *[["printer", "paper_at:100"], ["press", "#"], ["see", "Not printed"], ["printer", "ok"]],
        *[["press", "#"], *MENU, *REPORTS, ["press", "7"], ["see", "Owner"], ["press", "1"], *MENU],
    )
    assert done.journaled == [OPENED, CLOSED, SETTING] and "KES 200.00" in done.paper[0]
    assert done.paper[0].count("SHIFT CLOSED") == 2 and done.paper[0].count("DUPLICATE") == 1


def test_an_x_report_counts_since_the_last_z_and_changes_nothing() -> None:
    done = run(
        *[*IN, *DAY, *REPORTS, ["press", "4"], ["see", "1 x Savanna 50"], ["press", "#"], *MENU],
        *[*MAKE_Z, ["see", "Z report 1"], ["press", "#"], *MENU],
        *[*SELL_50, *SOLD, *SELL_50, *SOLD, *REPORTS, ["press", "4"], ["see", "2 x Savanna 50"]],
        *[["press", "#"], *MENU],
    )
    assert done.paper[0].count("X REPORT") == 2 and len(of_kind(done, Z)) == 1
    assert done.journaled == [3, 4, 6, Z, *[3, 4, 6] * 2]
    counted = [line for line in done.paper[0].splitlines() if line.startswith("Records")]
    assert counted[0] == counted[1] != counted[2], "what the Z that came next has counted"


def test_a_z_report_has_a_number_that_rises_its_records_and_the_journals_digest() -> None:
    done = run(
        *[*WITH_ADA, *ADA_IN, *DAY, *OUT, *OWNER_IN],
        *[*MAKE_Z, ["see", "Z report 1", "1 x Savanna 50"], ["press", "#"], *MENU],
        *[
            ["cut"],
            ["see", "1 Owner"],
            *OWNER_IN,
            *MAKE_Z,
            ["see", "Z report 2", "Sales 0"],
            ["press", "#"],
            *MENU,
        ],
    )
    first, second = of_kind(done, Z)
    assert first[:5] == ["1", "1", "1", "5000", "250"] and second[0] == "2"
    slip = done.paper[0].split("Z REPORT 1")[1]
    digest = bytes(eval(first[5])).hex()
    assert f"Digest          {digest}" in slip and "Total                  KES 50.00" in slip
    assert "1 x ADA                    50.00" in slip and "Commission              KES 2.50" in slip
    assert f"1 - {int(second[1]) - 2}" in slip
    assert "Z REPORT 2" in done.paper[1]


def test_a_z_report_is_printed_again_by_its_number_as_a_copy() -> None:
    done = run(
        *[*IN, *DAY, *MAKE_Z, ["see", "Z report 1"], ["press", "#"], *MENU],
        *[*SELL_50, *SOLD, *copy_of(1), *MENU, *copy_of(7), ["see", "not in this terminal"]],
    )
    original, copy = done.paper[0].split("Z REPORT 1")[1:]
    assert "DUPLICATE" not in done.paper[0].split("Z REPORT 1")[0].rsplit("Mama Asha", 1)[1]
    assert "DUPLICATE" in original, "above the copy"
    for line in ("1 x Savanna 50             50.00", "Digest", "Records"):
        assert line in original and line in copy
    assert done.journaled == [3, 4, 6, Z, 3, 4, 6, SETTING], "of the one that is not there nothing"
    assert len(done.receipts) == 4


def test_no_z_is_made_without_paper_or_without_a_yes() -> None:
    done = run(
        *[*IN, ["printer", "paper_out"], *MAKE_Z, ["see", "No paper"], ["press", "*"], *MENU],
        *[["printer", "ok"], *MAKE_Z, ["see", "Z report 1"], ["press", "*"], *MENU],
    )
    assert done.journaled == [] and done.paper == [""]


def test_paper_that_ends_in_a_z_leaves_its_number_and_a_copy() -> None:
    done = run(
        *[*IN, *DAY, ["printer", "paper_at:60"], *MAKE_Z, ["see", "Z report 1"], ["press", "#"]],
        *[["see", "Not printed"], ["printer", "ok"], ["press", "#"], *MENU, *copy_of(1), *MENU],
    )
    assert done.journaled == [3, 4, 6, Z, SETTING] and of_kind(done, Z)[0][0] == "1"
    part, copy = done.paper[0].rsplit("Mama Asha Shop", 1)
    assert "Digest" not in part and "DUPLICATE" not in part
    assert "DUPLICATE" in copy and "Z REPORT 1" in copy


def test_a_cashier_is_not_offered_the_z_report() -> None:
    done = run(*WITH_ADA, *ADA_IN, *HERS, ["press", "AA"], ["wait_ms", 50], ["press", "*"], *MENU)
    assert not any("Z report" in page for page in done.pages)


def test_what_has_no_room_in_the_journal_is_told_and_not_done() -> None:
    done = run(*IN, ["fill_journal"], *MAKE_Z, ["see", "Z report 1"], ["press", "#"], FULL)
    assert of_kind(done, Z) == [] and done.paper[0] == ""


def test_yesterday_and_this_week_are_days_of_the_shop() -> None:
    monday = 1795000000 - (1795000000 // 86400 + 3) % 7 * 86400
    done = run(
        *[["clock", monday + 3600], *IN, ["server", "", "", ""], *SELL_50, *SOLD],
        *[["clock", monday + 86400 + 3600], *SELL_50, *SOLD, *SELL_50, *SOLD, *REPORTS],
        *[["press", "1"], ["see", "2 x Savanna 50"], ["press", "*"], ["see", "1 Today"]],
        *[["press", "2"], ["see", "1 x Savanna 50"], ["press", "*"], ["see", "1 Today"]],
        *[["press", "3"], ["see", "3 x Savanna 50"], ["press", "#"], *MENU],
    )
    slip = done.paper[0].split("REPORT OF THE WEEK")[1].splitlines()
    assert ["16/11/2026", "17/11/2026"] in [line.split() for line in slip], "as far as it went"
