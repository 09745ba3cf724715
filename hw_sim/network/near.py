"""Connections inside the simulator: to a host that lives on the same event loop, without sockets.

What one side writes, the other can read at once, all of it: so what crosses the link afterwards is
the same on any machine, where a socket hands on as much as its buffers please.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol


class Writer(Protocol):
    """What is used of an `asyncio.StreamWriter`."""

    def write(self, data: bytes) -> None:
        """Send."""
        ...

    async def drain(self) -> None:
        """Wait until there is room to send more."""
        ...

    def close(self) -> None:
        """End it in order."""
        ...


Connection = tuple[asyncio.StreamReader, Writer]
Host = Callable[[asyncio.StreamReader, Writer], Awaitable[None]]
"""Serves one connection; as `asyncio.start_server` calls back."""


class NearWriter:
    """Feeds the reader of the other side. Raises ConnectionResetError once that has gone away."""

    def __init__(self, far: asyncio.StreamReader) -> None:
        self._far = far
        self.closed = False
        """Whether this side has ended it."""
        self.other: NearWriter | None = None

    def write(self, data: bytes) -> None:
        """Send; to a side that has closed it goes nowhere."""
        if not self.closed and self.other is not None and not self.other.closed:
            self._far.feed_data(data)

    async def drain(self) -> None:
        """There is always room. ConnectionResetError when nobody is there."""
        if self.closed or self.other is None or self.other.closed:
            raise ConnectionResetError("the other side has closed")

    def close(self) -> None:
        """End it: the other side reads what is there, then the end."""
        if not self.closed:
            self.closed = True
            if not self._far.at_eof():
                self._far.feed_eof()

    def reset(self) -> None:
        """End it with an error on the other side."""
        if not self.closed:
            self.closed = True
            self._far.set_exception(ConnectionResetError("reset by the other side"))


def connect(host: Host) -> Connection:
    """A connection to `host`, which serves it in a task of its own."""
    here, there = asyncio.StreamReader(), asyncio.StreamReader()
    to_there, to_here = NearWriter(there), NearWriter(here)
    to_there.other, to_here.other = to_here, to_there

    async def serve() -> None:
        try:
            await host(there, to_here)
        finally:
            to_here.close()

    task = asyncio.get_running_loop().create_task(serve())
    _serving.add(task)
    task.add_done_callback(_serving.discard)
    return here, to_there


_serving: set[asyncio.Task[None]] = set()
"""A loop keeps only weak references to its tasks."""
