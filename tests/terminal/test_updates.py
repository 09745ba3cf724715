"""Updates over the air on the whole terminal: what is refused, what waits, what is undone."""

from __future__ import annotations

import os
from datetime import timedelta

import pytest

from tests.support.attacker import Attacker
from tests.support.merchant import debit_minor, nothing_lost
from tests.support.tap import Exchange
from tests.support.world import PASSPHRASE
from tests.terminal.conftest import MakeWorld, TerminalWorld
from updater_server import channels


def runs_for_good(world: TerminalWorld, release: int) -> bool:
    return world.running() == (release, False)


def wait_running(world: TerminalWorld, release: int) -> None:
    world.eventually(lambda: runs_for_good(world, release), 120, f"release {release}, confirmed,")


def still_sells(world: TerminalWorld, release: int = 1) -> None:
    """The terminal runs that release for good, and a sale on it loses nothing."""
    wait_running(world, release)
    world.merchant.sign_in()
    world.wait_online()
    world.merchant.sell()
    nothing_lost(world, [debit_minor(1)])


def test_a_good_release_is_installed_and_confirmed(make_world: MakeWorld) -> None:
    world = make_world()
    world.offer(2)
    world.open_shop()
    still_sells(world, 2)
    assert "come again" in world.terminal.receipts()[-1].text
    slots = {world.terminal.slot_release("a"), world.terminal.slot_release("b")}
    assert slots == {1, 2}, "the way back is still in flash"


def test_a_release_without_the_channels_signatures_is_refused(make_world: MakeWorld) -> None:
    world = make_world().open_shop()
    world.wait_online()
    log = world.new_log()
    manager = world.manager
    manager.add(world.image(2), deltas=False)
    entry = manager.staged_entry("stable", 2)
    attacker = Attacker(manager.repository, manager.keys, PASSPHRASE)
    attacker.list_unsigned("stable", "stable/duka-r1/2.full", b"forged", entry)
    world.wait_logged(log, "metadata refused: stable")
    assert world.terminal.slot_release("b") is None
    still_sells(world)


def test_an_image_cut_short_on_the_server_is_never_booted(make_world: MakeWorld) -> None:
    world = make_world()
    world.offer(2)
    for file in (world.manager.repository / "targets" / "stable").rglob("*.2.full"):
        file.write_bytes(file.read_bytes()[:-5000])
    log = world.new_log()
    world.open_shop()
    world.wait_logged(log, "another range than asked for")
    assert world.terminal.slot_release("b") is None
    still_sells(world)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"hardware": channels.Hardware("duka-r1", [2])}, "hardware_revision"),
        ({"min_bootloader": 9}, "bootloader"),
        ({"journal": channels.JournalVersions([2], 2)}, "journal"),
    ],
    ids=["revision", "bootloader", "journal"],
)
def test_a_signed_release_that_does_not_fit_is_passed_over_and_reported(
    make_world: MakeWorld, changes: dict[str, object], reason: str
) -> None:
    world = make_world()
    world.manager.sign_release(world.image(2).read_bytes(), 2, **changes)
    world.manager.publish()
    world.open_shop()
    world.eventually(lambda: (2, reason) in world.books.failures(), 60, f"the report of {reason}")
    assert world.terminal.slot_release("b") is None
    still_sells(world)


def test_a_release_for_another_hardware_class_is_not_even_looked_at(make_world: MakeWorld) -> None:
    world = make_world()
    other = channels.Hardware("duka-x9", [1])
    world.manager.sign_release(world.image(2).read_bytes(), 2, hardware=other)
    world.manager.publish()
    log = world.new_log()
    world.open_shop()
    world.wait_logged(log, "timestamp")
    assert "offered" not in log()
    still_sells(world)


def test_an_image_larger_than_the_slot_cannot_even_be_signed(make_world: MakeWorld) -> None:
    world = make_world("factory")
    with pytest.raises(channels.EntryError, match="size_bytes"):
        world.manager.sign_release(world.image(2).read_bytes() + os.urandom(0x0A0000), 2)
    assert channels.Repository.open(world.manager.repository).staged() == []


def test_expired_signatures_stop_installing_but_neither_selling_nor_fetching(
    make_world: MakeWorld,
) -> None:
    world = make_world()
    world.manager.add(world.image(2), deltas=False, gate_idle_s=0)
    world.manager.publish(world.now() - timedelta(days=40))
    log = world.new_log()
    world.terminal.board.call(world.terminal.network.forge_time, 1_700_000_000.0)
    world.open_shop()
    world.wait_logged(log, "nothing is installed: timestamp")
    world.merchant.sign_in()
    world.wait_online()
    world.merchant.sell()
    assert "offered" not in log() or "not installed" in log()
    assert world.running() == (1, False)
    assert world.terminal.slot_release("b") is None, "a forged network time brings nothing back"
    world.manager.publish()
    wait_running(world, 2)
    nothing_lost(world, [debit_minor(1)], alarms=["expired"])


def payload_requests(world: TerminalWorld) -> list[Exchange]:
    return world.tap.asked(".full")


@pytest.mark.parametrize("cut", ["power", "link"])
def test_a_download_that_was_cut_goes_on_where_it_stopped(make_world: MakeWorld, cut: str) -> None:
    world = make_world()
    world.offer(2)
    terminal = world.terminal
    board = terminal.board
    done: list[int] = []

    def cut_once(exchange: Exchange) -> bytes:
        if exchange.path.endswith(".full") and exchange.first_byte > 0 and not done:
            done.append(exchange.first_byte)
            if cut == "power":
                board.board.cut_power_at_flash_operation(board.flash.operations + 10)
            else:
                terminal.network.drop_after_bytes(6000)
        return exchange.reply

    world.server.start()
    world.tap.change = cut_once
    board.power_on()
    if cut == "power":
        board.wait_for(lambda: bool(done) and not board.board.powered, 90, what="the cut")
        board.power_on()
    wait_running(world, 2)
    asked = [exchange.first_byte for exchange in payload_requests(world)]
    assert done[0] > 0
    assert asked.count(0) == 1, f"it began again at the first byte: {asked}"
    fetched = sum(len(exchange.reply_body) for exchange in payload_requests(world))
    size = next((world.manager.repository / "targets").rglob("*.2.full")).stat().st_size
    assert fetched <= size + 2 * 16384, f"{fetched} bytes asked for {size}"
    still_sells(world, 2)


def test_a_low_battery_and_an_open_sale_hold_the_switch_back(make_world: MakeWorld) -> None:
    world = make_world()
    world.terminal.board.battery.set_mv(3550)  # enough for a slip, not for a switch
    world.offer(2)
    log = world.new_log()
    world.open_shop()
    world.wait_logged(log, "waits: the battery is low", timeout_s=150)
    world.eventually(lambda: world.books.waits() == (2, "battery"), 60, "the office sees it")
    world.merchant.sign_in()  # whoever did before the download may have been signed out again
    world.merchant.choose()
    world.terminal.board.battery.set_mv(4000)
    world.wait_logged(log, "waits: a sale is open")
    assert world.terminal.board.resets == ["power_on"]
    world.merchant.press("#", "Sold", timeout_s=60)
    world.merchant.press("#")
    wait_running(world, 2)
    world.eventually(lambda: world.books.waits() == (None, None), 60, "nothing waits any more")
    nothing_lost(world, [debit_minor(1)])


def test_a_release_that_crashes_is_rolled_back_told_and_never_tried_again(
    make_world: MakeWorld,
) -> None:
    world = make_world()
    world.offer(3)
    log = world.new_log()
    world.open_shop()
    world.eventually(lambda: bool(world.books.failures()), 120, "the report")
    release, reason = world.books.failures()[-1]
    assert release == 3
    assert "no such display" in reason
    wait_running(world, 1)
    assert world.books.rollbacks() == [f"release 3: {reason}"]
    resets = len(world.terminal.board.resets)
    polls = log().count("failed here before")
    world.manager.publish()  # a new timestamp, so that the list is read again
    world.wait_logged(log, "timestamp 4")
    still_sells(world)
    assert len(world.terminal.board.resets) == resets, "it was tried again"
    assert log().count("failed here before") > polls


def test_a_release_that_hangs_is_ended_by_the_watchdog_and_rolled_back(
    make_world: MakeWorld,
) -> None:
    # longer than a start takes on a busy host, and short enough to wait for
    world = make_world(board={"watchdog_stretch": 3.0})
    trial = channels.TrialPolicy(crashes_allowed=1, selftest_deadline_s=60)
    world.manager.sign_release(world.image(4).read_bytes(), 4, trial=trial)
    world.manager.publish()
    world.open_shop()
    world.eventually(lambda: bool(world.books.failures()), 240, "the report")
    release, reason = world.books.failures()[-1]
    assert release == 4
    assert "watchdog" in reason
    assert "watchdog" in world.terminal.board.resets
    still_sells(world)


def test_pulled_plugs_in_a_trial_are_no_crashes(make_world: MakeWorld) -> None:
    world = make_world()
    board = world.terminal.board
    world.offer(2)
    log = world.new_log()
    world.open_shop()
    world.wait_logged(log, "release 2 slot b", timeout_s=120)
    for _ in range(3):
        board.power_off()
        log = world.new_log()
        board.power_on()
        world.wait_logged(log, "release 2 slot b")
    still_sells(world, 2)
    assert world.books.failures() == []
