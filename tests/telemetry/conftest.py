"""A server that is told things, on both engines where a file says `ON_BOTH_ENGINES`."""

from __future__ import annotations

from tests.server.conftest import office, pytest_generate_tests, shop, signed, store

__all__ = ["office", "pytest_generate_tests", "shop", "signed", "store"]
