"""A listening socket whose every byte can be the last one. For the suppliers beside it."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Callable

_RESET = struct.pack("ii", 1, 0)
_PIECE_BYTES = 4096
_TIMEOUT_S = 30


class Cut(Exception):
    """The connection is to be lost here."""


class Wire:
    """One connection. `cut_in` and `cut_out` count the bytes that are still let through; None: all.

    A cut is a reset: what the other side has not read is lost with it.
    """

    def __init__(
        self, connection: socket.socket, cut_in: int | None = None, cut_out: int | None = None
    ) -> None:
        self._connection = connection
        self._left_in = cut_in
        self.cut_out = cut_out
        self.received = 0
        connection.settimeout(_TIMEOUT_S)

    def receive(self, most: int = _PIECE_BYTES) -> bytes:
        """Some bytes, up to `most`; none at the end.

        Raises:
            Cut: the connection is lost.
        """
        want = most if self._left_in is None else min(most, self._left_in)
        if want == 0:
            raise Cut
        data = self._connection.recv(want)
        self.received += len(data)
        if self._left_in is not None:
            self._left_in -= len(data)
        return data

    def send(self, data: bytes) -> None:
        """Send it, up to where it is cut.

        Raises:
            Cut: the connection is lost.
        """
        if self.cut_out is None:
            self._connection.sendall(data)
            return
        self._connection.sendall(data[: self.cut_out])
        if len(data) >= self.cut_out:
            self._connection.shutdown(socket.SHUT_WR)  # what was sent arrives, and no more
            raise Cut
        self.cut_out -= len(data)

    def lose(self) -> None:
        """Lose the connection with all that is on its way."""
        with contextlib.suppress(OSError):
            self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)


class Listener:
    """Serves each connection by `serve` in a thread of its own, until `close`."""

    def __init__(self, serve: Callable[[Wire], None], port: int = 0) -> None:
        self._serve = serve
        self._cuts: list[tuple[int | None, int | None]] = []
        self._lock = threading.Lock()
        self._socket = socket.create_server(("127.0.0.1", port), backlog=256)
        self.port = int(self._socket.getsockname()[1])
        self._is_closed = False
        threading.Thread(target=self._accept, daemon=True, name="supplier-listener").start()

    def cut_next(self, cut_in: int | None = None, cut_out: int | None = None) -> None:
        """Lose the next connection after so many bytes received, or sent."""
        with self._lock:
            self._cuts.append((cut_in, cut_out))

    def forget_cuts(self) -> None:
        """Let every connection be."""
        with self._lock:
            self._cuts.clear()

    def close(self) -> None:
        """Nobody listens any more: connections are refused."""
        self._is_closed = True
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _accept(self) -> None:
        while not self._is_closed:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with self._lock:
                cuts = self._cuts.pop(0) if self._cuts else (None, None)
            wire = Wire(connection, *cuts)
            threading.Thread(target=self._run, args=(connection, wire), daemon=True).start()

    def _run(self, connection: socket.socket, wire: Wire) -> None:
        with connection:
            try:
                self._serve(wire)
            except Cut:
                if wire.cut_out is None:
                    wire.lose()
            except OSError:
                wire.lose()
