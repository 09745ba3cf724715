"""Deposits and messages of the office: kept until they are read, each once, with a slip."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from firmware.kept import notices
from tests.merchant.at_counter import run
from tests.merchant.test_people import ADA_IN, WITH_ADA
from tests.merchant.test_selling import IN

MESSAGE = [1_790_000_000, "Tariff changes on Monday"]
DEPOSIT = [1_790_090_000, 5_000_000, "MPESA-QF7J12", 5_100_000]


def test_a_deposit_stays_unread_over_a_cut_until_it_was_read_and_prints_a_slip_and_a_copy() -> None:
    done = run(
        *IN,
        ["notices", [MESSAGE, DEPOSIT]],
        *[["press", "5"], ["see", "1 @ 22/09"], ["press", "1"], ["see", "Deposit"]],
        ["cut"],
        ["see", "Your PIN"],
        ["press", "2580#"],
        ["see", "Menu"],
        ["press", "BBBB"],
        ["see", "5 Messages @2"],
        ["press", "#"],
        ["see", "1 @ 22/09 50 000.00", "2 @ Tariff"],
        ["press", "1"],
        ["see", "Deposit", "KES 50 000.00", "22/09/2026"],
        ["press", "#"],
        ["see", "1 22/09 50 000.00"],
        ["press", "1#"],
        ["see", "Messages"],
        ["press", "*"],
        ["see", "Menu"],
        ["press", "BBBB"],
        ["see", "5 Messages @1"],
        ["message", "New: top-ups to a number"],
        *[["press", "#"], ["see", "1 22/09", "2 @ Tariff", "3 New"], ["press", "3"]],
        ["see", "New: top-ups to a number"],
        *[["press", "*"], ["see", "1 22/09"], ["press", "1"], ["see", "Deposit"], ["press", "*"]],
        ["see", "1 22/09"],
    )
    assert done.journaled == [] and len(done.paper[-1].split("Mama Asha Shop")) == 3
    original, copy = done.paper[-1].split("Mama Asha Shop")[1:]
    for said in ("Deposit", "50 000.00", "MPESA-QF7J12", "51 000.00", "22/09/2026"):
        assert said in original and said in copy, said
    assert "DUPLICATE" not in original and "DUPLICATE" in copy


def test_a_slip_without_paper_is_begun_by_nobody_and_is_an_original_later() -> None:
    done = run(
        *IN,
        ["notices", [DEPOSIT]],
        ["press", "5"],
        ["see", "1 @ 22/09"],
        ["press", "1"],
        ["see", "Deposit"],
        ["printer", "paper_out"],
        ["press", "#"],
        ["see", "No paper"],
        ["printer", "ok"],
        ["press", "*"],
        ["see", "1 22/09 50 000.00"],
        ["press", "1"],
        ["see", "Deposit"],
        ["press", "#"],
        ["see", "1 22/09 50 000.00"],
        *[["press", "1"], ["see", "Deposit"], ["press", "*"], ["see", "1 22/09 50 000.00"]],
    )
    assert done.paper[-1].count("Deposit") == 1 and "DUPLICATE" not in done.paper[-1]
    assert done.journaled == []


def test_paper_that_ends_in_a_deposits_slip_is_followed_by_a_copy() -> None:
    show: list[list[Any]] = [["press", "1"], ["see", "Deposit"], ["press", "#"]]
    done = run(
        *[*IN, ["notices", [DEPOSIT]], ["press", "5"], ["see", "1 @ 22/09"]],
        *[["printer", "paper_at:60"], *show, ["see", "Not printed"], ["printer", "ok"]],
        *[["press", "#"], ["see", "1 22/09"], *show, ["see", "1 22/09"]],
    )
    part, copy = done.paper[0].split("Mama Asha Shop")[1:]
    assert "MPESA-QF7J12" not in part and "MPESA-QF7J12" in copy and "DUPLICATE" in copy
    assert done.journaled == []


def test_what_is_told_again_is_there_once() -> None:
    run(
        ["notices", [MESSAGE]],
        ["notices", [MESSAGE, DEPOSIT]],
        ["cut"],
        ["notices", [MESSAGE, DEPOSIT]],
        *IN,
        ["press", "BBBB"],
        ["see", "5 Messages @2"],
    )


def test_a_cashier_reads_messages_and_no_money() -> None:
    done = run(
        *WITH_ADA,
        ["notices", [MESSAGE, DEPOSIT]],
        *ADA_IN,
        ["press", "4"],
        ["see", "1 @ Tariff"],
    )
    assert not done.saw("50 000")


def store(folder: Path, *said: list[Any]) -> tuple[int, int]:
    newest, unread, _ = notices.take(list(said), str(folder))
    return newest, unread


def is_left(folder: Path, *said: list[Any]) -> bool:
    """Whether something of it is not here."""
    return bool(notices.take(list(said), str(folder))[2])


def test_what_the_office_says_comes_once_and_in_order(tmp_path: Path) -> None:
    folder = tmp_path / "notices"
    assert store(folder, [5, "a"], [7, "b"]) == (7, 2)
    assert store(folder, [5, "other"], [7, "b"], [6, "late"], [9, "c"]) == (9, 3)
    found = [notices.read(place, str(folder)) for place in notices.places(str(folder))]
    assert found == [[5, "a"], [7, "b"], [9, "c"]]


def test_the_oldest_that_was_read_makes_room_and_nothing_unread_ever_does(tmp_path: Path) -> None:
    folder = tmp_path / "notices"
    store(folder, *[[n, str(n)] for n in range(1, 17)])
    assert store(folder, [17, "no room"]) == (16, 16), "it is told again"
    assert is_left(folder, [17, "no room"]) and not is_left(folder, [15, "15"], [16, "16"])
    notices.mark((16, 0), str(folder))
    assert store(folder, [17, "no room"]) == (16, 15), "the newest stays, read or not"
    for number in (3, 2):
        notices.mark((number, 0), str(folder))
    assert store(folder, [17, "17"]) == (17, 14)
    assert [number for number, _ in notices.places(str(folder))] == [1, *range(3, 18)]


def test_a_disk_that_takes_nothing_says_so_to_nobody_and_is_told_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise OSError(28)

    monkeypatch.setattr(notices, "put", full)
    assert store(tmp_path / "notices", [5, "a"]) == (0, 0)
    assert is_left(tmp_path / "notices", [5, "a"])


@pytest.mark.parametrize(
    "said",
    [
        "no list",
        [],
        [0, "a"],
        [1 << 32, "a"],
        [True, "a"],
        [5, ""],
        [5, "x" * 201],
        [5, 100, "R"],
        [5, "100", "R", 1],
        [5, 100, "", 1],
        [5, 100, "R" * 49, 1],
        [5, 10**12 + 1, "R", 1],
        [5, 100, "R", 1 << 41],
    ],
)
def test_what_is_no_notice_is_passed_over_and_the_next_one_taken(tmp_path: Path, said: Any) -> None:
    assert is_left(tmp_path / "notices", said)
    assert store(tmp_path / "notices", said, [6, "good"]) == (6, 1)


def test_a_file_that_tells_nothing_any_more_is_shown_as_damaged_and_can_be_left(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "notices"
    store(folder, [5, "a"])
    (folder / "x-y").mkdir()
    (folder / "8-0.new").write_bytes(b"")
    (folder / "5-0").write_bytes(b"\xff")
    assert notices.places(str(folder)) == [(5, 0)]
    assert notices.read((5, 0), str(folder)) is None
