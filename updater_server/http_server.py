"""HTTP/1.1 for one ASGI application, where nobody can wait for ever. For `serving`.

`h11` reads and writes the protocol; here is only who may hold a connection, and how long. Terminals
lose their power and their network in the middle of a request, and leave the connection behind; and
anybody can open as many as a machine has. So:

- each wait has its deadline (`Limits`): for a head, for a whole request, for the next one on a
  connection that is kept, for a reply that nobody takes;
- the application is asked only when the whole request is there, so a half one costs it nothing;
- there is room for so many connections, in all and from one address; when it is full, the one that
  has kept the server waiting longest makes room. One whose request is being worked on never does.

Source: RFC 9112; RFC 9110 section 10.1.1.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
import socket
from collections import Counter
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_to_bytes

import h11

log = logging.getLogger("duka.http")

HEAD_LIMIT_BYTES = 8192
_PIECE_BYTES = 4096
_LINGER_BYTES = 8 * 1024 * 1024
_LINGER_S = 3.0
_CROWD_PARTS = 8
"""An address with so large a part of all connections makes room before others do."""
_BUSY = b"HTTP/1.1 503 \r\nretry-after: 5\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"

Message = MutableMapping[str, Any]
Application = Callable[
    [Any, Callable[[], Awaitable[Any]], Callable[[Any], Awaitable[None]]], Awaitable[None]
]


@dataclass(frozen=True)
class Limits:
    """How long and how much. A terminal's own bounds (firmware/http.py) are 100 bytes a second."""

    head_s: float = 20
    """From a request's first byte (or the opening of the connection) to the end of its head."""
    request_s: float = 90
    """From there to the end of its body."""
    idle_s: float = 75
    """From one reply to the next request."""
    reply_gap_s: float = 90
    """For each 4 KiB of a reply."""
    drain_s: float = 5
    """For what is under way when the server is told to end."""
    body_bytes: int = 64 * 1024
    connections: int = 1024
    connections_of_address: int = 512
    """Many terminals share one address of their network's."""
    backlog: int = 512


class _Refused(Exception):
    """A request that the application is not asked about."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class _Peer:
    """One connection, and since when the server waits for its far end (None: it does not)."""

    def __init__(self, address: str, transport: asyncio.WriteTransport, now: float) -> None:
        self.address = address
        self.transport = transport
        self.waiting_since: float | None = now
        self.idle = True
        """Nothing of a request is here."""
        self.task: asyncio.Task[None] | None = None


class HttpServer:
    """Serves `application` on a listening socket until `stop`."""

    def __init__(
        self, application: Application, listening: socket.socket, limits: Limits | None = None
    ) -> None:
        self._application = application
        self._listening = listening
        self._limits = limits or Limits()
        self._peers: set[_Peer] = set()
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
        peer = _Peer(address, transport, asyncio.get_running_loop().time())
        peer.task = asyncio.current_task()
        self._peers.add(peer)
        self._of_address[address] += 1
        try:
            await _Conversation(self, peer, reader, writer).run()
        except (TimeoutError, OSError):
            pass  # too slow, cut, or shed: nobody is there to be told
        except asyncio.CancelledError:
            if not self._ending.is_set():
                raise  # else `serve` gave up on it
        except h11.LocalProtocolError:
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
        stalest: _Peer | None = None
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

    @property
    def application(self) -> Application:
        """What answers."""
        return self._application

    @property
    def limits(self) -> Limits:
        """How long and how much."""
        return self._limits

    @property
    def ending(self) -> bool:
        """Whether `stop` was called."""
        return self._ending.is_set()


class _Conversation:
    """Requests and replies of one connection, one after another."""

    def __init__(
        self,
        server: HttpServer,
        peer: _Peer,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self._server = server
        self._limits = server.limits
        self._peer = peer
        self._reader = reader
        self._writer = writer
        self._loop = asyncio.get_running_loop()
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=HEAD_LIMIT_BYTES)

    async def run(self) -> None:
        """Until one side has had enough."""
        first_s = self._limits.head_s
        while not self._server.ending:
            try:
                asked = await self._request(first_s)
                if asked is None:
                    return
                await self._answer(*asked)
            except (_Refused, h11.RemoteProtocolError) as error:
                status = error.status if isinstance(error, _Refused) else error.error_status_hint
                await self._refuse(status)
                return
            if self._http.our_state is not h11.DONE or self._http.their_state is not h11.DONE:
                return
            self._http.start_next_cycle()
            first_s = self._limits.idle_s

    async def _request(self, first_s: float) -> tuple[h11.Request, bytes] | None:
        """The next whole request; None at the end of the connection."""
        peer, limits = self._peer, self._limits
        peer.waiting_since = self._loop.time()
        peer.idle = True
        request: h11.Request | None = None
        body = bytearray()
        async with asyncio.timeout(first_s) as deadline:
            while True:
                event = self._http.next_event()
                if event is h11.NEED_DATA:
                    if request and self._http.they_are_waiting_for_100_continue:
                        go_on = h11.InformationalResponse(status_code=100, headers=[])
                        self._writer.write(self._http.send(go_on) or b"")
                    data = await self._reader.read(_PIECE_BYTES)
                    if peer.idle and data:
                        peer.idle = False
                        deadline.reschedule(self._loop.time() + limits.head_s)
                    self._http.receive_data(data)
                elif isinstance(event, h11.Request):
                    request = event
                    peer.idle = False
                    deadline.reschedule(self._loop.time() + limits.request_s)
                    if _told_length(request) > limits.body_bytes:
                        raise _Refused(413)
                elif isinstance(event, h11.Data):
                    body += event.data
                    if len(body) > limits.body_bytes:
                        raise _Refused(413)
                elif isinstance(event, h11.EndOfMessage):
                    assert request is not None
                    peer.waiting_since = None
                    return request, bytes(body)
                else:  # closed, or given up
                    return None

    async def _answer(self, request: h11.Request, body: bytes) -> None:
        """Send what the application says, piece by piece as it says it.

        No reason phrase, server name or date: nobody's terminal reads them, and each byte is paid
        for.
        """
        scope = self._scope(request)
        bare = request.method == b"HEAD"
        head: h11.Response | None = None
        received = begun = False

        async def receive() -> Message:
            nonlocal received
            if received:
                return {"type": "http.disconnect"}
            received = True
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Message) -> None:
            nonlocal head, begun, bare
            if message["type"] == "http.response.start":
                headers = list(message.get("headers", ()))
                if self._server.ending:
                    headers.append((b"connection", b"close"))
                head = h11.Response(status_code=message["status"], headers=headers)
                bare = bare or message["status"] in (204, 304)
                return
            assert head is not None
            data = b"" if begun else self._http.send(head) or b""
            begun = True
            if message.get("body") and not bare:
                data += self._http.send(h11.Data(data=message["body"])) or b""
            if not message.get("more_body", False):
                data += self._http.send(h11.EndOfMessage()) or b""
            await self._write(data)

        try:
            await self._server.application(scope, receive, send)
        except (TimeoutError, OSError, h11.LocalProtocolError):
            raise
        except Exception:
            log.exception("the application failed at %s", scope["path"])
            if begun:
                raise ConnectionAbortedError from None
            raise _Refused(500) from None

    async def _write(self, data: bytes) -> None:
        """All of `data`, as fast as the far end takes it."""
        for at in range(0, len(data), _PIECE_BYTES):
            self._writer.write(data[at : at + _PIECE_BYTES])
            self._peer.waiting_since = self._loop.time()
            async with asyncio.timeout(self._limits.reply_gap_s):
                await self._writer.drain()
            self._peer.waiting_since = None

    def _scope(self, request: h11.Request) -> Message:
        target = request.target
        if target[:7].lower() == b"http://":  # to a proxy (RFC 9112 section 3.2.2)
            target = b"/" + target[7:].partition(b"/")[2]
        raw_path, _, query = target.partition(b"?")
        if not raw_path.startswith(b"/"):
            raise _Refused(400)
        try:
            path = unquote_to_bytes(raw_path).decode()
        except UnicodeDecodeError:
            raise _Refused(400) from None
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": request.http_version.decode("ascii"),
            "method": request.method.decode("ascii"),
            "scheme": "http",
            "path": path,
            "raw_path": raw_path,
            "query_string": query,
            "root_path": "",
            "headers": [(bytes(name), bytes(value)) for name, value in request.headers],
            "client": self._writer.get_extra_info("peername", ("", 0))[:2],
            "server": self._writer.get_extra_info("sockname", ("", 0))[:2],
            "state": {},
            "extensions": {},
        }

    async def _refuse(self, status: int) -> None:
        """Say no, and read on for a moment: a far end that is still sending would be cut off before
        it has read why (RFC 9112 section 9.6).
        """
        peer = self._peer
        peer.waiting_since = peer.waiting_since or self._loop.time()
        if self._http.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            headers = [(b"content-length", b"0"), (b"connection", b"close")]
            self._writer.write(
                self._http.send(h11.Response(status_code=status, headers=headers)) or b""
            )
        async with asyncio.timeout(_LINGER_S):
            await self._writer.drain()
            self._writer.write_eof()
            left = _LINGER_BYTES
            while left > 0 and (data := await self._reader.read(65536)):
                left -= len(data)


def _network(address: str) -> str:
    """Whose an address is: a site has 2^64 of IPv6, and one of IPv4."""
    if ":" not in address or address.startswith("::ffff:"):
        return address
    return str(ipaddress.ip_network((address.partition("%")[0], 64), strict=False))


def _told_length(request: h11.Request) -> int:
    for name, value in request.headers:
        if name == b"content-length":
            return int(value)  # h11 has checked that it is one number
    return 0


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
