"""Fixtures of the whole picture's tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.server.shop import make_signed


@pytest.fixture(scope="session")
def signed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `keys`, `repository` and `empty.db`; copy it, do not change it."""
    return make_signed(tmp_path_factory.mktemp("signed"))
