"""Ruff's ceilings in pyproject.toml: what they are, what is under them, and lowering them."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

from tests.house.tree import ROOT

FILE = ROOT / "pyproject.toml"
CEILINGS = {
    "C901": ("mccabe", "max-complexity"),
    "PLR0911": ("pylint", "max-returns"),
    "PLR0912": ("pylint", "max-branches"),
    "PLR0913": ("pylint", "max-args"),
    "PLR0915": ("pylint", "max-statements"),
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
    if done.returncode not in (0, 1):
        raise RuntimeError(done.stderr)
    return sum(line.count(": ") > 0 for line in done.stdout.splitlines())


def settings(text: str) -> dict[str, dict[str, int]]:
    """Table → name → figure, as the text of pyproject.toml has them."""
    lint = tomllib.loads(text)["tool"]["ruff"]["lint"]
    return {"mccabe": lint["mccabe"], "pylint": lint["pylint"]}


def excused(text: str) -> list[tuple[str, str]]:
    """(files, rule) of every excuse from a ceiling, from privacy, or for an argument unused."""
    ignores = tomllib.loads(text)["tool"]["ruff"]["lint"]["per-file-ignores"]
    return [
        (files, rule)
        for files, rules in ignores.items()
        for rule in rules
        if rule in (*CEILINGS, "SLF001") or rule.startswith("ARG")
    ]


def ceiling(text: str, rule: str, lower_by: int = 0) -> str:
    """The `--config` of a rule's ceiling as it stands, or lower."""
    table, name = CEILINGS[rule]
    return f"lint.{table}.{name}={settings(text)[table][name] - lower_by}"


def is_tight(text: str, rule: str) -> bool:
    """Whether something is right under a rule's ceiling."""
    return bool(ruff("--select", rule, "--config", ceiling(text, rule, 1), "."))


def is_needed(text: str, files: str, rule: str) -> bool:
    """Whether an excuse has something to excuse; False as well if there are no such files."""
    found = sorted(ROOT.glob(files if "**" not in files else files + "/*.py"))
    asked = ["--config", ceiling(text, rule)] if rule in CEILINGS else []
    options = ["--isolated", "--preview", "--select", rule, *asked]
    return bool(found) and bool(ruff(*options, *(str(file) for file in found)))


def without(text: str, files: str, rule: str) -> str:
    """The text without one excuse; an entry that is left empty goes, with a comment of its own."""
    lines = text.split("\n")
    at = next(n for n, line in enumerate(lines) if line.startswith(f'"{files}" = ['))
    rules = [one for one in re.findall(r'"(\w+)"', lines[at].split("=", 1)[1]) if one != rule]
    if rules:
        lines[at] = f'"{files}" = [{", ".join(f"{chr(34)}{one}{chr(34)}" for one in rules)}]'
        return "\n".join(lines)
    alone = lines[at - 1].startswith("#") and not lines[at + 1].startswith('"')
    del lines[at - alone : at + 1]
    return "\n".join(lines)


def lowered(text: str, file: Path = FILE) -> str:
    """Every ceiling lowered to what is under it, and every excuse gone that nothing needs.

    Writes `file` on the way: ruff reads its settings there.
    """
    for files, rule in excused(text):
        if not is_needed(text, files, rule):
            text = without(text, files, rule)
    file.write_text(text, encoding="utf-8")
    for rule, (table, name) in CEILINGS.items():
        while settings(text)[table][name] > 1 and not is_tight(text, rule):
            figure = settings(text)[table][name]
            text = text.replace(f"\n{name} = {figure}\n", f"\n{name} = {figure - 1}\n")
            file.write_text(text, encoding="utf-8")
    return text
