"""The days of tests/matching: sales of every kind."""

from __future__ import annotations

from tests.matching.conftest import day, pytest_generate_tests, signed, store

__all__ = ["day", "pytest_generate_tests", "signed", "store"]
