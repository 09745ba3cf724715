"""The `inv qemu.…` tasks; only tasks.py imports them."""

from __future__ import annotations

import subprocess
import sys

from invoke.context import Context
from invoke.exceptions import Exit
from invoke.tasks import task

from tools import qemu
from tools.image import ROOT


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
