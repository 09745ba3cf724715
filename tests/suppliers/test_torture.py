"""The short form of `inv suppliers`: lost, doubled and unresolved are 0, and servers that are wrong
on purpose are noticed.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.suppliers import torture
from tests.suppliers.wrong_builds import WRONG_BUILDS, WrongBuild

SALES = 120


@pytest.mark.parametrize("seed", [1, 2])
def test_whatever_goes_wrong_nothing_is_lost_doubled_or_left_open(
    tmp_path: Path, signed: Path, seed: int
) -> None:
    found = torture.run(tmp_path / "counter", signed, SALES, seed)
    assert found.is_sound(), found
    assert found.delivered > SALES / 4
    assert found.refused > SALES / 8


def test_a_connection_that_is_lost_at_any_byte_loses_and_doubles_nothing(
    tmp_path: Path, signed: Path
) -> None:
    found = torture.run_bytes(tmp_path / "counter", signed, stride=37)
    assert found.is_sound(), found
    assert found.delivered > found.sales / 3
    assert found.refused > found.sales / 8


@pytest.mark.parametrize("wrong", WRONG_BUILDS, ids=lambda wrong: wrong.name)
def test_a_wrong_server_is_noticed(tmp_path: Path, signed: Path, wrong: WrongBuild) -> None:
    with wrong.made():
        found = torture.run(tmp_path / "counter", signed, 80, 1)
    assert getattr(found, wrong.says), found
