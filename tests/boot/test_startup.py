"""Start-up on real MicroPython and the simulated board, from power-on to a running release."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import pytest

from hw_sim.flash import NorFlash
from tests.boot.conftest import Workshop
from tests.boot.terminal import (
    CONTROL,
    IDENTITY,
    SLOT,
    TERMINAL_ID,
    Terminal,
    terminal,
)
from tools.errors import LinkError
from tools.release.image import ROOT, build_boot


def start_trial(bench: Terminal, workshop: Workshop, release: int, version: int = 1) -> None:
    """From release 1 running in slot a to `release` running on trial in slot b."""
    image = workshop.images[release]
    bench.put_image("b", image)
    bench.tell(f"trial {len(image)} {hashlib.sha256(image).hexdigest()} {release} {version}")
    bench.end("return")


def test_a_provisioned_terminal_boots_its_confirmed_release(bench: Terminal) -> None:
    bench.board.power_on()
    facts = bench.running()
    assert (facts["label"], facts["slot"], facts["trial"]) == ("probe 1", "a", False)
    assert facts["terminal"] == TERMINAL_ID.hex()
    assert (facts["cause"], facts["last_failure"]) == ("power-on", None)


def test_each_boot_has_a_count_of_its_own(bench: Terminal) -> None:
    bench.board.power_on()
    first = bench.running()["boot_count"]
    bench.board.power_cycle()
    assert bench.running()["boot_count"] == first + 1
    bench.end("return")
    assert bench.running()["boot_count"] == first + 2


def test_the_bootloaders_modules_are_gone_when_the_release_runs(bench: Terminal) -> None:
    bench.board.power_on()
    facts = bench.running()
    assert facts["catches_own_error"], "the partitions are of the release's own classes"
    # The simulator's own paths take 1.3 KB more or less; a bootloader that stays takes 5 KB.
    assert facts["free_bytes"] > 222 * 1024
    ours = [name for name in bench.modules() if name.startswith("boot") or name == "board"]
    assert not {"bootloader.boot", "bootloader.decide", "bootloader.plan", "board"} & set(ours)


def test_an_exception_is_recorded_with_its_text_and_the_release_tried_again(
    bench: Terminal,
) -> None:
    bench.board.power_on()
    bench.running()
    bench.end("crash printer on fire")
    facts = bench.running()
    assert facts["cause"] == "soft"
    assert facts["last_failure"]["release"] == 1
    assert "printer on fire" in facts["last_failure"]["reason"]
    bench.tell("clear")
    bench.board.power_cycle()
    assert bench.running()["last_failure"] is None


@pytest.mark.parametrize(("command", "reason"), [("exit", "SystemExit"), ("memory", "MemoryError")])
def test_leaving_by_exit_or_out_of_memory_is_a_crash_too(
    bench: Terminal, command: str, reason: str
) -> None:
    bench.board.power_on()
    bench.running()
    bench.end(command)
    assert reason in bench.running()["last_failure"]["reason"]


def test_a_release_that_hangs_is_reset_by_the_watchdog_and_that_is_recorded(
    bench: Terminal,
) -> None:
    bench.board.power_on()
    bench.running()
    bench.end("hang")
    facts = bench.running()
    assert facts["cause"] == "watchdog"
    assert "watchdog" in facts["last_failure"]["reason"]


def test_a_release_that_ends_is_reset_without_a_crash(bench: Terminal) -> None:
    bench.board.power_on()
    bench.running()
    bench.end("return")
    assert bench.running()["last_failure"] is None


def test_a_confirmed_trial_stays_and_only_then_raises_the_security_version(
    bench: Terminal, workshop: Workshop
) -> None:
    bench.board.power_on()
    bench.running()
    start_trial(bench, workshop, 2, version=3)
    facts = bench.running()
    assert (facts["label"], facts["slot"], facts["trial"]) == ("probe 2", "b", True)
    assert facts["security_version"] == 1
    bench.tell("confirm")
    bench.board.power_cycle()
    facts = bench.running()
    assert (facts["slot"], facts["trial"], facts["security_version"]) == ("b", False, 3)


def test_a_trial_that_crashes_twice_is_rolled_back_and_reported(
    bench: Terminal, workshop: Workshop
) -> None:
    bench.board.power_on()
    bench.running()
    start_trial(bench, workshop, 2)
    assert bench.running()["slot"] == "b"
    bench.end("crash first")
    assert bench.running()["slot"] == "b"
    bench.end("crash second")
    facts = bench.running()
    assert (facts["slot"], facts["trial"], facts["label"]) == ("a", False, "probe 1")
    assert facts["last_failure"]["release"] == 2
    assert "second" in facts["last_failure"]["reason"]
    bench.board.power_cycle()
    assert bench.running()["last_failure"]["release"] == 2, "kept until it is reported"


def test_pulled_plugs_in_a_trial_are_no_crashes(bench: Terminal, workshop: Workshop) -> None:
    bench.board.power_on()
    bench.running()
    start_trial(bench, workshop, 2)
    for _ in range(3):
        assert bench.running()["slot"] == "b"
        bench.board.power_cycle()
    facts = bench.running()
    assert (facts["slot"], facts["trial"], facts["last_failure"]) == ("b", True, None)
    bench.board.power_cycle()
    facts = bench.running()
    assert facts["slot"] == "a"
    assert facts["last_failure"] == {"release": 2, "reason": "not confirmed in time"}


def test_a_confirmed_release_that_keeps_crashing_gives_way_to_the_other(
    bench: Terminal, workshop: Workshop
) -> None:
    bench.board.power_on()
    bench.running()
    start_trial(bench, workshop, 2)
    bench.running()
    bench.tell("confirm")
    for number in range(5):
        bench.end(f"crash {number}")
        slot = bench.running()["slot"]
        assert slot == ("a" if number == 4 else "b")


def test_running_well_ends_the_row_of_crashes(bench: Terminal, workshop: Workshop) -> None:
    bench.board.power_on()
    bench.running()
    start_trial(bench, workshop, 2)
    bench.running()
    bench.tell("confirm")
    for number in range(7):
        bench.end(f"crash {number}")
        assert bench.running()["slot"] == "b"
        bench.tell("well")


def test_a_damaged_image_is_noticed_and_the_other_slot_boots(
    bench: Terminal, workshop: Workshop
) -> None:
    bench.board.power_on()
    bench.running()
    start_trial(bench, workshop, 2)
    bench.running()
    bench.tell("confirm")
    bench.board.power_off()
    bench.spoil(SLOT["b"] + 20000)
    bench.board.power_on()
    facts = bench.running()
    assert facts["slot"] == "a"
    assert facts["last_failure"] == {"release": 2, "reason": "image damaged in flash"}


def test_with_no_slot_left_recovery_answers_and_the_screen_says_so(bench: Terminal) -> None:
    bench.spoil(SLOT["a"] + 100)
    bench.board.power_on()
    with bench.recovery() as link:
        assert link.status().state == "provisioned"
        assert not bench.board.lcd_picture().blank


def test_a_held_star_key_leads_to_recovery(bench: Terminal) -> None:
    bench.board.hold("*")
    bench.board.power_on()
    with bench.recovery() as link:
        assert link.echo("here") == "here"
        bench.board.release("*")
        link.reset()
    assert bench.running()["slot"] == "a"


@pytest.mark.parametrize("key", ["1", "0", "#", "D", "7"])
def test_another_held_key_does_not(bench: Terminal, key: str) -> None:
    bench.board.hold(key)
    bench.board.power_on()
    assert bench.running()["slot"] == "a"


def test_the_firmware_can_ask_for_recovery_once(bench: Terminal) -> None:
    bench.board.power_on()
    bench.running()
    bench.tell("recovery")
    bench.end("return")
    with bench.recovery() as link:
        link.reset()
    assert bench.running()["slot"] == "a"


def test_a_copied_flash_does_not_boot_on_another_chip(flash: NorFlash, workshop: Workshop) -> None:
    flash.restore(workshop.provisioned)
    with terminal(flash, chip=b"otherone") as copy:
        copy.board.power_on()
        with copy.recovery() as link:
            assert link.status().state == "foreign"
            assert link.status().terminal is None
            before = flash.snapshot()
            for attempt in (
                lambda: link.make_identity(TERMINAL_ID),
                lambda: link.upload_file("/data/config.json", b"{}"),
                lambda: link.upload_image(workshop.images[1]),
            ):
                with pytest.raises(LinkError, match=r"another terminal|identity first"):
                    attempt()
            assert flash.snapshot() == before
        assert b"RUNNING" not in copy.board.console_log


def test_a_lost_control_block_mends_itself_and_no_boot_count_comes_again(
    bench: Terminal,
) -> None:
    bench.board.power_on()
    before = bench.running()["boot_count"]
    bench.board.power_off()
    bench.spoil(CONTROL, bytes(8192))
    bench.board.power_on()
    facts = bench.running()
    assert (facts["slot"], facts["release"]) == ("a", 1)
    assert facts["boot_count"] > 1 << 24 > before


def test_a_lost_control_block_mends_itself_although_the_power_goes_meanwhile(
    bench: Terminal,
) -> None:
    flash = bench.board.flash
    bench.spoil(CONTROL, bytes(8192))
    start = flash.operations
    bench.board.power_on()
    counts = [bench.running()["boot_count"]]
    bench.board.power_off()
    for operation in range(1, flash.operations - start + 1):
        bench.spoil(CONTROL, bytes(8192))
        bench.board.cut_power_at_flash_operation(flash.operations + operation, "after")
        bench.board.power_on()
        bench.board.wait_for(lambda: not bench.board.board.powered, 10, what="the cut")
        bench.board.power_on()
        counts.append(bench.running()["boot_count"])
        bench.board.power_off()
    assert len(counts) > 8
    assert counts == sorted(set(counts))


def test_a_release_cannot_change_the_boot_image(bench: Terminal) -> None:
    bench.board.power_on()
    bench.running()
    start = bench.board.flash.read(0, 256)
    bench.end("boot")
    assert "OSError" in bench.running()["last_failure"]["reason"]
    assert bench.board.flash.read(0, 256) == start


@pytest.mark.parametrize("how", ["before", "torn", "after"])
def test_a_cut_while_the_attempt_is_recorded_does_no_harm(bench: Terminal, how: str) -> None:
    for _ in range(18):  # over the end of a sector, so that an erase is among them
        operation = bench.board.flash.operations + 1
        bench.board.cut_power_at_flash_operation(operation, how)  # type: ignore[arg-type]
        bench.board.power_on()
        bench.board.wait_for(lambda: not bench.board.board.powered, 10, what="the cut")
    bench.board.power_on()
    assert bench.running()["slot"] == "a"


@pytest.fixture
def broken_boot(tmp_path: Path) -> bytes:
    """A boot image whose bootloader fails before it knows anything."""
    shutil.copytree(ROOT / "bootloader", tmp_path / "bootloader")
    boot = tmp_path / "bootloader" / "boot.py"
    head = 'def run(board: "Board") -> Plan | Repair:'
    assert head in boot.read_text()
    boot.write_text(boot.read_text().replace(head, head + "\n    1 / 0\n"))
    return build_boot(tmp_path, "sim")


def test_a_failing_boot_image_leaves_a_blank_board_within_reach(
    blank: Terminal, broken_boot: bytes
) -> None:
    blank.board.flash.damage(0, broken_boot)
    blank.board.power_on()
    blank.board.wait_for_console(b">>> ")


def test_a_failing_boot_image_never_shows_a_prompt_on_a_provisioned_terminal(
    bench: Terminal, broken_boot: bytes
) -> None:
    bench.board.flash.damage(0, broken_boot + b"\xff" * (0x40000 - len(broken_boot)))
    bench.board.power_on()
    bench.board.wait_for(lambda: len(bench.board.resets) > 1, 15, what="the reset")
    bench.board.console_write(b"\x03\x03\r\n\x01")
    bench.board.wait_for(lambda: len(bench.board.resets) > 2, 15, what="the next reset")
    assert b"ZeroDivisionError" in bench.board.console_log
    assert b">>>" not in bench.board.console_log
    assert b"raw REPL" not in bench.board.console_log


def test_ctrl_c_on_the_console_gives_no_prompt(bench: Terminal) -> None:
    bench.board.power_on()
    bench.running()
    bench.board.console_write(b"\x03\x03\x03\x04\x01")
    bench.tell("")
    assert b">>>" not in bench.board.console_log


def test_a_damaged_identity_leads_to_recovery_not_to_a_release(bench: Terminal) -> None:
    bench.spoil(IDENTITY + 20)
    bench.spoil(IDENTITY + 4096 + 20)
    bench.board.power_on()
    with bench.recovery() as link:
        assert link.status().state == "blank"
        assert link.status().terminal is None


def test_the_board_object_reads_what_is_wired_to_it(bench: Terminal) -> None:
    bench.board.battery.set_mv(3712)
    bench.board.power_on()
    bench.running()
    facts = bench.facts()
    assert abs(facts["battery_mv"] - 3712) <= 2
    assert facts["charging"] is False
    assert facts["columns"] == [1, 1, 1, 1]
    assert facts["random"] == [32, True]
    assert facts["waiting"] == {"modem": 0, "printer": 0}
    assert facts["year"] >= 2000
    assert facts["unique_id"] == bench.board.board.unique_id.hex()
    bench.board.battery.set_charging(True)
    bench.board.hold("6")
    bench.board.wait_for(
        lambda: bench.facts()["second_row"] == [1, 1, 0, 1], what="the contact, after its bounces"
    )
    facts = bench.facts()
    assert facts["charging"] is True
    assert facts["columns"] == [1, 1, 1, 1], "no row is driven low"
