"""HTTP/1.1 for one ASGI application, where nobody can wait for ever. For `serving`.

Here is who may hold a connection; `http_connection` is how long. Terminals lose their power and
their network in the middle of a request, and leave the connection behind; and anybody can open as
many as a machine has. So there is room for so many connections, in all and from one address; when
it is full, the one that has kept the server waiting longest makes room. One whose request is being
worked on never does.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
import socket
from collections import Counter

from updater_server.faces.http_connection import (
    Application,
    Conversation,
    Limits,
    Peer,
)
from updater_server.faces.http_reply import UnfitReply
from updater_server.faces.http_request import HEAD_LIMIT_BYTES

log = logging.getLogger("duka.http")

_CROWD_PARTS = 8
"""An address with so large a part of all connections makes room before others do."""
_BUSY = b"HTTP/1.1 503 \r\nretry-after: 5\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


class HttpServer:
    """Serves `application` on a listening socket until `stop`."""

    def __init__(
        self, application: Application, listening: socket.socket, limits: Limits | None = None
    ) -> None:
        self._application = application
        self._listening = listening
        self._limits = limits or Limits()
        self._peers: set[Peer] = set()
        self._of_address: Counter[str] = Counter()
        self._ending = asyncio.Event()

    @property
    def connections(self) -> int:
        """How many are open."""
        return len(self._peers)

    def stop(self) -> None:
        """Take no more; `serve` returns when what is under way is done, or after `drain_s`."""
        self._ending.set()

    async def serve(self) -> None:
        """Serve until `stop`."""
        probe(self._listening)
        server = await asyncio.start_server(
            self._connected,
            sock=self._listening,
            limit=2 * HEAD_LIMIT_BYTES,
            backlog=self._limits.backlog,
        )
        await self._ending.wait()
        server.close()
        for peer in [peer for peer in self._peers if peer.idle]:
            peer.transport.abort()
        tasks = [peer.task for peer in self._peers if peer.task]
        if tasks:
            await asyncio.wait(tasks, timeout=self._limits.drain_s)
        for peer in list(self._peers):
            peer.transport.abort()
            if peer.task:
                peer.task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # --- connections ---

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        transport = writer.transport
        address = _network(str((writer.get_extra_info("peername") or ("",))[0]))
        if self._ending.is_set() or not self._make_room(address):
            transport.write(_BUSY)
            transport.close()
            return
        transport.set_write_buffer_limits(high=0)  # what is drained is out of our hands
        peer = Peer(address, transport, asyncio.get_running_loop().time())
        peer.task = asyncio.current_task()
        self._peers.add(peer)
        self._of_address[address] += 1
        try:
            await Conversation(
                self._application, self._limits, self._ending, peer, reader, writer
            ).run()
        except (TimeoutError, OSError):
            pass  # too slow, cut, or shed: nobody is there to be told
        except asyncio.CancelledError:
            if not self._ending.is_set():
                raise  # else `serve` gave up on it
        except UnfitReply:
            log.exception("the application's answer is no HTTP")
        finally:
            self._peers.discard(peer)
            self._of_address[address] -= 1
            if not self._of_address[address]:
                del self._of_address[address]
            transport.abort() if transport.get_write_buffer_size() else transport.close()

    def _make_room(self, address: str) -> bool:
        """Whether one more connection of `address` may stay; the stalest one goes for it."""
        limits = self._limits
        if self._of_address[address] >= limits.connections_of_address:
            return self._shed(address)
        if len(self._peers) < limits.connections:
            return True
        crowd, count = self._of_address.most_common(1)[0]
        crowded = count * _CROWD_PARTS >= limits.connections
        return (crowded and self._shed(crowd)) or self._shed(None)

    def _shed(self, address: str | None) -> bool:
        """Drop the connection (of `address`) for which the server has waited longest."""
        stalest: Peer | None = None
        for peer in self._peers:
            if peer.waiting_since is None or (address is not None and peer.address != address):
                continue
            if stalest is None or peer.waiting_since < (stalest.waiting_since or 0):
                stalest = peer
        if stalest is None:
            return False
        self._peers.discard(stalest)
        stalest.waiting_since = None
        stalest.transport.abort()
        return True


def _network(address: str) -> str:
    """Whose an address is: a site has 2^64 of IPv6, and one of IPv4."""
    if ":" not in address or address.startswith("::ffff:"):
        return address
    return str(ipaddress.ip_network((address.partition("%")[0], 64), strict=False))


def probe(listening: socket.socket) -> None:
    """TCP keep-alive for every connection that comes in: who vanished without a word is noticed
    within a minute and a half. Linux hands the options of the listening socket down.
    """
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    wanted = (("TCP_KEEPIDLE", 45), ("TCP_KEEPINTVL", 15), ("TCP_KEEPCNT", 3),
              ("TCP_USER_TIMEOUT", 90_000), ("TCP_NODELAY", 1))  # fmt: skip
    for name, value in wanted:
        option = getattr(socket, name, None)
        if option is not None:
            with contextlib.suppress(OSError):  # not every system has each
                listening.setsockopt(socket.IPPROTO_TCP, option, value)
