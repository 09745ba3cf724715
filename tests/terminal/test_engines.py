"""Which tests run on MicroPython every day does not depend on the day; digests are compared."""

from __future__ import annotations

from tests.terminal.digests import differences
from tests.terminal.engines import ONE_IN, is_on_micropython

NAMES = [f"tests/terminal/test_updates.py::test_{n}" for n in range(300)]


def test_about_one_in_three_is_drawn_and_the_same_ones_each_time() -> None:
    drawn = [name for name in NAMES if is_on_micropython(name, False, False)]
    assert drawn == [name for name in NAMES if is_on_micropython(name, False, False)]
    assert abs(len(drawn) - len(NAMES) / ONE_IN) < len(NAMES) / 10


def test_what_is_marked_is_always_there_and_with_full_all_are() -> None:
    assert all(is_on_micropython(name, True, False) for name in NAMES)
    assert all(is_on_micropython(name, False, True) for name in NAMES)


def test_a_world_that_came_to_something_else_is_named() -> None:
    first = {"a": "1", "b": "2"}
    assert differences(first, dict(first)) == []
    assert differences(first, {"a": "1", "b": "3"}) == ["b: 2, then 3"]
    assert differences(first, {"a": "1"}) == ["b: 2, then None"]
