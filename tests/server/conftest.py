"""Fixtures of the server's tests: one signed repository a session, a fresh server each.

A file that says `ON_BOTH_ENGINES` is a contract: each of its tests that it names there (or that has
a store, if it says True) runs on SQLite and on PostgreSQL.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from securesystemslib.signer import Signer

from tests.server.engines import Store
from tests.server.shop import PASSPHRASE, Shop, make_signed
from updater_server import channels

Office = tuple[channels.Repository, list[Signer]]


@pytest.fixture(scope="session")
def signed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `keys`, `repository` and `empty.db`; copy it, do not change it."""
    return make_signed(tmp_path_factory.mktemp("signed"))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """What is asked of one store is asked of both."""
    both = getattr(metafunc.module, "ON_BOTH_ENGINES", ())
    if "store" not in metafunc.fixturenames:
        return
    named = [mark.args[0] for mark in metafunc.definition.iter_markers("parametrize")]
    if "store" not in named and (both is True or metafunc.function.__name__ in both):
        metafunc.parametrize("store", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture
def store(request: pytest.FixtureRequest) -> Store:
    """Where a server keeps its books: as many empty databases of one engine as are asked for."""
    return Store(getattr(request, "param", "sqlite"))


@pytest.fixture
def shop(tmp_path: Path, signed: Path, store: Store) -> Iterator[Shop]:
    """A server in this process with signed prices, no terminal and no vouchers yet."""
    made = Shop.open(tmp_path / "data", signed / "repository", store.new_url())
    yield made
    made.service.engine.dispose()


@pytest.fixture
def office(tmp_path: Path, signed: Path) -> Office:
    """A repository of one's own and all its keys."""
    shutil.copytree(signed / "repository", tmp_path / "repository")
    signers = channels.keys.load_all(signed / "keys", PASSPHRASE)
    return channels.Repository.open(tmp_path / "repository"), signers
