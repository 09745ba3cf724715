"""Shifts and the reports X and Z at the counter: what is asked, shown, printed and journaled."""

from __future__ import annotations

from typing import Any

from tests.merchant.at_counter import Outcome, run
from tests.merchant.test_people import ADA_IN, OUT, OWNER_IN, WITH_ADA
from tests.merchant.test_selling import IN, SELL_50, SOLD

OPENED, CLOSED, Z = 15, 16, 17
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
    page = next(page for page in done.pages if "Count the cash" in page)
    assert "Expected" not in page, "nobody counts up to what is expected"


def test_the_owner_closes_anybodys_shift_and_a_cashier_her_own_alone() -> None:
    done = run(
        *[*WITH_ADA, *ADA_IN, *HERS, *OPEN, *MENU, *OUT, *OWNER_IN, *REPORTS, ["press", "5"]],
        *[["see", "1 ADA", "2 Open a shift"], ["press", "2"], ["see", "Cash in the drawer now"]],
        *[["press", "0#"], ["see", "The shift is open"], ["press", "#"], *MENU, *OUT],
        *[*ADA_IN, *HERS, ["press", "5"], ["see", "Count the cash"], ["press", "*"], *MENU, *OUT],
        *[*OWNER_IN, *REPORTS, ["press", "5"], ["see", "1 ADA", "2 Owner"], ["press", "1"]],
        *[["see", "Count the cash"], ["press", "200#"], ["see", "Difference", "0.00"]],
        *[["press", "#"], *MENU],
    )
    assert [record[-2:] for record in of_kind(done, CLOSED)] == [["1", "0"]]


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
        *[["see", "Counted"], ["press", "#"], ["see", "No paper"], ["printer", "ok"]],
        *[["press", "#"], *MENU],
    )
    assert len(of_kind(done, CLOSED)) == 1 and "SHIFT CLOSED" in done.paper[0]


def test_an_x_report_counts_since_the_last_z_and_changes_nothing() -> None:
    done = run(
        *[*IN, *DAY, *REPORTS, ["press", "4"], ["see", "1 x Savanna 50"], ["press", "#"], *MENU],
        *[*MAKE_Z, ["see", "Z report 1"], ["press", "#"], *MENU],
        *[*SELL_50, *SOLD, *SELL_50, *SOLD, *REPORTS, ["press", "4"], ["see", "2 x Savanna 50"]],
        *[["press", "#"], *MENU],
    )
    assert done.paper[0].count("X REPORT") == 2 and len(of_kind(done, Z)) == 1
    assert "Records" in done.paper[0].split("X REPORT")[1]


def test_a_z_report_has_a_number_that_rises_its_records_and_the_journals_digest() -> None:
    done = run(
        *[*IN, *DAY, *MAKE_Z, ["see", "Z report 1", "1 x Savanna 50"], ["press", "#"], *MENU],
        *[["cut"], *IN, *MAKE_Z, ["see", "Z report 2", "Sales 0"], ["press", "#"], *MENU],
    )
    first, second = of_kind(done, Z)
    assert first[:5] == ["1", "1", "1", "5000", "250"] and second[0] == "2"
    slip = done.paper[0].split("Z REPORT 1")[1]
    digest = bytes(eval(first[5])).hex()
    assert f"Digest          {digest}" in slip and "Total                  KES 50.00" in slip
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
    assert len(of_kind(done, Z)) == 1


def test_no_z_is_made_without_paper_or_without_a_yes() -> None:
    done = run(
        *[*IN, ["printer", "paper_out"], *MAKE_Z, ["see", "No paper"], ["press", "*"], *MENU],
        *[["printer", "ok"], *MAKE_Z, ["see", "Z report 1"], ["press", "*"], *MENU],
    )
    assert of_kind(done, Z) == []


def test_paper_that_ends_in_a_z_leaves_its_number_and_a_copy() -> None:
    done = run(
        *[*IN, *DAY, ["printer", "paper_at:60"], *MAKE_Z, ["see", "Z report 1"], ["press", "#"]],
        *[["see", "Not printed"], ["printer", "ok"], ["press", "#"], *MENU, *copy_of(1), *MENU],
    )
    assert [record[0] for record in of_kind(done, Z)] == ["1"]
    assert "DUPLICATE" in done.paper[0] and "Z REPORT 1" in done.paper[0]


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
    assert "REPORT OF THE WEEK" in done.paper[0]
