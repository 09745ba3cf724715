"""Days of trade while the server ends anywhere: no promise about money is broken, and a server
that breaks one is found.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.days.town import Figures, Town
from tests.days.wrong_builds import WRONG_BUILDS, WrongBuild
from tests.server.engines import Store

ENOUGH_DAYS = 4
"""Each wrong build is found within so many days of its seed."""


def _live(folder: Path, signed: Path, engine: str, days: int, seed: int = 1) -> Figures:
    return Town(folder, signed, Store(engine).new_url(), seed).live(days)


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_days_in_which_the_server_ends_anywhere_keep_every_promise(
    tmp_path: Path, signed: Path, engine: str
) -> None:
    found = _live(tmp_path, signed, engine, days=2)
    assert found.broken == [], found.why
    assert found.crashes > 1
    assert found.sales > 1
    assert found.orders > 1


def test_the_same_seed_is_the_same_days(tmp_path: Path, signed: Path) -> None:
    first = _live(tmp_path / "first", signed, "sqlite", days=1, seed=5)
    assert _live(tmp_path / "again", signed, "sqlite", days=1, seed=5) == first
    assert _live(tmp_path / "other", signed, "sqlite", days=1, seed=6) != first


@pytest.mark.parametrize("wrong", WRONG_BUILDS, ids=lambda wrong: wrong.name)
def test_a_server_that_breaks_a_promise_is_found_by_name(
    tmp_path: Path, signed: Path, wrong: WrongBuild
) -> None:
    town = Town(tmp_path, signed, "", wrong.seed, wrong.spoil)
    with wrong.made():
        found = town.live(ENOUGH_DAYS)
    names = {name for _, name in found.broken}
    assert wrong.says in names, found
    if wrong.alone:
        assert names == {wrong.says}, found
