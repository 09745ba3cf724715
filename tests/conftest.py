"""What holds for every test."""

from __future__ import annotations

import functools
import gc

import typer.main
import typer.testing

# Typer makes an app's commands anew for each line that is typed: eight tenths of a short command's
# time. What it makes does not depend on the line.
typer.testing._get_command = functools.cache(typer.main.get_command)  # type: ignore[attr-defined]


def pytest_collection_finish() -> None:
    """Device code tidies its small heap often. Let that not walk through all of the test suite's
    modules each time: it took nine tenths of some tests' time.
    """
    gc.collect()
    gc.freeze()
