"""Around selling: sound and contrast, a technician's pages, the copy of a shift's slip."""

from __future__ import annotations

from typing import Any

import pytest

from firmware.drivers import contrast
from firmware.drivers.buzzer import ALL, Buzzer
from firmware.drivers.keypad import KEYS
from tests.merchant.at_counter import run
from tests.merchant.test_people import ADA_IN, OUT, OWNER_IN, PEOPLE, WITH_ADA
from tests.merchant.test_selling import IN, SELL_50, SOLD
from tests.merchant.test_shifts import COUNT, HERS, MAKE_Z, MENU, OPEN, REPORTS, copy_of, of_kind

CLICK, GOOD, BAD = 2000, 2600, 400
SETTING = 10
UP: list[list[Any]] = [["see", "Menu"], ["press", "A"]]
SOUND: list[list[Any]] = [*UP, ["press", "AA#"], ["see", "1 Sound"]]
SERVICE: list[list[Any]] = [*UP, ["press", "A#"], ["see", "1 Versions"]]
SEEN: list[Any] = ["see", "Copy of a shift"]
COPY: list[list[Any]] = [["press", "7"], SEEN]
HER_COPY: list[list[Any]] = [["press", "6"], SEEN]


class Board:
    """A board that remembers what it was told to sound and to show."""

    def __init__(self) -> None:
        self.told: list[Any] = []

    def buzzer(self, freq_hz: int, ms: int) -> None:
        self.told.append(freq_hz)

    def command(self, data: bytes) -> None:
        self.told.append(data)


@pytest.mark.parametrize(
    ("level", "heard"),
    [(0, []), (1, [GOOD, BAD]), *[(n, [CLICK, GOOD, BAD]) for n in (2, -1, 9)]],
)
def test_each_level_of_sound_and_one_that_is_none(level: int, heard: list[int]) -> None:
    board = Board()
    buzzer = Buzzer(board, level)
    buzzer.key()
    buzzer.good()
    buzzer.bad()
    assert board.told == heard


def test_a_board_without_a_sounder_is_silent() -> None:
    buzzer = Buzzer(object(), ALL)
    buzzer.key()
    buzzer.good()
    buzzer.bad()
    assert (buzzer.sound, buzzer.level) == (None, 0)
    contrast_alone: list[list[Any]] = [*UP, ["press", "AA#"], ["see", "Contrast 4 / 5"]]
    run(["no_sounder"], *IN, *contrast_alone, ["press", "*"], *MENU)


def test_no_contrast_is_so_weak_that_nobody_could_turn_it_back() -> None:
    board = Board()
    for step in range(-1, contrast.MOST + 3):
        assert contrast.put(board, step) in range(1, contrast.MOST + 1)
    sent = [data[1] for data in board.told]
    assert min(sent) >= 0x20 and sorted(sent[2:7]) == sent[2:7]
    assert sent[:2] == sent[-2:] == [0xCF, 0xCF], "as the display starts"


def test_sound_and_contrast_change_at_once_and_are_kept_over_a_power_cut() -> None:
    done = run(
        *[*IN, *SOUND, ["press", "1"], ["see", "2 Results only"], ["press", "2"], *SOUND],
        *[["press", "2"], ["see", "Contrast 4 / 5"], ["press", "BB"], ["see", "2 / 5"]],
        ["contrast", 0x50],
        *[["press", "#"], ["see", "Menu"], ["cut"], *IN, *SOUND, ["press", "2"]],
        *[["see", "Contrast 2 / 5"], ["press", "A"], ["see", "3 / 5"], ["press", "*"], *MENU],
    )
    assert done.journaled == [] and done.paper == ["", ""]
    assert done.contrast == 0x50, "what is left with * is as it was"
    last_click = len(done.sounds) - 1 - done.sounds[::-1].index(CLICK)
    assert done.sounds[last_click + 1 :] == [GOOD], "from then on results alone"


def test_a_cashier_sets_the_sound_and_has_no_service_and_no_training() -> None:
    done = run(*WITH_ADA, *ADA_IN, *UP, ["press", "#"], ["see", "1 Sound"], ["press", "*"], *MENU)
    assert not done.saw("Service") and not done.saw("Training")


def test_versions_network_and_each_part_are_shown_and_printed() -> None:
    done = run(
        *[*IN, *SERVICE, ["press", "4"], ["see", "Asking the modem"], ["press", "*"]],
        *[["see", "1 Versions"], ["press", "1"]],
        ["see", "Terminal", "0001020304050607", "Release 7"],
        *[["press", "B"], ["see", "Bootloader 1", "duka-r1 1", "Channel stable"], ["press", "*"]],
        *[["see", "2 Self-test"], ["press", "2"], ["see", "It stands or runs wrong"]],
        *[["press", "#"], ["see", "Press each key once"], ["press", KEYS], ["see", "All dots"]],
        *[["press", "##"], ["see", "Was every dot lit?"], ["press", "*"], ["see", "Dots are"]],
        *[["press", "#"], ["see", "Battery OK", "Clock FAULT"], ["press", "*"], ["see", "4 Pr"]],
        *[["press", "4"], ["see", "Asking the modem"], ["press", "*"], ["see", "1 Versions"]],
        *[["press", "*"], *MENU],
    )
    untested, slip = done.paper[0].split("SERVICE SLIP")[1:]
    assert untested.count("Not tested") == 2 and "Not tested" not in slip.split("SIM, network")[0]
    lines = [line.split() for line in slip.splitlines()]
    for wanted in ("Release 7", "Clock FAULT", "Keys OK", "Display FAULT", "Modem OK"):
        assert wanted.split() in lines, wanted
    assert "Dots are missing: change the" in slip
    assert done.journaled == [] and "SIM, network" in slip
    assert "firmware.flows.steps.self_test" not in done.loaded


def test_a_service_slip_without_paper_says_so() -> None:
    done = run(
        *[*IN, *SERVICE, ["printer", "paper_out"], ["press", "4"], ["see", "Asking the modem"]],
        *[["press", "*"], ["see", "No paper"], ["press", "*"], ["see", "1 Versions"]],
        *[["press", "2"], ["see", "It stands or runs wrong"], ["press", "#"], ["see", "each key"]],
        *[["press", KEYS], ["see", "All dots"], ["press", "##"], ["see", "Was every dot lit?"]],
        *[["press", "#"], ["see", "Printer", "Put in a new roll"], ["press", "#"]],
        *[["see", "Battery OK"], ["press", "BB"], ["see", "Printer FAULT"]],
    )
    assert done.paper == [""] and done.journaled == []


def test_a_technician_has_these_pages_and_no_money() -> None:
    done = run(
        *[*IN, *PEOPLE, ["see", "Add a person"], ["press", "1"], ["see", "2 Technician"]],
        *[["press", "2"], ["see", "Name"], ["press", "8B3"], ["see", "TD"], ["press", "#"]],
        *[["see", "The new PIN"], ["press", "86420#"], ["see", "once more"], ["press", "86420#"]],
        *[["see", "Kept"], ["press", "#"], ["see", "TD", "Technician"], ["press", "*"]],
        *[["see", "Menu"], ["press", "*"], ["see", "2 TD"], ["press", "2"], ["see", "Your PIN"]],
        *[["press", "86420#"], ["see", "Menu", "4 Sound, display"], ["press", "5"]],
        *[["see", "1 Versions"], ["press", "*"], ["see", "Menu"]],
    )
    menus = [page for page in done.pages if "4 Sound, display" in page]
    assert menus and not any("Sell" in page or "Float" in page for page in menus)


def test_the_slip_of_a_shift_is_printed_again_with_time_and_number_of_the_copy() -> None:
    done = run(
        *[*IN, *REPORTS, *OPEN, *MENU, ["server", ""], *SELL_50, *SOLD, *REPORTS, *COUNT],
        *[["see", "Expected"], ["press", "#"], *MENU, *REPORTS, *COPY, ["press", "1"], *MENU],
        *[["cut"], *IN, *REPORTS, *COPY, ["see", "1 3 Owner 18/11 11:06"], ["press", "1"], *MENU],
    )
    original, first = done.paper[0].split("SHIFT CLOSED")[1:]
    (second,) = done.paper[1].split("SHIFT CLOSED")[1:]
    number = next(line for line in original.splitlines() if line.startswith("Shift "))
    for copy, which in ((first, "Copy 1"), (second, "Copy 2")):
        for line in (number, "1 x Savanna 50", "Expected              KES 250.00", "Closed", which):
            assert line in copy
    assert "Copy 1" not in original and done.paper[0].count("DUPLICATE") == 1
    copies = [body for body in of_kind(done, SETTING) if body[0].startswith("copy ")]
    assert [body[1] for body in copies] == ["1", "2"] and len({body[0] for body in copies}) == 1


def test_a_copy_of_a_shift_without_paper_takes_no_number() -> None:
    done = run(
        *[*IN, *REPORTS, *OPEN, *MENU, *REPORTS, *COUNT, ["see", "Expected"], ["press", "#"]],
        *[*MENU, ["printer", "paper_out"], *REPORTS, *COPY, ["press", "1"], ["see", "No paper"]],
        *[["press", "*"], *MENU, ["printer", "ok"], *REPORTS, *COPY, ["press", "1"], *MENU],
    )
    assert "Copy 1 " in done.paper[0] and done.journaled == [15, 16, SETTING]
    assert done.paper[0].count("SHIFT CLOSED") == 2, "the slip and its copy"


def test_paper_that_ends_in_a_copy_of_a_shift_leaves_the_next_number_to_the_next_one() -> None:
    done = run(
        *[*IN, *REPORTS, *OPEN, *MENU, *REPORTS, *COUNT, ["see", "Expected"], ["press", "#"]],
        *[*MENU, ["printer", "paper_at:90"], *REPORTS, *COPY, ["press", "1"]],
        *[["see", "Not printed"], ["printer", "ok"], ["press", "#"], *MENU],
        *[*REPORTS, *COPY, ["press", "1"], *MENU],
    )
    part, copy = done.paper[0].split("Mama Asha Shop")[2:]
    assert "DUPLICATE" in part and "Copy" not in part and "Copy 2 " in copy
    assert done.journaled == [15, 16, SETTING, SETTING]


def test_of_a_shift_whose_begin_has_left_the_journal_the_copy_has_what_its_end_says() -> None:
    done = run(
        *[*IN, *REPORTS, *OPEN, *MENU, ["server", ""], *SELL_50, *SOLD, ["write_on"], *REPORTS],
        *[*COUNT, ["see", "Expected"], ["press", "#"], *MENU, ["write_on", 3], *REPORTS, *COPY],
        *[["see", "1 3 Owner"], ["press", "1"], *MENU],
    )
    copy = done.paper[0].split("SHIFT CLOSED")[2]
    lines = [line.split(maxsplit=1) for line in copy.splitlines()]
    for wanted in ("Shift 3", "Sales 1", "Expected KES 250.00", "Counted KES 240.00"):
        assert wanted.split(maxsplit=1) in lines, wanted
    assert "Difference            KES -10.00" in copy and "Owner" in copy and "Closed" in copy
    assert "Savanna" not in copy and "Cash at start" not in copy and "Copy 1 " in copy


def test_a_copy_of_a_z_has_its_number_and_its_time() -> None:
    again = [*copy_of(1), *MENU]
    done = run(*IN, *MAKE_Z, ["see", "Z report 1"], ["press", "#"], *MENU, *again, *again)
    copies = done.paper[0].split("Z REPORT 1")[2:]
    assert ["Copy 1 " in copy for copy in copies] == [True, False] and "Copy 2 " in copies[1]


def test_a_full_journal_keeps_no_copy_from_who_needs_it() -> None:
    done = run(
        *[*IN, *REPORTS, *OPEN, *MENU, *REPORTS, *COUNT, ["see", "Expected"], ["press", "#"]],
        *[*MENU, ["fill_journal"], *REPORTS, *COPY, ["press", "1"], *MENU],
    )
    copy = done.paper[0].split("SHIFT CLOSED")[2]
    assert "Copy  " in copy and "DUPLICATE" in done.paper[0]


def test_a_cashier_copies_her_own_shifts_alone_and_none_is_told_so() -> None:
    none = ["see", "No closed shift"]
    hers: list[list[Any]] = [*HERS, *HER_COPY]
    done = run(
        *[*WITH_ADA, *OWNER_IN, *REPORTS, *COPY, none, ["press", "#"], *MENU, *REPORTS, *OPEN],
        *[*MENU, *REPORTS, *COUNT, ["see", "Expected"], ["press", "#"], *MENU, *OUT],
        *[*ADA_IN, *hers, none, ["press", "#"], *MENU],
    )
    assert done.paper[0].count("SHIFT CLOSED") == 1
