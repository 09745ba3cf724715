"""The drawings of docs/architecture.md are fresh, and tell of functions that are there."""

from __future__ import annotations

import pytest

from tests.house import pictures, prose, tree
from tests.house.pictures import Step, Walk


def test_the_drawings_are_fresh() -> None:
    text = pictures.PAGE.read_text(encoding="utf-8")
    assert pictures.redrawn(text) == text, "run `inv pictures`"


def test_everything_is_drawn_once() -> None:
    text = pictures.PAGE.read_text(encoding="utf-8")
    for name in (*tree.rooms(), *pictures.walks()):
        assert text.count(f"<!-- drawn: {name} -->") == 1


@pytest.mark.parametrize("name", pictures.walks())
def test_each_step_is_taken_by_a_function_that_is_there(name: str) -> None:
    walk = pictures.walks()[name]
    gone = [step.by for step in walk.steps if not prose.DOTTED.fullmatch(step.by)]
    gone += [name for step in walk.steps for name in prose.dead_names(step.by)]
    assert not gone, "docs/pictures.toml"


@pytest.mark.parametrize("name", (*tree.rooms(), *pictures.walks()))
def test_a_drawing_fits_a_narrow_page(name: str) -> None:
    assert all(len(line) <= pictures.WIDTH for line in pictures.drawing(name).splitlines())


def test_an_arrow_leads_from_who_speaks_to_who_hears() -> None:
    steps = (
        Step("a", "b", "asks", "x"),
        Step("b", "a", "tells", "x"),
        Step("b", "b", "thinks", "x"),
    )
    lines = pictures.drawn_walk(Walk(("a", "b"), steps)).splitlines()
    assert "├" in lines[2] and lines[2].endswith("▶│") and "asks" in lines[1]
    assert "◀" in lines[4] and lines[4].endswith("┤") and "tells" in lines[3]
    assert "thinks" in lines[5] and len(lines) == 7


def test_an_old_drawing_is_made_anew() -> None:
    old = "before\n<!-- drawn: sale -->\nwhat was\n<!-- end of drawing -->\nafter\n"
    new = pictures.redrawn(old)
    assert "what was" not in new and "merchant" in new and new.endswith("-->\nafter\n")
    assert pictures.redrawn(new) == new
