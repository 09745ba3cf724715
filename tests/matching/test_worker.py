"""The worker takes in what suppliers lay down, holds each day when it is over, and lays the page
and the day's rows where others fetch them.
"""

from __future__ import annotations

import json

import pytest

from tests.matching.day import Day
from tests.suppliers.counter import NAME
from updater_server.matching import nights

ON_BOTH_ENGINES = True


def lay(day: Day, name: str, lines: list[dict[str, object]]) -> None:
    """A file of the supplier's in the inbox."""
    end = {"from": day.begins, "until": day.ends, "lines": len(lines)}
    inbox = day.shop.folder / "inbox" / NAME
    inbox.mkdir(parents=True, exist_ok=True)
    (inbox / name).write_text("".join(f"{json.dumps(line)}\n" for line in [*lines, end]))


def test_a_night_goes_from_the_inbox_to_the_exports(day: Day) -> None:
    lay(day, "day.jsonl", day.file())
    early = nights.once(day.counter.service)  # suppliers still have an hour or two
    assert day.name not in early
    assert not (day.shop.folder / "inbox" / NAME / "day.jsonl").exists()
    day.shop.clock[0] = day.ends + nights.FILES_COME_S + 300
    assert nights.once(day.counter.service) == [day.name]
    assert day.found() == {}
    exports = day.shop.folder / "exports"
    assert sorted(file.name for file in exports.glob(f"{day.name}*")) == [
        f"{day.name}-1.parquet", f"{day.name}-1.parquet.sha256", f"{day.name}-1.txt",
    ]  # fmt: skip
    assert (exports / f"{day.name}-1.txt").read_text() == day.page()
    assert nights.once(day.counter.service) == []


def test_what_a_crash_left_out_of_the_exports_is_laid_there_next_time(day: Day) -> None:
    day.shop.clock[0] = day.ends + nights.FILES_COME_S + 300
    nights.once(day.counter.service)
    page = day.shop.folder / "exports" / f"{day.name}-1.txt"
    before = page.read_bytes()
    page.unlink()
    nights.once(day.counter.service)
    assert page.read_bytes() == before


def test_a_late_file_lets_its_day_be_looked_at_again(day: Day) -> None:
    day.shop.clock[0] = day.ends + nights.FILES_COME_S + 300
    nights.once(day.counter.service)
    assert [row.kind for row in day.open_ones()] == ["no_file"]
    lay(day, "day.jsonl", day.file())
    assert nights.once(day.counter.service) == [day.name]
    assert day.open_ones() == []


@pytest.mark.parametrize("name", ["half.jsonl", "other"])
def test_a_file_that_cannot_be_taken_in_is_an_alarm_until_it_is_gone(day: Day, name: str) -> None:
    inbox = day.shop.folder / "inbox" / ("nobody" if name == "other" else NAME)
    inbox.mkdir(parents=True)
    (inbox / name).write_bytes(b"{")
    for _ in range(2):
        nights.once(day.counter.service)
        assert day.shop.alarms().count("supplier_file") == 1
    (inbox / name).unlink()
    nights.once(day.counter.service)
    assert "supplier_file" not in day.shop.alarms()
