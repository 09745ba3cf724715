"""What is behind the cell: names that lead to real sockets, and nothing else.

`hw_sim.network.gsm` owns one; data contexts open connections through it.
"""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Mapping

from hw_sim.network import near
from hw_sim.network.errors import ConnectFailedError
from hw_sim.network.near import Connection, Host


class Internet:
    """Maps "name:port", as the terminal asks for it, to the real (host, port).

    Without an entry only loopback addresses and `localhost` are reached.
    """

    def __init__(self, routes: Mapping[str, tuple[str, int]]) -> None:
        self._routes = dict(routes)
        self._hosts: dict[str, Host] = {}
        self.refused_connects = 0
        """So many of the next connections fail, whatever is at the far end."""

    def route(self, name: str, port: int, to: tuple[str, int]) -> None:
        """Send connections to `name:port` to this real address."""
        self._hosts.pop(f"{name}:{port}", None)
        self._routes[f"{name}:{port}"] = to

    def serve(self, name: str, port: int, host: Host) -> None:
        """Let `host`, on this event loop, serve connections to `name:port`."""
        self._hosts[f"{name}:{port}"] = host

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
        if host_here := self._hosts.get(f"{name}:{port}"):
            return near.connect(host_here)
        host, real_port = self.address_of(name, port)
        return await asyncio.open_connection(host, real_port, limit=4096)
