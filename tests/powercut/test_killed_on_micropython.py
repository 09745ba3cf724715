"""The terminal killed at random instants on real MicroPython, its flash being the file it left."""

from __future__ import annotations

import random
import subprocess
import time
from pathlib import Path

from tests.powercut import judge
from tests.powercut.publisher import TIME_S
from tests.powercut.scenarios import SCENARIOS, begin, live_on
from tests.powercut.world import FLASH_BYTES, LAYOUT, World
from tests.support.micropython import BOARD_HEAP_BYTES, ROOT
from tools.release.image import interpreter

KILLS = 12
SCRIPT = """
import gc, sys
gc.threshold(4096)  # as `firmware.main` starts
sys.path.insert(0, {root!r})
from tests.powercut import killed
killed.run({path!r}, {size}, {layout!r}, {chip!r}, {time_s})
"""


def _run_until_killed(flash: Path, sales: int, lives_s: float) -> list[bytes]:
    """Start the terminal, kill it some time after so many sales; the receipts it printed whole."""
    script = SCRIPT.format(
        root=str(ROOT),
        path=str(flash),
        size=FLASH_BYTES,
        layout=LAYOUT,
        chip=judge.CHIP,
        time_s=TIME_S,
    )
    command = [interpreter(), "-X", f"heapsize={BOARD_HEAP_BYTES}", "-c", script]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT)
    assert process.stdout and process.stderr
    first = process.stdout.readline()
    assert first.startswith(b"UP "), (first, process.stdout.read(), process.stderr.read())
    lines = [process.stdout.readline() for _ in range(sales)]
    time.sleep(lives_s)
    process.kill()
    lines += process.stdout.readlines()
    process.stdout.close()
    process.stderr.close()
    process.wait()
    return [
        bytes.fromhex(line[6:].decode())
        for line in lines
        if line.startswith(b"PAPER ") and line.endswith(b"\n")
    ]


def test_a_process_killed_at_random_instants_loses_and_doubles_nothing(tmp_path: Path) -> None:
    start = begin("shop")
    flash = tmp_path / "flash.bin"
    flash.write_bytes(start.flash.snapshot())
    chance = random.Random(20)
    paper: list[bytes] = list(start.paper)
    states = set()
    for _ in range(KILLS):
        paper += _run_until_killed(flash, chance.randrange(3), chance.uniform(0, 0.01))
        states.add(flash.read_bytes())
        world = World(start.flash, start.server)
        world.flash.restore(flash.read_bytes())
        world.paper = list(paper)
        world.durable = list(start.durable)
        assert judge.money(world) == []
        assert judge.boots(world) == []
    assert len(states) == KILLS
    sold = {r.body[4] for r in judge.Books(world).records.values() if r.kind == 2}
    assert len(sold) > 4
    world.confirmed = {1}
    assert live_on(world, SCENARIOS["sale-offline"]) == []
