"""Run the application in this one process until told to stop. For `cli.server`."""

from __future__ import annotations

import asyncio
import dataclasses
import gc
import logging
import os
import resource
import signal
import socket
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn, cast

from sqlalchemy.exc import SQLAlchemyError

from updater_server.atomic import write_atomically
from updater_server.errors import ServerError, StateError
from updater_server.faces.app import BODY_LIMIT_BYTES, make_app
from updater_server.faces.datagrams import Datagrams
from updater_server.faces.http_connection import Application, Limits
from updater_server.faces.http_server import HttpServer
from updater_server.renewal import keep_renewing
from updater_server.sales.vending import Desk
from updater_server.sandbox import opened as with_sandbox
from updater_server.service import Service
from updater_server.startup import count_on, examine, its_place
from updater_server.store.engine import is_sqlite

END_S = 15.0
"""From the word to stop to the end of the process, whatever does not come back meanwhile."""
COUNT_EVERY_S = 60.0
LOOK_EVERY_S = 1.0
MOVE_LOOK_S = 0.1
_FIRST_GIVEN = 3
_FILES_OF_OURS = 128
log = logging.getLogger("duka.serving")


@dataclasses.dataclass(frozen=True)
class Ways:
    """Where the server is reached, and how it leaves."""

    host: str
    port: int
    """0: any free one."""
    drain_s: float = 0.0
    """For so long after the word to end, `/health` says no and all else goes on, so that a balancer
    sends terminals elsewhere before anybody is refused. The word said twice ends at once."""
    coap_port: int | None = None
    """Where datagrams are answered, if they are; 0: any free one."""
    coap_outside: int | None = None
    """The port for datagrams that terminals are told, if a router maps it."""


def _listen(host: str, port: int) -> socket.socket:
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listening = socket.socket(family, socket.SOCK_STREAM)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(Limits.backlog)
        listening.setblocking(False)
    except OSError as error:
        raise StateError(f"cannot listen on {host}:{port}: {error.strerror}") from error
    return listening


def _hear(host: str, port: int) -> socket.socket:
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        hearing = socket.socket(family, socket.SOCK_DGRAM)
        hearing.bind((host, port))
        hearing.setblocking(False)
    except OSError as error:
        raise StateError(f"cannot hear datagrams on {host}:{port}: {error.strerror}") from error
    return hearing


def _given() -> socket.socket | None:
    """A listening socket that was handed to this process, by systemd or by itself (`_begin_anew`):
    who connects meanwhile waits in its queue.

    Source: sd_listen_fds(3).
    """
    if os.environ.pop("LISTEN_PID", "") != str(os.getpid()):
        return None
    os.environ.pop("LISTEN_FDS", None)
    given = socket.socket(fileno=_FIRST_GIVEN)
    os.set_inheritable(_FIRST_GIVEN, False)
    given.setblocking(False)
    return given


def _begin_anew(queue: int, folder: Path, ways: Ways) -> NoReturn:
    """Become the same server on the database that the books have moved to; `queue` is its
    listening socket's descriptor.
    """
    log.info("the books have moved: beginning anew on them")
    os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1")
    os.dup2(queue, _FIRST_GIVEN, inheritable=True)
    command = ["-m", "updater_server", "serve", "--data", str(folder), "--host", ways.host]
    command += ["--port", str(ways.port), "--drain", str(ways.drain_s)]
    for name, port in (("--coap", ways.coap_port), ("--coap-outside", ways.coap_outside)):
        command += [name, str(port)] if port is not None else []
    os.execv(sys.executable, [sys.executable, *command])  # noqa: S606  ourselves


async def _follow_the_books(service: Service, moved: Callable[[], None]) -> None:
    """Call `moved` once they are in another database; from PostgreSQL they go nowhere."""
    if not is_sqlite(service.engine):
        return
    while not service.is_left_behind:
        await asyncio.sleep(MOVE_LOOK_S)
    moved()


async def _serve(
    service: Service,
    listening: socket.socket,
    hearing: socket.socket | None,
    ready: Callable[[int], None],
    drain_s: float,
) -> None:
    leaving = asyncio.Event()
    application: Any = make_app(service, leaving.is_set)
    server = HttpServer(cast(Application, application), listening, _limits())
    loop = asyncio.get_running_loop()

    def stop() -> None:
        if leaving.is_set() or not drain_s:  # told twice: at once
            _end_in(END_S)
            server.stop()
            return
        log.info("told to end: /health says so; serving on for %.1f s", drain_s)
        leaving.set()
        _end_in(drain_s + END_S)
        loop.call_later(drain_s, server.stop)

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)
    host, port = listening.getsockname()[:2]
    running = asyncio.create_task(server.serve())
    datagrams = Datagrams(service, application.answer)
    if hearing is not None:
        await loop.create_datagram_endpoint(lambda: datagrams, sock=hearing)
        write_atomically(service.folder.coap_port, f"{hearing.getsockname()[1]}\n".encode())
    await _until_answering(host, port, running)
    write_atomically(service.folder.port, f"{port}\n".encode())
    ready(port)
    tasks = [
        asyncio.create_task(task)
        for task in (
            *(keep_renewing(service), _count(service), _look_after(service)),
            _follow_the_books(service, server.stop),
            *([_look_after(service.sandbox)] if service.sandbox else []),
        )
    ]
    await running
    await datagrams.drain(Limits.drain_s)
    for task in tasks:
        task.cancel()
    for close in application.on_shutdown:
        await close()


async def _count(service: Service) -> None:
    while True:
        await asyncio.sleep(COUNT_EVERY_S)
        await asyncio.to_thread(_learn_keys, service)
        try:
            await asyncio.to_thread(count_on, service)
        except Exception:  # /health tells of it; the server sells on while it can
            log.exception("the database was not counted on")


def _learn_keys(service: Service) -> None:
    """What seals may be another secret now. Where this machine's server.key is an old one, it says
    so, and sells on with what it knows.
    """
    for one in (service, service.sandbox):
        try:
            if one is not None:
                one.key.refresh()
        except (ServerError, SQLAlchemyError) as error:
            log.error("the secrets that seal: %s", error)


async def _look_after(service: Service) -> None:
    """Sales at suppliers that are open, as their time comes."""
    assert service.desk is not None, "a server has one"
    while True:
        await asyncio.sleep(LOOK_EVERY_S)
        try:
            await asyncio.to_thread(service.desk.look)
        except Exception:  # /health tells of it; the sales stay as they are
            log.exception("open sales were not looked after")


def _limits() -> Limits:
    """As many connections as this process may have files open."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = Limits.connections + _FILES_OF_OURS
    if soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    room = max(16, min(Limits.connections, soft - _FILES_OF_OURS))
    return Limits(
        connections=room,
        connections_of_address=max(8, room // 2),
        body_bytes=BODY_LIMIT_BYTES,
    )


def _end_in(seconds: float) -> None:
    """End the process then, if it still runs: what it has not committed is not done, what it has
    committed is on the disk.
    """

    def end() -> None:
        log.error("something did not come back within %d s of the word to stop", seconds)
        os._exit(1)

    watch = threading.Timer(seconds, end)
    watch.daemon = True
    watch.start()


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


def _settle() -> None:
    """What is loaded by now stays for good: the collector need not look through it again and again,
    40 ms at a time in which nobody is answered.
    """
    gc.collect()
    gc.freeze()


def serve(service: Service, ways: Ways, ready: Callable[[int], None]) -> None:
    """Serve until SIGINT or SIGTERM; `ready` is called with the port once requests are answered.

    The port is also in the file `port` of the data folder while the server runs, the one for
    datagrams, if any are to be answered, in `coap-port`.

    Raises:
        StateError: another server uses this folder, the database is damaged or cannot be written,
            or the address is taken.
    """
    with its_place(service) as cut_off:
        examine(service, cut_off)
        listening = _given() or _listen(ways.host, ways.port)
        hearing = None if ways.coap_port is None else _hear(ways.host, ways.coap_port)
        queue = listening.dup()
        desk = Desk(service.engine, service.key, service.now)
        told = (ways.coap_outside or hearing.getsockname()[1]) if hearing else None
        service = dataclasses.replace(service, desk=desk, coap_port=told)
        _settle()
        try:
            with with_sandbox(service) as whole:
                asyncio.run(_serve(whole, listening, hearing, ready, ways.drain_s))
        finally:
            desk.close()
            service.engine.dispose()  # SQLite's log goes with its last connection: a clean end
            service.folder.port.unlink(missing_ok=True)
            service.folder.coap_port.unlink(missing_ok=True)
            listening.close()
            ways = dataclasses.replace(ways, port=queue.getsockname()[1])
            if not service.is_left_behind:
                queue.close()
    if service.is_left_behind:
        _begin_anew(queue.fileno(), service.folder.path, ways)
