"""A data context (PDP): an IP address of the terminal's, the TCP connections over it, and sockets
for datagrams.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from hw_sim.network.datagrams import UdpSocket
from hw_sim.network.errors import ConnectFailedError
from hw_sim.network.internet import Internet
from hw_sim.network.link import name_bytes
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
    connections: list[TcpConnection | UdpSocket] = field(default_factory=list)
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
        self._count_name(name)
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

    async def resolve(self, name: str) -> str | None:
        """The address of a name, asked for over the air; None when there is none, or no answer."""
        radio = self.radio
        if self.dead_s is not None or self.is_mute:
            await radio.pace.sleep(self.tcp_gives_up_s)
            return None
        self._count_name(name)
        await radio.wait_flowing()
        await radio.pace.sleep(2 * radio.profile.latency_ms / 1000)
        await radio.wait_flowing()
        return self.internet.resolve(name) if self.active else None

    def open_datagrams(
        self,
        name: str,
        port: int,
        *,
        on_data: Callable[[bytes], None],
    ) -> UdpSocket:
        """A socket for datagrams to `name:port`. Raises ConnectFailedError: a name without address.

        Nothing crosses the link for it but the question for the name.
        """
        self._count_name(name)
        if self.internet.resolve(name) is None:
            raise ConnectFailedError(f"no address is known for {name!r}")
        far_end = self.internet.datagrams_to(name, port)
        connection = UdpSocket(
            self.radio,
            self.internet.ways,
            far_end,
            on_data=on_data,
            on_end=self._forget,
        )
        self.connections.append(connection)
        if self.is_mute or self.dead_s is not None:
            connection.mute()
        return connection

    def _count_name(self, name: str) -> None:
        if name != self.internet.resolve(name):  # else it is an address
            self.radio.traffic.name_bytes += name_bytes(name)

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

    def _forget(self, connection: TcpConnection | UdpSocket) -> None:
        if connection in self.connections:
            self.connections.remove(connection)
