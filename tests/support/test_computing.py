"""What computing takes on simulated time is what was measured, told by functions that exist."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import pytest

from tests.measure.works_device import WORKS
from tests.support import computing

COUNTED: dict[str, Callable[[], object]] = {work.__name__: work for work in WORKS}


def place_of(where: str) -> tuple[Any, str]:
    """What holds the function, and its name in there."""
    room, _, path = where.partition(":")
    owner: Any = importlib.import_module(room)
    *above, name = path.split(".")
    for each in above:
        owner = getattr(owner, each)
    return owner, name


@pytest.mark.parametrize(
    "where", [name for name, (work, _) in computing.CALLS.items() if work in COUNTED]
)
def test_the_work_that_was_measured_calls_each_function_as_often_as_is_said(
    where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    work, calls = computing.CALLS[where]
    owner, name = place_of(where)
    counted = []
    does = getattr(owner, name)

    def count(*arguments: object) -> object:
        counted.append(name)
        return does(*arguments)

    monkeypatch.setattr(owner, name, count)
    said = COUNTED[work]()
    assert said is not False, "a signature that is none takes less"
    assert len(counted) == calls


@pytest.mark.parametrize("where", computing.costs())
def test_what_takes_time_is_there(where: str) -> None:
    assert callable(getattr(*place_of(where)))
    assert computing.costs()[where] > 0
