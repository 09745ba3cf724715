"""The short form of `inv suppliers`: lost, doubled and unresolved are 0, and servers that are wrong
on purpose are noticed.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.suppliers import days, torture
from tests.suppliers.days import Course
from tests.suppliers.wrong_builds import WRONG_BUILDS, WrongBuild

SALES = 300


@pytest.mark.parametrize("supplier", torture.SUPPLIERS)
def test_whatever_goes_wrong_nothing_is_lost_doubled_or_left_open(
    tmp_path: Path, signed: Path, supplier: str
) -> None:
    found = days.run(tmp_path / "counter", signed, Course(SALES, 1, supplier, a_day=200))
    assert found.is_sound(), found
    assert found.delivered > SALES / 8
    assert found.refused > SALES / 8


def test_the_same_seed_is_the_same_days(tmp_path: Path, signed: Path) -> None:
    course = Course(60, 7)
    first, second = (days.run(tmp_path / name, signed, course) for name in ("first", "second"))
    assert first == second
    assert first != days.run(tmp_path / "third", signed, Course(60, 8))


@pytest.mark.parametrize("supplier", torture.SUPPLIERS)
def test_real_sockets_threads_and_time_lose_and_double_nothing(
    tmp_path: Path, signed: Path, supplier: str
) -> None:
    found = torture.run(tmp_path / "counter", signed, 60, 1, supplier)
    assert found.is_sound(), found
    assert found.delivered
    assert found.refused


@pytest.mark.parametrize("supplier", torture.SUPPLIERS)
def test_a_connection_that_is_lost_at_any_byte_loses_and_doubles_nothing(
    tmp_path: Path, signed: Path, supplier: str
) -> None:
    found = days.run_bytes(tmp_path / "counter", signed, supplier, 61)
    assert found.is_sound(), found
    assert found.delivered
    assert found.refused


@pytest.mark.parametrize("wrong", WRONG_BUILDS, ids=lambda wrong: wrong.name)
def test_a_wrong_server_is_noticed(tmp_path: Path, signed: Path, wrong: WrongBuild) -> None:
    with wrong.made():
        found = days.run(tmp_path / "counter", signed, Course(wrong.sales, 1, wrong.supplier))
    assert getattr(found, wrong.says), found
