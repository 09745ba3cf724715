"""HTTP/1.1 as a supplier speaks it: one request a connection, read and answered by hand, so that
any byte can be the last. For the suppliers beside it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from http.client import responses
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from hw_sim.suppliers.tcp import Wire

_HEAD_LIMIT_BYTES = 16 * 1024


@dataclass(frozen=True)
class Asked:
    """One request."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    def form(self) -> dict[str, str]:
        """The body's fields, if it is a form."""
        return dict(parse_qsl(self.body.decode("utf-8", "replace")))


def read(wire: Wire) -> Asked | None:
    """The request; None if the connection ended before it was whole."""
    data = b""
    while b"\r\n\r\n" not in data:
        more = wire.receive()
        if not more or len(data) > _HEAD_LIMIT_BYTES:
            return None
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    method, target, _ = first.split(" ", 2)
    headers = {
        name.strip().lower(): value.strip()
        for name, _, value in (line.partition(":") for line in lines)
    }
    length = int(headers.get("content-length", "0"))
    while len(body) < length:
        more = wire.receive()
        if not more:
            return None
        body += more
    parts = urlsplit(target)
    return Asked(method, parts.path, dict(parse_qsl(parts.query)), headers, body[:length])


def answer(status: int, content: object, kind: str = "application/json") -> bytes:
    """A whole answer; `content` is made JSON unless it is bytes."""
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    head: dict[str, Any] = {
        "Content-Type": kind,
        "Content-Length": len(body),
        "Connection": "close",
    }
    lines = [f"HTTP/1.1 {status} {responses.get(status, 'Unknown')}"]
    lines += [f"{name}: {value}" for name, value in head.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body
