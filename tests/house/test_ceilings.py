"""Sizes stay under docs/ceilings.toml; each folder and each public function says what it is."""

from __future__ import annotations

import ast

import pytest

from tests.house import ceilings, tree
from tests.house.ceilings import Excuse, Limits
from tests.house.tree import module

LISTED = ceilings.load()


def test_nothing_is_larger_than_its_ceiling() -> None:
    assert not ceilings.not_kept(ceilings.all_over(LISTED.limits), LISTED.over), (
        "see docs/ceilings.toml"
    )


def test_every_excuse_has_its_reason() -> None:
    for excuse in (*LISTED.over.values(), *LISTED.undocumented.values()):
        assert len(excuse.why.split()) >= 3, excuse.what


SMALL = Limits(file_lines=5, function_lines=3, class_methods=1)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("x = 1\n" * 6, {"a/b.py": 6}),
        ("def f():\n    x = 1\n    y = 2\n    return x\n", {"a/b.py:f": 4}),
        ("@one\ndef f():\n    x = 1\n    return x\n", {"a/b.py:f": 4}),
        ("if x:\n    async def f():\n        a\n        b\n        c\n", {"a/b.py:f": 4}),
        (
            "class C:\n    def f(self): ...\n    async def g(self): ...\n",
            {"a/b.py:C": 2},
        ),
        ("class C:\n    def f(self):\n        a\n        b\n        c\n", {"a/b.py:C.f": 4}),
        ("x = 1\n" * 5, {}),
    ],
)
def test_what_is_too_large_is_seen(text: str, found: dict[str, int]) -> None:
    assert ceilings.over(module("a/b.py", text), SMALL) == found


@pytest.mark.parametrize(
    ("found", "excused", "complaints"),
    [
        ({"a": 9}, {}, 1),
        ({"a": 9}, {"a": 9}, 0),
        ({"a": 10}, {"a": 9}, 1),
        ({"a": 8}, {"a": 9}, 1),
        ({}, {"a": 9}, 1),
    ],
)
def test_a_ceiling_only_goes_down(
    found: dict[str, int], excused: dict[str, int], complaints: int
) -> None:
    excuses = {what: Excuse(what, most, "a reason for it") for what, most in excused.items()}
    assert len(ceilings.not_kept(found, excuses)) == complaints


def test_everything_public_says_what_it_promises() -> None:
    assert not ceilings.not_kept(ceilings.silent(LISTED), LISTED.undocumented), (
        "docstrings are missing"
    )


@pytest.mark.parametrize(
    ("text", "silent"),
    [
        ("def f(): ...", ["a/b.py:f"]),
        ("class C:\n    def f(self): ...", ["a/b.py:C", "a/b.py:C.f"]),
        ('class C:\n    """A."""\n    @property\n    def f(self): ...', ["a/b.py:C.f"]),
        ("def _f(): ...\nclass _C:\n    def f(self): ...", []),
        ('def f():\n    """Says."""\n    def g(): ...', []),
        ("try:\n    x\nexcept E:\n    def f(): ...", ["a/b.py:f"]),
    ],
)
def test_what_says_nothing_is_seen(text: str, silent: list[str]) -> None:
    assert ceilings.undocumented(module("a/b.py", text)) == silent


def test_each_folder_says_in_a_sentence_what_lives_there() -> None:
    assert not set(ceilings.folders_without_a_sentence()) - set(LISTED.folders)


def test_no_folder_is_excused_that_has_its_sentence() -> None:
    assert not set(LISTED.folders) - set(ceilings.folders_without_a_sentence())


def test_each_file_says_what_it_is_for() -> None:
    """A docstring or a comment at its head; of a docstring the first line is a whole thought."""
    silent = [
        each.path
        for each in tree.modules().values()
        if each.text.strip()
        and ast.get_docstring(each.parsed) is None
        and not each.text.startswith("#")
    ]
    assert not silent


def test_the_list_is_as_its_task_writes_it() -> None:
    """So that `inv ceilings` changes nothing but figures and what has gone."""
    assert ceilings.written(LISTED) == tree.CEILINGS.read_text(encoding="utf-8")


def test_the_task_lowers_ceilings_and_adds_none() -> None:
    excused = {what: Excuse(what, 9, "a reason for it") for what in ("shrunk", "grown", "gone")}
    kept = ceilings.lowered(excused, {"shrunk": 7, "grown": 11, "new": 12})
    assert {what: excuse.at_most for what, excuse in kept.items()} == {"shrunk": 7, "grown": 9}
