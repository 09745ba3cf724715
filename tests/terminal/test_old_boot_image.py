"""Boards keep the boot image that they were made with: today's release sells and updates on it."""

from __future__ import annotations

import inspect
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import bootloader.plan
import bootloader.shared.control
import bootloader.shared.partitions
import firmware.main
from tests.support.merchant import FLOAT_MINOR, debit_minor, nothing_lost
from tests.terminal.conftest import MakeWorld, TerminalWorld
from tools.release.image import ROOT

pytestmark = pytest.mark.micropython  # its text is in no checkout

KEPT = sorted((ROOT / "tests/boot/golden").glob("boot-sim-*.romfs"))
PAGE = ROOT / "docs/formats/boot-interface.md"

of_every_age = pytest.mark.parametrize("kept", KEPT, ids=lambda file: file.stem)


def old_terminal(make_world: MakeWorld, kept: Path) -> TerminalWorld:
    """A shop whose terminal was made with a boot image of that day, on today's first release."""
    world = make_world("factory")
    world.is_repeatable = False  # in those days littlefs wrote the host's time into each file
    (world.manager.images / "boot-sim.romfs").write_bytes(kept.read_bytes())
    world.server.start()
    world.reach()
    world.provision(FLOAT_MINOR, poll_s=1, sync_s=1)
    world.eventually(lambda: "release" in world.books.check_in(), 60, "the first check-in")
    return world


def sells(world: TerminalWorld, release: int, sales: int) -> None:
    what = f"release {release}, confirmed,"
    world.eventually(lambda: world.running() == (release, False), 120, what)
    world.merchant.sign_in()
    world.wait_online()
    world.merchant.sell()
    nothing_lost(world, [debit_minor(1)] * sales)


def test_there_are_boards_of_an_older_day() -> None:
    assert KEPT


@of_every_age
def test_todays_release_sells_and_updates_on_a_board_made_with_an_older_boot_image(
    make_world: MakeWorld, kept: Path
) -> None:
    world = old_terminal(make_world, kept)
    sells(world, 1, sales=1)
    world.offer(2)
    sells(world, 2, sales=2)
    assert "come again" in world.terminal.receipts()[-1].text
    world.offer(3)  # crashes at its start
    world.eventually(lambda: "no such display" in world.terminal.log(), 120, "the crash")
    sells(world, 2, sales=3)


@pytest.mark.parametrize(
    ("file", "old", "new", "error"),
    [
        ("bootloader/shared/partitions.py", "def table(", "def table_of(", "ImportError"),
        ("bootloader/shared/partitions.py", "def mount_data(", "def mount(", "ImportError"),
        ("firmware/main.py", "def run(", "def begin(", "AttributeError"),
    ],
    ids=["table", "mount_data", "run"],
)
def test_a_release_that_renames_what_an_older_boot_image_asks_for_is_rolled_back(
    make_world: MakeWorld, file: str, old: str, new: str, error: str
) -> None:
    world = old_terminal(make_world, KEPT[0])
    manager = world.manager
    shutil.rmtree(manager.checkout)
    manager.check_out()
    manager.change(file, old, new)
    manager.build(5, "1.4.0")
    (manager.images / "boot-sim.romfs").write_bytes(KEPT[0].read_bytes())
    log = world.new_log()
    world.offer(5)
    world.wait_logged(log, error, "main: release 1 ", timeout_s=120)
    sells(world, 1, sales=1)


FROZEN: dict[str, Callable[..., Any]] = {
    "bootloader.shared.control.ControlBlock": bootloader.shared.control.ControlBlock,
    "bootloader.shared.partitions.table": bootloader.shared.partitions.table,
    "bootloader.shared.partitions.mount_data": bootloader.shared.partitions.mount_data,
    "firmware.main.run": firmware.main.run,
}
"""The page's first table, looked up in today's source."""


def test_the_page_names_what_is_frozen_and_today_has_it_with_those_arguments() -> None:
    rows = [line.split("`") for line in PAGE.read_text().splitlines() if line.startswith("| `")]
    named = {row[1]: row[3] for row in rows if row[1].startswith(("bootloader.", "firmware."))}
    assert named.keys() == FROZEN.keys()
    for name, call in named.items():
        arguments = call.partition("(")[2].partition(")")[0].split(", ")
        inspect.signature(FROZEN[name]).bind(*arguments)


def test_the_page_names_all_that_a_release_is_handed() -> None:
    page = PAGE.read_text()
    handed = bootloader.plan.BootInfo.__annotations__
    assert handed and all(f"`boot_info.{name}`" in page for name in handed)
    assert all(f"`{name}`" in page for name in bootloader.plan.Identity.__annotations__)
