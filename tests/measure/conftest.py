"""Fixtures of the measurements' short forms: the server's."""

from __future__ import annotations

from tests.server.conftest import shop, signed, store

__all__ = ["shop", "signed", "store"]
