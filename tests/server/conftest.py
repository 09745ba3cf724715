"""Fixtures of the server's tests: one signed repository a session, a fresh server each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.server.shop import Shop, make_database, make_repository


@pytest.fixture(scope="session")
def signed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `keys`, `repository` and `empty.db`; copy it, do not change it."""
    folder = tmp_path_factory.mktemp("signed")
    make_database(folder / "empty.db")
    make_repository(folder / "repository", folder / "keys")
    return folder


@pytest.fixture
def shop(tmp_path: Path, signed: Path) -> Iterator[Shop]:
    """A server in this process with signed prices, no terminal and no vouchers yet."""
    made = Shop.open(tmp_path / "data", signed / "repository")
    yield made
    made.service.engine.dispose()
