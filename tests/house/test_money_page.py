"""docs/money.md: every rule names a test that is there."""

from __future__ import annotations

import re

import pytest

from tests.house.tree import ROOT

PAGE = ROOT / "docs/money.md"
_FILE = re.compile(r"`(tests/[\w/]+\.py)`")
_NAME = re.compile(r"`(test_\w+)`")


def rules(page: str) -> list[tuple[str, str]]:
    """(rule, what holds it) of each row under a heading `held by`."""
    found, is_one = [], False
    for line in page.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if not line.startswith("|"):
            is_one = False
        elif cells[-1] == "held by":
            is_one = True
        elif is_one and set(cells[0]) != {"-"}:
            found.append((cells[0], cells[-1]))
    return found


def unheld(page: str) -> list[str]:
    """Rules that name no test, or one that is not there."""
    tests = {
        path.relative_to(ROOT).as_posix(): path for path in (ROOT / "tests").rglob("test_*.py")
    }
    names = {
        name for path in tests.values() for name in re.findall(r"def (test_\w+)", path.read_text())
    }
    wrong = []
    for rule, held in rules(page):
        files, functions = _FILE.findall(held), _NAME.findall(held)
        if not (files or functions) or not (set(files) <= tests.keys() and set(functions) <= names):
            wrong.append(rule)
    return wrong


def test_every_rule_of_money_names_a_test_that_is_there() -> None:
    page = PAGE.read_text()
    assert len(rules(page)) > 40
    assert unheld(page) == []


@pytest.mark.parametrize(
    "held", ["", "by hand", "`tests/server/test_nothing.py`", "`test_that_nobody_wrote`"]
)
def test_a_rule_without_one_would_be_noticed(held: str) -> None:
    assert unheld(f"| rule | held by |\n|---|---|\n| Money is money | {held} |\n") == [
        "Money is money"
    ]
