"""The flash obeys NOR's rules, refuses what cannot be, and loses power where it is told."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hw_sim.flash import (
    PAGE_BYTES,
    SECTOR_BYTES,
    CutMoment,
    FlashAddressError,
    FlashFileError,
    FlashLockedError,
    FlashPageError,
    NorFlash,
    PowerCut,
)

SIZE = 16 * SECTOR_BYTES


@pytest.fixture(params=["memory", "file"])
def flash(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[NorFlash]:
    path = None if request.param == "memory" else tmp_path / "flash.bin"
    with NorFlash(path, size_bytes=SIZE) as part:
        yield part


def test_a_new_part_is_erased_throughout(flash: NorFlash) -> None:
    assert flash.snapshot() == b"\xff" * SIZE


def test_programming_only_clears_bits_and_counts_who_asked_for_more(flash: NorFlash) -> None:
    flash.program(0, b"\xf0")
    assert flash.violations == 0
    flash.program(0, b"\x3c")
    assert flash.read(0, 1) == b"\x30"
    assert flash.violations == 1


def test_erasing_sets_one_sector_and_wears_only_that(flash: NorFlash) -> None:
    for address in (SECTOR_BYTES - 1, SECTOR_BYTES, 2 * SECTOR_BYTES):
        flash.program(address, b"\0")
    flash.erase(SECTOR_BYTES)
    assert flash.read(SECTOR_BYTES - 1, 2) == b"\0\xff"
    assert flash.read(2 * SECTOR_BYTES, 1) == b"\0"
    assert flash.erases == [0, 1] + [0] * 14


@pytest.mark.parametrize(
    ("address", "size"), [(-1, 1), (SIZE, 1), (SIZE - 1, 2), (10**9, 1), (0, SIZE + 1)]
)
def test_an_address_outside_the_part_is_refused(flash: NorFlash, address: int, size: int) -> None:
    with pytest.raises(FlashAddressError):
        flash.read_into(address, bytearray(size))
    with pytest.raises(FlashAddressError):
        flash.program(address, bytes(size))
    with pytest.raises(FlashAddressError):
        flash.mapped(address, size)
    assert flash.operations == 0


@pytest.mark.parametrize("address", [1, SECTOR_BYTES - 1, SIZE, -SECTOR_BYTES])
def test_an_erase_off_a_sector_start_is_refused(flash: NorFlash, address: int) -> None:
    with pytest.raises(FlashAddressError):
        flash.erase(address)
    assert sum(flash.erases) == 0


def test_a_program_over_a_page_end_is_refused_whole(flash: NorFlash) -> None:
    with pytest.raises(FlashPageError):
        flash.program(PAGE_BYTES - 1, b"\0\0")
    with pytest.raises(FlashPageError):
        flash.program(0, bytes(PAGE_BYTES + 1))
    assert flash.snapshot() == b"\xff" * SIZE
    flash.program(0, bytes(PAGE_BYTES))


def test_the_lock_holds_until_power_off_and_never_shrinks(flash: NorFlash) -> None:
    flash.lock(2 * SECTOR_BYTES)
    flash.lock(0)
    with pytest.raises(FlashLockedError):
        flash.program(2 * SECTOR_BYTES - 1, b"\0")
    with pytest.raises(FlashLockedError):
        flash.erase(0)
    flash.program(2 * SECTOR_BYTES, b"\0")
    flash.power_cycle()
    flash.program(0, b"\0")


@pytest.mark.parametrize("end", [-1, 1, SIZE + SECTOR_BYTES])
def test_a_lock_that_fits_no_sector_is_refused(flash: NorFlash, end: int) -> None:
    with pytest.raises(FlashAddressError):
        flash.lock(end)


def test_a_mapping_shows_what_is_programmed_later_and_cannot_be_written(flash: NorFlash) -> None:
    view = flash.mapped(SECTOR_BYTES, 4)
    flash.program(SECTOR_BYTES, b"\x12")
    assert bytes(view) == b"\x12\xff\xff\xff"
    with pytest.raises(TypeError):
        view[0] = 0
    view.release()


@pytest.mark.parametrize(
    ("how", "programmed", "erased"),
    [
        ("before", b"\xff" * 4, b"\0"),
        ("torn", b"\0\0\xff\xff", b"\xff"),
        ("after", bytes(4), b"\xff"),
    ],
)
def test_power_goes_around_the_operation_it_was_told(
    flash: NorFlash, how: CutMoment, programmed: bytes, erased: bytes
) -> None:
    flash.program(SECTOR_BYTES, b"\0")
    flash.cut_power_at(2, how)
    with pytest.raises(PowerCut) as cut:
        flash.program(0, bytes(4))
    assert (cut.value.operation, cut.value.how) == (2, how)
    assert flash.read(0, 4) == programmed
    assert not flash.cut_pending
    flash.cut_power_at(3, how)
    with pytest.raises(PowerCut):
        flash.erase(SECTOR_BYTES)
    assert flash.read(SECTOR_BYTES, 1) == erased


def test_a_refused_operation_does_not_use_up_the_cut(flash: NorFlash) -> None:
    flash.cut_power_at(1)
    with pytest.raises(FlashPageError):
        flash.program(255, b"\0\0")
    assert flash.cut_pending


def test_a_cut_in_the_past_is_refused(flash: NorFlash) -> None:
    flash.erase(0)
    with pytest.raises(ValueError, match="past"):
        flash.cut_power_at(1)
    with pytest.raises(ValueError, match="moment"):
        flash.cut_power_at(2, "sideways")  # type: ignore[arg-type]


def test_a_file_keeps_its_cells_and_serves_one_board_at_a_time(tmp_path: Path) -> None:
    path = tmp_path / "flash.bin"
    with NorFlash(path, size_bytes=SIZE) as first:
        first.program(7, b"\x07")
        with pytest.raises(FlashFileError, match="in use"):
            NorFlash(path, size_bytes=SIZE)
        assert path.read_bytes()[7] == 7
    with NorFlash(path, size_bytes=SIZE) as again:
        assert again.read(7, 1) == b"\x07"


def test_a_file_of_another_size_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "flash.bin"
    path.write_bytes(b"something else")
    with pytest.raises(FlashFileError, match="14 bytes"):
        NorFlash(path, size_bytes=SIZE)
    assert path.read_bytes() == b"something else"


def test_killing_the_simulator_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "flash.bin"
    script = (
        "import sys; from hw_sim.flash import NorFlash\n"
        f"part = NorFlash(sys.argv[1], size_bytes={SIZE})\n"
        "part.program(0, b'kept')\n"
        "print('done', flush=True); sys.stdin.read()\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path(__file__).resolve().parents[2],
    )
    assert process.stdout is not None
    assert process.stdin is not None
    with process.stdout, process.stdin:
        assert process.stdout.readline() == b"done\n"
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    assert path.read_bytes()[:5] == b"kept\xff"


@pytest.mark.parametrize("size", [0, -SECTOR_BYTES, 100])
def test_a_part_without_whole_sectors_is_refused(size: int) -> None:
    with pytest.raises(ValueError, match="sectors"):
        NorFlash(None, size_bytes=size)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.tuples(st.integers(0, 2 * SECTOR_BYTES - 1), st.binary(min_size=1, max_size=40)),
            st.integers(0, 1),
        ),
        max_size=30,
    )
)
def test_any_sequence_gives_the_cells_that_bit_by_bit_rules_give(
    steps: list[tuple[int, bytes] | int],
) -> None:
    part = NorFlash(None, size_bytes=2 * SECTOR_BYTES)
    model = [0xFF] * part.size_bytes
    for step in steps:
        if isinstance(step, int):
            part.erase(step * SECTOR_BYTES)
            model[step * SECTOR_BYTES : (step + 1) * SECTOR_BYTES] = [0xFF] * SECTOR_BYTES
            continue
        address, data = step
        if address % PAGE_BYTES + len(data) > PAGE_BYTES:
            with pytest.raises((FlashPageError, FlashAddressError)):
                part.program(address, data)
            continue
        part.program(address, data)
        for offset, byte in enumerate(data):
            model[address + offset] &= byte
    assert part.snapshot() == bytes(model)
