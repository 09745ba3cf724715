"""Terminals on the emulated Cortex-M3. Skipped, with the reason, where it cannot be built."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from hw_sim.qemu import PSRAM_BYTES, QEMU_BOARD, QemuChip
from hw_sim.threaded import SimulatedBoard
from tests.boot import signed
from tests.boot.terminal import CHIP, Terminal, provision, release_image
from tests.terminal.conftest import MakeWorld, Manner, TerminalWorld, make_world, quick, states
from tools.lab import qemu

__all__ = ["make_world", "states"]


@pytest.fixture(scope="session")
def chip() -> QemuChip:
    """An emulated chip with our bootloader frozen into its interpreter."""
    try:
        return QemuChip(qemu.firmware())
    except qemu.Unavailable as error:
        pytest.skip(str(error))


def _board(flash: Path, chip: QemuChip) -> SimulatedBoard:
    return SimulatedBoard(flash, unique_id=CHIP, chip=chip, description=QEMU_BOARD)


@pytest.fixture(scope="session")
def probe_flash(chip: QemuChip, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The flash of a board on which the probe of tests/boot was provisioned and confirmed."""
    folder = tmp_path_factory.mktemp("probe")
    image = release_image(folder, 1)
    files = signed.Channel().files(signed.entry(image, 1))
    flash = folder / "flash.bin"
    with _board(flash, chip) as board:
        terminal = Terminal(board)
        provision(terminal, image, files)
        terminal.running()
        terminal.tell("confirm")
    return flash


@pytest.fixture
def terminal(chip: QemuChip, probe_flash: Path, tmp_path: Path) -> Iterator[Terminal]:
    """A terminal that runs the probe, off."""
    flash = tmp_path / "flash.bin"
    flash.write_bytes(probe_flash.read_bytes())
    with _board(flash, chip) as board:
        yield Terminal(board)


@pytest.fixture
def manner() -> Manner:
    """An emulated chip has a clock of its own."""
    return quick


@pytest.fixture
def qemu_world(chip: QemuChip, make_world: MakeWorld) -> Callable[[], TerminalWorld]:
    """A world whose terminal was made on the simulated chip, its flash now beside the emulated.

    The chip counts its own time by instructions, about as fast as a board's: by the host's clock,
    on a busy one, its supervisor and its watchdog would take it for hung.
    """

    def make() -> TerminalWorld:
        world = make_world("ready", chip=replace(chip, instruction_shift=3))
        content = world.flash.read_bytes()
        world.flash.write_bytes(content + b"\xff" * (PSRAM_BYTES - len(content)))
        return world

    return make
