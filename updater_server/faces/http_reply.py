"""One HTTP/1.1 reply as bytes, piece by piece as the application says it. For `http_connection`.

No reason phrase, server name or date: nobody's terminal reads them, and each byte is paid for.
Source: RFC 9112 sections 4, 6.3, 7.1 and 9.3.
"""

from __future__ import annotations

from collections.abc import Iterable

from updater_server.faces.http_request import Request

GO_ON = b"HTTP/1.1 100 \r\n\r\n"
_NO_BODY = frozenset([204, 304])
_END_OF_CHUNKS = b"0\r\n\r\n"


class UnfitReply(Exception):
    """What the application said is no HTTP: a fault of ours."""


def refusal(status: int) -> bytes:
    """A whole reply, the last on its connection, to what is no request."""
    return b"HTTP/1.1 %d \r\ncontent-length: 0\r\nconnection: close\r\n\r\n" % status


class Reply:
    """To one request."""

    def __init__(self, request: Request) -> None:
        self._request = request
        self._head: bytes | None = None
        self._bare = request.method == "HEAD"
        self._chunked = False
        self._left: int | None = None
        self._keeps = request.keeps
        self._ended = False

    @property
    def leaves_room_for_more(self) -> bool:
        """Whether it is whole, and another request may follow it."""
        return self._ended and self._keeps

    def begin(self, status: int, headers: Iterable[tuple[bytes, bytes]], is_last: bool) -> None:
        """Its status and headers; `is_last`: nothing may follow it.

        Raises:
            UnfitReply: a header is not one line.
        """
        self._bare = self._bare or status in _NO_BODY
        self._keeps = self._keeps and not is_last
        lines = [b"HTTP/1.1 %d " % status]
        says_close = False
        for name, value in headers:
            lines.append(name + b": " + value)
            lowered = name.lower()
            if lowered == b"content-length" and not self._bare:
                self._left = int(value)
            elif lowered == b"connection" and value.lower() == b"close":
                says_close, self._keeps = True, False
        if self._left is None and not self._bare:
            if self._request.version == "1.1":
                self._chunked = True
                lines.append(b"transfer-encoding: chunked")
            else:  # it ends where the connection does
                self._keeps = False
        if not (self._keeps or says_close):
            lines.append(b"connection: close")
        head = b"\r\n".join(lines) + b"\r\n\r\n"
        breaks = len(lines) + 1
        if head.count(b"\n") != breaks or head.count(b"\r") != breaks:
            raise UnfitReply("a header with a line break in it")
        self._head = head

    def go_on(self, body: bytes, more: bool) -> bytes:
        """The next bytes for the far end; `more`: they are not the last.

        Raises:
            UnfitReply: the body is not as long as its headers say.
        """
        if self._head is None:
            raise UnfitReply("a body without a head")
        data, self._head = self._head, b""
        if not self._bare:
            data += self._framed(body, more)
        self._ended = not more
        return data

    def _framed(self, body: bytes, more: bool) -> bytes:
        if self._chunked:
            chunk = b"%x\r\n%b\r\n" % (len(body), body) if body else b""
            return chunk if more else chunk + _END_OF_CHUNKS
        if self._left is not None:
            self._left -= len(body)
            if self._left < 0 or (self._left and not more):
                raise UnfitReply("a body that is not as long as its head says")
        return body
