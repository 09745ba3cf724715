"""The emulated terminal is killed (`kill -9` of QEMU, all supplies off) at random instants while
it sells, updates and rolls back; in the end nothing is lost, doubled or made up, and it sells.

`inv qemu.powercut` runs more of it, by DUKA_KILLS (kills in all) and DUKA_KILLS_SEED.
"""

from __future__ import annotations

import json
import os
import random
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.qemu.robot import Robot
from tests.support.merchant import nothing_lost
from tests.support.world import eventually
from tests.terminal.conftest import TerminalWorld

KILLS_A_DAY = 25
KILLS = int(os.environ.get("DUKA_KILLS", "6"))
SEED = int(os.environ.get("DUKA_KILLS_SEED", "1"))
RESULTS = os.environ.get("DUKA_KILLS_RESULTS", "")
DAYS = [
    (SEED + day, min(KILLS_A_DAY, KILLS - day * KILLS_A_DAY))
    for day in range((KILLS + KILLS_A_DAY - 1) // KILLS_A_DAY)
]
"""(seed, kills) of each world."""


@pytest.mark.parametrize(("seed", "kills"), DAYS)
def test_killed_at_any_instant_it_loses_doubles_and_makes_up_nothing(
    seed: int, kills: int, qemu_world: Callable[[], TerminalWorld]
) -> None:
    world = qemu_world()
    rng = random.Random(seed)
    robot = Robot(world.terminal)
    world.open_shop()
    for number in range(kills):
        if number in (kills // 3, 2 * kills // 3):
            world.offer(2 if number == kills // 3 else 3)
        _live_and_die(world, robot, rng)
    _settle(world, robot)
    world.merchant.sell()
    debits = world.books.debits_minor()
    nothing_lost(world, debits)
    if RESULTS:
        with Path(RESULTS).open("a") as results:
            done = {"seed": seed, "kills": kills, "sales": len(debits)}
            done["release"] = world.running()[0]
            results.write(json.dumps(done) + "\n")


def _live_and_die(world: TerminalWorld, robot: Robot, rng: random.Random) -> None:
    """One life of the CPU, from power-on to a kill; it ends switched on again.

    No kill falls into the check of a PIN: three of them would lock the terminal, as they should.
    """
    board = world.terminal.board
    alone = rng.random() < 0.5
    if not alone:
        assert _at_the_menu(robot, 120), board.summary()
    dead = threading.Event()

    def kill() -> None:
        board.power_off()
        dead.set()

    timer = threading.Timer(rng.uniform(0, 3 if alone else 5), kill)
    timer.start()
    if alone:
        dead.wait()  # nobody is at the keypad: it starts, syncs and updates
    else:
        robot.work(dead)
    timer.join()
    board.power_on()


def _at_the_menu(robot: Robot, timeout_s: float) -> bool:
    late = threading.Event()
    timer = threading.Timer(timeout_s, late.set)
    timer.start()
    try:
        return robot.work(late, until="Menu")
    finally:
        timer.cancel()


def _settle(world: TerminalWorld, robot: Robot) -> None:
    """Finish what waits, and let everything reach the server."""
    assert _at_the_menu(robot, 120), world.terminal.board.summary()
    merchant = world.merchant
    while world.terminal.shows("Unfinished sale"):
        world.terminal.board.press("1")
        assert _at_the_menu(robot, 60), world.terminal.board.summary()
    eventually(lambda: world.terminal.shows("Online"), 60, "the network")
    merchant.sign_in()
