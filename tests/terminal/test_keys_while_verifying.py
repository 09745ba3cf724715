"""Checking signatures takes a board's CPU seconds, in one piece. Nobody at the keypad may notice:
on this terminal a breath takes so long that two checks outlast the watchdog.
"""

from __future__ import annotations

from tests.support.world import MERCHANT_PIN
from tests.terminal.conftest import MakeWorld, TerminalWorld

HOOK = "breath.use(self._breathe)"
BREATH_MS = 17
"""One check takes 257 breaths and more, over four seconds; the root asks for two."""
SLOW_BREATHS = 700


def verifying(make_world: MakeWorld, hook: str) -> TerminalWorld:
    """A new terminal with the merchant before it, in the middle of its first signature."""
    world = make_world("factory")
    # the checkout was left at release 4, which hangs
    world.manager.change("firmware/main.py", "    while True:\n        pass\n", "")
    world.manager.change("firmware/duties/supervisor.py", HOOK, hook)
    world.manager.add(world.manager.build(5, "1.5.0"))
    world.manager.publish()
    world.server.start()
    asked = world.tap.asked
    world.provision(poll_s=3600)
    board = world.terminal.board
    world.terminal.wait_shows("Your PIN, then #", timeout_s=60)
    # a busy host may take its time to start, but from here on a second is a second
    board.call(board.board.watchdog.set_stretch, 1.0)
    world.eventually(lambda: len(asked("timestamp.json")) > 0, 60, "a poll")
    return world


def slow(then: str) -> str:
    """The first breaths, for two checks, take long; a PIN's later ones do not."""
    pause = f'__import__("time").sleep_ms({BREATH_MS})'
    left = f"[0] * {SLOW_BREATHS}"
    return f"breath.use((lambda left: lambda: (left and ({pause}, left.pop()), {then}))({left}))"


def test_keys_pressed_while_metadata_is_verified_are_all_taken(make_world: MakeWorld) -> None:
    world = verifying(make_world, slow("self._breathe()"))
    board = world.terminal.board
    board.type(MERCHANT_PIN + "#")
    assert not world.terminal.shows("Menu"), "the program is still busy with the root's signatures"
    assert "timestamp" not in world.terminal.log()
    world.terminal.wait_shows("Menu", timeout_s=60)
    assert "watchdog" not in board.resets


def test_without_a_breath_the_watchdog_would_bite(make_world: MakeWorld) -> None:
    world = verifying(make_world, slow("None"))
    board = world.terminal.board
    board.wait_for(lambda: "watchdog" in board.resets, 60, what="a bite")
