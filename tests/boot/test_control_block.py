"""The boot control block: what was recorded last is what is read, whatever is cut or spoiled."""

from __future__ import annotations

import hashlib
import hmac
import struct
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from bootloader.shared import control
from bootloader.shared.control import ControlBlock, ControlError
from hw_sim.flash import NorFlash, PowerCut
from tests.boot.conftest import KEY, image_terms

Reload = Callable[[], Any]


def test_a_record_has_the_bytes_of_the_specification(block: Any, control_partition: Any) -> None:
    block.start_trial("b", *image_terms(7, 3))
    block.record_crash("Boom: é")
    page = bytes(control_partition.read(4 * 256, 256))
    assert page[:4] == b"DKC1"
    assert struct.unpack_from("<II", page, 4) == (5, 0)
    assert struct.unpack_from("<BBHHH", page, 12) == (2, 0, 1, 0, 0)
    assert struct.unpack_from("<II", page, 20) == (1, 7)
    assert page[28:76] == "Boom: é".encode().ljust(48, b"\0")
    slot_b = page[128:180]
    assert struct.unpack_from("<BBH", slot_b, 0) == (2, 2, 4)
    assert struct.unpack_from("<III", slot_b, 4) == (1007, 7, 3)
    assert struct.unpack_from("<I", slot_b, 16) == (300,)
    assert slot_b[20:] == b"\x07" * 32
    assert page[180:223] == bytes(43)
    assert page[223] == 0xFF, "no later record"
    assert control_partition.read(3 * 256 + 223, 1) == b"\0"
    assert page[224:] == hmac.digest(KEY, page[:223], hashlib.sha256)


def test_every_field_survives_a_round_trip() -> None:
    state = control.State()
    state.sequence, state.boot_count, state.active, state.request = 5, 1 << 24, "b", "recovery"
    state.crashes, state.unconfirmed_boots, state.security_version = 3, 4, 9
    state.fail(8, "why")
    slot = state.slots["b"]
    slot.state, slot.image_size, slot.sha256, slot.release = "trial", 655360, b"s" * 32, 8
    slot.security_version, slot.crashes_allowed = 10, 2
    slot.unconfirmed_boots_allowed, slot.selftest_deadline_s = 1000, 86400
    read = control.decode(control.encode(state, KEY), KEY)
    for name in ("a", "b"):
        assert vars(read.slots[name]) == vars(state.slots[name])
    assert {**vars(read), "slots": 0} == {**vars(state), "slots": 0}


@pytest.mark.parametrize("byte", range(0, 256, 5))
def test_a_record_with_one_flipped_bit_does_not_open(byte: int) -> None:
    page = control.encode(control.State(), KEY)
    page[byte] ^= 1
    with pytest.raises(ControlError):
        control.decode(page, KEY)


def test_a_value_that_does_not_fit_its_field_is_refused() -> None:
    for name, value in (("boot_count", 1 << 32), ("security_version", -1), ("failed_release", "7")):
        state = control.State()
        setattr(state, name, value)
        with pytest.raises(ControlError):
            control.encode(state, KEY)
    state = control.State()
    state.slots["a"].sha256 = b"short"
    with pytest.raises(ControlError):
        control.encode(state, KEY)


def test_a_sealed_record_with_an_unknown_value_is_refused() -> None:
    page = control.encode(control.State(), KEY)
    page[12] = 9
    page[224:] = hmac.digest(KEY, bytes(page[:223]), hashlib.sha256)
    with pytest.raises(ControlError, match="unknown value"):
        control.decode(page, KEY)


def test_a_long_reason_is_cut_between_characters(block: Any, reload: Reload) -> None:
    block.record_crash("x" + "é" * 40)
    assert reload().failure_reason == "x" + "é" * 23


def test_two_hundred_changes_are_each_the_newest_record(
    block: Any, reload: Reload, flash: NorFlash
) -> None:
    for number in range(200):
        block.record_crash(f"crash {number}")
        assert reload().failure_reason == f"crash {number}"
    assert reload().sequence == 203
    assert flash.violations == 0


def test_a_torn_newest_record_gives_way_to_the_one_before(
    block: Any, reload: Reload, flash: NorFlash, control_partition: Any
) -> None:
    block.record_crash("whole")
    flash.cut_power_at(flash.operations + 1, "torn")
    with pytest.raises(PowerCut):
        block.record_crash("torn")
    assert reload().failure_reason == "whole"
    again = ControlBlock(control_partition, KEY)
    again.load()
    again.record_crash("after")
    assert reload().failure_reason == "after"
    assert flash.violations == 0, "the torn page was programmed again"


def test_a_page_whose_number_reads_otherwise_each_time_is_not_the_newest(
    block: Any, control_partition: Any, flash: NorFlash, reload: Reload
) -> None:
    block.write(block.state)  # cut: its sequence number has a weak cell in its highest byte
    weak = control_partition.offset + block._newest_page * 256 + 7
    state = block.state.copy()
    state.boot_count = 77
    block.write(state)
    for seed in range(64):
        flash.cells.weak = {weak: 0x01}
        flash.cells.set_chance(seed)
        assert reload().boot_count == 77, seed


def test_a_program_that_silently_fails_is_noticed_and_the_next_page_taken(
    block: Any, reload: Reload, flash: NorFlash, control_partition: Any
) -> None:
    real = flash.program
    failed: list[int] = []

    def program(address: int, data: bytes) -> None:
        if failed:
            real(address, data)
        else:
            failed.append(address)
            real(address, bytes(data[:100]))

    flash.program = program  # type: ignore[method-assign,assignment]
    block.record_crash("kept")
    assert failed
    assert reload().failure_reason == "kept"


def test_with_both_sectors_spoiled_no_record_is_valid(
    block: Any, reload: Reload, flash: NorFlash, control_partition: Any
) -> None:
    flash.damage(control_partition.offset, b"\0" * 8192)
    assert reload() is None
    spoiled = ControlBlock(control_partition, KEY)
    spoiled.load()
    with pytest.raises(ControlError, match="create"):
        spoiled.write(control.State())


def test_a_block_is_begun_anew_only_if_none_is_valid(
    block: Any, control_partition: Any, flash: NorFlash
) -> None:
    operations = flash.operations
    again = ControlBlock(control_partition, KEY)
    assert not again.create(1 << 24)
    assert flash.operations == operations
    assert again.state.active == "a"
    flash.damage(control_partition.offset, b"\0" * 8192)
    assert again.create(1 << 24)
    assert (again.state.active, again.state.boot_count) == (None, 1 << 24)


def test_a_record_that_reads_badly_once_and_then_well_is_gone_on_with(
    control_partition: Any, flash: NorFlash, reload: Reload
) -> None:
    ControlBlock(control_partition, KEY).create(0)
    met = 0
    for seed in range(64):
        flash.mark()
        # cut in the middle of the only record
        flash.cells.weak = {control_partition.offset + 76: 0x01}
        flash.cells.set_chance(seed)
        again = ControlBlock(control_partition, KEY)
        if again.load() is None:
            met += not again.create(0)
            again.adopt("a", *image_terms())
            assert reload().active == "a", seed
        flash.rewind()
    assert met > 5


def test_records_of_another_key_are_no_records(block: Any, control_partition: Any) -> None:
    assert ControlBlock(control_partition, b"x" * 32).load() is None


def test_a_dead_sector_costs_the_new_record_only(
    block: Any, reload: Reload, flash: NorFlash, control_partition: Any
) -> None:
    while block.state.sequence < 16:
        block.record_crash("filling")
    flash.erase = lambda address: None  # type: ignore[method-assign]
    flash.damage(control_partition.offset + 4096, b"\0" * 10)
    with pytest.raises(ControlError, match="does not erase"):
        block.record_crash("lost")
    assert reload().failure_reason == "filling"
    assert block.state.failure_reason == "filling"


def test_the_security_version_rises_with_a_confirm_and_not_before(
    block: Any, reload: Reload
) -> None:
    block.start_trial("b", *image_terms(2, 5))
    assert reload().security_version == 1
    block.running_well()
    block.record_crash("once")
    assert reload().security_version == 1
    block.confirm()
    assert reload().security_version == 5


def test_an_image_with_a_lower_security_version_is_never_placed(block: Any) -> None:
    block.start_trial("b", *image_terms(2, 5))
    block.confirm()
    for place in (block.start_trial, block.hold, block.adopt):
        with pytest.raises(ControlError, match="security version"):
            place("a", *image_terms(3, 4))


def test_a_trial_needs_a_confirmed_release_to_fall_back_to(block: Any) -> None:
    with pytest.raises(ControlError, match="other slot"):
        block.start_trial("a", *image_terms(2))
    block.start_trial("b", *image_terms(2))
    with pytest.raises(ControlError, match="confirmed"):
        block.start_trial("a", *image_terms(3))


def test_confirming_twice_writes_once(block: Any, flash: NorFlash) -> None:
    block.start_trial("b", *image_terms(2))
    block.confirm()
    before = flash.operations
    block.confirm()
    block.running_well()
    block.clear_failure()
    assert flash.operations == before


def test_running_well_does_not_clear_the_crashes_of_a_trial(block: Any, reload: Reload) -> None:
    block.start_trial("b", *image_terms(2))
    block.record_crash("once")
    block.running_well()
    assert reload().crashes == 1
    block.confirm()
    block.record_crash("later")
    block.running_well()
    assert reload().crashes == 0


def test_a_later_crash_does_not_hide_an_unreported_rollback(block: Any, reload: Reload) -> None:
    block.mark_bad("a", "rolled back")
    state = block.state.copy()
    state.slots["b"].release, state.active = 2, "b"
    block.write(state)
    block.record_crash("a lesser matter")
    assert (reload().failed_release, reload().failure_reason) == (1, "rolled back")
    block.clear_failure()
    block.record_crash("now it is told")
    assert (reload().failed_release, reload().failure_reason) == (2, "now it is told")


def test_the_active_slot_is_neither_emptied_nor_held(block: Any, reload: Reload) -> None:
    with pytest.raises(ControlError):
        block.empty("a")
    with pytest.raises(ControlError):
        block.hold("a", *image_terms(2))
    block.hold("b", *image_terms(2))
    block.empty("b")
    assert reload().slots["b"].state == "empty"


def _walk(block: Any) -> list[Callable[[], None]]:
    """A life with every kind of change in it, and more of them than a sector holds."""
    steps: list[Callable[[], None]] = []
    for release in range(2, 6):
        other = "b" if release % 2 == 0 else "a"
        steps += [
            partial(block.empty, other),
            partial(block.start_trial, other, *image_terms(release)),
            lambda: block.record_crash("crash in trial"),
            lambda: block.confirm(),
            lambda: block.record_crash("crash"),
            lambda: block.running_well(),
            lambda: block.clear_failure(),
            lambda: block.request_recovery(),
            lambda: block.write(block.state),
        ]
    return steps


def test_a_cut_at_any_flash_operation_leaves_the_old_record_or_the_new(
    control_partition: Any, flash: NorFlash, block: Any
) -> None:
    """Every operation of a life of 36 changes, each cut before, in the middle and after, and then
    again at every operation of the change that is repeated after the cut."""
    fired = 0
    for number, step in enumerate(_walk(block)):
        start = flash.snapshot()
        old = control.encode(block.state, KEY)
        first = flash.operations
        step()
        operations = flash.operations - first
        end = flash.snapshot()
        new = control.encode(block.state, KEY)
        for operation in range(1, operations + 1):
            for how in ("before", "torn", "after"):
                for second in range(operations + 2):
                    flash.restore(start)
                    block.load()
                    flash.cut_power_at(flash.operations + operation, how)
                    with pytest.raises(PowerCut):
                        step()
                    fired += 1
                    state = block.load()
                    assert control.encode(state, KEY) in (old, new), (number, operation, how)
                    if control.encode(state, KEY) == new or not second:
                        continue
                    flash.cut_power_at(flash.operations + second, "torn")
                    try:
                        step()
                        flash.cancel_cut()
                    except PowerCut:
                        assert control.encode(block.load(), KEY) in (old, new)
                        step() if control.encode(block.state, KEY) == old else None
                    assert control.encode(block.load(), KEY) == new
        flash.restore(end)
        block.load()
    assert fired > 300
    assert flash.violations == 0


class _NeverChecksBlank(ControlBlock):  # type: ignore[misc]
    """A wrong build: programs the next page whatever is there."""

    def _program(self, page: Any, index: int) -> int | None:
        self._partition.program(index * 256, page)
        return index


def test_the_cut_test_would_notice_a_torn_page_programmed_again(
    control_partition: Any, flash: NorFlash, block: Any
) -> None:
    wrong = _NeverChecksBlank(control_partition, KEY)
    wrong.load()
    flash.cut_power_at(flash.operations + 1, "torn")
    with pytest.raises(PowerCut):
        wrong.record_crash("first")
    wrong.load()
    wrong.record_crash("second, other bytes")
    assert flash.violations > 0
    assert wrong.load().failure_reason != "second, other bytes"
