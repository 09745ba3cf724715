"""Fixtures of the suppliers' tests: one signed price list a session, a fresh counter each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.suppliers.counter import Counter, make_signed, opened


@pytest.fixture(scope="session")
def signed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `keys`, `repository` and `empty.db`; copy it, do not change it."""
    folder = tmp_path_factory.mktemp("signed-topups")
    make_signed(folder)
    return folder


@pytest.fixture
def counter(tmp_path: Path, signed: Path) -> Iterator[Counter]:
    """A server and an operator who does what he should."""
    with opened(tmp_path / "counter", signed) as made:
        yield made
