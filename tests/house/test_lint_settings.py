"""Ruff's ceilings in pyproject.toml are today's worst, and no file is excused that need not be."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.house import linting
from tests.house.tree import ROOT

TEXT = linting.FILE.read_text(encoding="utf-8")


@pytest.mark.parametrize("rule", linting.CEILINGS)
def test_a_ceiling_is_no_higher_than_the_worst_under_it(rule: str) -> None:
    assert linting.is_tight(TEXT, rule), f"`inv ceilings` lowers {linting.ceiling(TEXT, rule)}"


@pytest.mark.parametrize(("files", "rule"), linting.excused(TEXT))
def test_no_file_is_excused_that_need_not_be(files: str, rule: str) -> None:
    assert linting.is_needed(TEXT, files, rule), "`inv ceilings` takes it out of pyproject.toml"


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("def f():\n" + "".join(f"    if x == {n}:\n        y()\n" for n in range(20)), "C901"),
        ("def f(" + ", ".join("abcdefghijklmn") + "): ...\n", "PLR0913"),
        ("def f(a, b):\n    return a\n", "ARG001"),
        ("def f(a):\n    return a._b\n", "SLF001"),
    ],
)
def test_product_code_is_held_to_it(tmp_path: Path, text: str, rule: str) -> None:
    (tmp_path / "x.py").write_text(text)
    settings = ["--config", str(ROOT / "pyproject.toml")]
    assert linting.ruff("--select", rule, *settings, str(tmp_path / "x.py"))


def test_an_excuse_goes_with_the_reason_that_was_its_own() -> None:
    text = '[x]\n# One.\n"a.py" = ["C901"]\n# Two.\n"b.py" = ["C901", "ARG"]\n"c.py" = ["ARG"]\n\n'
    assert linting.without(text, "a.py", "C901") == text.replace('# One.\n"a.py" = ["C901"]\n', "")
    assert linting.without(text, "b.py", "C901") == text.replace('["C901", "ARG"]', '["ARG"]')
    assert linting.without(text, "c.py", "ARG") == text.replace('"c.py" = ["ARG"]\n', "")


def test_an_excuse_for_what_is_not_there_is_not_needed() -> None:
    assert not linting.is_needed(TEXT, "firmware/no_such_file.py", "C901")
