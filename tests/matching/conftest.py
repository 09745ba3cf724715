"""A server with a day behind it, on both engines."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.matching.day import Day
from tests.server.conftest import pytest_generate_tests, store
from tests.server.engines import Store
from tests.suppliers.conftest import signed
from tests.suppliers.counter import opened

__all__ = ["pytest_generate_tests", "signed", "store"]


@pytest.fixture
def day(tmp_path: Path, signed: Path, store: Store) -> Iterator[Day]:
    """A day on which everybody says the same; it is over."""
    with opened(tmp_path / "counter", signed, url=store.new_url()) as counter:
        yield Day(counter)
