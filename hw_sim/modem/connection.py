"""One connection of the modem's own stack, TCP or a socket for datagrams: what has come and was not
read yet, what is on its way, and what it says of itself unasked.

Of datagrams that wait unread the part keeps bytes and forgets where one ends: reports differ here,
and this is the harsher for a driver.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from enum import Enum
from typing import Final

from hw_sim.modem.at import AtError
from hw_sim.modem.dialect import Dialect
from hw_sim.modem.serial_line import SerialLine
from hw_sim.modem.tasks import Tasks
from hw_sim.network.datagrams import UdpSocket
from hw_sim.network.errors import ConnectFailedError, LinkLostError
from hw_sim.network.pdp import PdpContext
from hw_sim.network.tcp import TcpConnection

RECEIVE_WINDOW_BYTES: Final = 4 * 1360
"""What the part buffers unread; TCP holds the far end back beyond it."""

MAXIMUM_SEND_BYTES: Final = 1460
QUICK_SEND_BUFFER_BYTES: Final = 4 * 1460


@dataclass
class Modes:
    """What holds for all connections. `several`: each has a number, said with all it says."""

    several: bool = False
    manual_receive: bool = False
    quick_send: bool = False
    header: bool = False


class Step(Enum):
    """How far a connection is, in the SIM800's words."""

    CONNECTING = "TCP CONNECTING"
    CONNECTED = "CONNECT OK"
    CLOSED = "TCP CLOSED"


class Connection:
    """One of the part's connections; `state` is None before the first and after all were dropped.

    `remote`: the name and port it goes to.
    """

    def __init__(
        self, number: int, line: SerialLine, tasks: Tasks, modes: Modes, dialect: Dialect
    ) -> None:
        self._number = number
        self._line = line
        self._tasks = tasks
        self._modes = modes
        self._dialect = dialect
        self._link: TcpConnection | UdpSocket | None = None
        self._received = bytearray()
        self._announced = False
        self._quick_queue_bytes = 0
        self.work: asyncio.Task[None] | None = None
        """What makes it, while it is made."""
        self.kind = "TCP"
        self.remote = ("", 0)
        self.state: Step | None = None
        self.sent_bytes = 0
        self.acknowledged_bytes = 0

    @property
    def occupied(self) -> bool:
        """Whether it exists or is being made."""
        return self.state in (Step.CONNECTING, Step.CONNECTED)

    @property
    def said(self) -> str:
        """Its state in the part's words: the last connection's kind names its states."""
        assert self.state is not None
        word: str = self._dialect.closed if self.state is Step.CLOSED else self.state.value
        return word.replace("TCP", self.kind)

    def say(self, text: str) -> None:
        """A line of it, with its number where there are several."""
        self._line.line(f"{self._number}, {text}" if self._modes.several else text)

    def begin(self) -> None:
        """It is being made; what was there before is gone."""
        self.state = Step.CONNECTING
        self._received.clear()
        self._announced = False
        self.sent_bytes = self.acknowledged_bytes = 0

    async def connect(self, context: PdpContext) -> None:
        """Make it, and say how that ended."""
        name, port = self.remote
        try:
            if self.kind == "UDP":
                self._link = context.open_datagrams(name, port, on_data=self._on_data)
            else:
                self._link = await context.connect(
                    name,
                    port,
                    receive_window_bytes=RECEIVE_WINDOW_BYTES,
                    on_data=self._on_data,
                    on_closed=self._on_closed,
                )
        except ConnectFailedError:
            self.state = Step.CLOSED
            self.fails(self.said)
            return
        self.state = Step.CONNECTED
        self.say("CONNECT OK")

    def fails(self, state: str) -> None:
        """Say that it could not be made; `state` is what the part says of itself then."""
        if self._dialect.tells_state and not self._modes.several:
            self._line.line(f"STATE: {state}")
        self.say("CONNECT FAIL")

    def close(self) -> None:
        """End it or the attempt at it; otherwise operation not allowed."""
        if not self.occupied:
            raise AtError(3)
        if self._link is not None:
            self._link.close()
        self.drop()
        self.state = Step.CLOSED

    def drop(self) -> None:
        """It is gone without a word."""
        if self.work is not None:
            self.work.cancel()
            self.work = None
        if self._link is not None:
            self._link.abort()
            self._link = None
        self.state = None
        self._received.clear()
        self._announced = False

    async def send(self, data: bytes) -> bool:
        """Send; whether the far end has acknowledged it."""
        link = self._link
        if link is None or self.state is not Step.CONNECTED:
            return False
        self.sent_bytes += len(data)
        try:
            await link.send(data)
        except LinkLostError:
            return False
        self.acknowledged_bytes += len(data)
        return True

    def send_quickly(self, data: bytes) -> bool:
        """Take it for sending in its own time; whether there was room."""
        link = self._link
        if link is None or self.state is not Step.CONNECTED:
            return False
        if self._quick_queue_bytes + len(data) > QUICK_SEND_BUFFER_BYTES:
            return False
        self._quick_queue_bytes += len(data)
        self.sent_bytes += len(data)
        self._tasks.spawn(self._send_later(link, data))
        return True

    async def _send_later(self, link: TcpConnection | UdpSocket, data: bytes) -> None:
        try:
            await link.send(data)
            self.acknowledged_bytes += len(data)
        except LinkLostError:
            link.break_now()
        finally:
            self._quick_queue_bytes -= len(data)

    @property
    def send_room_bytes(self) -> int:
        """How much may be sent at once now."""
        return min(MAXIMUM_SEND_BYTES, QUICK_SEND_BUFFER_BYTES - self._quick_queue_bytes)

    def unread_bytes(self) -> int:
        """What waits. Only in manual mode and with a connection, even one just closed."""
        self._require_readable()
        return len(self._received)

    def read(self, limit_bytes: int) -> tuple[bytes, int]:
        """Bytes, and how many are left after them."""
        self._require_readable()
        data = bytes(self._received[:limit_bytes])
        del self._received[: len(data)]
        if not self._received:
            self._announced = False
        if data and self._link is not None:
            self._link.consumed(len(data))
        return data, len(self._received)

    def _require_readable(self) -> None:
        if not self._modes.manual_receive or self.state not in (Step.CONNECTED, Step.CLOSED):
            raise AtError(3)

    # -- from the network -------------------------------------------------------------------------

    def _on_data(self, data: bytes) -> None:
        if not self._modes.manual_receive:
            prefix = f"\r\n+IPD,{len(data)}:".encode() if self._modes.header else b""
            if self._modes.several:
                prefix = f"\r\n+RECEIVE,{self._number},{len(data)}:\r\n".encode()
            self._line.write(prefix + data)
            if self._link is not None:
                self._link.consumed(len(data))
            return
        self._received += data
        # one notice until the host has read everything: a driver that waits for a notice with
        # bytes left unread waits for ever, as on the part
        if not self._announced:
            self._announced = True
            number = f",{self._number}" if self._names_itself else ""
            self._line.line(self._dialect.data_has_come + number)

    @property
    def _names_itself(self) -> bool:
        return self._modes.several or self._dialect.data_has_come.startswith("+QIRDI")

    def _on_closed(self) -> None:
        self._link = None
        self.state = Step.CLOSED
        self.say("CLOSED")
