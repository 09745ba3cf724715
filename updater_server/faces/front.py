"""The server's one ASGI application: a terminal's message goes straight to its lane, everything
else to `pages`. For `app`.

Nothing of a framework is needed to hand bytes to a function and bytes back, and a message is what
the server does all day.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from litestar import Litestar

from updater_server.errors import BusyError
from updater_server.faces import terminal
from updater_server.faces.errors import RETRY_AFTER_S
from updater_server.faces.lanes import Lane
from updater_server.service import Service
from updater_server.store.engine import is_the_databases_fault
from updater_server.wire.sealed import MESSAGE_LIMIT_BYTES

log = logging.getLogger("duka.app")

MESSAGES = "/m"
_NOT_ALLOWED = 405
_Scope = MutableMapping[str, Any]
_Receive = Callable[[], Awaitable[Any]]
_Send = Callable[[Any], Awaitable[None]]


class Front:
    """Answers `POST /m` itself, in the threads of `messages`."""

    def __init__(self, service: Service, messages: Lane, pages: Litestar) -> None:
        self._service = service
        self._messages = messages
        self._pages = pages

    @property
    def on_shutdown(self) -> list[Any]:
        """What is to be awaited when the server ends."""
        return self._pages.on_shutdown

    async def __call__(self, scope: _Scope, receive: _Receive, send: _Send) -> None:
        """One request (ASGI 3)."""
        if scope["type"] != "http" or scope["path"] != MESSAGES:
            await self._pages(scope, receive, send)  # type: ignore[arg-type]
            return
        if scope["method"] != "POST":
            await _reply(send, _NOT_ALLOWED, b"", [(b"allow", b"POST")])
            return
        came_at = time.monotonic()
        body = await _body(receive)
        status, reply = (
            await self.answer(body, came_at) if body is not None else (terminal.TOO_LARGE, b"")
        )
        later = [(b"retry-after", RETRY_AFTER_S.encode())] if status == terminal.TRY_LATER else []
        if later and self._service.is_left_behind:  # the next connection is to where the books are
            later.append((b"connection", b"close"))
        await _reply(send, status, reply, later)

    async def answer(self, body: bytes, came_at: float) -> tuple[int, bytes]:
        """HTTP status and sealed reply of one message; `came_at` by the monotonic clock."""
        try:
            answer = await self._messages.run(terminal.begin, self._service, body, came_at)
            if isinstance(answer, terminal.Waiting):
                # No thread waits with it: other terminals are answered meanwhile.
                decided = asyncio.wrap_future(answer.decided)
                await asyncio.wait([decided], timeout=answer.left_s())
                answer = await self._messages.run(answer.finish)
            return answer
        except BusyError:
            return terminal.TRY_LATER, b""
        except Exception as error:
            level = logging.ERROR if is_the_databases_fault(error) else logging.CRITICAL
            log.log(level, "a message was not answered", exc_info=error)
            return terminal.TRY_LATER, b""


async def _body(receive: _Receive) -> bytes | None:
    """The whole body; None if it is longer than any message."""
    body = b""
    while True:
        part = await receive()
        body += bytes(part.get("body", b""))
        if len(body) > MESSAGE_LIMIT_BYTES:
            return None
        if not part.get("more_body", False):
            return body


async def _reply(send: _Send, status: int, body: bytes, more: list[tuple[bytes, bytes]]) -> None:
    headers = [(b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": headers + more})
    await send({"type": "http.response.body", "body": body})
