"""The board object of the emulated chip keeps the promises that the simulated one keeps."""

from __future__ import annotations

from datetime import UTC, datetime

from tests.boot.terminal import CHIP, Terminal
from tests.update.test_patch_bounds import by_the_tools, hostile


def test_a_release_made_for_the_simulator_boots_through_the_frozen_bootloader(
    terminal: Terminal,
) -> None:
    terminal.board.power_on()
    facts = terminal.running()
    assert (facts["label"], facts["slot"], facts["trial"]) == ("probe 1", "a", False)
    assert facts["cause"] == "power-on"
    assert facts["catches_own_error"], "the partitions are of the release's own classes"
    assert facts["free_bytes"] > 110 * 1024, "of 128 KiB"


def test_everything_on_the_board_answers(terminal: Terminal) -> None:
    terminal.board.battery.set_mv(3700)
    terminal.board.hold("4")
    terminal.board.power_on()
    terminal.running()
    facts = terminal.facts()
    assert abs(facts["battery_mv"] - 3700) < 10
    assert facts["second_row"] == [0, 1, 1, 1], "key 4 joins the second row to the first column"
    assert facts["random"] == [32, True]
    assert facts["unique_id"] == CHIP.hex()
    assert facts["year"] == datetime.now(UTC).year


def test_the_chips_own_watchdog_bites_and_the_next_start_knows_it(terminal: Terminal) -> None:
    terminal.board.power_on()
    terminal.running()
    terminal.end("hang")
    facts = terminal.running()
    assert facts["cause"] == "watchdog"
    assert "watchdog" in facts["last_failure"]["reason"]


def test_running_out_of_memory_is_a_crash_and_the_release_tried_again(terminal: Terminal) -> None:
    terminal.board.power_on()
    terminal.running()
    terminal.end("memory")
    assert "MemoryError" in terminal.running()["last_failure"]["reason"]


def test_its_flash_keeps_the_rules_of_nor(terminal: Terminal) -> None:
    terminal.board.power_on()
    terminal.running()
    read, mapped, refused = terminal.facts("nor")
    assert read == mapped == [0x00, 0x3C, 0xFF], "programming only clears bits"
    assert refused == [22, 22, 22, 30], "over a page, into a sector, past the end, in the boot area"
    assert terminal.board.flash.read(0x210000, 2) == b"\x00\x3c", "what the CPU did is in the file"


def test_its_interpreter_reads_patches_by_machine_code_as_everybody_does(
    terminal: Terminal,
) -> None:
    terminal.board.power_on()
    terminal.running()
    verdicts = set()
    for base, data, size in hostile(3, 56):
        if len(base) <= 300 and data:
            image = by_the_tools(base, data, size)
            verdicts.add(image is None)
            said = terminal.facts(f"patch {base.hex()} {data.hex()} {size}")
            assert " " in said if image is None else said == image.hex()
    assert verdicts == {True, False}


def test_a_copied_flash_does_not_boot_on_another_chip(terminal: Terminal) -> None:
    terminal.board.board.unique_id = b"otherone"
    terminal.board.power_on()
    with terminal.recovery() as link:
        assert link.status().state == "foreign"
