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
from tests.support.merchant import FLOAT_MINOR, nothing_lost
from tests.support.world import eventually
from tests.terminal.conftest import TerminalWorld

KILLS_A_DAY = 25
KILLS = int(os.environ.get("DUKA_KILLS", "3"))
SEED = int(os.environ.get("DUKA_KILLS_SEED", "1"))
RESULTS = os.environ.get("DUKA_KILLS_RESULTS", "")
DAYS = [
    (SEED + day, min(KILLS_A_DAY, KILLS - day * KILLS_A_DAY))
    for day in range((KILLS + KILLS_A_DAY - 1) // KILLS_A_DAY)
]
"""(seed, kills) of each world."""
FEWEST_FOR_UPDATES = 6
VOUCHERS = 300
TOP_UP_MINOR = 2_000_000
"""More than a robot can sell in a day of kills."""


@pytest.mark.full
@pytest.mark.parametrize(("seed", "kills"), DAYS)
def test_killed_at_any_instant_it_loses_doubles_and_makes_up_nothing(
    seed: int, kills: int, qemu_world: Callable[[], TerminalWorld]
) -> None:
    world = qemu_world()
    rng = random.Random(seed)
    robot = Robot(world.terminal)
    world.fill_vault(VOUCHERS)
    world.deposit(TOP_UP_MINOR)
    world.open_shop()
    offers = {kills // 3: 2, 2 * kills // 3: 3} if kills >= FEWEST_FOR_UPDATES else {}
    for number in range(kills):
        if number in offers:
            world.offer(offers[number])
        # a long life now and then: checking an update's signatures alone takes seconds
        _live_and_die(world, robot, rng, rng.choice((3, 3, 15)) if offers else 3)
    if offers:
        # A release that was not brought in before the last kill is brought in now.
        eventually(lambda: _went_back(world), 300, "the report that release 3 crashes")
    _sell_once_more(world, robot)
    debits = world.books.debits_minor()
    nothing_lost(world, debits, float_minor=FLOAT_MINOR + TOP_UP_MINOR)
    if RESULTS:
        with Path(RESULTS).open("a") as results:
            done = {"seed": seed, "kills": kills, "sales": len(debits)}
            done["release"] = world.running()[0]
            results.write(json.dumps(done) + "\n")


def _live_and_die(
    world: TerminalWorld, robot: Robot, rng: random.Random, longest_alone_s: float
) -> None:
    """One life of the CPU, from power-on to a kill; it ends switched on again.

    No kill falls into the check of a PIN: three of them would lock the terminal, as they should.
    """
    board = world.terminal.board
    alone = rng.random() < 0.5
    if not alone:
        assert _reaches(robot, 120), board.summary()
    dead = threading.Event()

    def kill() -> None:
        board.power_off()
        dead.set()

    timer = threading.Timer(rng.uniform(0, longest_alone_s if alone else 5), kill)
    timer.start()
    if alone:
        dead.wait()  # nobody is at the keypad: it starts, syncs and updates
    else:
        robot.work(dead)
    timer.join()
    board.power_on()


def _went_back(world: TerminalWorld) -> bool:
    return any(release == 3 for release, _ in world.books.failures()) and not world.running()[1]


def _reaches(robot: Robot, timeout_s: float, screen: str = "Menu") -> bool:
    late = threading.Event()
    timer = threading.Timer(timeout_s, late.set)
    timer.start()
    try:
        return robot.work(late, until=screen)
    finally:
        timer.cancel()


def _sell_once_more(world: TerminalWorld, robot: Robot) -> None:
    """Finish what the kills left open, sell one more, and go back to the menu."""
    board = world.terminal.board
    assert _reaches(robot, 120), board.summary()
    while world.terminal.shows("Unfinished sale"):
        board.press("1")
        assert _reaches(robot, 60), board.summary()
    assert _reaches(robot, 120, "Sold"), board.summary()
    board.press("#")
