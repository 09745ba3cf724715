"""One connection's requests and replies, each within its time. For `http_server`.

`h11` reads and writes the protocol. Each wait has its deadline (`Limits`): for a head, for a whole
request, for the next one on a connection that is kept, for a reply that nobody takes. The
application is asked only when the whole request is there, so a half one costs it nothing.

Source: RFC 9112; RFC 9110 section 10.1.1.
"""

from __future__ import annotations

import asyncio
import logging
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


class _Refused(Exception):
    """A request that the application is not asked about."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


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
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=HEAD_LIMIT_BYTES)

    async def run(self) -> None:
        """Until one side has had enough."""
        first_s = self._limits.head_s
        while not self._ending.is_set():
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
        received = begun = is_gone = False

        async def receive() -> Message:
            nonlocal received
            if received:
                return {"type": "http.disconnect"}
            received = True
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Message) -> None:
            nonlocal head, begun, bare, is_gone
            if message["type"] == "http.response.start":
                headers = list(message.get("headers", ()))
                if self._ending.is_set():
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
            try:
                await self._write(data)
            except OSError:
                is_gone = True
                raise

        try:
            await self._application(scope, receive, send)
        except (TimeoutError, OSError, h11.LocalProtocolError):
            raise
        except Exception:
            if is_gone:  # the application's framework said so in an exception of its own
                raise ConnectionAbortedError from None
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


def _told_length(request: h11.Request) -> int:
    for name, value in request.headers:
        if name == b"content-length":
            return int(value)  # h11 has checked that it is one number
    return 0
