"""Every decision record has its number, date and status, and its line in the index."""

from __future__ import annotations

import re

import pytest

from tests.house.tree import ROOT

FOLDER = ROOT / "docs" / "decisions"
RECORDS = sorted(FOLDER.glob("[0-9]*.md"))
HEAD = re.compile(
    r"# (?P<number>\d{4}): (?P<title>\S.*)\n\n"
    r"Date: (?P<date>\d{4}-\d\d-\d\d)(, written down on \d{4}-\d\d-\d\d)?\. "
    r"Status: (?P<status>in force|replaced by \d{4})\.\n\n"
)


@pytest.mark.parametrize("name", [file.name for file in RECORDS])
def test_a_record_says_when_and_whether_it_holds(name: str) -> None:
    head = HEAD.match((FOLDER / name).read_text(encoding="utf-8"))
    assert head, "number: title, a line, date and status"
    assert head["number"] == name[:4]
    line = f"| [{name[:4]}]({name}) | {head['title']} | {head['date']} | {head['status']} |"
    assert line in (FOLDER / "README.md").read_text(encoding="utf-8"), "its line in the index"


def test_no_number_is_given_twice() -> None:
    numbers = [file.name[:4] for file in RECORDS]
    assert len(set(numbers)) == len(numbers)


@pytest.mark.parametrize(
    "text",
    [
        "# A title\n\nDate: 2026-11-26. Status: in force.\n\n",
        "# 0001: A title\n\nText.\n",
        "# 0001: A title\n\nDate: today. Status: in force.\n\n",
        "# 0001: A title\n\nDate: 2026-11-26. Status: maybe.\n\n",
    ],
)
def test_a_head_without_them_is_seen(text: str) -> None:
    assert not HEAD.match(text)
