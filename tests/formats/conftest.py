"""The server's fixtures, for the tests that go from one side to the other."""

from tests.server.conftest import shop, signed, store

__all__ = ["shop", "signed", "store"]
