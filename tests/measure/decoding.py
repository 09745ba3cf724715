"""`inv bench decoding`: what making an image of a patch takes on the emulated Cortex-M3, in
instructions and heap, for four pairs of `airtime`; and what it comes to for the largest patch
that is offered (`PATCH_DECISIONS`), by the dearest answer of the four. One pair in byte code, too:
what a terminal takes whose interpreter is older than the machine code.

Bars, of machine code: 30 s computed at 133 MHz, one instruction a clock; 8 KiB of heap in all (a
full image's window alone is 4 KiB, and 4 more are allowed beside it).
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
from tests.support.computing import CLOCK_HZ
from tests.support.world import TerminalSettings, World, quiet_tools
from tools.lab import qemu
from updater_server.channels import patch
from updater_server.wire.limits import PATCH_DECISIONS

SECONDS_BAR, HEAP_BAR_BYTES = 30, 8 * 1024
_ARCHIVE = 0x800000
_END = b"\xff" * 12
_DEVICE = Path(__file__).with_name("decoding_device.py")
_WHAT = "Makes images of patches"
_NAMED = ("duka 40-50", "duka 120-130", "duka 290-300", "duka 400-410")
_IN_BYTE_CODE = "duka 290-300"
_PATIENCE_S = 1800

Pair = tuple[str, bytes, bytes]


def chosen() -> list[Pair]:
    """Four pairs of this project's history: three of 50,000 to 90,000 answers, and the largest that
    is offered.
    """
    return [pair for pair in own_pairs() if pair[0] in _NAMED]


def measure(folder: Path, firmware: Path, of: list[Pair]) -> tuple[list[tuple[int, int]], int]:
    """(instructions, heap in bytes) of each pair, and the instructions in byte code of one.

    Raises:
        RuntimeError: it could not, or made another image.
    """
    world = _world(folder, QemuChip(firmware))
    try:
        _provision(world)
    finally:
        world.close()
    archives = {name: _archive(base, image) for name, base, image in of}
    counting, whole = QemuChip(firmware, instruction_shift=0), b"".join(archives.values())
    counted = _run(folder, counting, b"\0" + whole + _END)
    heap = _run(folder, QemuChip(firmware), b"\1" + whole + _END)
    (slow,) = _run(folder, counting, b"\2" + archives[_IN_BYTE_CODE] + _END)
    return list(zip(counted, heap, strict=True)), slow


def _archive(base: bytes, image: bytes) -> bytes:
    coded = patch.make(base, image)
    sizes = struct.pack("<III", len(base), len(coded), len(image))
    return sizes + hashlib.sha256(image).digest() + base + coded


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
        figures, in_byte_code = measure(Path(folder), qemu.firmware(), of)
    print(f"{'pair':14}{'answers':>9}{'instructions':>16}{'an answer':>11}{'s':>7}{'heap':>8}")
    dearest = 0
    for (count, heap), (name, base, image) in zip(figures, of, strict=True):
        answers = patch.decisions(base, image)
        if name == _IN_BYTE_CODE:
            in_byte_code //= answers
        dearest = max(dearest, count // answers)
        seconds = count / CLOCK_HZ
        print(f"{name:14}{answers:9,}{count:16,}{count // answers:11,}{seconds:7.1f}{heap:8,}")
    slowest = dearest * PATCH_DECISIONS[1] / CLOCK_HZ
    largest = max(heap for _, heap in figures)
    print(f"the largest patch that is offered: {slowest:.0f} s computed, bar {SECONDS_BAR}")
    print(f"{_IN_BYTE_CODE} in byte code: {in_byte_code:,} an answer")
    print(f"heap {largest:,}, bar {HEAP_BAR_BYTES:,}")
    return 0 if slowest <= SECONDS_BAR and largest <= HEAP_BAR_BYTES else 1


if __name__ == "__main__":
    sys.exit(main())
