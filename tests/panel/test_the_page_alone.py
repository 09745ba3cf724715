"""The page in Chromium, on bare boards: what it sends, and what it shows of what it is told."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import closing

import pytest

from hw_sim.lcd import HEIGHT_PX, WIDTH_PX
from hw_sim.panel.bench import Bench
from tests.panel.chromium import Chromium, installed
from tests.panel.conftest import MakePanel, Visitor, eventually
from tests.panel.test_in_chromium import stays_within

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not installed(), reason="no Chromium here: inv setup.browser installs it"),
]
WIDTH = 320
WORD = "w" * 90
"""As long as the path of a file that is named by its digest."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Chromium]:
    with closing(Chromium()) as made:
        yield made


def opened(browser: Chromium, visitor: Visitor) -> Bench:
    """Go to its page; its first bench, once the page has it."""
    browser.resize(1380, 900)
    browser.open(visitor.panel.url)
    browser.wait(
        lambda: browser.js("document.querySelectorAll('.device canvas').length"), "the terminal"
    )
    return visitor.panel.benches[0]


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("air", {"purpose": WORD, "path": f"GET /{WORD}", "status": 200, "up": 1, "down": 2}),
        ("journal", {"sequence": 10**12, "what": WORD, "text": WORD}),
        ("event", {"what": WORD, "text": WORD}),
        ("recorded", {"text": WORD}),
        ("said", {"text": WORD}),
    ],
)
def test_a_word_of_any_length_stands_within_a_telephone(
    browser: Chromium, make_panel: MakePanel, kind: str, fields: dict[str, object]
) -> None:
    visitor = make_panel()
    opened(browser, visitor)
    browser.resize(WIDTH, 700, 2, phone=True)
    visitor.panel.feed.line(kind, 0, **fields)
    browser.wait(lambda: WORD in browser.text("body"), "the word")
    stays_within(browser, WIDTH)


@pytest.mark.parametrize("how", ["making", "failed"])
def test_what_is_said_of_the_world_stands_within_a_telephone(
    browser: Chromium, make_panel: MakePanel, how: str
) -> None:
    visitor = make_panel()
    opened(browser, visitor)
    browser.resize(WIDTH, 700, 2, phone=True)
    visitor.panel.feed.value("playing", 0, line=3, text=WORD, failed=True)
    visitor.panel.feed.value("world", -1, **{how: f"{how}: {WORD}"})
    browser.wait(lambda: browser.text(".what") == f"{how}: {WORD}", "the word")
    stays_within(browser, WIDTH)


def test_a_weaker_display_is_paler(browser: Chromium, make_panel: MakePanel) -> None:
    visitor = make_panel()
    opened(browser, visitor)
    dots = base64.b64encode(b"\xff" * (WIDTH_PX * HEIGHT_PX // 8)).decode()
    dark = "[...document.querySelector('canvas').getContext('2d').getImageData(5, 5, 1, 1).data]"
    shades = [sum(browser.js(dark))]
    for contrast in (0x20, 0x50, 0x8F, 0xCF, 0xFF):
        visitor.panel.feed.value("display", 0, dots=dots, contrast=contrast, lit=True)
        browser.wait(lambda: sum(browser.js(dark)) != shades[-1], f"{contrast}")
        shades.append(sum(browser.js(dark)))
    assert shades == sorted(shades, reverse=True) and len(set(shades)) == 6


DRAWERS = """
power on/power off, charger on/charger off, reset, power cycle, power cut 3 torn, battery 2700,
paper out/paper load, cover open/cover close, paper left 30, head hot/head cool,
network off/network on, sim out/sim in, network gprs, network poor, network wire,
network stall 20s, network break, network drop 2000, signal 0,
clock 3600, clock 86400, clock 2592000, celltime -31536000, celltime 86400, celltime honest,
wire modem drop 20, wire modem garble 20
"""
"""All that the drawers of the hardware send: a switch sends one thing, then the other."""
OF_DRAWERS = "document.querySelectorAll('.view-drawers .drawer {}')"


def test_everything_in_the_drawers_is_done_and_recorded(
    browser: Chromium, make_panel: MakePanel
) -> None:
    visitor = make_panel()
    bench = opened(browser, visitor)
    browser.click("#tab-drawers")
    expected: list[str] = []

    def does(control: str, at: int) -> None:
        """Use it; what it sent is what is recorded next. A refusal would be no step."""
        known = len(steps(bench))
        browser.js(f"{OF_DRAWERS.format(control)}[{at}].click()")
        browser.wait(lambda: len(steps(bench)) > known, f"{control} {at}: {browser.text('#toast')}")
        expected.append(steps(bench)[-1])
        eventually(lambda: shows_what_is_so(browser, visitor), "the switch")

    for control, times in ((".toggle", 2), (".do", 1)):
        for at in range(int(browser.js(OF_DRAWERS.format(control) + ".length"))):
            for _ in range(times):
                does(control, at)
    for at in range(2):
        slide = "s => {s.value = 0; s.dispatchEvent(new Event('change'))}"
        browser.js(f"({slide})({OF_DRAWERS.format('input[type=range]')}[{at}])")
        browser.wait(lambda: len(steps(bench)) > len(expected), "a step of the slider")
        expected.append(steps(bench)[-1])
    wanted = DRAWERS.replace("/", ",").replace("\n", " ").split(",")
    assert sorted(expected) == sorted(each.strip() for each in wanted)


def steps(bench: Bench) -> list[str]:
    """What was recorded, without pauses and without how long a key was held: hosts may be busy."""
    lines = [line.partition(" hold")[0] for line in bench.session.splitlines()]
    return [line for line in lines if line and not line.startswith(("#", "wait"))]


def shows_what_is_so(browser: Chromium, visitor: Visitor) -> bool:
    """Whether each switch stands as the hardware does."""
    parts = visitor.parts
    shown = browser.js(f"[...{OF_DRAWERS.format('.toggle')}].map(t => t.ariaChecked == 'true')")
    return bool(
        shown
        == [
            parts.board.board.powered,
            parts.board.board.battery.charging,
            parts.network.coverage,
            parts.network.sim is not None,
            not parts.printer.paper_out,
            not parts.printer.cover_open,
            parts.printer.overheated,
        ]
    )


def test_of_two_terminals_the_keyboard_is_the_chosen_ones(
    browser: Chromium, make_panel: MakePanel
) -> None:
    visitor, second = make_panel(), make_panel()
    visitor.panel.add(second.parts)
    opened(browser, visitor)
    benches = visitor.panel.benches
    browser.key("5")
    eventually(lambda: steps(benches[0]) == ["press 5"], "a key of the first")
    browser.click(".device:nth-child(2) .key[aria-label='7']")
    browser.key("8")
    eventually(lambda: steps(benches[1]) == ["press 7", "press 8"], "keys of the second")
    assert steps(benches[0]) == ["press 5"]
    browser.click("#tab-script")
    browser.wait(lambda: "press 8" in browser.text(".view-script"), "what was done to the second")
    assert "press 5" not in browser.text(".view-script")
