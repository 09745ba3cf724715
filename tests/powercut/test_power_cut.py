"""The everyday form of `inv powercut`: a few scenarios at every operation, a few wrong builds."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from pathlib import Path

import pytest

import bootloader.recovery.visit
import firmware.terminal
import firmware.update.client
from hw_sim.flash import PowerCut
from tests.powercut import device, fresh, runner
from tests.powercut.__main__ import OF_THE_PATCH
from tests.powercut.mutants import MUTANTS
from tests.powercut.runner import CutDidNotFire, Explorer, NotOnePlace, golden
from tests.powercut.scenarios import SCENARIOS, begin
from tests.powercut.world import LAYOUT
from tools.release.image import ROOT

SALES = ("sale-online", "sale-offline", "lost-answer", "reprint", "last-sales", "cancelled")
UPDATES = ("delta", "crash-in-trial", "serial-recovery", "ring-turns")
BY_NAME = ("shifts", "notices", "away", "around", "people", "ring-fills")
"""What tests of this file cut or play; every other scenario goes its way undisturbed."""


@pytest.mark.parametrize("name", SALES)
def test_a_cut_anywhere_in_a_sale_loses_and_doubles_nothing(name: str) -> None:
    explorer = Explorer(name)
    found = explorer.explore(1, len(explorer.golden.operations), 0)
    assert found.broken == []
    assert len(found.states) > 5 * len(explorer.golden.operations)


@pytest.mark.parametrize("name", UPDATES)
def test_cuts_here_and_there_in_an_update_a_repair_and_a_full_ring_break_nothing(
    name: str,
) -> None:
    explorer = Explorer(name)
    for number in range(7, len(explorer.golden.operations), 23):
        explorer.explore(number, number, 0)
    assert explorer.found.broken == []
    assert len(explorer.found.states) > 15


@pytest.mark.parametrize("name", sorted(SCENARIOS.keys() - {*SALES, *UPDATES, *BY_NAME}))
def test_a_scenario_that_is_not_cut_every_day_goes_well_without_a_cut(name: str) -> None:
    assert len(golden(name).operations) > 40  # its judge finds no fault


def test_a_cut_in_a_shift_or_a_z_report_loses_and_doubles_nothing() -> None:
    explorer = Explorer("shifts")
    journal = range(LAYOUT["journal"][0], sum(LAYOUT["journal"]))
    at = [
        number
        for number, (address, data) in enumerate(explorer.golden.operations, 1)
        if address in journal and data and data[0] in (15, 16, 17)
    ]
    assert len(at) == 4, "opened, Z, Z, closed"
    for number in at:
        explorer.explore(number, number, 0)
    assert explorer.found.broken == []


def _where(explorer: Explorer, room: str, *content: bytes) -> list[int]:
    """Numbers of the operations that program one of these contents into that partition."""
    addresses = range(LAYOUT[room][0], sum(LAYOUT[room]))
    return [
        number
        for number, (address, data) in enumerate(explorer.golden.operations, 1)
        if address in addresses and data and any(each in data for each in content)
    ]


def test_a_cut_while_a_notice_is_kept_read_or_printed_leaves_it_there_once() -> None:
    explorer = Explorer("notices")
    at = _where(explorer, "data", b"BANK-1", b"-0.new", b"-1", b"-2")
    assert len(at) > 5
    for number in at[:: max(1, len(at) // 5)]:
        explorer.explore(number, number, 0)
    assert explorer.found.broken == []


def test_a_cut_while_stock_is_wiped_sells_none_of_it_and_loses_no_sale() -> None:
    explorer = Explorer("away")
    at = [
        n
        for n in _where(explorer, "journal", b"\x01")
        if (explorer.golden.operations[n - 1][1] or b"-")[0] == 9
    ]
    for number in (at[0], at[1], at[1] + 1, at[1] + 3):
        explorer.explore(number, number, 0)
    assert explorer.found.broken == []


def test_a_cut_around_selling_forgets_no_setting_and_numbers_no_copy_twice() -> None:
    explorer = Explorer("around")
    data = range(LAYOUT["data"][0], sum(LAYOUT["data"]))
    journal = range(LAYOUT["journal"][0], sum(LAYOUT["journal"]))
    at = [
        number
        for number, (address, written) in enumerate(explorer.golden.operations, 1)
        if address in data or (address in journal and written and written[0] == 10)
    ]
    assert len(at) > 10
    for number in at:
        explorer.explore(number, number, 0)
    assert explorer.found.broken == []


def test_a_cut_while_people_pins_or_language_change_leaves_all_as_before_or_all_as_now() -> None:
    explorer = Explorer("people")
    journal = range(LAYOUT["journal"][0], sum(LAYOUT["journal"]))
    names = _where(explorer, "data", b"merchant.people", b"merchant.json")
    at = [
        number
        for number, (address, written) in enumerate(explorer.golden.operations, 1)
        if address in journal and written and written[0] == 10
    ]
    assert len(at) == 4, "added, renamed, added, removed"
    later = [min(n for n in names if n > number) for number in at]
    at += [number + 1 for number in at] + later + names[::5]
    for number in sorted(set(at)):
        explorer.explore(number, number, 0)
    assert explorer.found.broken == []


def test_a_cut_during_the_recovery_from_a_cut_breaks_nothing() -> None:
    explorer = Explorer("sale-offline")
    journal = range(LAYOUT["journal"][0], sum(LAYOUT["journal"]))
    intent = next(
        number
        for number, (address, data) in enumerate(explorer.golden.operations, 1)
        if address in journal and data and data[0] == 2
    )
    found = explorer.explore(intent, intent, 4)
    assert found.broken == []
    assert len(found.states) > 50


def test_a_replayed_cut_leaves_what_a_cut_in_the_running_terminal_leaves() -> None:
    for number, mode in ((3, "torn"), (5, "after"), (9, "almost")):
        explorer = Explorer("sale-offline")
        explorer.go_to(number)
        explorer.fire(explorer.golden.operations[number - 1], mode)
        world = begin(explorer.golden.scenario.start)
        world.flash.cut_power_at(world.flash.operations + number, mode)  # type: ignore[arg-type]
        with pytest.raises(PowerCut):
            explorer.golden.scenario.play(world)
        assert world.flash.snapshot() == explorer.flash.snapshot()


def test_a_cut_that_does_not_fire_is_no_case() -> None:
    explorer = Explorer("sale-offline")
    explorer.go_to(2)
    explorer.flash.cut_power_at = lambda *_: None  # type: ignore[method-assign]
    with pytest.raises(CutDidNotFire):
        explorer.fire(explorer.golden.operations[1], "torn")


def test_terminals_at_one_place_that_go_different_ways_end_the_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(runner, "DOUBT_EVERY", 1)
    explorer = Explorer("sale-offline")
    explorer.explore(9, 9, 0)
    explorer._seen.clear()
    explorer.explore(9, 9, 0)
    assert explorer.found.broken == []
    for place in explorer._known:
        explorer._known[place] = ["something was wrong with the other one"], 0
    explorer._seen.clear()
    with pytest.raises(NotOnePlace):
        explorer.explore(9, 9, 0)


def test_the_rest_of_the_process_keeps_its_own_device_code() -> None:
    begin("shop")
    for name in ("firmware.terminal", "firmware.update.client", "bootloader.recovery.visit"):
        assert device.MODULES[name] is not sys.modules[name]
    assert vars(firmware.terminal)["asyncio"] is asyncio
    assert "open" not in vars(firmware.update.client)
    assert vars(bootloader.recovery.visit)["time"] is time
    assert vars(device.MODULES["bootloader.recovery.visit"])["time"] is not time


def test_two_golden_runs_do_the_same() -> None:
    first = golden("stock").operations
    golden.cache_clear()
    assert golden("stock").operations == first


def test_a_terminal_with_a_full_journal_says_so_and_sells_again_after_a_sync() -> None:
    assert golden("ring-fills").operations


def test_every_wrong_build_is_explained() -> None:
    explained = (Path(__file__).parents[2] / "docs" / "powercut.md").read_text()
    for mutant in MUTANTS.values():
        assert f"| `{mutant.name}` | {mutant.in_the_field} |" in explained


def test_every_wrong_build_changes_the_code_as_it_stands() -> None:
    with fresh.pool() as pool:
        assert all(pool.imap(fresh.build, MUTANTS, 1))


@pytest.mark.parametrize(
    "name",
    ["no_read_back", "torn_tag_counts", "intent_after_print", "original_again",
     "attempt_not_recorded", "stock_told_before_stored", "copy_of_another_sale",
     "cancelled_in_doubt", "shift_closed_beside", "copy_numbered_after", "refused_on_a_page",
     "person_named_after"],
)  # fmt: skip
def test_the_judge_catches_a_build_with(name: str) -> None:
    with fresh.pool() as pool:
        _, how = pool.apply(fresh.try_mutant, (name,))
    assert how and not any(word in how for word in OF_THE_PATCH), how


def test_what_a_wrong_build_changes_is_what_runs() -> None:
    """Whoever is imported first: modules that are loaded by their name are this room's copies."""
    asked = (
        "from tests.powercut import mutants, world, device\n"
        "outside = [name for name, module in device.MODULES.items()\n"
        "           if getattr(getattr(module, 'load', None), '__module__', '')"
        " == 'firmware.lent']\n"
        "assert not outside, outside\n"
    )
    subprocess.run([sys.executable, "-c", asked], check=True, cwd=ROOT)
