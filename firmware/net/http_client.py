"""HTTP over the modem's TCP connection: few bytes, one kept-alive connection, one owner at a time.

The update client and the message exchange share one `HttpClient`.
"""

import asyncio

from bootloader.shared.compat import const, sleep_ms, ticks_add, ticks_diff, ticks_ms
from firmware.net.http import (
    UNTIL_END,
    BadResponse,
    ConnectionLost,
    GaveWay,
    HttpError,
    Response,
    TooLarge,
    body_length,
    chunk_size,
    counts,
    encode_request,
    parse_head,
)
from firmware.net.modem.errors import LinkTimeout, ModemError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Protocol

    from firmware.net.http import Headers

    Sink = Callable[[bytes | memoryview], object]
    OnHead = Callable[[int, Headers], object]

    class Transport(Protocol):
        """One TCP connection. It fails with OSError or ModemError; `connected`: it is open. What
        others use as well has a `lock` (asyncio.Lock), held here while a reply is under way.
        """

        connected: bool

        async def open(self, host: str, port: int) -> None: ...
        async def send(self, data: bytes) -> None: ...
        async def receive(self, max_bytes: int, timeout_ms: int) -> bytes | memoryview:
            """What came, valid until the next call; empty at the end."""

        async def close(self) -> None: ...


HEAD_LIMIT_BYTES = const(16384)
BODY_LIMIT_BYTES = const(16384)
_INTERIM_LIMIT = const(4)
_REASON_LIMIT_BYTES = const(512)
_PIECE_BYTES = const(512)
_JOIN_BYTES = const(900)
_CHUNK_LINE_BYTES = const(128)
_HEAD_LINE_BYTES = const(512)
# What chunks may cost besides their content: this, and so much for each byte of it (a server that
# sends every byte as a chunk takes five).
_FRAMING_BYTES = const(2048)
_FRAMING_A_BYTE = const(5)
# What is left of a reply is read to its end even while a sale waits, if it is no more: closing and
# opening a connection takes as long.
_FINISH_BYTES = const(2048)
_SLICE_MS = const(500)


class HttpClient:
    """Requests to one server, one after another: whoever calls while another's is under way waits
    for its turn.

    In ms: `head_ms` from the request sent to the whole head (`kept_ms` on a connection that was
    kept open: it may be half dead), `gap_ms` between two pieces of a body, and the whole body at no
    less than 100 bytes a second. `bytes_received` counts what came in all. `told(answered)` hears
    how each request went: whether any answer began. `address`: where a datagram found the server,
    "" while nobody knows and after an exchange that went wrong. `sales`: how many wait for the
    server now: then no GET begins or, if much is still to come, goes on; all else is ended.
    """

    def __init__(self, transport: "Transport", host: str, port: int) -> None:
        self.transport = transport
        self.host = host
        self.port = port
        self.head_ms = 15000
        self.kept_ms = 10000
        self.gap_ms = 20000
        self.address = ""
        self.bytes_received = 0
        self.sales = 0
        self.told: Callable[[bool], object] | None = None
        self._lock: asyncio.Lock = getattr(transport, "lock", None) or asyncio.Lock()
        self._name = host if port == 80 else host + ":%d" % port

    async def request(
        self,
        method: str,
        path: str,
        headers: "Sequence[tuple[str, str]]" = (),
        body: bytes = b"",
        sink: "Sink | None" = None,
        limit_bytes: int = BODY_LIMIT_BYTES,
        on_head: "OnHead | None" = None,
    ) -> Response:
        """One request, one `Response`. A 200's or 206's body goes to a `sink(view)` in pieces.

        `on_head(status, headers)` may raise before any byte of the body is taken.
        `headers`: (name, value) pairs. A GET is sent once more if the kept-alive connection turns
        out dead before any byte of a reply; nothing else ever is.

        Raises:
            ConnectionLost: no connection, cut or too slow.
            GaveWay: only a GET; what `sink` got of it is good.
            BadResponse, TooLarge: see there. The connection is closed.
            ValueError: the request itself is malformed. Whatever `sink` raises passes through.
        """
        head = encode_request(method, self._name, path, headers, body)
        answer = _Answer(self, method, sink, limit_bytes, on_head)
        while True:
            async with self._lock:
                if method != "GET" or not self.sales:
                    response = await self._alone(head, body, answer)
                    if response:
                        return response
            await sleep_ms(20)  # to the end of the queue

    async def _alone(self, head: bytes, body: bytes, answer: "_Answer") -> Response | None:
        """One exchange, with `_lock` held; None if a sale came before anything was asked."""
        done = False
        try:
            response = await self._exchange(head, body, answer)
            done = not answer.is_last
            return response
        except HttpError as error:
            if not isinstance(error, GaveWay):
                self.address = ""
            if self.told and isinstance(error, ConnectionLost):
                self.told(False)
            raise
        finally:
            if not done:
                # A reply that was not read to its end must never be taken for the next one's.
                await self.transport.close()

    async def _exchange(self, head: bytes, body: bytes, answer: "_Answer") -> Response | None:
        transport = self.transport
        is_get = answer.method == "GET"
        for attempt in range(2):
            reused = transport.connected
            asked = False
            try:
                if not reused:
                    await transport.open(self.address or self.host, self.port)
                if is_get and self.sales:
                    return None  # nothing was asked yet: the open connection is the sale's
                # One piece if it can be: the modem waits for the far end after each.
                joined = len(body) < _JOIN_BYTES
                asked = True
                await transport.send(head + body if joined else head)
                if not joined:
                    await transport.send(body)
                head_ms = self.kept_ms if reused else self.head_ms
                answer.begin(head_ms)
                piece = await self.receive(_PIECE_BYTES, head_ms, is_get)
                if not len(piece):
                    raise OSError("closed")
                break
            except (OSError, ModemError) as error:
                is_moved = not asked and self.address != ""
                self.address = ""
                if attempt or not (is_moved or (reused and is_get)):
                    raise ConnectionLost(str(error), asked)
                await transport.close()
        try:
            return await answer.read(piece)
        except (OSError, ModemError) as error:
            raise ConnectionLost(str(error), True)

    async def receive(self, max_bytes: int, timeout_ms: int, gives_way: bool) -> bytes | memoryview:
        """As the transport's; with `gives_way`, a sale that comes meanwhile is not kept waiting.

        Raises: GaveWay; whatever the transport raises.
        """
        deadline = ticks_add(ticks_ms(), timeout_ms)
        while True:
            if gives_way and self.sales:
                raise GaveWay("a sale wants the link")
            left_ms = max(0, ticks_diff(deadline, ticks_ms()))
            slice_ms = min(_SLICE_MS, left_ms) if gives_way else timeout_ms
            try:
                piece = await self.transport.receive(max_bytes, slice_ms)
                self.bytes_received += len(piece)
                return piece
            except LinkTimeout:
                if not gives_way or left_ms <= _SLICE_MS:
                    raise


class _Answer:
    """One answer as it comes in: `buffer` holds what came and was not used yet.

    `is_last`: nothing may be asked on the same connection any more.
    """

    def __init__(
        self,
        client: HttpClient,
        method: str,
        sink: "Sink | None",
        limit_bytes: int,
        on_head: "OnHead | None",
    ) -> None:
        self.method = method
        self.is_last = False
        self._client = client
        self._sink = sink
        self._limit_bytes = limit_bytes
        self._on_head = on_head
        self._buffer = bytearray()
        self._deadline = ticks_ms()

    def begin(self, head_ms: int) -> None:
        """It was asked for now: so long may its head take."""
        self._deadline = ticks_add(ticks_ms(), head_ms)

    async def read(self, piece: bytes | memoryview) -> Response:
        """The whole of it, of which `piece` came.

        Raises: as `HttpClient.request`, and what the transport raises.
        """
        self._buffer.extend(piece)
        status, headers = await self._head()
        if self._client.told:
            self._client.told(True)
        length = body_length(self.method, status, headers)
        if self._on_head:
            self._on_head(status, headers)
        if status not in (200, 206):
            self._sink = None
        limit_bytes = self._limit_bytes if status < 300 else _REASON_LIMIT_BYTES
        if length > limit_bytes or (length < 0 and status >= 300):
            if status < 300:
                raise TooLarge("%d bytes, at most %d" % (length, limit_bytes))
            self.is_last = True  # an error page is not worth its airtime
            return Response(status, headers, b"")
        most = self._limit_bytes if length < 0 else length
        self._deadline = ticks_add(ticks_ms(), self._client.gap_ms + 10 * most)
        if length == UNTIL_END:
            body = await self._until_end()
        else:
            body = await (self._chunks() if length < 0 else self._plain(length))
        self.is_last = length == UNTIL_END or headers.get("connection", "").lower() == "close"
        return Response(status, headers, body)

    async def _head(self) -> "tuple[int, Headers]":
        """Status and the headers that count; the others are let go as they come."""
        left = HEAD_LIMIT_BYTES
        for _ in range(_INTERIM_LIMIT + 1):
            head = bytearray()
            is_kept = True
            while True:
                line = await self._head_line(is_first=not head)
                left -= len(line) + 2
                if not line:
                    break
                if not head or line[0] not in b" \t":  # else it goes on with the line before
                    is_kept = not head or counts(line)
                if is_kept:
                    head.extend(line + b"\r\n")
                if left < 0 or len(head) > _FRAMING_BYTES:
                    raise BadResponse("head over %d bytes" % HEAD_LIMIT_BYTES)
            status, headers = parse_head(bytes(head[:-2]))
            if status >= 200:
                return status, headers  # 1xx announces; the reply proper follows
        raise BadResponse("nothing but announcements")

    async def _head_line(self, is_first: bool) -> bytes:
        """The next line of a head, without its end; of a long one only how it begins."""
        buffer = self._buffer
        start = b""
        left = HEAD_LIMIT_BYTES
        while True:
            end = buffer.find(b"\r\n")
            is_long = (len(buffer) if end < 0 else end) > _HEAD_LINE_BYTES
            if is_long and (is_first or (not start and counts(buffer))):
                raise BadResponse("head line over %d bytes" % _HEAD_LINE_BYTES)
            if end >= 0:
                line = start or bytes(buffer[:end])
                buffer[: end + 2] = b""
                return line
            if is_long:  # a cookie, a policy: of no use here, and larger than the room for it
                start = start or bytes(buffer[:32])
                left -= len(buffer)
                if left < 0:
                    raise BadResponse("head over %d bytes" % HEAD_LIMIT_BYTES)
                buffer[:-1] = b""  # the last may be half of the line's end
            buffer.extend(await self._piece())

    async def _until_end(self) -> bytes:
        """A body that the connection's end ends, the same way; at most the limit."""
        body = bytearray()
        sink = self._sink or body.extend
        piece: bytes | memoryview = bytes(self._buffer)
        left = self._limit_bytes
        while True:
            left -= len(piece)
            if left < 0:
                raise TooLarge("over %d bytes, without end" % self._limit_bytes)
            if len(piece):
                sink(piece)
            piece = await self._piece(may_end=True)
            if not len(piece):
                return bytes(body)

    async def _plain(self, length: int) -> bytes:
        """A body of `length` bytes; b"" if it went to the sink."""
        buffer = self._buffer
        sink = self._sink
        if len(buffer) > length:
            raise BadResponse("more than content-length")
        body = bytearray(0 if sink else length)
        done = len(buffer)
        if not sink:
            body[:done] = buffer
        elif done:
            sink(memoryview(buffer))
        while done < length:
            left = length - done
            piece = await self._piece(min(_PIECE_BYTES, left), left > _FINISH_BYTES)
            if sink:
                sink(piece)
            else:
                body[done : done + len(piece)] = piece
            done += len(piece)
        return bytes(body)

    async def _chunks(self) -> bytes:
        """A body in chunks (RFC 9112, section 7.1), the same way; at most the limit in all."""
        buffer = self._buffer
        body = bytearray()
        done = 0
        spare = _FRAMING_BYTES
        ended = False
        while True:
            line = await self._line()
            spare -= len(line) + 2
            if spare < 0:
                raise BadResponse("more around the chunks than in them")
            if ended:
                if not line:
                    break
                continue  # a trailer: nothing that we need comes there
            left = chunk_size(line)
            ended = not left
            done += left
            if done > self._limit_bytes:
                raise TooLarge("over %d bytes, in chunks" % self._limit_bytes)
            spare += _FRAMING_A_BYTE * left
            while left:
                if not buffer:
                    buffer.extend(await self._piece())
                count = min(left, len(buffer))
                (self._sink or body.extend)(memoryview(buffer)[:count])
                buffer[:count] = b""
                left -= count
                if not left:
                    spare -= 2
                    if await self._line():
                        raise BadResponse("a chunk without its end")
        if buffer:
            raise BadResponse("more than the last chunk")
        return bytes(body)

    async def _line(self) -> bytes:
        """The next line of a chunked body, without its end."""
        buffer = self._buffer
        while True:
            end = buffer.find(b"\r\n")
            if end >= 0:
                line = bytes(buffer[:end])
                buffer[: end + 2] = b""
                return line
            if len(buffer) > _CHUNK_LINE_BYTES:
                raise BadResponse("chunk line over %d bytes" % _CHUNK_LINE_BYTES)
            buffer.extend(await self._piece())

    async def _piece(
        self, max_bytes: int = _PIECE_BYTES, gives_way: bool = True, may_end: bool = False
    ) -> bytes | memoryview:
        """What comes next; a GET gives way to a sale unless told not to. Empty only if it
        `may_end`.
        """
        client = self._client
        left_ms = ticks_diff(self._deadline, ticks_ms())
        if left_ms <= 0:
            raise ConnectionLost("too slow", True)
        timeout_ms = min(client.gap_ms, left_ms)
        piece = await client.receive(max_bytes, timeout_ms, gives_way and self.method == "GET")
        if not len(piece) and not may_end:
            raise ConnectionLost("cut after %d bytes" % client.bytes_received, True)
        return piece
