"""The short form of `inv suppliers`: lost, doubled and unresolved are 0, and servers that are wrong
on purpose are noticed.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.suppliers import torture
from tests.suppliers.wrong_builds import WRONG_BUILDS, WrongBuild

SALES = 120


@pytest.mark.parametrize("supplier", torture.SUPPLIERS)
def test_whatever_goes_wrong_nothing_is_lost_doubled_or_left_open(
    tmp_path: Path, signed: Path, supplier: str
) -> None:
    found = torture.run(tmp_path / "counter", signed, SALES, 1, supplier)
    assert found.is_sound(), found
    assert found.delivered > SALES / 8
    assert found.refused > SALES / 8


@pytest.mark.parametrize("supplier", torture.SUPPLIERS)
def test_a_connection_that_is_lost_at_any_byte_loses_and_doubles_nothing(
    tmp_path: Path, signed: Path, supplier: str
) -> None:
    found = torture.run_bytes(tmp_path / "counter", signed, 61, supplier)
    assert found.is_sound(), found
    assert found.delivered
    assert found.refused


@pytest.mark.parametrize("wrong", WRONG_BUILDS, ids=lambda wrong: wrong.name)
def test_a_wrong_server_is_noticed(tmp_path: Path, signed: Path, wrong: WrongBuild) -> None:
    with wrong.made():
        found = torture.run(tmp_path / "counter", signed, 80, 1)
    assert getattr(found, wrong.says), found
