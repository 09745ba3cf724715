"""A server's pages over real HTTP, in a thread of this process, on the clock of the test."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

from updater_server.faces.app import make_app
from updater_server.faces.http_connection import Application, Limits
from updater_server.faces.http_server import HttpServer
from updater_server.service import Service


@contextmanager
def served(service: Service) -> Iterator[int]:
    """The port at which it answers."""
    listening = socket.create_server(("127.0.0.1", 0))
    listening.setblocking(False)
    started = threading.Event()
    loop = asyncio.new_event_loop()
    made: list[HttpServer] = []

    async def main() -> None:
        application: Any = make_app(service)
        server = HttpServer(cast(Application, application), listening, Limits())
        made.append(server)
        started.set()
        await server.serve()
        for close in application.on_shutdown:
            await close()

    thread = threading.Thread(target=lambda: loop.run_until_complete(main()))
    thread.start()
    started.wait(20)
    try:
        yield listening.getsockname()[1]
    finally:
        loop.call_soon_threadsafe(made[0].stop)
        thread.join(20)
        loop.close()
        listening.close()
