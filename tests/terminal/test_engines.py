"""Which tests run on MicroPython every day does not depend on the day."""

from __future__ import annotations

from tests.terminal.engines import ONE_IN, is_on_micropython

NAMES = [f"tests/terminal/test_updates.py::test_{n}" for n in range(300)]


def test_about_one_in_three_is_drawn_and_the_same_ones_each_time() -> None:
    drawn = [name for name in NAMES if is_on_micropython(name, False, False)]
    assert drawn == [name for name in NAMES if is_on_micropython(name, False, False)]
    assert abs(len(drawn) - len(NAMES) / ONE_IN) < len(NAMES) / 10


def test_what_is_marked_is_always_there_and_with_full_all_are() -> None:
    assert all(is_on_micropython(name, True, False) for name in NAMES)
    assert all(is_on_micropython(name, False, True) for name in NAMES)
