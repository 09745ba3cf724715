"""Whole HTTP/1.1 requests out of the bytes of one connection, or why there is none. For
`http_connection`, which does the waiting.

`httptools` (llhttp, the parser of Node) takes the protocol apart, as strictly as it is made to be.
What it leaves to its user is here: how much a head or a body may be, and that a request says whom
it is for. Source: RFC 9112 sections 2.3, 3.2, 6.3 and 9.3; RFC 9110 section 10.1.1.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import httptools

HEAD_LIMIT_BYTES = 8192
_WIRE_PARTS = 8
"""A body in chunks of one byte takes six times as much."""
_BAD, _TOO_LARGE, _HEAD_TOO_LARGE = 400, 413, 431


class Refused(Exception):
    """A request that nobody is asked about; `status` is what its sender is told."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


@dataclass(frozen=True, slots=True)
class Request:
    """One that is whole."""

    method: str
    target: bytes
    version: str
    """"1.0" or "1.1"."""
    headers: list[tuple[bytes, bytes]]
    """Names in lower case."""
    body: bytes
    keeps: bool
    """Whether its sender may ask again on this connection."""


class Requests:
    """What one connection asks, one request after another. After `Refused` it is of no more use."""

    def __init__(self, body_limit_bytes: int) -> None:
        self._body_limit_bytes = body_limit_bytes
        self._parser = httptools.HttpRequestParser(self)
        self._whole: deque[Request] = deque()
        self._wrong: int | None = None
        self._begun = False
        self._fresh()

    def _fresh(self) -> None:
        self._target = b""
        self._headers: list[tuple[bytes, bytes]] = []
        self._body = bytearray()
        self._version = ""
        self._wire_bytes = 0
        self._waits_for_word = False
        self.has_head = False
        """Of the request that is under way, all but the body is here."""

    @property
    def is_idle(self) -> bool:
        """Whether nothing of a request is here."""
        return not (self._begun or self._whole or self._wrong)

    def feed(self, data: bytes) -> None:
        """What came next; b"": nothing more will come."""
        if not data:
            self._wrong = self._wrong or _BAD
            return
        self._wire_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            pass  # asked for in vain: answered as HTTP/1.1, the last on this connection
        except httptools.HttpParserError:
            self._wrong = self._wrong or _BAD
        self._bound()

    def next(self) -> Request | None:
        """The next whole request; None: more must come.

        Raises:
            Refused: what came is none, or too much.
        """
        if self._whole:
            return self._whole.popleft()
        if self._wrong:
            raise Refused(self._wrong)
        return None

    def takes_word(self) -> bool:
        """Whether the sender waits to be told to go on with the body: True once a request."""
        waits, self._waits_for_word = self._waits_for_word, False
        return waits and self._begun and not self._body

    def _bound(self) -> None:
        if not self.has_head:
            if self._wire_bytes > HEAD_LIMIT_BYTES:
                self._wrong = self._wrong or _HEAD_TOO_LARGE
        elif self._wire_bytes > HEAD_LIMIT_BYTES + _WIRE_PARTS * self._body_limit_bytes:
            self._wrong = self._wrong or _TOO_LARGE

    # --- what the parser calls ---

    def on_message_begin(self) -> None:
        """A first byte of a request. What else came with it is not counted: a request that follows
        another in one piece is allowed that much more.
        """
        follows = bool(self._whole)
        wire_bytes = self._wire_bytes
        self._fresh()
        self._wire_bytes = 0 if follows else wire_bytes
        self._begun = True

    def on_url(self, part: bytes) -> None:
        """A part of the target."""
        self._target += part

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header. Those behind the body are left out."""
        if not self.has_head:
            self._headers.append((name.lower(), value.strip(b" \t")))

    def on_headers_complete(self) -> None:
        """The head is here."""
        self.has_head = True
        self._version = self._parser.get_http_version()
        hosts, length, waits = 0, 0, False
        for name, value in self._headers:
            if name == b"host":
                hosts += 1
            elif name == b"content-length":
                length = int(value)  # the parser has checked that it is one number
            elif name == b"expect":
                waits = value.lower() == b"100-continue"
        is_ours = self._version == "1.0" or (self._version == "1.1" and hosts)
        if hosts > 1 or not is_ours:
            self._wrong = self._wrong or _BAD
        elif length > self._body_limit_bytes:
            self._wrong = self._wrong or _TOO_LARGE
        self._waits_for_word = waits and self._version == "1.1"

    def on_body(self, part: bytes) -> None:
        """A part of the body."""
        if len(self._body) + len(part) > self._body_limit_bytes:
            self._wrong = self._wrong or _TOO_LARGE
        else:
            self._body += part

    def on_message_complete(self) -> None:
        """A request is whole."""
        if self._wrong:
            return
        parser = self._parser
        keeps = self._version == "1.1" and parser.should_keep_alive()
        keeps = keeps and not parser.should_upgrade()
        method = parser.get_method().decode("ascii")
        body = bytes(self._body)
        self._whole.append(Request(method, self._target, self._version, self._headers, body, keeps))
        self._fresh()
        self._begun = False
