"""A data context (PDP): an IP address of the terminal's, and the TCP connections over it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from hw_sim.network.errors import ConnectFailedError
from hw_sim.network.internet import Internet
from hw_sim.network.listener import NetworkListener
from hw_sim.network.radio import Radio
from hw_sim.network.tcp import TcpConnection, reset


@dataclass(eq=False)
class PdpContext:
    """One data context. `on_end` is told once when it has ended; TCP gives up after so long."""

    radio: Radio
    internet: Internet
    listener: NetworkListener
    address: str
    tcp_gives_up_s: float
    on_end: Callable[[PdpContext], None]
    connections: list[TcpConnection] = field(default_factory=list)
    active: bool = True
    dead_s: float | None = None
    """It has an address and carries nothing; so long does a connection over it take to fail."""
    is_mute: bool = False
    """Its connections open, and never answer."""

    async def connect(
        self,
        name: str,
        port: int,
        *,
        receive_window_bytes: int,
        on_data: Callable[[bytes], None],
        on_closed: Callable[[], None],
    ) -> TcpConnection:
        """Open a TCP connection through the link. Raises ConnectFailedError.

        `on_data` gets received bytes; the caller gives room back with `consumed`. `on_closed` is
        called once when the far end or the network ended it, after all data that arrived.
        """
        radio = self.radio
        try:
            async with radio.pace.limit(self.tcp_gives_up_s):
                if self.dead_s is not None:
                    await radio.pace.sleep(self.dead_s)
                    raise ConnectFailedError("the bearer carries nothing")
                # the handshake crosses the link once each way before data can follow
                await radio.until(await radio.cross_up(0))
                reader, writer = await self.internet.connect(name, port)
                try:
                    await radio.until(await radio.cross_down(0))
                except BaseException:
                    reset(writer)
                    raise
        except TimeoutError:
            raise ConnectFailedError("no answer in time") from None
        except OSError as error:
            raise ConnectFailedError(str(error)) from None
        if not self.active:
            reset(writer)
            raise ConnectFailedError("the data context went away")
        radio.traffic.segments_up += 1
        radio.traffic.connections += 1
        connection = TcpConnection(
            radio,
            (reader, writer),
            gives_up_s=self.tcp_gives_up_s,
            receive_window_bytes=receive_window_bytes,
            on_data=on_data,
            on_closed=on_closed,
            on_end=self._forget,
        )
        self.connections.append(connection)
        if self.is_mute:
            connection.mute()
        return connection

    def deactivate(self, *, by_network: bool = False) -> None:
        """End the context; its connections die without a word to the far end's application.

        The far end's socket is reset at once, where a real one would wait for its own time-out.
        """
        if not self.active:
            return
        self.active = False
        self.on_end(self)
        for connection in list(self.connections):
            connection.abort()
        if by_network:
            self.listener.on_pdp_deactivated()

    def _forget(self, connection: TcpConnection) -> None:
        if connection in self.connections:
            self.connections.remove(connection)
