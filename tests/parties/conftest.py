"""A server with a small trade above its terminals."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.parties.trade import Trade
from tests.server.shop import Shop, make_signed


@pytest.fixture(scope="session")
def signed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `keys`, `repository` and `empty.db`; copy it, do not change it."""
    return make_signed(tmp_path_factory.mktemp("signed"))


@pytest.fixture
def trade(tmp_path: Path, signed: Path) -> Iterator[Trade]:
    """A distributor, an agent under it, two merchants, and a terminal of the first."""
    shop = Shop.open(tmp_path / "data", signed / "repository")
    yield Trade(shop)
    shop.service.engine.dispose()
