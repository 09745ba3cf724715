"""The arithmetic of a million terminals follows from what was measured, and from nothing else."""

from __future__ import annotations

import dataclasses

import pytest

from tests.measure.million import Assumed, Measured, needed

SEEN = Measured(
    sale_cpu_ms=2.0, sync_cpu_ms=1.0, check_in_cpu_ms=1.0, sale_db_cpu_ms=1.0, sync_db_cpu_ms=0.5,
    check_in_db_cpu_ms=0.5, sales_a_second=120, sale_disk_bytes=2000, sale_wal_bytes=5000,
    window_cpu_us=30, window_disk_bytes=180, sale_air_bytes=200, sync_air_bytes=300,
    idle_day_air_bytes=2000, release_air_bytes=9000,
)  # fmt: skip


def test_twenty_sales_a_day_of_a_million_are_231_a_second_and_ten_of_this_machine_at_the_peak() -> (
    None
):
    found = needed(SEEN, Assumed())
    assert found.sales_a_second == pytest.approx(231.5, abs=0.1)
    assert found.times_this_machine == 10
    # 1200/s of 3 ms, and 93 check-ins of 1 ms: 3.7 cores, half busy
    assert found.server_cores == 8
    assert found.server_machines == 2
    assert found.database_cores == 4
    assert found.wal_mb_a_second == 6.0
    assert found.disk_gb == pytest.approx(20e6 * 2000 * 365 / 1e9)


def test_airtime_is_the_sales_the_idle_day_and_a_share_of_the_releases() -> None:
    found = needed(SEEN, Assumed())
    assert found.air_bytes_a_day == pytest.approx(20 * 500 + 2000 + 4 / 30 * 9000)
    assert found.airtime_dollars == pytest.approx(found.air_bytes_a_day * 30 * 0.02)


@pytest.mark.parametrize("name", [field.name for field in dataclasses.fields(Measured)])
def test_every_measured_figure_counts(name: str) -> None:
    more = dataclasses.replace(SEEN, **{name: 3 * getattr(SEEN, name)})
    given = Assumed(check_ins_a_day=100)  # of fewer a millisecond more fills no core
    assert needed(more, given) != needed(SEEN, given)


@pytest.mark.parametrize("name", [field.name for field in dataclasses.fields(Assumed)])
def test_every_assumption_counts(name: str) -> None:
    more = dataclasses.replace(Assumed(), **{name: 3 * getattr(Assumed(), name)})
    assert needed(SEEN, more) != needed(SEEN, Assumed())
