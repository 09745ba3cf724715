"""One connection's requests and replies, each within its time. For `http_server`.

`http_request` and `http_reply` know the protocol. Each wait has its deadline (`Limits`): for a
head, a whole request, the next one on a connection that is kept, a reply that nobody takes.
The application is asked only when the whole request is there, so a half one costs it nothing.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_to_bytes

from updater_server.faces.http_reply import GO_ON, Reply, UnfitReply, refusal
from updater_server.faces.http_request import Refused, Request, Requests

log = logging.getLogger("duka.http")

_PIECE_BYTES = 4096
_LINGER_BYTES = 8 * 1024 * 1024
_LINGER_S = 3.0

Message = MutableMapping[str, Any]
Application = Callable[
    [Any, Callable[[], Awaitable[Any]], Callable[[Any], Awaitable[None]]], Awaitable[None]
]


@dataclass(frozen=True)
class Limits:
    """How long and how much. A terminal's own bounds (`firmware.net.http`) are 100 bytes/s."""

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


class Peer:
    """One connection, and since when the server waits for its far end (None: it does not)."""

    def __init__(self, address: str, transport: asyncio.WriteTransport, now: float) -> None:
        self.address = address
        self.transport = transport
        self.waiting_since: float | None = now
        self.idle = True
        """Nothing of a request is here."""
        self.task: asyncio.Task[None] | None = None


class Conversation:
    """Requests and replies of one connection, one after another, until one side has had enough or
    `ending` is set.
    """

    def __init__(
        self,
        application: Application,
        limits: Limits,
        ending: asyncio.Event,
        peer: Peer,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self._application = application
        self._limits = limits
        self._ending = ending
        self._peer = peer
        self._reader = reader
        self._writer = writer
        self._loop = asyncio.get_running_loop()
        self._requests = Requests(limits.body_bytes)
        self._has_begun = False
        """Something of the reply that is due was said."""

    async def run(self) -> None:
        """Until one side has had enough."""
        first_s = self._limits.head_s
        while not self._ending.is_set():
            try:
                request = await self._request(first_s)
                if request is None or not await self._answer(request):
                    return
            except Refused as error:
                await self._refuse(error.status)
                return
            first_s = self._limits.idle_s

    async def _request(self, first_s: float) -> Request | None:
        """The next whole request; None at the end of the connection.

        Raises:
            Refused: what came is none.
        """
        requests, peer = self._requests, self._peer
        peer.waiting_since = self._loop.time()
        peer.idle = requests.is_idle
        self._has_begun = False
        whole = requests.next()
        if whole is None:
            async with asyncio.timeout(first_s) as deadline:
                whole = await self._whole(deadline)
        peer.waiting_since = None
        peer.idle = whole is None
        return whole

    async def _whole(self, deadline: asyncio.Timeout) -> Request | None:
        requests, peer, limits = self._requests, self._peer, self._limits
        while True:
            had_head = requests.has_head
            if requests.takes_word():
                self._writer.write(GO_ON)
            data = await self._reader.read(_PIECE_BYTES)
            if not data and requests.is_idle:
                return None
            requests.feed(data)
            if (whole := requests.next()) is not None:
                return whole
            if peer.idle and not requests.is_idle:
                peer.idle = False
                deadline.reschedule(self._loop.time() + limits.head_s)
            if requests.has_head and not had_head:
                deadline.reschedule(self._loop.time() + limits.request_s)

    async def _answer(self, request: Request) -> bool:
        """Send what the application says, piece by piece as it says it; whether another request may
        follow on this connection.

        Raises:
            UnfitReply: the application said what is no HTTP.
        """
        scope = self._scope(request)
        reply = Reply(request)
        received = is_gone = False

        async def receive() -> Message:
            nonlocal received
            if received:
                return {"type": "http.disconnect"}
            received = True
            return {"type": "http.request", "body": request.body, "more_body": False}

        async def send(message: Message) -> None:
            nonlocal is_gone
            if message["type"] == "http.response.start":
                headers = message.get("headers", ())
                reply.begin(message["status"], headers, self._ending.is_set())
                return
            data = reply.go_on(message.get("body", b""), message.get("more_body", False))
            self._has_begun = True
            try:
                await self._write(data)
            except OSError:
                is_gone = True
                raise

        try:
            await self._application(scope, receive, send)
        except (TimeoutError, OSError, UnfitReply):
            raise
        except Exception:
            if is_gone:  # the application's framework said so in an exception of its own
                raise ConnectionAbortedError from None
            log.exception("the application failed at %s", scope["path"])
            if self._has_begun:
                raise ConnectionAbortedError from None
            raise Refused(500) from None
        return reply.leaves_room_for_more

    async def _write(self, data: bytes) -> None:
        """All of `data`, as fast as the far end takes it."""
        transport = self._peer.transport
        for at in range(0, len(data), _PIECE_BYTES):
            self._writer.write(data[at : at + _PIECE_BYTES])
            if not transport.get_write_buffer_size():
                continue  # the system has it
            self._peer.waiting_since = self._loop.time()
            async with asyncio.timeout(self._limits.reply_gap_s):
                await self._writer.drain()
            self._peer.waiting_since = None

    def _scope(self, request: Request) -> Message:
        target = request.target
        if target[:7].lower() == b"http://":  # to a proxy (RFC 9112 section 3.2.2)
            target = b"/" + target[7:].partition(b"/")[2]
        raw_path, _, query = target.partition(b"?")
        if not raw_path.startswith(b"/"):
            raise Refused(400)
        try:
            path = unquote_to_bytes(raw_path).decode()
        except UnicodeDecodeError:
            raise Refused(400) from None
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": request.version,
            "method": request.method,
            "scheme": "http",
            "path": path,
            "raw_path": raw_path,
            "query_string": query,
            "root_path": "",
            "headers": request.headers,
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
        if not self._has_begun:
            self._writer.write(refusal(status))
        async with asyncio.timeout(_LINGER_S):
            await self._writer.drain()
            self._writer.write_eof()
            left = _LINGER_BYTES
            while left > 0 and (data := await self._reader.read(65536)):
                left -= len(data)
