"""A town's fixtures."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.days.prices import make_signed


@pytest.fixture(scope="session")
def signed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """See `tests.days.prices`."""
    return make_signed(tmp_path_factory.mktemp("signed"))
