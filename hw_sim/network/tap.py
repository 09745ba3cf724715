"""A box on the way between a terminal's network and the server, that sees every HTTP exchange.

For what an owned network, a lost reply or a malicious server does, and for who shows what a
terminal says: the server behind it is the real one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from hw_sim.loop_thread import LoopThread
from hw_sim.network.near import Writer
from hw_sim.simulated import SimulatedThread


class HasPort(Protocol):
    """A server on loopback; asked for its port at each connection, so it may be restarted."""

    @property
    def port(self) -> int:
        """Where it listens now."""
        ...


@dataclass
class Exchange:
    """One request, and the whole answer of the server as it would go on."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    status: int
    reply_head: bytes
    reply_body: bytes

    @property
    def reply(self) -> bytes:
        """The answer's bytes on the wire."""
        return self.reply_head + b"\r\n\r\n" + self.reply_body

    def with_body(self, body: bytes) -> bytes:
        """An answer 200 with another body."""
        return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body

    @property
    def first_byte(self) -> int:
        """Where the range begins that was asked for; 0 without one."""
        span = self.headers.get("range", "bytes=0-").removeprefix("bytes=")
        return int(span.partition("-")[0])


class Tap:
    """Passes everything on until told otherwise.

    `change` is called on the board's thread with each exchange, once the server has answered: what
    it returns goes to the terminal, None breaks the connection instead.

    """

    def __init__(
        self,
        loop: LoopThread,
        server: HasPort,
        before_asking: Callable[[], None] = lambda: None,
    ) -> None:
        """`before_asking` is called each time before the server is asked.

        On simulated time the clock stands still until the server has answered.
        """
        self._loop = loop
        self._server = server
        self._before_asking = before_asking
        self.exchanges: list[Exchange] = []
        self.change: Callable[[Exchange], bytes | None] = lambda exchange: exchange.reply
        self._listener = loop.run(asyncio.start_server(self.serve, "127.0.0.1", 0))
        self.port: int = self._listener.sockets[0].getsockname()[1]

    def close(self) -> None:
        """Stop listening."""
        self._loop.call(self._listener.close)

    def asked(self, part: str) -> list[Exchange]:
        """The exchanges so far whose path has `part` in it."""
        return [exchange for exchange in list(self.exchanges) if part in exchange.path]

    async def serve(self, reader: asyncio.StreamReader, writer: Writer) -> None:
        """One connection of the terminal's."""
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                lines = head.decode("latin-1").split("\r\n")
                method, path, _ = lines[0].split(" ")
                headers = _headers(lines[1:])
                body = await reader.readexactly(int(headers.get("content-length", "0")))
                reply_head, reply_body = await self._ask(method, head + body)
                status = int(reply_head.split(b" ")[1])
                exchange = Exchange(method, path, headers, body, status, reply_head, reply_body)
                self.exchanges.append(exchange)
                answer = self.change(exchange)
                if answer is None:
                    return
                writer.write(answer)
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # either side hung up, or the bench is cleared
        finally:
            writer.close()

    async def _ask(self, method: str, request: bytes) -> tuple[bytes, bytes]:
        self._before_asking()
        if isinstance(self._loop, SimulatedThread):
            with self._loop.simulated.hold("the server"):
                return await self._exchange(request)
        return await self._exchange(request)

    async def _exchange(self, request: bytes) -> tuple[bytes, bytes]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._server.port)
        try:
            writer.write(request)
            await writer.drain()
            head = (await reader.readuntil(b"\r\n\r\n"))[:-4]
            length = _headers(head.decode("latin-1").split("\r\n")[1:]).get("content-length", "0")
            return head, await reader.readexactly(int(length))
        finally:
            writer.close()


def _headers(lines: list[str]) -> dict[str, str]:
    pairs = [line.split(":", 1) for line in lines if ":" in line]
    return {name.strip().lower(): value.strip() for name, value in pairs}
