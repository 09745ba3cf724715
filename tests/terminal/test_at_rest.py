"""A terminal that nobody touches does little, and is all there with the first key. How often it
wakes is measured by `inv bench idle`.
"""

from __future__ import annotations

from tests.terminal.conftest import MakeWorld

_UNWATCHED_S = 330
"""Nobody has touched a key for five minutes."""


def test_the_status_line_is_looked_after_seldom_and_at_once_when_a_key_is_pressed(
    shop: MakeWorld,
) -> None:
    world = shop("calm")
    world.wait_online()
    terminal, board = world.terminal, world.terminal.board
    board.press("1")
    board.battery.set_charging(True)
    board.pause(6)
    assert terminal.shows("+"), "while somebody may look, four seconds are enough"
    board.battery.set_charging(False)
    board.pause(_UNWATCHED_S)
    assert not terminal.shows("+")
    board.pause(60 - terminal.now_s() % 60 + 2)
    board.battery.set_charging(True)
    board.pause(8)
    assert not terminal.shows("+"), "nobody looks: once a minute"
    board.press("1")
    board.pause(0.2)
    assert terminal.shows("+")
