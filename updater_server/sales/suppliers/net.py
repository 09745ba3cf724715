"""The network as an adapter sees it: a connection, and the clock by which its deadline runs. For
the adapters; a test may give them another.
"""

from __future__ import annotations

import socket
import time
from typing import Protocol


class Connection(Protocol):
    """What is used of a connected socket."""

    def settimeout(self, seconds: float | None, /) -> None:
        """How long `recv` waits, and each piece of `sendall`."""

    def sendall(self, data: bytes, /) -> None:
        """Raises OSError: it may have been sent, or a part of it."""

    def recv(self, most: int, /) -> bytes:
        """What came; nothing at the end. Raises OSError."""

    def close(self) -> None:
        """Let it go."""


class Net:
    """The real one."""

    def connect(self, host: str, port: int, timeout_s: float) -> Connection:
        """A connection by TCP. Raises OSError: there is none, and not a byte was sent."""
        return socket.create_connection((host, port), timeout=timeout_s)

    def now(self) -> float:
        """Seconds of a clock that only goes forward."""
        return time.monotonic()

    def unix(self) -> float:
        """Unix seconds."""
        return time.time()


REAL = Net()
