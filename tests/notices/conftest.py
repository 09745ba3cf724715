"""A server whose alarms are raised by hand, and those who are told of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.notices.town import Town
from tests.server.shop import Shop, make_signed


@pytest.fixture(scope="session")
def signed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `keys`, `repository` and `empty.db`; copy it, do not change it."""
    return make_signed(tmp_path_factory.mktemp("signed"))


@pytest.fixture
def town(tmp_path: Path, signed: Path) -> Iterator[Town]:
    """A server with nobody to tell yet."""
    shop = Shop.open(tmp_path / "data", signed / "repository")
    made = Town(shop)
    yield made
    made.close()
    shop.service.engine.dispose()
