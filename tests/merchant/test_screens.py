"""Every page and slip in every language looks as it was last looked at, and none is left out."""

from __future__ import annotations

from pathlib import Path

import pytest

from firmware.ui import texts
from tests.merchant import screens
from tests.merchant.scenes import SCENES
from tests.merchant.slips import SLIPS
from tests.merchant.stage import Heard, play

_LANGUAGES = pytest.mark.parametrize("to", texts.LANGUAGES)


@pytest.fixture(scope="module")
def drawn() -> screens.Pictures:
    return screens.all_pictures()


def test_every_page_and_slip_is_as_pinned(drawn: screens.Pictures) -> None:
    assert screens.pins(drawn) == screens.PINS.read_text(), (
        "`inv screens` shows old beside new; if the new is right: `inv screens --accept`"
    )


def test_a_letter_that_is_drawn_otherwise_is_noticed(
    drawn: screens.Pictures, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("firmware.ui.canvas.SMALL", bytes(2000))
    scene = SCENES[0]
    assert play(scene, "en")[0] != drawn["en"][scene.name]


@_LANGUAGES
def test_nothing_runs_over_an_edge_or_another_text(to: str) -> None:
    for scene in SCENES:
        assert play(scene, to)[1].ui.screen.faults() == [], scene.name


def test_a_page_that_cuts_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("firmware.ui.dialogs.wrap", lambda text, width: [text])
    assert any(play(scene, "fr")[1].ui.screen.faults() for scene in SCENES)


def test_on_no_page_the_last_line_touches_the_hints(drawn: screens.Pictures) -> None:
    shown = {
        page: name
        for scenes in drawn.values()
        for name, pages in scenes.items()
        if not name.startswith("slip: ")
        for page in pages
    }
    touching = {name for page, name in shown.items() if any(row_of(page, 54))}
    assert len(shown) > 1000 and touching == set()


def row_of(page: bytes, y: int) -> list[int]:
    """The dots of one row of a page."""
    return [page[(y >> 3) * 128 + x] >> (y & 7) & 1 for x in range(128)]


def test_a_line_that_has_no_place_is_noticed() -> None:
    screen = play(SCENES[0], "en")[1].ui.screen
    screen.page("x", ["1", "2", "3", ("4", "5"), "6"], ())
    assert screen.faults() == ["'6' has no place"]


def test_every_text_is_on_a_page_or_a_slip(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: set[str] = set()
    heard = Heard.__call__

    def noted(self: Heard, key: str, *filling: object) -> str:
        asked.add(key)
        return heard(self, key, *filling)

    monkeypatch.setattr(Heard, "__call__", noted)
    for scene in SCENES:
        play(scene, "en")
    for slip in SLIPS.values():
        slip("en")
    assert set(texts.keys()) - asked == set(), "no scene of tests/merchant/scenes.py shows these"


def test_old_and_new_stand_side_by_side(drawn: screens.Pictures) -> None:
    name = SCENES[0].name
    old = {to: dict(scenes) for to, scenes in drawn.items()}
    old["yo"][name] = [bytes(1024)]
    page = screens.changes(old, drawn)
    assert "<h1>1 changed" in page and f"yo: {name}" in page and page.count("<img") == 2


def test_a_commit_has_all_that_drawing_its_screens_needs(tmp_path: Path) -> None:
    screens.check_out("HEAD", tmp_path)
    assert b"--against" in screens.ask_at(tmp_path, "--help")
