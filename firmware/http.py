"""HTTP/1.1 over the modem's TCP connection: few bytes, one kept-alive connection, one owner at a
time.

The update client and the message exchange share one `HttpClient`. Parsing is pure functions.
Source: RFC 9110, RFC 9112. A body is as long as told or comes in chunks; a reply of which neither
is said is refused: a cut could not be seen.

A transport has `await open(host, port)`, `await send(data)`, `await receive(max_bytes, timeout_ms)`
(bytes or a view valid until the next call; empty at the end), `await close()`, `connected`, and may
have `lock` and `attached`.
"""

import asyncio
from io import BytesIO

from bootloader.shared.compat import const, inflater, sleep_ms, ticks_add, ticks_diff, ticks_ms

HEAD_LIMIT_BYTES = const(2048)
BODY_LIMIT_BYTES = const(16384)
_HEADER_LIMIT = const(40)
_INTERIM_LIMIT = const(4)
_REASON_LIMIT_BYTES = const(512)
_PIECE_BYTES = const(512)
_JOIN_BYTES = const(900)
_ONE_VALUE = ("content-length", "content-range", "content-encoding", "etag")
_CHUNK_LINE_BYTES = const(128)
# What chunks may cost besides their content: this, and so much for each byte of it (a server that
# sends every byte as a chunk takes five).
_FRAMING_BYTES = const(2048)
_FRAMING_A_BYTE = const(5)
# What is left of a reply is read to its end even while a sale waits, if it is no more: closing and
# opening a connection takes as long.
_FINISH_BYTES = const(2048)
_SLICE_MS = const(500)
_WINDOW_BITS = const(12)

DEFLATED = ("Accept-Encoding", "deflate")
"""The header that asks for a body which `plain_body` can expand."""


class HttpError(Exception):
    """No usable reply. After a request other than GET nobody knows whether it was acted on."""


class BadResponse(HttpError):
    """The far end did not speak HTTP as we need it; trying again at once will not help."""


class TooLarge(HttpError):
    """The reply is longer than the caller allows; nothing of it was kept."""


class ConnectionLost(HttpError):
    """Cut, refused or too slow; worth trying again."""


class GaveWay(HttpError):
    """The link was wanted for a sale. Ask again, from the first byte that did not come."""


class Response:
    """`status` (int), `headers` ({lower-case name: value}), `body` (bytes; empty if it went to a
    sink).
    """

    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers
        self.body = body


def parse_head(head):
    """(status, headers) of a response head (bytes, without the empty line).

    Raises:
        BadResponse: not HTTP/1.x, too many headers, folded or contradicting ones.
    """
    try:
        lines = str(head, "ascii" if all(b < 128 for b in head) else "?").split("\r\n")
    except (ValueError, LookupError):
        raise BadResponse("head is not ASCII")
    status = lines[0].split(" ", 2)
    if len(status) < 2 or status[0] not in ("HTTP/1.1", "HTTP/1.0") or not _is_number(status[1], 3):
        raise BadResponse("no status line")
    if len(lines) > _HEADER_LIMIT:
        raise BadResponse("too many headers")
    headers = {}
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        if not colon or not name or name != name.strip() or "\n" in line:
            raise BadResponse("malformed header")
        name = name.lower()
        value = value.strip()
        if headers.get(name, value) != value and name in _ONE_VALUE:
            raise BadResponse("two of " + name)
        if name == "transfer-encoding" and (name in headers or status[0] == "HTTP/1.0"):
            raise BadResponse("transfer-encoding")
        headers[name] = value
    if status[0] == "HTTP/1.0":
        headers.setdefault("connection", "close")
    return int(status[1]), headers


def body_length(method, status, headers):
    """How many bytes of body follow; -1 if it comes in chunks.

    Raises:
        BadResponse: another transfer coding, both told, or neither.
    """
    if method == "HEAD" or status < 200 or status in (204, 304):
        return 0
    coding = headers.get("transfer-encoding")
    if coding is not None:
        # With both, two readers may disagree on where the next reply begins (RFC 9112, 6.3).
        if coding.lower() != "chunked" or "content-length" in headers:
            raise BadResponse("transfer-encoding " + coding[:16])
        return -1
    length = headers.get("content-length", "")
    if not _is_number(length):
        raise BadResponse("no content-length")
    return int(length)


def chunk_size(line):
    """The size that a chunk's first line (bytes, without its end) tells; extensions are passed.

    Raises:
        BadResponse: none, or 16 MiB and more.
    """
    digits = bytes(line).split(b";", 1)[0].rstrip(b" \t")
    if not 0 < len(digits) < 7 or any(b not in b"0123456789abcdefABCDEF" for b in digits):
        raise BadResponse("chunk size")
    return int(digits, 16)


def content_range(headers):
    """(first, last, total) of a 206's Content-Range; total is -1 when it is not told.

    Raises:
        BadResponse: there is none, or it makes no sense.
    """
    unit, _, rest = headers.get("content-range", "").partition(" ")
    span, _, total = rest.partition("/")
    first, _, last = span.partition("-")
    if unit != "bytes" or not _is_number(first) or not _is_number(last):
        raise BadResponse("content-range")
    if total != "*" and not _is_number(total):
        raise BadResponse("content-range")
    size = -1 if total == "*" else int(total)
    if int(first) > int(last) or 0 <= size <= int(last):
        raise BadResponse("content-range")
    return int(first), int(last), size


def plain_body(response, limit_bytes):
    """The body, expanded if the server sent it deflated (RFC 9110 section 8.4.1.2).

    Raises:
        BadResponse: another coding, damaged, or a window over 4 KiB.
        TooLarge: it holds more than `limit_bytes`.
    """
    body = response.body
    coding = response.headers.get("content-encoding", "identity").lower()
    if coding == "identity":
        return body
    # Checked before the window is allocated: what a reply asks for is not what it gets.
    if coding != "deflate" or len(body) < 6 or body[0] & 0x0F != 8 or body[1] & 0x20:
        raise BadResponse("content-encoding")
    if (body[0] >> 4) + 8 > _WINDOW_BITS or (body[0] << 8 | body[1]) % 31:
        raise BadResponse("content-encoding")
    stream = inflater(BytesIO(body))
    piece = bytearray(256)
    pieces = []
    size = 0
    try:
        while True:
            count = stream.readinto(piece)
            if not count:
                stream = piece = None  # the window need not lie beside the whole
                return b"".join(pieces)
            size += count
            if size > limit_bytes:
                raise TooLarge("over %d bytes, deflated" % limit_bytes)
            pieces.append(bytes(memoryview(piece)[:count]))
    except (OSError, EOFError, ValueError):
        raise BadResponse("a deflated body is damaged")


def _is_number(text, digits=None):
    return (
        0 < len(text) < 10
        and (digits is None or len(text) == digits)
        and all("0" <= c <= "9" for c in text)
    )


def encode_request(method, host, path, headers, body):
    """The bytes to send up to the body; no header that can be left out, as airtime is paid by the
    byte.

    Raises:
        ValueError: a line end or blank in the path or a header would make two requests of one.
    """
    lines = [method + " " + path + " HTTP/1.1", "Host: " + host]
    if not path.startswith("/") or " " in path:
        raise ValueError("path")
    for name, value in headers:
        lines.append(name + ": " + value)
    if body:
        lines.append("Content-Length: %d" % len(body))
    for line in lines:
        if "\r" in line or "\n" in line:
            raise ValueError("line end in a request")
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


class HttpClient:
    """Requests to one server, one after another: whoever calls while another's is under way waits
    for its turn.

    Deadlines, in ms: `head_ms` from the request sent to the whole head, `gap_ms` between two pieces
    of a body, and the whole body at no less than 100 bytes a second. `bytes_sent` and
    `bytes_received` count airtime.

    `sales` is how many sales wait for the server now: while any does, a GET neither begins nor, if
    much of it is still to come, goes on. What else has begun is never given up.
    """

    def __init__(self, transport, host, port):
        self.transport = transport
        self.host = host
        self.port = port
        self.head_ms = 30000
        self.gap_ms = 20000
        self.bytes_sent = 0
        self.bytes_received = 0
        self.sales = 0
        self._lock = getattr(transport, "lock", None) or asyncio.Lock()
        self._name = host if port == 80 else host + ":%d" % port

    async def request(
        self,
        method,
        path,
        headers=(),
        body=b"",
        sink=None,
        limit_bytes=BODY_LIMIT_BYTES,
        on_head=None,
    ):
        """One request, one `Response`. A 200's or 206's body goes to `sink(view)` piece by piece,
        when there is one.

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
        while True:
            async with self._lock:
                if method != "GET" or not self.sales:
                    response = await self._alone(method, head, body, sink, limit_bytes, on_head)
                    if response:
                        return response
            await sleep_ms(20)  # to the end of the queue

    async def _alone(self, method, head, body, sink, limit_bytes, on_head):
        """One exchange, with `_lock` held; None if a sale came before anything was asked."""
        done = False
        try:
            response = await self._exchange(method, head, body, sink, limit_bytes, on_head)
            done = True
            return response
        finally:
            if not done:
                # A reply that was not read to its end must never be taken for the next one's.
                await self.transport.close()

    async def _exchange(self, method, head, body, sink, limit_bytes, on_head):
        transport = self.transport
        for attempt in range(2):
            reused = transport.connected
            try:
                if not reused:
                    await transport.open(self.host, self.port)
                if method == "GET" and self.sales:
                    return None  # nothing was asked yet: the open connection is the sale's
                # One piece if it can be: the modem waits for the far end after each.
                joined = len(body) < _JOIN_BYTES
                await transport.send(head + body if joined else head)
                if not joined:
                    await transport.send(body)
                self.bytes_sent += len(head) + len(body)
                deadline = ticks_add(ticks_ms(), self.head_ms)
                piece = await self._receive(_PIECE_BYTES, self.head_ms, method == "GET")
                if not len(piece):
                    raise OSError("closed")
                break
            except Exception as error:
                if not self._is_loss(error):
                    raise
                if attempt or not reused or method != "GET":
                    raise ConnectionLost(str(error))
                await transport.close()
        try:
            return await self._read(method, piece, deadline, sink, limit_bytes, on_head)
        except Exception as error:
            if self._is_loss(error):
                raise ConnectionLost(str(error))
            raise

    @staticmethod
    def _is_loss(error):
        return isinstance(error, OSError) or getattr(error, "code", None) is not None

    async def _read(self, method, piece, deadline, sink, limit_bytes, on_head):
        transport = self.transport
        self.bytes_received += len(piece)
        buffer = bytearray(piece)
        interim = 0
        while True:
            end = buffer.find(b"\r\n\r\n")
            if end >= 0:
                status, headers = parse_head(bytes(buffer[:end]))
                buffer[: end + 4] = b""
                if status >= 200:
                    break
                interim += 1  # 1xx announces; the reply proper follows
                if interim > _INTERIM_LIMIT:
                    raise BadResponse("nothing but announcements")
                continue
            if len(buffer) >= HEAD_LIMIT_BYTES:
                raise BadResponse("head over %d bytes" % HEAD_LIMIT_BYTES)
            buffer.extend(await self._piece(_PIECE_BYTES, deadline, method == "GET"))
        length = body_length(method, status, headers)
        if on_head:
            on_head(status, headers)
        if status not in (200, 206):
            sink = None
        if length > (limit_bytes if status < 300 else _REASON_LIMIT_BYTES) or (
            length < 0 and status >= 300
        ):
            if status < 300:
                raise TooLarge("%d bytes, at most %d" % (length, limit_bytes))
            await transport.close()  # an error page is not worth its airtime
            return Response(status, headers, b"")
        if length < 0:
            deadline = ticks_add(ticks_ms(), self.gap_ms + 10 * limit_bytes)
            body = await self._chunks(method, buffer, deadline, sink, limit_bytes)
        else:
            deadline = ticks_add(ticks_ms(), self.gap_ms + 10 * length)
            body = await self._plain(method, buffer, deadline, sink, length)
        if headers.get("connection", "").lower() == "close":
            await transport.close()
        return Response(status, headers, body)

    async def _plain(self, method, buffer, deadline, sink, length):
        """A body of `length` bytes that begins with `buffer`; b"" if it went to `sink`."""
        if len(buffer) > length:
            raise BadResponse("more than content-length")
        body = b"" if sink else bytearray(length)
        done = len(buffer)
        if not sink:
            body[:done] = buffer
        elif done:
            sink(memoryview(buffer))
        while done < length:
            left = length - done
            gives_way = method == "GET" and left > _FINISH_BYTES
            piece = await self._piece(min(_PIECE_BYTES, left), deadline, gives_way)
            if sink:
                sink(piece)
            else:
                body[done : done + len(piece)] = piece
            done += len(piece)
        return bytes(body)

    async def _chunks(self, method, buffer, deadline, sink, limit_bytes):
        """A body in chunks (RFC 9112, section 7.1), the same way; at most `limit_bytes` in all."""
        get = method == "GET"
        body = bytearray()
        done = 0
        spare = _FRAMING_BYTES
        ended = False
        while True:
            line = await self._line(buffer, deadline, get)
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
            if done > limit_bytes:
                raise TooLarge("over %d bytes, in chunks" % limit_bytes)
            spare += _FRAMING_A_BYTE * left
            while left:
                if not buffer:
                    buffer.extend(await self._piece(_PIECE_BYTES, deadline, get))
                count = min(left, len(buffer))
                if sink:
                    sink(memoryview(buffer)[:count])
                else:
                    body.extend(memoryview(buffer)[:count])
                buffer[:count] = b""
                left -= count
                if not left:
                    spare -= 2
                    if await self._line(buffer, deadline, get):
                        raise BadResponse("a chunk without its end")
        if buffer:
            raise BadResponse("more than the last chunk")
        return bytes(body)

    async def _line(self, buffer, deadline, gives_way):
        """The next line of a chunked body, without its end; `buffer` is left with what follows."""
        while True:
            end = buffer.find(b"\r\n")
            if end >= 0:
                line = bytes(buffer[:end])
                buffer[: end + 2] = b""
                return line
            if len(buffer) > _CHUNK_LINE_BYTES:
                raise BadResponse("chunk line over %d bytes" % _CHUNK_LINE_BYTES)
            buffer.extend(await self._piece(_PIECE_BYTES, deadline, gives_way))

    async def _piece(self, max_bytes, deadline, gives_way):
        left_ms = ticks_diff(deadline, ticks_ms())
        if left_ms <= 0:
            raise ConnectionLost("too slow")
        piece = await self._receive(max_bytes, min(self.gap_ms, left_ms), gives_way)
        if not len(piece):
            raise ConnectionLost("cut after %d bytes" % self.bytes_received)
        self.bytes_received += len(piece)
        return piece

    async def _receive(self, max_bytes, timeout_ms, gives_way):
        """As the transport's; with `gives_way`, a sale that comes meanwhile is not kept waiting."""
        if not gives_way:
            return await self.transport.receive(max_bytes, timeout_ms)
        deadline = ticks_add(ticks_ms(), timeout_ms)
        while True:
            if self.sales:
                raise GaveWay("a sale wants the link")
            left_ms = max(0, ticks_diff(deadline, ticks_ms()))
            try:
                return await self.transport.receive(max_bytes, min(_SLICE_MS, left_ms))
            except Exception as error:
                late = getattr(error, "code", None) == "link_timeout"
                if not late or left_ms <= _SLICE_MS:
                    raise
