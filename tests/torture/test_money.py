"""The short form of `inv torture`, and that its judge finds what is wrong."""

from __future__ import annotations

import copy
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.measure.load import FLOAT_MINOR
from tests.torture.money import COST_MINOR, judge, judged, make, torture

A, B = b"\0" * 7 + b"\1", b"\0" * 7 + b"\2"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("what", "engine"),
    [("server", "sqlite"), ("server", "postgresql"), ("database", "postgresql")],
)
def test_nothing_is_lost_or_doubled_under_kills(tmp_path: Path, what: str, engine: str) -> None:
    place = make(tmp_path, engine, 1000)
    try:
        place.start()
        assert judged(place, torture(place, what, 4, seed=1)) == []
        assert place.past
    finally:
        place.server.end(signal.SIGKILL)
        if place.postgres is not None:
            place.postgres.end()


def sound() -> dict[str, Any]:
    """What a judge is shown when all holds."""
    answers = {(A, 1): {1: 0, 2: "111"}, (A, 2): {1: 0, 2: "222"}, (B, 1): {1: 0, 2: "333"}}
    return {
        "answers": answers,
        "again": copy.deepcopy(answers),
        "other": {key: {0: -1} for key in answers},
        "sold": dict.fromkeys(answers, COST_MINOR),
        "floats": {A: FLOAT_MINOR - 2 * COST_MINOR, B: FLOAT_MINOR - COST_MINOR},
    }


def test_a_sound_story_is_found_sound() -> None:
    assert judge(**sound()) == []


def _lost(story: dict[str, Any]) -> None:
    del story["sold"][A, 2]
    story["floats"][A] += COST_MINOR


def _doubled(story: dict[str, Any]) -> None:
    story["sold"][A, 2] *= 2
    story["floats"][A] -= COST_MINOR


def _made_up(story: dict[str, Any]) -> None:
    story["sold"][B, 9] = COST_MINOR
    story["floats"][B] -= COST_MINOR


def _one_pin_twice(story: dict[str, Any]) -> None:
    story["answers"][B, 1][2] = story["again"][B, 1][2] = "111"


def _another_answer(story: dict[str, Any]) -> None:
    story["again"][A, 1] = {1: 0, 2: "999"}


def _another_body(story: dict[str, Any]) -> None:
    story["other"][A, 1] = {1: 0, 2: "111"}


def _float_off(story: dict[str, Any]) -> None:
    story["floats"][B] += 1


WRONG = {
    "lost": _lost,
    "charged as": _doubled,
    "never asked for": _made_up,
    "one PIN, two sales": _one_pin_twice,
    "another answer": _another_answer,
    "another body": _another_body,
    "float of": _float_off,
}


@pytest.mark.parametrize("words", WRONG)
def test_the_judge_finds_what_is_wrong(words: str) -> None:
    story = sound()
    WRONG[words](story)
    found = judge(**story)
    assert len(found) == 1, found
    assert words in found[0]
