"""The panel's own HTTP server: its pages, one stream of what happens, and what people do.

On loopback only, and for its own pages only: a request that another site's page makes a browser
send (`Host`, `Origin` and `Sec-Fetch-Site` tell) is refused. `hw_sim.panel.panel` makes one.
"""

from __future__ import annotations

import json
import mimetypes
import sys
import threading
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from hw_sim.panel.feed import Feed

PAGES: Final = Path(__file__).with_name("pages")
BODY_LIMIT_BYTES: Final = 65_536
_STILL_THERE_S: Final = 10.0
_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data: blob:; base-uri 'none';"
    " form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class Refused(Exception):
    """The request is not done; `status` and the text are the answer."""

    def __init__(self, status: HTTPStatus, text: str) -> None:
        super().__init__(text)
        self.status = status


Reply = tuple[str, bytes]
"""Content type and content."""
Get = Callable[[str], Reply]
Post = Callable[[str, str], Reply]


class Web(ThreadingHTTPServer):
    """Listens on 127.0.0.1 from `start` to `close`; `port` 0 is any free one.

    `get(path)` and `post(path, body)` answer what is neither a page nor the stream, each in a
    thread of its own; they raise `Refused`.
    """

    daemon_threads = True

    def __init__(self, port: int, feed: Feed, get: Get, post: Post) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.feed, self.get, self.post = feed, get, post
        self.port: int = self.server_address[1]
        self.ended = threading.Event()
        self._thread = threading.Thread(target=self.serve_forever, name="panel", daemon=True)

    @property
    def url(self) -> str:
        """Where a browser finds it."""
        return f"http://127.0.0.1:{self.port}/"

    @property
    def hosts(self) -> tuple[str, ...]:
        """The names by which it may be called."""
        return f"127.0.0.1:{self.port}", f"localhost:{self.port}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that goes in the middle of a reply is none; anything else is told of."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)

    def start(self) -> None:
        """Answer from now on."""
        self._thread.start()

    def close(self) -> None:
        """Answer no more."""
        self.ended.set()
        self.feed.close()
        self.shutdown()
        self._thread.join()
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Web

    def do_GET(self) -> None:
        self._answer(self._get)

    def do_POST(self) -> None:
        self._answer(self._post)

    def log_message(self, *_: Any) -> None:
        """People watch the panel, not its log."""

    def _answer(self, work: Callable[[], Reply | None]) -> None:
        try:
            self._check_asker()
            found = work()
        except Refused as error:
            self._send(error.status, "text/plain; charset=utf-8", str(error).encode())
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True
        else:
            if found is not None:
                self._send(HTTPStatus.OK, *found)

    def _check_asker(self) -> None:
        headers = self.headers
        host = headers.get("Host", "")
        if headers.get_all("Host", []) != [host] or host not in self.server.hosts:
            raise self._refuse("this panel is called by its own address only")
        origin = headers.get("Origin")
        if origin is not None and origin not in {f"http://{name}" for name in self.server.hosts}:
            raise self._refuse("a page of another site may not ask this")
        if headers.get("Sec-Fetch-Site", "none") not in ("same-origin", "none"):
            raise self._refuse("a page of another site may not ask this")

    def _refuse(self, text: str) -> Refused:
        self.close_connection = True  # there may be a body that nobody read
        return Refused(HTTPStatus.FORBIDDEN, text)

    def _get(self) -> Reply | None:
        path = urlsplit(self.path).path
        if path == "/stream":
            self._stream()
            return None
        page = PAGES / ("index.html" if path == "/" else path.removeprefix("/"))
        if page.parent == PAGES and page.is_file():
            kind = mimetypes.guess_type(page.name)[0] or "application/octet-stream"
            return f"{kind}; charset=utf-8", page.read_bytes()
        return self.server.get(path)

    def _post(self) -> Reply:
        length = self.headers.get("Content-Length", "")
        if not length.isdigit() or int(length) > BODY_LIMIT_BYTES:
            self.close_connection = True
            raise Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "say how long it is; 64 KiB at most")
        try:
            body = self.rfile.read(int(length)).decode()
        except UnicodeDecodeError as error:
            raise Refused(HTTPStatus.BAD_REQUEST, "not UTF-8") from error
        return self.server.post(urlsplit(self.path).path, body)

    def _send(self, status: HTTPStatus, kind: str, content: bytes) -> None:
        self.send_response(status)
        for name, text in _HEADERS.items():
            self.send_header(name, text)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _stream(self) -> None:
        """Server-sent events until the browser goes, or the panel ends."""
        self.close_connection = True
        self.send_response(HTTPStatus.OK)
        for name, text in _HEADERS.items():
            self.send_header(name, text)
        self.send_header("Content-Type", "text/event-stream; charset=utf-8")
        self.send_header("Connection", "close")
        self.end_headers()
        feed = self.server.feed
        listener = feed.listen()
        try:
            while not listener.gone and not self.server.ended.is_set():
                message = listener.take(_STILL_THERE_S)
                said = ":\n\n" if message is None else f"data: {json.dumps(message)}\n\n"
                self.wfile.write(said.encode())
        finally:
            feed.leave(listener)
