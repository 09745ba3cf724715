"""Run the application under granian, in this one process, until told to stop. For `__main__`."""

from __future__ import annotations

import asyncio
import fcntl
import os
import signal
import socket
from collections.abc import Callable
from typing import Any

from granian._granian import SocketHolder
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.server.embed import Server

from updater_server.app import make_app
from updater_server.channels.files import write_atomically
from updater_server.errors import StateError
from updater_server.renewal import keep_renewing
from updater_server.service import Service

BACKLOG = 512
HEADER_TIMEOUT_MS = 30_000


class _OnOurSocket(Server):
    """Granian's embedded server on a socket that is bound already, so that port 0 can be told to
    others.
    """

    def __init__(self, target: Any, listening: socket.socket) -> None:
        address, port = listening.getsockname()[:2]
        self._listening = listening
        super().__init__(
            target,
            address=address,
            port=port,
            interface=Interfaces.ASGI,
            http=HTTPModes.http1,
            http1_settings=HTTP1Settings(header_read_timeout=HEADER_TIMEOUT_MS),
            websockets=False,
            log_enabled=False,
        )

    def _init_shared_socket(self) -> None:
        # Descriptor (it closes it), is it a Unix socket, backlog; granian's stub lags behind.
        holder: Any = SocketHolder
        self._shd = holder(os.dup(self._listening.fileno()), False, BACKLOG)
        self._ssp = None


def _listen(host: str, port: int) -> socket.socket:
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listening = socket.socket(family, socket.SOCK_STREAM)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(BACKLOG)
        listening.setblocking(False)
    except OSError as error:
        raise StateError(f"cannot listen on {host}:{port}: {error.strerror}") from error
    return listening


async def _serve(service: Service, listening: socket.socket, ready: Callable[[int], None]) -> None:
    server = _OnOurSocket(make_app(service), listening)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, server.stop)
    running = asyncio.create_task(server.serve())
    port = listening.getsockname()[1]
    await _until_answering(listening.getsockname()[0], port, running)
    write_atomically(service.folder.port, f"{port}\n".encode())
    ready(port)
    renewing = asyncio.create_task(keep_renewing(service))
    await running
    renewing.cancel()


async def _until_answering(host: str, port: int, running: asyncio.Task[None]) -> None:
    """Return once the server answers; raise what stopped it if it stops first."""
    asked = asyncio.create_task(_ask_health(host, port))
    await asyncio.wait({asked, running}, timeout=20, return_when=asyncio.FIRST_COMPLETED)
    if not asked.done():
        asked.cancel()
        if running.done():
            await running
        raise StateError("the web server did not start")
    await asked


async def _ask_health(host: str, port: int) -> None:
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 the wildcard's own address
    reader, writer = await asyncio.open_connection(host, port)
    writer.write(b"GET /health HTTP/1.1\r\nHost: self\r\nConnection: close\r\n\r\n")
    await reader.readline()
    writer.close()


def serve(service: Service, host: str, port: int, ready: Callable[[int], None]) -> None:
    """Serve until SIGINT or SIGTERM; `ready` is called with the port once requests are answered.

    Port 0 takes a free one. The port is also in the file `port` of the data folder while the server
    runs.

    Raises:
        StateError: another server uses this folder, or the address is taken.
    """
    lock = os.open(service.folder.path / ".serving", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise StateError(f"another server runs on {service.folder.path}") from error
        listening = _listen(host, port)
        try:
            asyncio.run(_serve(service, listening, ready))
        finally:
            service.folder.port.unlink(missing_ok=True)
            listening.close()
    finally:
        os.close(lock)
