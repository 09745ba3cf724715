"""The modem's own TCP/IP stack: the state machine behind the CIP commands, one connection.

For `hw_sim.modem` only. Source: SIM800 AT manual, chapter "TCPIP application toolkit", and
the TCPIP application note's state diagram. Server mode and CIPMUX=1 are not modelled (refused).

Of datagrams that wait unread the part keeps bytes and forgets where one ends: reports differ here,
and this is the harsher for a driver.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from enum import Enum
from typing import Final

from hw_sim.modem.at import AtError
from hw_sim.modem.serial_line import SerialLine
from hw_sim.modem.tasks import Tasks
from hw_sim.network.datagrams import UdpSocket
from hw_sim.network.errors import ConnectFailedError, LinkLostError, PdpRefusedError
from hw_sim.network.gsm import GsmNetwork
from hw_sim.network.listener import NetworkListener
from hw_sim.network.pdp import PdpContext
from hw_sim.network.tcp import TcpConnection

RECEIVE_WINDOW_BYTES: Final = 4 * 1360
"""What the part buffers unread; TCP holds the far end back beyond it."""

MAXIMUM_SEND_BYTES: Final = 1460
QUICK_SEND_BUFFER_BYTES: Final = 4 * 1460


class IpState(Enum):
    """What AT+CIPSTATUS says."""

    INITIAL = "IP INITIAL"
    START = "IP START"
    CONFIG = "IP CONFIG"
    GPRS_ACTIVE = "IP GPRSACT"
    STATUS = "IP STATUS"
    CONNECTING = "TCP CONNECTING"
    CONNECTED = "CONNECT OK"
    CLOSING = "TCP CLOSING"
    CLOSED = "TCP CLOSED"
    PDP_DEACTIVATED = "PDP DEACT"


_HAS_ADDRESS = {
    IpState.GPRS_ACTIVE,
    IpState.STATUS,
    IpState.CONNECTING,
    IpState.CONNECTED,
    IpState.CLOSING,
    IpState.CLOSED,
}


class IpStack:
    """One PDP context and at most one TCP connection, driven by the AT commands."""

    def __init__(
        self,
        network: GsmNetwork,
        line: SerialLine,
        tasks: Tasks,
        *,
        listener: NetworkListener,
        attached: Callable[[], bool],
    ) -> None:
        """`listener` hears when the network takes the context; `attached` tells of GPRS."""
        self._network = network
        self._line = line
        self._tasks = tasks
        self._listener = listener
        self._attached = attached
        self._context: PdpContext | None = None
        self._connection: TcpConnection | UdpSocket | None = None
        self._kind = "TCP"
        self._connecting: asyncio.Task[None] | None = None
        self._received = bytearray()
        self._announced = False
        self._quick_queue_bytes = 0
        self.apn = ""
        """The access point name of AT+CSTT."""
        self.login = ("", "")
        self.state = IpState.INITIAL
        self.manual_receive = False
        self.quick_send = False
        self.header = False
        self.sent_bytes = 0
        self.acknowledged_bytes = 0

    # -- bringing the context up and down ---------------------------------------------------------

    def set_apn(self, apn: str, login: tuple[str, str] = ("", "")) -> None:
        """AT+CSTT: only from IP INITIAL. `login`: user and password of the access point."""
        self._require(IpState.INITIAL)
        if max(len(apn), *map(len, login)) > 50:
            raise AtError(50)
        self.apn = apn
        self.login = login
        self.state = IpState.START

    async def bring_up(self) -> None:
        """AT+CIICR: only from IP START; failure leaves PDP DEACT, which only AT+CIPSHUT leaves."""
        self._require(IpState.START)
        self.state = IpState.CONFIG
        try:
            if not self._attached():
                raise PdpRefusedError("not attached")
            context = await self._network.activate_pdp(self.apn, self._listener, self.login)
        except PdpRefusedError as refusal:
            self.state = IpState.PDP_DEACTIVATED
            self._line.line("+PDP: DEACT")
            code = 133 if "contract" in str(refusal) else 148
            raise AtError(code) from None
        self._context = context
        self.state = IpState.GPRS_ACTIVE

    def local_address(self) -> str:
        """AT+CIFSR: the address; the step that makes IP GPRSACT into IP STATUS."""
        if self.state not in _HAS_ADDRESS or self._context is None:
            raise AtError(3)
        if self.state is IpState.GPRS_ACTIVE:
            self.state = IpState.STATUS
        return self._context.address

    def shut(self) -> None:
        """AT+CIPSHUT, or no power: everything down without a word, from any state."""
        self._drop_connection()
        self._drop_context()
        self.state = IpState.INITIAL

    def lose_context(self) -> None:
        """The context is gone (network, detach, radio off): +PDP: DEACT if there was one."""
        had_context = self._context is not None
        was_connecting = self.state is IpState.CONNECTING
        self._drop_connection()
        self._drop_context()
        if not had_context:
            return
        self.state = IpState.PDP_DEACTIVATED
        if was_connecting:
            self._line.line(f"STATE: {self.state.value}")
            self._line.line("CONNECT FAIL")
        self._line.line("+PDP: DEACT")

    def reset(self) -> None:
        """The modem starts: nothing is set."""
        self.shut()
        self.manual_receive = self.quick_send = self.header = False

    # -- the connection ---------------------------------------------------------------------------

    @property
    def occupied(self) -> bool:
        """Whether a connection exists or is being made."""
        return self.state in (IpState.CONNECTING, IpState.CONNECTED, IpState.CLOSING)

    def may_connect(self) -> bool:
        """Whether AT+CIPSTART is taken in this state."""
        return self.state in (IpState.INITIAL, IpState.STATUS, IpState.CLOSED)

    def start_connecting(self, kind: str, name: str, port: int) -> None:
        """AT+CIPSTART accepted: the outcome comes later as CONNECT OK or CONNECT FAIL. `kind`: TCP
        or UDP.
        """
        self._kind = kind
        bring_up_first = self.state is IpState.INITIAL
        self.state = IpState.START if bring_up_first else IpState.CONNECTING
        self._received.clear()
        self._announced = False
        self.sent_bytes = self.acknowledged_bytes = 0
        self._connecting = self._tasks.spawn(self._connect(name, port, bring_up_first))

    async def _connect(self, name: str, port: int, bring_up_first: bool) -> None:
        # from IP INITIAL the part does CSTT (default APN) and CIICR by itself
        if bring_up_first:
            try:
                await self.bring_up()
            except AtError:
                self._line.line(f"STATE: {self.state.value}")
                self._line.line("CONNECT FAIL")
                return
            self.state = IpState.CONNECTING
        assert self._context is not None
        try:
            if self._kind == "UDP":
                self._connection = self._context.open_datagrams(name, port, on_data=self._on_data)
            else:
                self._connection = await self._context.connect(
                    name,
                    port,
                    receive_window_bytes=RECEIVE_WINDOW_BYTES,
                    on_data=self._on_data,
                    on_closed=self._on_closed,
                )
        except ConnectFailedError:
            self.state = IpState.CLOSED
            self._line.line(f"STATE: {self.said}")
            self._line.line("CONNECT FAIL")
            return
        self.state = IpState.CONNECTED
        self._line.line("CONNECT OK")

    @property
    def said(self) -> str:
        """What AT+CIPSTATUS says: the last connection's kind names its states."""
        return self.state.value.replace("TCP", self._kind)

    def start_resolving(self, name: str) -> None:
        """AT+CDNSGIP: the answer comes later. 8 is the part's "DNS common error"."""
        context = self._context
        if self.state not in _HAS_ADDRESS or context is None:
            raise AtError(3)

        async def resolve() -> None:
            address = await context.resolve(name)
            found = f'1,"{name}","{address}"' if address else "0,8"
            self._line.line(f"+CDNSGIP: {found}")

        self._line.line("OK")
        self._tasks.spawn(resolve())

    def close(self) -> None:
        """AT+CIPCLOSE: ends a connection or the attempt at one; otherwise operation not allowed."""
        if not self.occupied:
            raise AtError(3)
        if self._connection is not None:
            self._connection.close()
        self._drop_connection()
        self.state = IpState.CLOSED

    async def send(self, data: bytes) -> str:
        """Send the bytes of AT+CIPSEND; the result line to write."""
        connection = self._connection
        if connection is None or self.state is not IpState.CONNECTED:
            return "SEND FAIL"
        if self.quick_send:
            if self._quick_queue_bytes + len(data) > QUICK_SEND_BUFFER_BYTES:
                return "SEND FAIL"
            self._quick_queue_bytes += len(data)
            self.sent_bytes += len(data)
            self._tasks.spawn(self._send_quickly(connection, data))
            return f"DATA ACCEPT:{len(data)}"
        self.sent_bytes += len(data)
        try:
            await connection.send(data)
        except LinkLostError:
            return "SEND FAIL"
        self.acknowledged_bytes += len(data)
        return "SEND OK"

    async def _send_quickly(self, connection: TcpConnection | UdpSocket, data: bytes) -> None:
        try:
            await connection.send(data)
            self.acknowledged_bytes += len(data)
        except LinkLostError:
            connection.break_now()
        finally:
            self._quick_queue_bytes -= len(data)

    @property
    def send_room_bytes(self) -> int:
        """What AT+CIPSEND? offers."""
        return min(MAXIMUM_SEND_BYTES, QUICK_SEND_BUFFER_BYTES - self._quick_queue_bytes)

    def unread_bytes(self) -> int:
        """AT+CIPRXGET=4. Only in manual mode and with a connection, even one just closed."""
        self._require_readable()
        return len(self._received)

    def read(self, limit_bytes: int) -> tuple[bytes, int]:
        """AT+CIPRXGET=2: bytes, and how many are left after them."""
        self._require_readable()
        data = bytes(self._received[:limit_bytes])
        del self._received[: len(data)]
        if not self._received:
            self._announced = False
        if data and self._connection is not None:
            self._connection.consumed(len(data))
        return data, len(self._received)

    # -- from the network -------------------------------------------------------------------------

    def _on_data(self, data: bytes) -> None:
        if not self.manual_receive:
            prefix = f"\r\n+IPD,{len(data)}:".encode() if self.header else b""
            self._line.write(prefix + data)
            if self._connection is not None:
                self._connection.consumed(len(data))
            return
        self._received += data
        # one notice until the host has read everything: a driver that waits for a notice with
        # bytes left unread waits for ever, as on the part
        if not self._announced:
            self._announced = True
            self._line.line("+CIPRXGET: 1")

    def _on_closed(self) -> None:
        self._connection = None
        self.state = IpState.CLOSED
        self._line.line("CLOSED")

    # -- inside -----------------------------------------------------------------------------------

    def _drop_connection(self) -> None:
        if self._connecting is not None:
            self._connecting.cancel()
            self._connecting = None
        if self._connection is not None:
            self._connection.abort()
            self._connection = None
        self._received.clear()
        self._announced = False

    def _drop_context(self) -> None:
        context, self._context = self._context, None
        if context is not None:
            context.deactivate()

    def _require(self, state: IpState) -> None:
        if self.state is not state:
            raise AtError(3)

    def _require_readable(self) -> None:
        if not self.manual_receive or self.state not in (IpState.CONNECTED, IpState.CLOSED):
            raise AtError(3)
