"""`python -m tests.story`: tell the story; exit code 0 only if every step held."""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

from rich.console import Console

from hw_sim.qemu import QemuChip
from tests.story.story import Story
from tools.lab import qemu

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
        held = Story(folder, console, pictures, chip, pace).tell()
    finally:
        if keep:
            print(f"kept in {folder}", file=sys.stderr)
        else:
            shutil.rmtree(folder, ignore_errors=True)
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
