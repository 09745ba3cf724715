"""The whole server's application with a small trade, asked in this process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.parties.trade import Trade
from tests.partners.program import Program
from tests.server.shop import Shop, make_signed
from tests.suppliers import counter
from updater_server.faces import app
from updater_server.faces.front import Front
from updater_server.faces.partners import access


@pytest.fixture(scope="session")
def signed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `keys`, `repository` and `empty.db`; copy it, do not change it."""
    return make_signed(tmp_path_factory.mktemp("signed"))


@pytest.fixture(scope="session")
def with_top_ups(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A signed price list with top-ups; copy it, do not change it."""
    folder = tmp_path_factory.mktemp("signed-topups")
    counter.make_signed(folder)
    return folder


@pytest.fixture
def trade(tmp_path: Path, signed: Path) -> Iterator[Trade]:
    """A distributor, an agent under it, two merchants, and a terminal of the first."""
    shop = Shop.open(tmp_path / "data", signed / "repository")
    yield Trade(shop)
    shop.service.engine.dispose()


@pytest.fixture
def front(trade: Trade, monkeypatch: pytest.MonkeyPatch) -> Front:
    """The server's one application; nobody is too fast for it."""
    monkeypatch.setattr(access, "AT_ONCE", 1e9)
    return app.make_app(trade.shop.service)


@pytest.fixture
def ours(trade: Trade, front: Front) -> Iterator[Program]:
    """A program of the operator's that may move money."""
    with Program.new(trade, front, "ours", "", may_move=True) as made:
        yield made
