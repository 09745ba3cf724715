"""Programs that stand somewhere for ever, and such as only look like it."""

from __future__ import annotations

import dis
from collections.abc import Callable

import pytest

from hw_sim.hosted.spins import only_jumps

_is_going = True


def _jumps() -> None:
    while True:
        pass


def _jumps_between_two() -> None:
    while True:
        while True:
            continue


def _jumps_after_work() -> None:
    for number in range(10):
        print(number)
    while True:
        pass


def _counts() -> None:
    n = 0
    while n >= 0:
        n += 1


def _asks_a_name() -> None:
    while _is_going:
        pass


def _goes_through_a_range() -> None:
    for _ in range(12_000_000):
        pass


def _ends() -> None:
    pass


@pytest.mark.parametrize("program", [_jumps, _jumps_between_two, _jumps_after_work])
def test_a_loop_of_nothing_but_jumps_is_for_ever(program: Callable[[], None]) -> None:
    assert any(_stands(program))


@pytest.mark.parametrize("program", [_counts, _asks_a_name, _goes_through_a_range, _ends])
def test_where_anything_else_is_done_nobody_can_say(program: Callable[[], None]) -> None:
    assert not any(_stands(program))


def _stands(program: Callable[[], None]) -> list[bool]:
    code = program.__code__
    return [only_jumps(code, instruction.offset) for instruction in dis.get_instructions(code)]
