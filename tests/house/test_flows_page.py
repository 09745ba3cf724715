"""docs/flows.md: every flow and every trouble has a line, and a test that is there holds it."""

from __future__ import annotations

import ast
import functools
import re
from pathlib import Path

import pytest

from tests.house.tree import ROOT

PAGE = ROOT / "docs/flows.md"
UNHELD = 0
"""Lines that no test holds: may only fall."""

TROUBLES = (
    "online",
    "offline",
    "power cut",
    "printer dies",
    "vendor unknown",
    "no float",
    "reply lost",
    "wrong input",
)
MEETS = {
    "offline": r"link\.(state|trouble|look|known|signal)|fetch_voucher|desk\.look_up|desk\.hear",
    "power cut": r"till\.(begin_|printed|reprint|voucher)|memory\.put|people\.store"
    r"|\.(open_shift|close_shift|make_z|note_copy)\(|notices\.mark\(|open\(\w+, 'wb'\)",
    "printer dies": r"desk\.printer\.",
    "vendor unknown": r"fetch_voucher|desk\.look_up",
    "no float": r"till\.begin_|fetch_voucher",
    "reply lost": r"fetch_voucher|desk\.look_up|desk\.hear",
    "wrong input": r"ui\.digits",
}
"""By what in its code, or in the steps that it takes, a flow can meet a trouble."""

_STEPS = "firmware.flows.steps."
_TITLE = re.compile(r"^## .*: `firmware/flows/(\w+)\.py`$", re.MULTILINE)
_TEST = re.compile(r"`(\w+/\w+\.py)::(\w+)`")


def flows() -> set[str]:
    """Every file of a flow, by its name."""
    files = (ROOT / "firmware/flows").glob("*.py")
    return {file.stem for file in files if "\nasync def run(" in file.read_text()}


@functools.cache
def code_of(name: str) -> str:
    """The code of a flow and of all steps that it takes, docstrings and comments left out."""
    seen: dict[str, str] = {}
    waiting = [f"firmware/flows/{name}.py"]
    while waiting:
        path = waiting.pop()
        file = ROOT / path
        if path in seen or not file.exists():
            continue
        tree = ast.parse(file.read_text())
        seen[path] = "\n".join(_without_words(node) for node in tree.body)
        for node in tree.body:
            if isinstance(node, ast.ImportFrom) and node.module:
                for module in (node.module, *(f"{node.module}.{a.name}" for a in node.names)):
                    if module.startswith(_STEPS):
                        waiting.append(module.replace(".", "/") + ".py")
        waiting += _loaded(tree)
    return "\n".join(seen.values())


def _words(tree: ast.AST) -> list[str]:
    nodes = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)]
    return [word for word in nodes if isinstance(word, str)]


def _loaded(tree: ast.Module) -> list[str]:
    """Files of the steps that a flow loads by name: the whole name, or one of a list of its own."""
    said = _words(tree)
    names = [one.removeprefix(_STEPS) for one in said if one.startswith(_STEPS)]
    if "" in names:
        lists = [node.value for node in tree.body if isinstance(node, ast.Assign)]
        names += [word for one in lists for word in _words(one)]
    return [f"firmware/flows/steps/{name}.py" for name in names if name]


def _without_words(node: ast.AST) -> str:
    for inner in ast.walk(node):
        if isinstance(inner, ast.Expr) and isinstance(inner.value, ast.Constant):
            inner.value = ast.Constant(value=...)
    return ast.unparse(node)


@functools.cache
def names_in(path: str) -> frozenset[str]:
    """The names of the tests in a file under `tests/`."""
    file: Path = ROOT / "tests" / path
    if not file.exists():
        return frozenset()
    body = ast.parse(file.read_text()).body
    return frozenset(
        node.name for node in body if isinstance(node, ast.FunctionDef) and "test_" in node.name
    )


def faults(page: str) -> list[str]:
    """What is wrong with the page, against the flows and the tests as they are."""
    parts = _TITLE.split(page)
    named = dict(zip(parts[1::2], parts[2::2], strict=True))
    wrong = [f"{name} has no section" for name in sorted(flows() - set(named))]
    wrong += [f"{name} is no flow" for name in sorted(set(named) - flows())]
    for name, section in named.items():
        wrong += [f"{name}: {fault}" for fault in _of_section(name, section.split("\n## ")[0])]
    return wrong


def _of_section(name: str, section: str) -> list[str]:
    wrong = []
    rows = [line.split(" | ") for line in section.splitlines() if line.startswith("| ")][1:]
    met = [row[0].lstrip("| ") for row in rows]
    never = re.search(r"^Cannot meet: (.*)\.$", section, re.MULTILINE)
    unmet = never[1].split(", ") if never else []
    if sorted(met + unmet) != sorted(TROUBLES):
        wrong.append(f"not each trouble once: {sorted(met + unmet)}")
    for trouble in unmet:
        if trouble not in MEETS or (name in flows() and re.search(MEETS[trouble], code_of(name))):
            wrong.append(f"can meet: {trouble}")
    for trouble, row in zip(met, rows, strict=True):
        held = _TEST.findall(row[-1])
        if len(row) != 5 or (not held and row[-1].strip(" |") != "nothing"):
            wrong.append(f"{trouble}: no test is named")
        for path, test in held:
            if test not in names_in(path):
                wrong.append(f"{trouble}: no test {path}::{test}")
    return wrong


def test_every_flow_has_every_trouble_and_a_test_that_is_there() -> None:
    assert faults(PAGE.read_text()) == []


def test_what_nothing_holds_is_counted_and_only_shrinks() -> None:
    assert len(re.findall(r"\| nothing \|$", PAGE.read_text(), re.MULTILINE)) == UNHELD


@pytest.mark.parametrize("name", sorted(MEETS))
def test_each_trouble_can_be_met_by_some_flow_and_not_by_all(name: str) -> None:
    found = {flow for flow in flows() if re.search(MEETS[name], code_of(flow))}
    assert "sell" in found or name == "wrong input"
    assert "float" not in found


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("## Float: `firmware/flows/float.py`", "## Float", "float has no section"),
        ("flows/float.py`", "flows/gone.py`", "gone is no flow"),
        ("Cannot meet: wrong input.", "Cannot meet: no float.", "not each trouble"),
        ("::test_float_and_commission_are_shown`", "::test_gone`", "no test merchant"),
        ("`money/test_recent.py::", "`money/test_gone.py::", "no test money/test_gone.py"),
    ],
)
def test_a_page_that_leaves_something_out_is_noticed(old: str, new: str, says: str) -> None:
    page = PAGE.read_text()
    assert old in page
    assert any(says in fault for fault in faults(page.replace(old, new, 1)))


@pytest.mark.parametrize(
    ("fault", "row", "unmet", "wrongly"),
    [
        (
            "recover: can meet: no float",
            "float_is_gone",
            "Cannot meet: wrong input.\n\n## Last sales",
            "Cannot meet: no float, wrong input.\n\n## Last sales",
        ),
        (
            "service: can meet: power cut",
            "nothing of the self-test is left",
            "vendor unknown, no float, reply lost, wrong input.\n\n## Training",
            "power cut, vendor unknown, no float, reply lost, wrong input.\n\n## Training",
        ),
    ],
)
def test_a_trouble_that_is_said_to_be_impossible_and_is_not_is_noticed(
    fault: str, row: str, unmet: str, wrongly: str
) -> None:
    page = PAGE.read_text()
    line = next(line for line in page.splitlines() if row in line)
    assert unmet in page
    assert faults(page.replace(line + "\n", "").replace(unmet, wrongly)) == [fault]
