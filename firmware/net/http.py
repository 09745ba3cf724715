"""HTTP/1.1 as we speak it: what a request is made of, what an answer may be. Pure functions.

Source: RFC 9110, RFC 9112. A body is as long as told, comes in chunks, or ends with the connection,
as boxes on the way please: a cut of the last cannot be seen here, and need not, for what counts is
sealed, signed or hashed. `http_client.py` sends and reads with them.
"""

from io import BytesIO

from bootloader.shared.compat import const, inflater

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    Headers = dict[str, str]

_HEADER_LIMIT = const(40)
UNTIL_END = const(-2)
_ONE_VALUE = ("content-length", "content-range", "content-encoding", "etag")
_COUNTS = _ONE_VALUE + ("transfer-encoding", "connection")
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
    """Cut, refused or too slow; worth trying again. `was_asked`: the far end may have seen it."""

    def __init__(self, text: str, was_asked: bool = False) -> None:
        super().__init__(text)
        self.was_asked = was_asked


class GaveWay(HttpError):
    """The link was wanted for a sale. Ask again, from the first byte that did not come."""


class Response:
    """`status` (int), `headers` ({lower-case name: value}), `body` (bytes; empty if it went to a
    sink).
    """

    def __init__(self, status: int, headers: "Headers", body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body


def parse_head(head: bytes) -> "tuple[int, Headers]":
    """(status, headers) of a response head (bytes, without the empty line).

    Raises:
        BadResponse: not HTTP/1.x, too many headers, folded or contradicting ones.
    """
    # What is not ASCII is in nobody's header that counts: a reason phrase, a server's own name.
    lines = str(bytes(b if b < 128 else 63 for b in head), "ascii").split("\r\n")
    status = lines[0].split(" ", 2)
    if len(status) < 2 or status[0] not in ("HTTP/1.1", "HTTP/1.0") or not _is_number(status[1], 3):
        raise BadResponse("no status line")
    if len(lines) > _HEADER_LIMIT:
        raise BadResponse("too many headers")
    headers: Headers = {}
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


def counts(line: bytes | bytearray) -> bool:
    """Whether that line of a head is a header which `parse_head` needs, or is none at all."""
    colon = line.find(b":")
    return colon < 0 or any(
        bytes(line[:colon]).strip().lower() == name.encode() for name in _COUNTS
    )


def body_length(method: str, status: int, headers: "Headers") -> int:
    """How many bytes of body follow; -1 if it comes in chunks, UNTIL_END if the connection's end is
    its own.

    Raises:
        BadResponse: another transfer coding, or both told.
    """
    if method == "HEAD" or status < 200 or status in (204, 304):
        return 0
    coding = headers.get("transfer-encoding")
    if coding is not None:
        # With both, two readers may disagree on where the next reply begins (RFC 9112, 6.3).
        if coding.lower() != "chunked" or "content-length" in headers:
            raise BadResponse("transfer-encoding " + coding[:16])
        return -1
    length = headers.get("content-length")
    if length is None:
        return UNTIL_END
    if not _is_number(length):
        raise BadResponse("content-length")
    return int(length)


def chunk_size(line: bytes | bytearray) -> int:
    """The size that a chunk's first line (bytes, without its end) tells; extensions are passed.

    Raises:
        BadResponse: none, or 16 MiB and more.
    """
    digits = bytes(line).split(b";", 1)[0].rstrip(b" \t")
    if not 0 < len(digits) < 7 or any(b not in b"0123456789abcdefABCDEF" for b in digits):
        raise BadResponse("chunk size")
    return int(digits, 16)


def content_range(headers: "Headers") -> tuple[int, int, int]:
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


def plain_body(response: Response, limit_bytes: int) -> bytes:
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
    pieces: list[bytes] = []
    size = 0
    try:
        while True:
            count = stream.readinto(piece)
            if not count:
                del stream, piece  # the window need not lie beside the whole
                return b"".join(pieces)
            size += count
            if size > limit_bytes:
                raise TooLarge("over %d bytes, deflated" % limit_bytes)
            pieces.append(bytes(memoryview(piece)[:count]))
    except (OSError, EOFError, ValueError):
        raise BadResponse("a deflated body is damaged")


def _is_number(text: str, digits: int | None = None) -> bool:
    return (
        0 < len(text) < 10
        and (digits is None or len(text) == digits)
        and all("0" <= c <= "9" for c in text)
    )


def encode_request(
    method: str, host: str, path: str, headers: "Sequence[tuple[str, str]]", body: bytes
) -> bytes:
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
