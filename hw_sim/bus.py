"""The chip's bus, seen from the board: requests of the CPU in, replies out, strictly in order.

Only `hw_sim.board` makes one. The bytes are in docs/formats/sim-bus.md.
"""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import secrets
import struct
import sys
import tempfile
from collections.abc import Callable
from enum import IntEnum
from typing import Final

from hw_sim.pacing import Pace

_REQUEST: Final = struct.Struct("<BBHII")
_REPLY: Final = struct.Struct("<BBHI")
TRANSFER_LIMIT_BYTES: Final = 32768
_SECRET: Final = secrets.token_bytes(16)
_starts: Final = itertools.count()


class Op(IntEnum):
    """What the CPU can ask for."""

    HELLO = 0x01
    RESET = 0x02
    RESET_CAUSE = 0x03
    UNIQUE_ID = 0x04
    PIN_CONFIGURE = 0x10
    PIN_WRITE = 0x11
    PIN_READ = 0x12
    PIN_INTERRUPT = 0x13
    ADC_READ = 0x18
    UART_OPEN = 0x20
    UART_WAITING = 0x21
    UART_READ = 0x22
    UART_WRITE = 0x23
    UART_INTERRUPT = 0x24
    SPI_OPEN = 0x28
    SPI_WRITE = 0x29
    FLASH_SIZE = 0x30
    FLASH_READ = 0x31
    FLASH_PROGRAM = 0x32
    FLASH_ERASE = 0x33
    FLASH_LOCK = 0x34
    WATCHDOG_START = 0x40
    WATCHDOG_FEED = 0x41
    RTC_READ = 0x48
    RTC_SET = 0x49
    PWM = 0x50
    RANDOM = 0x58
    WAIT = 0x60


POSTED: Final = frozenset({Op.PIN_WRITE, Op.SPI_WRITE, Op.WATCHDOG_FEED})


class BadArgument(Exception):
    """The CPU asked for what this board has not; it gets the text as a ValueError."""


class FlashRefused(Exception):
    """The flash refused; the CPU gets an OSError with this errno and text."""

    def __init__(self, errno: int, text: str) -> None:
        super().__init__(text)
        self.errno = errno


Answer = tuple[int, bytes]
"""Value and payload of a reply."""
Handler = Callable[[Op, int, int, int, bytes], "Answer | asyncio.Future[Answer]"]
"""(op, unit, arg, arg2, payload) → answer, at once or later; later holds back what follows."""


class BusServer:
    """Listens and serves one CPU at a time: the one with the current token.

    `address` is where a program of this host finds it: on Linux a socket in a folder of its own, on
    which what one side says is with the other at once; else, as for an emulated chip, a port of
    loopback.
    """

    def __init__(
        self, handler: Handler, on_fault: Callable[[str], None], pace: Pace | None = None
    ) -> None:
        self._handler = handler
        self.pace = pace or Pace()
        self._on_fault = on_fault
        self._servers: list[asyncio.Server] = []
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._token = b""
        self._flash_changed = False
        self._connection: _Connection | None = None
        self.port = 0
        self.address = ""

    async def open(self) -> None:
        """Listen on a port of loopback, `port`, and at `address`."""
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: _Connection(self), "127.0.0.1", 0)
        self._servers.append(server)
        self.port = server.sockets[0].getsockname()[1]
        self.address = str(self.port)
        if sys.platform == "linux":  # addresses of such sockets look otherwise elsewhere
            self._folder = tempfile.TemporaryDirectory(prefix="bus-", dir="/tmp")
            self.address = f"{self._folder.name}/bus"
            self._servers.append(
                await loop.create_unix_server(lambda: _Connection(self), self.address)
            )

    async def close(self) -> None:
        """Cut the CPU off and listen no more."""
        self.cut_off()
        for server in self._servers:
            server.close()
        self._servers.clear()
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None

    def new_token(self) -> str:
        """Cut off the CPU that is connected and expect one with this token."""
        self.cut_off()
        token = hashlib.sha256(_SECRET + str(next(_starts)).encode()).hexdigest()[:32]
        self._token = token.encode()
        return token

    def cut_off(self) -> None:
        """Take nothing more from the CPU, not even what it has sent already."""
        self._token = b""
        if self._connection is not None:
            self._connection.abort()
            self._connection = None

    def admit(self, connection: _Connection, token: bytes) -> bool:
        """Whether this connection is the CPU that was expected: it is served from now on."""
        if not self._token or not secrets.compare_digest(token, self._token):
            return False
        self._token = b""
        self._connection = connection
        return True

    def is_current(self, connection: _Connection) -> bool:
        """Whether this connection is the CPU that is served."""
        return connection is self._connection

    def flash_changed(self) -> None:
        """The next reply tells the CPU that cells are not what it saw."""
        self._flash_changed = True

    def take_flash_changed(self) -> bool:
        """Whether the reply now made is to say so."""
        if not self._flash_changed:
            return False
        self._flash_changed = False
        return True

    def handle(
        self, op: Op, unit: int, arg: int, arg2: int, payload: bytes
    ) -> Answer | asyncio.Future[Answer]:
        """Let the board answer; raises what the handler raises."""
        return self._handler(op, unit, arg, arg2, payload)

    def fault(self, text: str) -> None:
        """Tell the board what went wrong on the bus."""
        self._on_fault(text)


class _Connection(asyncio.Protocol):
    def __init__(self, server: BusServer) -> None:
        self._bus = server
        self._transport: asyncio.Transport | None = None
        self._received = bytearray()
        self._waiting = False
        self._in_line = False
        self._one_at_a_time = server.pace.jumps

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        if self._one_at_a_time:
            self._stand_in_line()
        else:
            self._serve()

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()
            self._transport = None
        self._received.clear()

    def _serve(self) -> None:
        received = self._received
        at = 0
        while not self._waiting and len(received) - at >= _REQUEST.size:
            code, unit, size, arg, arg2 = _REQUEST.unpack_from(received, at)
            end = at + _REQUEST.size + size
            if len(received) < end:
                break
            payload = bytes(received[at + _REQUEST.size : end])
            at = end
            self._one(code, unit, arg, arg2, payload)
            if self._transport is None:
                return
            if self._one_at_a_time:
                break
        if at:
            del received[:at]
        if self._one_at_a_time and len(received) >= _REQUEST.size:
            self._stand_in_line()

    def _stand_in_line(self) -> None:
        if self._in_line or self._waiting:
            return
        self._in_line = True

        def served() -> None:
            self._in_line = False
            if self._transport is not None:
                self._serve()

        self._bus.pace.in_order(served)

    def _one(self, code: int, unit: int, arg: int, arg2: int, payload: bytes) -> None:
        if not self._bus.is_current(self):
            if code == Op.HELLO and self._bus.admit(self, payload):
                self._reply(0, 1, b"")
            else:
                self._bus.fault("a stranger knocked at the bus")
                self.abort()
            return
        try:
            op = Op(code)
        except ValueError:
            self._reply(1, 0, f"no operation 0x{code:02x} on this bus".encode())
            return
        try:
            answer = self._bus.handle(op, unit, arg, arg2, payload)
        except BadArgument as error:
            self._refuse(op, 1, 0, str(error))
        except FlashRefused as error:
            self._refuse(op, 2, error.errno, str(error))
        else:
            if isinstance(answer, asyncio.Future):
                self._waiting = True
                answer.add_done_callback(self._late)
            elif op not in POSTED and op is not Op.RESET:
                self._reply(0, *answer)

    def _late(self, answer: asyncio.Future[Answer]) -> None:
        self._waiting = False
        if self._transport is not None and not answer.cancelled():
            self._reply(0, *answer.result())
            if self._one_at_a_time:
                self._stand_in_line()
            else:
                self._serve()

    def _refuse(self, op: Op, status: int, value: int, text: str) -> None:
        if op in POSTED:
            self._bus.fault(f"{op.name}: {text}")
        else:
            self._reply(status, value, text.encode())

    def _reply(self, status: int, value: int, payload: bytes) -> None:
        # Handling may have ended this very CPU (a reset, a cut of the supply): then nobody listens.
        if self._transport is not None:
            changed = self._bus.take_flash_changed()
            self._transport.write(_REPLY.pack(status, changed, len(payload), value) + payload)
