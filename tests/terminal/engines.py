"""What runs the program of a whole terminal in a test: CPython in the board's own process, or
MicroPython.

Both leave the same, to the byte (docs/decisions/0042-hosted-cpu.md), at a sixth of the work. So
every day one test in three runs on MicroPython, drawn by its name, and so do those that are about
what only MicroPython has: they are marked `micropython`. With `--full` all do.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.sources import CheckoutSources
from tests.support.world import TerminalSettings

ONE_IN = 3


def is_on_micropython(name: str, is_marked: bool, is_full: bool) -> bool:
    """Whether the test of that node id runs there."""
    drawn = hashlib.sha256(name.encode()).digest()[0] % ONE_IN == 0
    return is_full or is_marked or drawn


def engine_of(node: pytest.Item) -> str:
    """ "MicroPython", or "CPython in the board's process"."""
    name = node.nodeid.partition("@")[0]
    is_marked = node.get_closest_marker("micropython") is not None
    is_full = bool(node.config.getoption("--full"))
    there = is_on_micropython(name, is_marked, is_full)
    return "MicroPython" if there else "CPython in the board's process"


def with_engine(settings: TerminalSettings, node: pytest.Item, world: Path) -> TerminalSettings:
    """Those settings on that test's engine; what is on real time stays where it is."""
    if not settings.simulated or settings.chip or engine_of(node) == "MicroPython":
        return settings
    sources = CheckoutSources(world / "manager" / "checkout")
    return replace(settings, board={**settings.board, "hosted": sources})
