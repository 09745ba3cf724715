"""The server's fixtures."""

from tests.server.conftest import signed

__all__ = ["signed"]
