"""A static HTTP server over a folder, as a CDN would serve `/tuf/`: ETag, If-None-Match, Range.

`Site.respond` is pure; `Site.serve` puts it on a real socket; `Direct` is an HTTP transport of the
firmware without sockets between. Trouble is made by setting attributes.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any


class Site:
    """`requests` lists (path, range header or "", status, body bytes)."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.requests: list[tuple[str, str, int, int]] = []
        self.cut_after_bytes: int | None = None
        """Once: close the connection when so many bytes of responses have gone out from now on."""
        self.change: Callable[[str, bytes], bytes] = lambda path, data: data
        """What a file on the server is turned into on its way."""
        self.ranges = True

    def fetched_bytes(self, part: str) -> int:
        return sum(size for path, _, _, size in self.requests if part in path)

    def respond(self, head: bytes) -> bytes:
        lines = head.decode().split("\r\n")
        method, path, _ = lines[0].split(" ")
        pairs = [line.split(":", 1) for line in lines[1:]]
        headers = {name.lower(): value.strip() for name, value in pairs}
        assert method == "GET", "the update client only reads"
        file = self.folder / path.removeprefix("/tuf/").lstrip("/")
        wanted = headers.get("range", "")
        extra = ""
        if not file.is_file():
            status, body = 404, b"no such file"
        else:
            status, body = 200, self.change(path, file.read_bytes())
            tag = '"' + hashlib.sha256(body).hexdigest()[:16] + '"'
            extra = f"ETag: {tag}\r\nCache-Control: no-cache\r\n"
            span = re.fullmatch(r"bytes=(\d+)-(\d+)", wanted)
            if headers.get("if-none-match") == tag:
                status, body = 304, b""
            elif span and self.ranges:
                first, last, total = int(span[1]), min(int(span[2]), len(body) - 1), len(body)
                if first >= total:
                    status, body = 416, b""
                    extra += f"Content-Range: bytes */{total}\r\n"
                else:
                    status, body = 206, body[first : last + 1]
                    extra += f"Content-Range: bytes {first}-{last}/{total}\r\n"
        self.requests.append((path, wanted, status, len(body)))
        length = "" if status == 304 else f"Content-Length: {len(body)}\r\n"
        return f"HTTP/1.1 {status} X\r\n{extra}{length}\r\n".encode() + body

    def _cut(self, data: bytes) -> tuple[bytes, bool]:
        if self.cut_after_bytes is None:
            return data, False
        if len(data) < self.cut_after_bytes:
            self.cut_after_bytes -= len(data)
            return data, False
        data, self.cut_after_bytes = data[: self.cut_after_bytes], None
        return data, True

    async def _handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                data, is_cut = self._cut(self.respond(head[:-4]))
                writer.write(data)
                await writer.drain()
                if is_cut:
                    break
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    @asynccontextmanager
    async def serve(self) -> AsyncIterator[int]:
        """Yields the port."""
        server = await asyncio.start_server(self._handle, "127.0.0.1", 0)
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            server.close()


class Direct:
    """The transport that `http_client` asks for, to `site`, in pieces of `piece_bytes`."""

    def __init__(self, site: Site, piece_bytes: int = 300) -> None:
        self.site = site
        self.connected = False
        self.opened = 0
        self.bytes_sent = 0
        self._piece_bytes = piece_bytes
        self._waiting = b""
        self._sent = b""

    async def open(self, host: str, port: int) -> None:
        self.opened += 1
        self.connected, self._waiting, self._sent = True, b"", b""

    async def send(self, data: Any) -> None:
        if not self.connected:
            raise OSError("closed")
        self._sent += bytes(data)
        self.bytes_sent += len(data)
        while b"\r\n\r\n" in self._sent:
            head, _, self._sent = self._sent.partition(b"\r\n\r\n")
            data, is_cut = self.site._cut(self.site.respond(head))
            self._waiting += data
            self.connected = not is_cut

    async def receive(self, max_bytes: int, timeout_ms: int) -> memoryview:
        size = min(max_bytes, self._piece_bytes)
        data, self._waiting = self._waiting[:size], self._waiting[size:]
        if not data and self.connected:
            raise OSError("nothing more will come")
        return memoryview(data)

    async def close(self) -> None:
        self.connected = False
        self._waiting = b""


class Sockets:
    """The same transport over a plain TCP socket."""

    def __init__(self) -> None:
        self.connected = False
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def open(self, host: str, port: int) -> None:
        await self.close()
        self._streams = await asyncio.open_connection(host, port)
        self.connected = True

    async def send(self, data: Any) -> None:
        assert self._streams
        self._streams[1].write(bytes(data))
        await self._streams[1].drain()

    async def receive(self, max_bytes: int, timeout_ms: int) -> bytes:
        assert self._streams
        return await asyncio.wait_for(self._streams[0].read(max_bytes), timeout_ms / 1000)

    async def close(self) -> None:
        self.connected = False
        if self._streams:
            self._streams[1].close()
            self._streams = None
