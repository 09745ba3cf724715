"""What holds for every test."""

from __future__ import annotations

import gc


def pytest_collection_finish() -> None:
    """Device code tidies its small heap often. Let that not walk through all of the test suite's
    modules each time: it took nine tenths of some tests' time.
    """
    gc.collect()
    gc.freeze()
