"""A whole terminal on a hosted CPU leaves what one on MicroPython leaves: paper, air, every cell of
its flash, and all of it at the same instants.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hw_sim import simulated
from tests.support.sources import CheckoutSources
from tests.terminal.conftest import States, TerminalWorld
from tests.terminal.conftest import simulated as on_simulated_time

Story = Callable[[TerminalWorld], None]
Seen = dict[str, Any]


def live(folder: Path, hosted: bool, story: Story) -> Seen:
    """Live through the story in a copy of a world; what is left."""
    copy = folder.with_name(f"{folder.name}-{'hosted' if hosted else 'there'}")
    shutil.copytree(folder, copy)
    board = {"hosted": CheckoutSources(copy / "manager" / "checkout")} if hosted else {}
    world = TerminalWorld(copy, on_simulated_time(board=board))
    try:
        operations: list[tuple[float, str, int, int]] = []
        terminal = world.terminal
        pace = terminal.board.board.pace
        terminal.board.flash.on_operation = lambda number, what, at, size: operations.append(
            (pace.now_s(), what, at, size)
        )
        world.open_shop()
        story(world)
        modem = terminal.board.board.uarts[0]
        return {
            "log": re.sub(r"\d+ bytes of heap free", "", terminal.log()),
            "paper": [receipt.text for receipt in terminal.receipts()],
            "air": [(e.path, e.status) for e in world.tap.exchanges],
            "modem": (modem.sent_bytes, modem.received_bytes, list(modem.trace)),
            "operations": operations,
            "resets": terminal.board.resets,
            "wake-ups": terminal.board.board.wake_ups,
            "now": terminal.now_s(),
            "cells": terminal.board.flash.snapshot(),
        }
    finally:
        world.close()


def sell(world: TerminalWorld) -> None:
    """One sale, and a minute after it."""
    world.merchant.sign_in()
    world.wait_online()
    world.merchant.sell()
    world.terminal.board.pause(60)


def update_and_sell(world: TerminalWorld) -> None:
    """Release 2 comes over the air and is confirmed."""
    world.eventually(lambda: world.running() == (2, False), 600, "release 2, confirmed,")
    sell(world)


def be_rolled_back(world: TerminalWorld) -> None:
    """Release 4 hangs at its start, the watchdog bites, and release 1 sells on."""
    world.eventually(lambda: bool(world.books.failures()), 900, "the report")
    world.eventually(lambda: world.running() == (1, False), 600, "release 1 again")
    sell(world)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("state", "offered", "story"),
    [
        ("calm", None, sell),
        # what it installs and verifies, the release that hangs does, too
        pytest.param("ready", 2, update_and_sell, marks=pytest.mark.full),
        ("ready", 4, be_rolled_back),
    ],
    ids=["a sale", "an update", "a release that hangs"],
)
def test_a_hosted_terminal_lives_as_one_on_micropython(
    states: States,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    state: str,
    offered: int | None,
    story: Story,
) -> None:
    monkeypatch.setattr(simulated, "SPINS_AFTER_CPU_S", 1.0)
    folder = tmp_path / "world"
    shutil.copytree(states(True) / state, folder)
    world = TerminalWorld(folder, on_simulated_time())
    if offered:
        world.offer(offered)
    world.close()
    there, here = live(folder, False, story), live(folder, True, story)
    for what, left in there.items():
        assert here[what] == left, what
    assert here["operations"] and here["paper"]
    if offered == 4:
        assert "watchdog" in here["resets"]
