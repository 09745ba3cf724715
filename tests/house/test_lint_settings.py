"""Ruff's ceilings in pyproject.toml are today's worst, and no file is excused that need not be."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.house.tree import ROOT

SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["ruff"]
CEILINGS = {
    "C901": ("mccabe", "max-complexity"),
    "PLR0911": ("pylint", "max-returns"),
    "PLR0912": ("pylint", "max-branches"),
    "PLR0913": ("pylint", "max-args"),
    "PLR0915": ("pylint", "max-statements"),
}
EXCUSED = {
    (files, rule): files
    for files, rules in SETTINGS["lint"]["per-file-ignores"].items()
    for rule in rules
    if rule in (*CEILINGS, "SLF001") or rule.startswith("ARG")
}


def ruff(*arguments: str) -> int:
    """How many findings ruff has."""
    done = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--output-format", "concise", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in (0, 1), done.stderr
    return sum(line.count(": ") > 0 for line in done.stdout.splitlines())


def ceiling(rule: str, lower_by: int = 0) -> str:
    """The `--config` of a rule's ceiling as it stands, or lower."""
    table, name = CEILINGS[rule]
    return f"lint.{table}.{name}={SETTINGS['lint'][table][name] - lower_by}"


@pytest.mark.parametrize("rule", CEILINGS)
def test_a_ceiling_is_no_higher_than_the_worst_under_it(rule: str) -> None:
    assert ruff("--select", rule, "--config", ceiling(rule, 1), "."), f"lower {ceiling(rule)}"


@pytest.mark.parametrize(("files", "rule"), EXCUSED)
def test_no_file_is_excused_that_need_not_be(files: str, rule: str) -> None:
    found = sorted(ROOT.glob(files if "**" not in files else files + "/*.py"))
    assert found, "there is no such file"
    asked = ["--config", ceiling(rule)] if rule in CEILINGS else []
    options = ["--isolated", "--preview", "--select", rule, *asked]
    assert ruff(*options, *(str(file) for file in found)), "take it out of pyproject.toml"


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
    assert ruff("--select", rule, *settings, str(tmp_path / "x.py"))
