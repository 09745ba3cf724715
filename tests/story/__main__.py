"""`python -m tests.story`: tell the story; exit code 0 only if every step held."""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console

from hw_sim.qemu import QemuChip
from tests.story.story import Story
from tests.support.world import MERCHANT_PIN, SERVER_NAME, SERVER_PORT, TerminalSettings
from tests.support.world_clock import WorldClock
from tools.lab import qemu

NEXT = "Now by hand: python3 tasks.py sim (inv sim) sells, in your browser."
WATCHED_PACE = 4.0
"""Seconds of the story in one of the wall when a person watches: a sale is seen, not waited for."""


def main() -> int:
    """Tell the story in a folder of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keep", action="store_true", help="keep the folder and say where it is")
    parser.add_argument("--pictures", type=Path, help="folder for pictures of display and paper")
    parser.add_argument("--qemu", action="store_true", help="on the emulated Cortex-M3")
    parser.add_argument(
        "--pace", type=float, help="seconds of the story in one of yours; 1 is real time"
    )
    arguments = parser.parse_args()
    keep, pictures = arguments.keep, arguments.pictures
    if pictures:
        pictures.mkdir(parents=True, exist_ok=True)
    chip = QemuChip(qemu.firmware()) if arguments.qemu else None
    folder = Path(tempfile.mkdtemp(prefix="duka-story-"))
    try:
        console = Console()
        pace = arguments.pace
        if pace is None:
            pace = WATCHED_PACE if console.is_terminal else 0
        if keep:
            go_by_the_wall(folder)
        story = Story(folder, console, pictures, chip, pace)
        story.is_repeatable = story.is_repeatable and not keep
        held = story.tell()
        if held:
            console.print(NEXT, markup=False, highlight=False)
    finally:
        if keep:
            print(kept(folder), file=sys.stderr)
        else:
            shutil.rmtree(folder, ignore_errors=True)
    return 0 if held else 1


def go_by_the_wall(folder: Path) -> None:
    """What is kept is used by the calendar on the wall: nothing in it may have expired."""
    WorldClock(folder / "time").write(time.time())


def kept(folder: Path) -> str:
    """What a person may do with a kept folder."""
    chip = TerminalSettings().unique_id.hex()
    route = f"{SERVER_NAME}:{SERVER_PORT}=127.0.0.1:8080"
    return "\n  ".join(
        (
            f"kept in {folder}; server and terminal, a window each (PIN {MERCHANT_PIN}):",
            f"python -m tools release verify --repository {folder}/server/repository",
            f"python -m updater_server serve --data {folder}/server --port 8080",
            f"python -m hw_sim {folder}/flash.bin --unique-id {chip} --route {route}",
        )
    )


if __name__ == "__main__":
    sys.exit(main())
