"""The board in a real Chromium: on a wall, on a phone, live, and under one thumb."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import msgspec
import pytest

from tests.board.scene import Scene, token
from tests.board.served import served
from tests.board.test_behind_it import SHEET
from tests.panel.chromium import Chromium, installed
from updater_server import channels
from updater_server.channels import sheets, verdicts
from updater_server.channels.verdicts import Standing
from updater_server.faces.dashboard import board
from updater_server.fleet.alarms import raise_alarm
from updater_server.lookout.worker import Lookout
from updater_server.store.engine import writing

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not installed(), reason="no Chromium here: inv setup.browser installs it"),
]
TALLEST = "Math.max(document.documentElement.scrollHeight, document.body.scrollHeight)"
WHOLE = ".lane, .far, .what, .act, .verdict, .figures, .lights, .metrics"
CUT = f"""[...document.querySelectorAll('{WHOLE}')]
  .filter(e => e.scrollHeight > e.clientHeight + 1 || e.scrollWidth > e.clientWidth + 1)
  .map(e => e.className + ', ' + (e.scrollWidth - e.clientWidth) + ' by '
    + (e.scrollHeight - e.clientHeight) + ' pixels: ' + e.textContent.slice(0, 60))"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Chromium]:
    with closing(Chromium(1280, 720)) as made:
        yield made


class Wall:
    """A browser before the board of one scene."""

    def __init__(self, browser: Chromium, scene: Scene, port: int) -> None:
        self.browser, self.scene = browser, scene
        self.place = f"127.0.0.1:{port}/board"

    def open(self, role: str, width: int = 1280, height: int = 720) -> None:
        """Sign in and wait until it lives."""
        made = token(self.scene.shop, role, f"{role} {width}")
        self.browser.resize(width, height, 2 if width < 500 else 1, phone=width < 500)
        self.browser.open(f"http://any:{made}@{self.place}")
        self.wait_shows("#live", "live")

    def wait_shows(self, selector: str, words: str) -> None:
        self.browser.wait(lambda: words in self.browser.text(selector), f"{words} in {selector}")


@pytest.fixture
def wall(browser: Chromium, scene: Scene, monkeypatch: pytest.MonkeyPatch) -> Iterator[Wall]:
    monkeypatch.setattr(board, "FRESH_S", 0.1)
    Lookout(scene.shop.service).look()
    browser.said.clear()
    with served(scene.shop.service) as port:
        yield Wall(browser, scene, port)
        browser.open("about:blank")  # a page that looks again when its server is gone says so
    assert not browser.said


def judge(wall: Wall) -> None:
    """A verdict with much to say, and four metrics that are worse."""
    folder, at_s = wall.scene.shop.service.folder.repository, wall.scene.shop.clock[0] - 240
    why = "download_failed: 1,234,567 in 12,345,678, up to 1.1e-04 each; 1e-04 is the margin"
    verdicts.write(folder, {"beta": {"28": Standing(2, 123, "hold", (why,), at_s)}})
    lines = tuple(
        msgspec.structs.replace(SHEET.lines[0], guard="download_failed", upper=1234.56, score=score)
        for score in (1.0, 2.0, 3.0, 4.0)
    )
    one = msgspec.structs.replace(SHEET, lines=lines, at_s=at_s)
    sheets.put(folder, "beta", 28, one, 5)


def test_on_a_wall_all_of_it_is_seen_without_scrolling(wall: Wall) -> None:
    with writing(wall.scene.shop.service.engine) as connection:
        for number in range(40):
            text = f"terminal {number} cannot work with catalogue.json: " + "much to say " * 12
            raise_alarm(connection, None, "file_refused", text, wall.scene.shop.clock[0])
    judge(wall)
    for width, height in ((1280, 720), (1920, 1080)):
        wall.open("viewer", width, height)
        assert wall.browser.js(TALLEST) <= height
        assert wall.browser.js("document.documentElement.scrollWidth") <= width
        assert wall.browser.js(CUT) == []
        tops = wall.browser.js(
            "[...document.querySelectorAll('.lane')].map(e => e.getBoundingClientRect().top)"
        )
        assert len(tops) == 4 and tops == sorted(tops)
        wall.wait_shows(".alarms", "and 33 more")


@pytest.mark.parametrize("width", [320, 390])
def test_on_a_phone_nothing_is_wider_than_it_and_halt_is_large_enough(
    wall: Wall, width: int
) -> None:
    judge(wall)
    wall.open("release", width, 844)
    assert wall.browser.js("document.documentElement.scrollWidth") <= width
    boxes = wall.browser.js(
        "[...document.querySelectorAll('button.halt')].map(b => b.getBoundingClientRect())"
        ".map(b => [b.width, b.height])"
    )
    assert len(boxes) == 4
    assert all(across >= 44 and high >= 44 for across, high in boxes)


def test_it_lives_without_being_loaded_again_and_says_when_it_does_not(wall: Wall) -> None:
    wall.open("viewer")
    browser = wall.browser
    browser.js("window.mine = 1")
    with writing(wall.scene.shop.service.engine) as connection:
        raise_alarm(connection, None, "sale_conflict", "<b>see</b>", wall.scene.shop.clock[0])
    wall.wait_shows(".alarms", "<b>see</b>")
    wall.wait_shows(".light.off", "no alarm about money")
    assert browser.js("window.mine") == 1
    assert browser.js("document.querySelectorAll('button.halt:not([hidden])').length") == 4
    assert browser.js("document.querySelector('button.halt').offsetParent") is None, (
        "not a viewer's"
    )


def test_one_thumb_halts_and_the_wall_hears_it(wall: Wall) -> None:
    wall.open("release", 390, 844)
    browser = wall.browser
    browser.click('button.halt[data-channel="beta"]')
    wall.wait_shows("#said", "release 28 on beta: halted")
    wall.wait_shows('.lane[data-channel="beta"]', "halted")
    browser.wait(lambda: browser.js("document.body.dataset.rang") == "1", "the sound")
    published = channels.open_published(wall.scene.shop.service.folder.repository)
    assert published.rollout("beta").halted == [28]
    assert published.rollout("stable").halted == []
    assert browser.js("document.querySelector('.lane.halted button')") is None


def test_a_board_whose_server_is_gone_says_that_it_is_old(
    browser: Chromium, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(board, "FRESH_S", 0.1)
    with served(scene.shop.service) as port:
        wall = Wall(browser, scene, port)
        wall.open("release")
    wall.wait_shows("#live", "NO CONTACT")
    browser.click('button.halt[data-channel="beta"]')
    wall.wait_shows("#said", "NOT HALTED")
    browser.said.clear()  # it says that nobody answers


def test_all_of_it_comes_from_the_server_and_no_foreign_script_runs(wall: Wall) -> None:
    wall.open("viewer")
    browser = wall.browser
    asked = browser.js(
        "performance.getEntriesByType('resource').map(entry => new URL(entry.name).origin)"
    )
    assert set(asked) == {f"http://{wall.place.removesuffix('/board')}"}
    browser.js(
        "(() => { const s = document.createElement('script'); s.textContent = 'window.bad = 1';"
        "document.body.append(s); })()"
    )
    assert browser.js("window.bad ?? 0") == 0
    browser.wait(lambda: browser.said, "the refusal")
    browser.said.clear()
