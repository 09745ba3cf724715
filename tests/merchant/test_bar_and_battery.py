"""The line at the top of the screen, and a battery that would not bear a print."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from firmware.drivers import battery
from firmware.flows.steps import explain, paper
from firmware.ui import texts
from tests.merchant.desk import Pages
from tests.merchant.stage import desk_for
from tests.money.shop import open_shop

CELLS = [(3450, 7, False, False), (3500, 8, False, False), (3510, 9, False, True)]


@pytest.mark.parametrize("to", texts.LANGUAGES)
def test_online_the_clock_and_any_number_of_unsent_sales_have_room(to: str) -> None:
    words = texts.Words(to)
    for word, unsent in (("online", 128), ("offline", 0)):
        screen = Pages()
        screen.drawn.append([])
        screen.status(20, words(word), unsent, 80, "!", "23:58")
        assert screen.faults() == []
        assert any(what == "23:58" for *_, what in screen.drawn[0]), (to, word)


def test_a_clock_without_room_gives_way_to_the_network_and_the_sales() -> None:
    screen = Pages()
    screen.drawn.append([])
    screen.status(20, "W" * 9, 128, 80, "", "23:58")
    assert [what for *_, what in screen.drawn[0] if what] == ["W" * 9, "\x01128"]
    assert screen.faults() == []


@pytest.mark.parametrize(("mv", "percent", "charging", "may"), CELLS)
def test_no_sale_is_begun_on_a_battery_that_a_print_may_empty(
    mv: int, percent: int, charging: bool, may: bool
) -> None:
    assert battery.percent(mv) in (percent, percent - 1)
    desk = desk_for("*", "en", {"battery.read": lambda: (mv, percent, charging)})
    assert asyncio.run(paper.may_begin(desk)) == may
    if not may:
        assert "Battery is low" in desk.ui.screen.told()
        desk = desk_for("*", "en", {"battery.read": lambda: (mv, percent, True)})
        assert asyncio.run(paper.may_begin(desk)), "on the charger"


def test_the_number_to_call_stands_where_calling_helps() -> None:
    desk = desk_for("", "en", {})
    for code, has_number in (
        ("blocked", True),
        ("conflict", True),
        ("new", True),
        ("spoiled", False),
    ):
        assert explain.reason(desk, code).endswith("\nTel. 0700 123 456") == has_number
    desk.config.shop = {}
    assert "\n" not in explain.reason(desk, "blocked")


def test_the_arrow_counts_sales_and_not_records(tmp_path: Path) -> None:
    shop: Any = open_shop(tmp_path, sectors=64)
    counts = [shop.journal.unsent_sales()]
    for _ in range(3):
        shop.sell_online()
        counts.append(shop.journal.unsent_sales())
    assert counts == [0, 1, 2, 3] and shop.till.unsynced_count > 3
    shop.sync()
    assert shop.journal.unsent_sales() == 0
    shop.sell_online()
    assert shop.journal.unsent_sales() == 1
    assert shop.reboot().journal.unsent_sales() == 1


def test_no_record_is_looked_at_twice_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop: Any = open_shop(tmp_path, sectors=64)
    shop.sell_online()
    assert shop.journal.unsent_sales() == 1

    def none(_: int) -> Any:
        raise AssertionError("read again")

    monkeypatch.setattr(shop.journal, "records", none)
    assert shop.journal.unsent_sales() == 1
