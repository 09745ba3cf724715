"""A fleet with a past: made once, given to each test as a copy of its own."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.board.scene import Scene, again, begin, give_online_keys, settle, two_weeks
from tests.server.shop import PASSPHRASE, make_signed

FLEET = 2_000


@pytest.fixture(scope="session")
def signed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `keys`, `repository` and `empty.db`; copy it, do not change it."""
    return make_signed(tmp_path_factory.mktemp("signed"))


@pytest.fixture(scope="session")
def lived(tmp_path_factory: pytest.TempPathFactory, signed: Path) -> Path:
    """The data folder of a shop with two weeks of releases; copy it."""
    folder = tmp_path_factory.mktemp("lived") / "data"
    scene = begin(folder, signed)
    two_weeks(scene, FLEET)
    give_online_keys(scene, signed)
    settle(scene, FLEET)
    scene.shop.service.engine.dispose()
    return folder


@pytest.fixture
def scene(
    tmp_path: Path, lived: Path, signed: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Scene]:
    """Such a shop, whose server has the keys to halt by itself."""
    monkeypatch.setenv("DUKA_ONLINE_PASSPHRASE", PASSPHRASE)
    shutil.copytree(lived, tmp_path / "data")
    made = again(tmp_path / "data", signed)
    yield made
    made.shop.service.engine.dispose()
