"""What of the intake's measurement is exact, on a two-hundredth of the day."""

from __future__ import annotations

import pytest

from tests.measure.telemetry import measure

BYTES_EACH = 230
"""On SQLite, with the index; 170 to 185 when there are many."""


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_all_that_is_told_is_kept_in_few_bytes_and_given_up_with_its_day(kind: str) -> None:
    found = measure(0.005, kind)
    assert found.windows == 8600
    assert (found.kept, found.days_dropped) == (8600, 1)
    assert (0 < found.kept_bytes / found.windows < BYTES_EACH) == (kind == "sqlite")
