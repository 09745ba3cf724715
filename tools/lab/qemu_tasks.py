"""The `inv qemu.…` tasks; only tasks.py imports them."""

from __future__ import annotations

import json
import os
import subprocess
import sys

from invoke.context import Context
from invoke.exceptions import Exit
from invoke.tasks import task

from tools.lab import qemu
from tools.release.image import ROOT


def _ready() -> None:
    try:
        qemu.install()
        print(f"built: {qemu.firmware().relative_to(ROOT)}")
    except qemu.Unavailable as error:
        raise Exit(f"The QEMU board cannot be built here: {error}", code=1) from error


@task
def build(context: Context) -> None:
    """Build MicroPython for the emulated Cortex-M3, with the bootloader frozen in."""
    _ready()


@task
def demo(context: Context) -> None:
    """Tell the story with the terminal's program running on the emulated Cortex-M3."""
    _ready()
    told = subprocess.run([sys.executable, "-m", "tests.story", "--qemu"], cwd=ROOT, check=False)
    if told.returncode:
        raise Exit(code=told.returncode)


@task(
    help={
        "kills": "how many in all",
        "seed": "of the first world; a world of 25 kills comes again from its seed, timing apart",
        "workers": "worlds at once",
    }
)
def powercut(context: Context, kills: int = 500, seed: int = 1, workers: int = 2) -> None:
    """Kill the emulated terminal at random instants of sales and updates; nothing may break."""
    _ready()
    results = qemu.BUILD / "kills.jsonl"
    results.unlink(missing_ok=True)
    settings = {
        "DUKA_KILLS": str(kills),
        "DUKA_KILLS_SEED": str(seed),
        "DUKA_KILLS_RESULTS": str(results),
    }
    command = [sys.executable, "-m", "pytest", "-q", "--full", "-n", str(workers)]
    done = subprocess.run(
        [*command, "tests/qemu/test_kills.py"],
        cwd=ROOT,
        env={**os.environ, **settings},
        check=False,
    )
    lines = results.read_text().splitlines() if results.exists() else []
    worlds = [json.loads(line) for line in lines]
    survived = sum(world["kills"] for world in worlds)
    sales = sum(world["sales"] for world in worlds)
    print(f"kills: {survived} of {kills}, in {len(worlds)} worlds, sales: {sales}")
    print(f"broken: {-(-kills // 25) - len(worlds)}")
    if done.returncode:
        raise Exit(code=done.returncode)
