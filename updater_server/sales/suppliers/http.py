"""One HTTP request to a supplier, with one deadline for all of it. For the adapters.

What matters is what may have left us: before the connection stands nothing has (`NothingSent`);
after the first byte was handed over everything may have, whatever goes wrong then (`NoAnswer`).
A connection is used once: one that is kept could carry the answer of another sale.
"""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass
from urllib.parse import urlsplit

import h11

from updater_server.errors import InputError
from updater_server.sales.suppliers.net import REAL, Connection, Net

LOOPBACK = ("127.0.0.1", "localhost", "::1")
ANSWER_LIMIT_BYTES = 64 * 1024
_PIECE_BYTES = 16 * 1024


class NothingSent(Exception):
    """There was no connection: not a byte of the request left."""


class NoAnswer(Exception):
    """The request may have arrived, and no whole answer came in time."""


@dataclass(frozen=True)
class Address:
    """Where a supplier listens."""

    host: str
    port: int
    path: str
    tls: bool

    @staticmethod
    def parse(url: str) -> Address:
        """From "https://api.example.com/base".

        Raises:
            InputError: no such address; or one over which a key would go in the clear.
        """
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise InputError(f"{url!r} is no address: {error}") from error
        host = parts.hostname or ""
        if parts.scheme not in ("http", "https") or not host or parts.query or parts.username:
            raise InputError(f"{url!r} is no address of the form https://host/path")
        if parts.scheme == "http" and host not in LOOPBACK:
            raise InputError("a supplier's key goes over https only")
        tls = parts.scheme == "https"
        return Address(host, port or (443 if tls else 80), parts.path.rstrip("/"), tls)


@dataclass(frozen=True)
class Request:
    """What is asked; the path is below the address's own."""

    method: str
    path: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


def exchange(
    address: Address, request: Request, deadline_s: float, net: Net = REAL
) -> tuple[int, bytes]:
    """Status and body of the answer, `deadline_s` seconds from now at the latest.

    Raises:
        NothingSent: there was no connection.
        NoAnswer: anything else but a whole answer.
    """
    clock = _Clock(net, net.now() + deadline_s)
    try:
        connection = _connect(address, clock)
    except (OSError, ValueError) as error:  # of TLS, too: the request comes after it
        raise NothingSent(f"no connection: {error}") from error
    try:
        return _ask(connection, address, request, clock)
    except (OSError, h11.RemoteProtocolError, EOFError) as error:
        raise NoAnswer(f"no answer: {error or type(error).__name__}") from error
    finally:
        connection.close()


@dataclass(frozen=True)
class _Clock:
    net: Net
    until: float

    def left_s(self) -> float:
        left = self.until - self.net.now()
        if left <= 0:
            raise TimeoutError("it took too long")
        return left


def _connect(address: Address, clock: _Clock) -> Connection:
    raw = clock.net.connect(address.host, address.port, clock.left_s())
    if not address.tls:
        return raw
    assert isinstance(raw, socket.socket), "only the real network has TLS"
    try:
        raw.settimeout(clock.left_s())
        return ssl.create_default_context().wrap_socket(raw, server_hostname=address.host)
    except BaseException:
        raw.close()
        raise


def _ask(
    connection: Connection, address: Address, request: Request, clock: _Clock
) -> tuple[int, bytes]:
    protocol = h11.Connection(h11.CLIENT)
    headers = [("host", address.host), ("connection", "close"), *request.headers]
    headers.append(("content-length", str(len(request.body))))
    head = h11.Request(method=request.method, target=address.path + request.path, headers=headers)
    out = protocol.send(head) or b""
    if request.body:
        out += protocol.send(h11.Data(data=request.body)) or b""
    out += protocol.send(h11.EndOfMessage()) or b""
    connection.settimeout(clock.left_s())
    connection.sendall(out)
    status, body = 0, b""
    while True:
        event = protocol.next_event()
        if event is h11.NEED_DATA:
            connection.settimeout(clock.left_s())
            protocol.receive_data(connection.recv(_PIECE_BYTES))
        elif isinstance(event, h11.Response):
            status = event.status_code
        elif isinstance(event, h11.Data):
            body += bytes(event.data)
            if len(body) > ANSWER_LIMIT_BYTES:
                raise EOFError(f"more than {ANSWER_LIMIT_BYTES} bytes")
        elif isinstance(event, h11.EndOfMessage):
            return status, body
        elif isinstance(event, h11.ConnectionClosed) or event is h11.PAUSED:
            raise EOFError("it ended early")
