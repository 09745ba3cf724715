"""What is behind the cell: names that lead to real sockets, and nothing else.

A name has an address of the documentation's network (RFC 5737), given in the order of asking;
whoever asks for the address reaches what the name leads to.

`hw_sim.network.gsm` owns one; data contexts open connections through it.
"""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Mapping

from hw_sim.network import near
from hw_sim.network.datagrams import DatagramHost, FarEnd, HereEnd, SocketEnd, Ways
from hw_sim.network.errors import ConnectFailedError
from hw_sim.network.near import Connection, Host


class Internet:
    """Maps "name:port", as the terminal asks for it, to the real (host, port).

    Without an entry only loopback addresses and `localhost` are reached.
    """

    def __init__(self, routes: Mapping[str, tuple[str, int]]) -> None:
        self._routes = dict(routes)
        self._hosts: dict[str, Host] = {}
        self._datagram_hosts: dict[str, DatagramHost] = {}
        self._datagram_routes: dict[str, tuple[str, int]] = {}
        self._names: list[str] = []
        self.ways = Ways()
        """What becomes of datagrams on their way."""
        self.refused_connects = 0
        """So many of the next connections fail, whatever is at the far end."""

    def route(self, name: str, port: int, to: tuple[str, int]) -> None:
        """Send connections to `name:port` to this real address."""
        self._hosts.pop(f"{name}:{port}", None)
        self._routes[f"{name}:{port}"] = to

    def serve(self, name: str, port: int, host: Host) -> None:
        """Let `host`, on this event loop, serve connections to `name:port`."""
        self._hosts[f"{name}:{port}"] = host

    def serve_datagrams(self, name: str, port: int, host: DatagramHost) -> None:
        """Let `host`, on this event loop, have the datagrams to `name:port`."""
        self._datagram_hosts[f"{name}:{port}"] = host

    def route_datagrams(self, name: str, port: int, to: tuple[str, int]) -> None:
        """Send datagrams to `name:port` to this real address."""
        self._datagram_hosts.pop(f"{name}:{port}", None)
        self._datagram_routes[f"{name}:{port}"] = to

    def resolve(self, name: str) -> str | None:
        """The address that DNS tells for a name; None where it knows none."""
        if self._is_address(name):
            return name
        every = (self._routes, self._hosts, self._datagram_hosts, self._datagram_routes)
        known = any(key.rpartition(":")[0] == name for keys in every for key in keys)
        if not known and name != "localhost":
            return None
        if name not in self._names:
            self._names.append(name)
        return f"192.0.2.{1 + self._names.index(name)}"

    def name_of(self, address: str) -> str:
        """The name that was told this address; the address itself if none was."""
        known, _, last = address.rpartition(".")
        if known == "192.0.2" and last.isdecimal() and 0 < int(last) <= len(self._names):
            return self._names[int(last) - 1]
        return address

    @staticmethod
    def _is_address(name: str) -> bool:
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return False
        return True

    def datagrams_to(self, name: str, port: int) -> FarEnd | None:
        """Where datagrams to there go; None where nobody is."""
        name = self.name_of(name)
        if host := self._datagram_hosts.get(f"{name}:{port}"):
            return HereEnd(host)
        if route := self._datagram_routes.get(f"{name}:{port}"):
            return SocketEnd(route)
        try:
            return SocketEnd(self.address_of(name, port))
        except ConnectFailedError:
            return None

    def address_of(self, name: str, port: int) -> tuple[str, int]:
        """The real address behind a name and port. Raises ConnectFailedError when outside."""
        route = self._routes.get(f"{name}:{port}")
        if route is not None:
            return route
        if name == "localhost":
            return ("127.0.0.1", port)
        try:
            address = ipaddress.ip_address(name)
        except ValueError:
            raise ConnectFailedError(f"no address is known for {name!r}") from None
        if not address.is_loopback:
            raise ConnectFailedError(f"{name} is outside the simulated network")
        return (name, port)

    async def connect(self, name: str, port: int) -> Connection:
        """Open a real socket, or one to a host on this loop.

        Raises ConnectFailedError, or OSError as the socket gives it.
        """
        if self.refused_connects > 0:
            self.refused_connects -= 1
            raise ConnectFailedError("refused")
        name = self.name_of(name)
        if host_here := self._hosts.get(f"{name}:{port}"):
            return near.connect(host_here)
        host, real_port = self.address_of(name, port)
        return await asyncio.open_connection(host, real_port, limit=4096)
