"""The page in a real Chromium: sold at by keys and by pointer, read, narrow, and alone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.panel.chromium import Chromium, installed
from tests.panel.hands import Hands
from tools.play.bench import Play

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not installed(), reason="no Chromium here: inv setup.browser installs it"),
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Chromium]:
    """One for all tests of this file; no name leads anywhere in it, as without a network."""
    with closing(Chromium()) as made:
        yield made


@pytest.fixture
def hands(browser: Chromium, play: Play) -> Iterator[Hands]:
    """Before the page on a desk; nobody has signed in. What the page says wrong fails the test."""
    browser.resize(1380, 900)
    browser.said.clear()
    made = Hands(browser, play)
    made.open()
    yield made
    assert not browser.said


def test_a_voucher_is_sold_with_pointer_and_keys_and_its_paper_torn_off(
    hands: Hands, play: Play
) -> None:
    browser = hands.browser
    paper = play.world.terminals[0].parts.printer
    before = len(paper.receipts())
    hands.sell()
    browser.wait(lambda: browser.js(SHOWN_PAPER), "paper in the printer")
    assert "Savanna 50" in browser.js(SHOWN_PAPER)
    browser.wait(lambda: not browser.js("document.querySelector('.tear').hidden"), "the whole slip")
    browser.click(".tear")
    browser.wait(lambda: browser.js(SHOWN_PAPER) == "", "a printer without paper hanging out")
    browser.click("#tab-receipts")
    picture = ".slips li:first-child img"
    browser.wait(
        lambda: browser.js(f"document.querySelector('{picture}')?.naturalWidth ?? 0") > 100,
        "the picture of the slip",
    )
    assert len(paper.receipts()) == before + 1
    assert "Savanna 50" in browser.js(f"document.querySelector('{picture}').alt")
    hands.leave_sale()


SHOWN_PAPER = "[...document.querySelectorAll('.hang:not(.torn) img')].map(i => i.alt).join(' ')"


def test_the_keyboard_alone_reaches_keys_drawers_and_views(hands: Hands, play: Play) -> None:
    browser, network = hands.browser, play.world.terminals[0].parts.network
    hands.sign_in()
    browser.key("ArrowDown")
    hands.wait_shows("Menu")
    browser.key("Backspace")
    hands.wait_shows("Your PIN")
    browser.js("document.getElementById('tab-guide').focus()")
    browser.key("ArrowRight")
    assert browser.js("document.activeElement.id") == "tab-drawers"
    focus_on = "[...document.querySelectorAll('.toggle')].find(t => t.textContent == 'Coverage')"
    browser.js(f"{focus_on}.focus()")
    browser.key(" ")
    browser.wait(lambda: not network.coverage, "no coverage")
    browser.wait(lambda: browser.js(f"{focus_on}.getAttribute('aria-checked')") == "false", "that")
    browser.key(" ")
    browser.wait(lambda: network.coverage, "coverage")


def test_who_does_not_see_is_told_what_the_display_says(hands: Hands) -> None:
    browser = hands.browser
    assert browser.js("document.querySelector('.reader').getAttribute('aria-live')") == "polite"
    browser.wait(lambda: "Your PIN" in browser.text(".reader"), "the reading")
    tree = json.dumps(browser.send("Accessibility.getFullAXTree")["nodes"])
    for name in ("Display: ", "Terminal of Mama Asha Shop", "hash, ok", "star, back", "Coverage"):
        assert name in tree
    nameless = browser.js(
        "[...document.querySelectorAll('button, a, input, select, textarea, canvas, img')]"
        ".filter(e => e.offsetParent && !(e.ariaLabel || e.textContent.trim()"
        " || e.alt !== undefined || e.closest('label'))).map(e => e.outerHTML.slice(0, 90))"
    )
    assert nameless == []


BEYOND = (
    "[...document.querySelectorAll('body *')]"
    ".map(e => [Math.round(e.getBoundingClientRect().right), e.className, e.textContent.trim()])"
    ".filter(e => e[0] > {width}).map(e => e.join(' ').slice(0, 60)).slice(-5)"
)
"""The last elements that stand beyond the right edge of the screen; not of `innerWidth`, which a
telephone makes as wide as what is on the page."""
LINES_OF_A_WORD = (
    "(() => { const range = document.createRange();"
    "const text = document.getElementById('line').firstChild;"
    "range.setStart(text, 0); range.setEnd(text, text.data.indexOf(' '));"
    "return range.getClientRects().length; })()"
)
"""On so many lines stands the first word at the top."""
VIEWS = ("guide", "drawers", "receipts", "air", "journal", "port", "script")


def stays_within(browser: Chromium, width: int) -> None:
    """Each view is as wide as the screen."""
    for view in VIEWS:
        browser.click(f"#tab-{view}")
        browser.js("new Promise(requestAnimationFrame)")
        assert browser.js("document.body.dataset.view") == view, "the tab was missed"
        wide = browser.js("document.documentElement.scrollWidth")
        said = browser.js(BEYOND.replace("{width}", str(width)))
        assert wide <= width, f"{view} is {wide} pixels wide: {said}"


@pytest.mark.parametrize("width", [320, 390])
def test_on_a_telephone_nothing_is_wider_than_it(hands: Hands, width: int) -> None:
    browser = hands.browser
    browser.resize(width, 844, 2, phone=True)
    hands.open()
    stays_within(browser, width)
    assert browser.js(LINES_OF_A_WORD) == 1, "Merchant’s is broken in two"
    keys = browser.js(
        "[...document.querySelectorAll('.key')].map(k => k.getBoundingClientRect())"
        ".map(b => [b.x, b.x + b.width, b.height])"
    )
    assert len(keys) == 16
    assert all(left >= 0 and right <= width and high >= 40 for left, right, high in keys)


def test_a_telephone_turned_round_still_shows_the_end_of_the_paper(hands: Hands) -> None:
    browser = hands.browser
    hands.sell()
    browser.wait(lambda: not browser.js("document.querySelector('.tear').hidden"), "the whole slip")
    browser.resize(390, 844, 2, phone=True)
    browser.wait(lambda: browser.js("innerWidth") == 390, "the other screen")
    browser.wait(lambda: browser.js(PAPER_BELOW) < 2, "the end of the paper at the slot")
    hands.leave_sale()


PAPER_BELOW = (
    "(() => { const at = document.querySelector('.hang:not(.torn)');"
    "return at.scrollHeight - at.clientHeight - at.scrollTop; })()"
)
"""So many pixels of what was printed are hidden below the printer's slot."""


def test_a_page_that_opens_shows_one_view(hands: Hands) -> None:
    seen = hands.browser.js(
        "[...document.querySelectorAll('.view')].filter(v => !v.hidden).map(v => v.id)"
    )
    assert seen == ["view-guide"]


def test_what_the_port_said_is_read_line_by_line(hands: Hands) -> None:
    browser = hands.browser
    browser.click("#tab-port")
    browser.wait(lambda: "main: release" in browser.text(".console"), "the log")
    assert "·\n" not in browser.text(".console"), "the end of a line is no letter"


def test_the_servers_board_is_one_click_away_in_a_tab_of_its_own(hands: Hands) -> None:
    browser = hands.browser
    browser.wait(lambda: not browser.js("document.getElementById('board').hidden"), "the link")
    assert browser.js("document.getElementById('board').target") == "_blank"
    browser.open(browser.js("document.getElementById('board').href"))
    browser.wait(lambda: "stable" in browser.text("body"), "the channels of the board")


def test_all_comes_from_the_panel_itself(hands: Hands, play: Play) -> None:
    asked = hands.browser.js(
        "performance.getEntriesByType('resource').map(entry => new URL(entry.name).origin)"
    )
    assert set(asked) == {play.panel.url.rstrip("/")}


def test_what_is_done_by_hand_is_recorded_and_can_be_played(hands: Hands) -> None:
    browser = hands.browser
    browser.click("#tab-script")
    by_name = (
        "[...document.querySelectorAll('.view-script button')].find(b => b.textContent == '{}')"
    )
    browser.js(by_name.format("Record anew") + ".click()")
    hands.sign_in()
    browser.key("Backspace")
    hands.wait_shows("Your PIN")
    browser.js(by_name.format("Take what was recorded") + ".click()")
    browser.wait(lambda: "press *" in browser.js(SCRIPT), "the recording")
    assert 'wait shows "Menu" 60s' in browser.js(SCRIPT)
    played = ".view-script .note[role=status]"
    browser.js(f"document.querySelector('{played}').textContent = ''")  # another script's end
    browser.js(by_name.format("Play") + ".click()")
    browser.wait(lambda: browser.text(played) == "played to its end", "its end")


SCRIPT = "document.querySelector('.view-script textarea').value"
