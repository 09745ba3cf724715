"""`inv bench board`: what the terminal's work costs on a Cortex-M3, in instructions and
heap. Fails when a figure is more than a tenth over its budget, which docs/boards.md shows.
"""

from __future__ import annotations

import json
import shutil
import struct
import sys
import tempfile
from pathlib import Path

from hw_sim.qemu import QemuChip
from tests.support.computing import BUDGET, CLOCK_HZ
from tests.support.world import TerminalSettings, World, quiet_tools
from tools.lab import qemu
from tools.release.image import ROOT

MARGIN = 1.10
UNEVEN_MARGIN = 1.35
UNEVEN = {
    ("instructions", work)
    for work in ("metadata_refresh", "one_signature", "p256_signature", "signed_json")
}
"""What hangs on how often the heap is swept, and that on keys and addresses of the day. Measured
for one build: a refresh 1.54 to 1.98 thousand million, a signature 107 to 126 million."""
_DEVICE = Path(__file__).with_name("board_device.py")
_WORKS = Path(__file__).with_name("works_device.py")
_ARCHIVE = 0x800000
_END = b"\xff\xff\xff\xff\xff\xff"

Figures = dict[str, dict[str, int]]


def measure(folder: Path, firmware: Path) -> Figures:
    """Figures of this checkout, in a world of its own."""
    world = World(folder, _settings(QemuChip(firmware)))
    try:
        archive = _prepare(world)
    finally:
        world.close()
    return {
        "instructions": _run(folder, QemuChip(firmware, instruction_shift=0), archive),
        "heap_bytes": _run(folder, QemuChip(firmware), {**archive, "heap": b""}),
    }


def _settings(chip: QemuChip) -> TerminalSettings:
    return TerminalSettings(time_scale=20.0, printer={"time_scale": 20.0}, chip=chip)


def _prepare(world: World) -> dict[str, bytes]:
    """A terminal with stock on a release that can measure itself; what a server then offers it."""
    manager = world.manager
    world.found_server()
    manager.create()
    manager.check_out()
    shutil.copy(_DEVICE, manager.checkout / "firmware" / "measure.py")
    shutil.copy(_WORKS, manager.checkout / "firmware" / "works.py")
    start = "    log.start(board.console)\n"
    manager.change(
        "firmware/main.py", start, "    import machine\n\n    at = machine.busy_us()\n" + start
    )
    jump = "    asyncio.run(terminal.run())\n"
    manager.change(
        "firmware/main.py",
        jump,
        "    from firmware import measure\n\n"
        "    if measure.files(board):\n        measure.run(board, terminal, at)\n" + jump,
    )
    manager.add(manager.build(1, "1.0.0"))
    manager.set_prices()
    manager.publish()
    world.fill_vault()
    world.server.start()
    world.terminal.reach(world.server)
    world.provision(sync_s=1, poll_s=3600)
    world.terminal.board.power_off()
    world.assign_stock("air50", 4)
    world.terminal.board.power_on()
    world.terminal.wait_log("new batches", 60)
    # By then it has verified and noted what is signed so far, as any terminal has that sells.
    world.terminal.wait_log("noted what is verified", 120)
    world.terminal.board.power_off()
    manager.change("firmware/ui/languages/en.py", "|Thank you", "|Thank you, come again")
    manager.add(manager.build(2, "1.1.0"))
    manager.publish()
    site = world.server.repository
    return {
        f"/tuf/{file.relative_to(site).as_posix()}": file.read_bytes()
        for part in ("metadata", "targets")
        for file in sorted((site / part).rglob("*"))
        if file.is_file() and not file.name.endswith(".full")
    }


def _run(folder: Path, chip: QemuChip, archive: dict[str, bytes]) -> dict[str, int]:
    flash = folder / "bench.bin"
    content = bytearray((folder / "flash.bin").read_bytes())
    packed = b"".join(
        struct.pack("<HI", len(name.encode()), len(data)) + name.encode() + data
        for name, data in archive.items()
    )
    content[_ARCHIVE : _ARCHIVE + len(packed) + len(_END)] = packed + _END
    flash.write_bytes(content)
    world = World(folder, _settings(chip))
    world.flash = flash
    try:
        terminal = world.terminal
        terminal.board.power_on()
        terminal.board.wait_for(
            lambda: (
                "Error" in terminal.log().partition("Traceback")[2]
                or "}" in terminal.log().partition("\nBENCH ")[2]
            ),
            300,
            what="the figures",
        )
        if "Traceback" in terminal.log():
            raise RuntimeError(f"the terminal's program failed:\n{terminal.log()}")
        figures: dict[str, int] = json.loads(
            terminal.log().split("\nBENCH ")[1].split("\n")[0].strip()
        )
        return figures
    finally:
        world.close()


def margin(kind: str, work: str) -> float:
    """How much of its budget a figure may be."""
    return UNEVEN_MARGIN if (kind, work) in UNEVEN else MARGIN


def worse(figures: Figures) -> list[str]:
    """What costs more than a tenth over its budget, in words."""
    budget: Figures = json.loads(BUDGET.read_text())
    return [
        f"{kind} of {work}: {figures[kind].get(work)} against a budget of {allowed}"
        for kind, works in budget.items()
        for work, allowed in works.items()
        if figures[kind].get(work, sys.maxsize) > allowed * margin(kind, work)
    ]


def main() -> int:
    """Print the figures and what is worse than its budget; `--accept` makes them the budget."""
    with tempfile.TemporaryDirectory(prefix="duka-bench-") as folder, quiet_tools():
        figures = measure(Path(folder), qemu.firmware())
    if "--accept" in sys.argv:
        BUDGET.write_text(json.dumps(figures, indent=2, sort_keys=True) + "\n")
    for kind, works in figures.items():
        for work, count in works.items():
            computed = f"  computed: {count * 1000 / CLOCK_HZ:8.1f} ms at 133 MHz" * (
                kind == "instructions"
            )
            print(f"{kind:<13} {work:<17} {count:>12,}{computed}")
    problems = worse(figures)
    for problem in problems:
        print("worse:", problem)
    print(f"board: {len(problems)} figures worse than {BUDGET.relative_to(ROOT)} by over 10 %")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
