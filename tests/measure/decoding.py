"""`inv bench decoding`: what making an image of a patch takes on the emulated Cortex-M3, in
instructions and heap, for three pairs of `airtime`; and what it comes to for the largest patch
that is offered (`PATCH_DECISIONS`), by the dearest answer of the three.

Bars: 30 s computed at 133 MHz, one instruction a clock; 8 KiB of heap in all (a full image's
window alone is 4 KiB, and 4 more are allowed beside it).
"""

from __future__ import annotations

import hashlib
import json
import struct
import sys
import tempfile
from pathlib import Path

from hw_sim.qemu import QemuChip
from tests.measure import in_its_place
from tests.measure.airtime import own_pairs
from tests.support.world import TerminalSettings, World, quiet_tools
from tools.lab import qemu
from updater_server.channels import patch
from updater_server.wire.limits import PATCH_DECISIONS

SECONDS_BAR, HEAP_BAR_BYTES = 30, 8 * 1024
CLOCK_HZ = 133_000_000
_ARCHIVE = 0x800000
_END = b"\xff" * 12
_DEVICE = Path(__file__).with_name("decoding_device.py")
_WHAT = "Makes images of patches"
_NAMED = ("duka 40-50", "duka 120-130", "duka 290-300")
_PATIENCE_S = 1800

Pair = tuple[str, bytes, bytes]


def chosen() -> list[Pair]:
    """Three pairs of this project's history: 50,000 to 90,000 answers."""
    return [pair for pair in own_pairs() if pair[0] in _NAMED]


def measure(folder: Path, firmware: Path, of: list[Pair]) -> list[tuple[str, int, int]]:
    """(name, instructions, heap in bytes) of each pair.

    Raises:
        RuntimeError: it could not, or made another image.
    """
    world = _world(folder, QemuChip(firmware))
    try:
        _provision(world)
    finally:
        world.close()
    archive = b"".join(
        struct.pack("<III", len(base), len(coded), len(image))
        + hashlib.sha256(image).digest()
        + base
        + coded
        for _, base, image in of
        for coded in [patch.make(base, image)]
    )
    counted = _run(folder, QemuChip(firmware, instruction_shift=0), b"\0" + archive + _END)
    heap = _run(folder, QemuChip(firmware), b"\1" + archive + _END)
    names = [name for name, _, _ in of]
    return list(zip(names, counted, heap, strict=True))


def _world(folder: Path, chip: QemuChip) -> World:
    return World(folder, TerminalSettings(time_scale=20.0, printer={"time_scale": 20.0}, chip=chip))


def _provision(world: World) -> None:
    in_its_place.provision(world, _WHAT, _DEVICE.read_text())
    world.terminal.board.power_off()


def _run(folder: Path, chip: QemuChip, archive: bytes) -> list[int]:
    content = bytearray((folder / "flash.bin").read_bytes())
    content[_ARCHIVE - 1 : _ARCHIVE - 1 + len(archive)] = archive
    flash = folder / "bench.bin"
    flash.write_bytes(content)
    world = _world(folder, chip)
    world.flash = flash
    try:
        world.terminal.board.power_on()
        log = world.terminal.log
        world.terminal.board.wait_for(
            lambda: "Traceback" in log() or "]]" in log().partition("\nBENCH ")[2],
            _PATIENCE_S,
            what="the figures",
        )
        if "\nBENCH " not in log():
            raise RuntimeError(f"no image was made:\n{log()}")
        figures = json.loads(log().split("\nBENCH ")[1].split("\n")[0])
        if not all(is_right for _, is_right in figures):
            raise RuntimeError("another image was made")
        return [count for count, _ in figures]
    finally:
        world.close()


def main() -> int:
    """Print the table; 1 if a bar is not kept."""
    of = chosen()
    with tempfile.TemporaryDirectory(prefix="duka-bench-") as folder, quiet_tools():
        figures = measure(Path(folder), qemu.firmware(), of)
    print(f"{'pair':14}{'answers':>9}{'instructions':>16}{'an answer':>11}{'s':>7}{'heap':>8}")
    dearest = 0
    for (name, count, heap), (_, base, image) in zip(figures, of, strict=True):
        answers = patch.decisions(base, image)
        dearest = max(dearest, count // answers)
        seconds = count / CLOCK_HZ
        print(f"{name:14}{answers:9,}{count:16,}{count // answers:11,}{seconds:7.1f}{heap:8,}")
    slowest = dearest * PATCH_DECISIONS[1] / CLOCK_HZ
    largest = max(heap for _, _, heap in figures)
    print(f"the largest patch that is offered: {slowest:.0f} s computed, bar {SECONDS_BAR}")
    print(f"heap {largest:,}, bar {HEAP_BAR_BYTES:,}")
    return 0 if slowest <= SECONDS_BAR and largest <= HEAP_BAR_BYTES else 1


if __name__ == "__main__":
    sys.exit(main())
