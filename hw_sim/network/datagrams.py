"""Datagrams between the modem and what is behind the cell: each comes once, twice, late or never.

A box of the operator's (NAT) stands between: it lends the terminal a port of its own, and forgets
that when nothing has gone out for a while. What comes for a port that is forgotten is thrown away,
and the far end meets the terminal under another port the next time.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Protocol

from hw_sim.network.radio import Radio

UNREAD_LIMIT_BYTES = 4 * 1360
"""What the part keeps unread; what comes beyond it is thrown away."""

Answer = Callable[[bytes], None]
DatagramHost = Callable[[bytes, int, Answer], None]
"""`host(data, from which port, answer)`: on the loop; `answer` may be called as often as it likes,
now or later.
"""


@dataclass
class Ways:
    """What becomes of datagrams beyond what the link's profile loses. Chances from 0 to 1."""

    blocked: bool = False
    """A box lets none through, in either direction, and tells nobody."""
    loss: float = 0.0
    doubled: float = 0.0
    late: float = 0.0
    """So many come `late_s` later, after others that were sent after them."""
    late_s: float = 6.0
    forgets_s: float = 60.0
    """So long after the last datagram out does the box know where an answer belongs."""


class FarEnd(Protocol):
    """Where datagrams of one socket go."""

    def send(self, data: bytes, port: int, answer: Answer) -> None:
        """One datagram, from that port as the far end sees it."""
        ...

    def close(self) -> None:
        """No more come."""
        ...


class HereEnd:
    """A far end on the same event loop."""

    def __init__(self, host: DatagramHost) -> None:
        self._host = host

    def send(self, data: bytes, port: int, answer: Answer) -> None:
        """As `FarEnd`."""
        self._host(data, port, answer)

    def close(self) -> None:
        """As `FarEnd`."""


class SocketEnd:
    """A real far end: one real socket for each port that it is to see."""

    def __init__(self, to: tuple[str, int]) -> None:
        self._to = to
        self._opened: dict[int, asyncio.Task[asyncio.DatagramTransport]] = {}

    def send(self, data: bytes, port: int, answer: Answer) -> None:
        """As `FarEnd`."""
        if port not in self._opened:
            self._opened[port] = asyncio.get_running_loop().create_task(self._open(answer))

        def sent(task: asyncio.Task[asyncio.DatagramTransport]) -> None:
            with contextlib.suppress(OSError, asyncio.CancelledError):
                task.result().sendto(data)

        self._opened[port].add_done_callback(sent)

    def close(self) -> None:
        """As `FarEnd`."""

        def closed(task: asyncio.Task[asyncio.DatagramTransport]) -> None:
            with contextlib.suppress(OSError, asyncio.CancelledError):
                task.result().close()

        for task in self._opened.values():
            task.add_done_callback(closed)
        self._opened.clear()

    async def _open(self, answer: Answer) -> asyncio.DatagramTransport:
        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: _Ear(answer), remote_addr=self._to
        )
        return transport


class _Ear(asyncio.DatagramProtocol):
    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    def datagram_received(self, data: bytes, addr: object) -> None:
        self._answer(data)


class UdpSocket:
    """A UDP socket of the modem's, tied to one far end: to the stack it looks as a connection does.

    `on_data` gets what comes, datagram by datagram. Without a far end everything is lost.
    """

    def __init__(
        self,
        radio: Radio,
        ways: Ways,
        far_end: FarEnd | None,
        *,
        on_data: Callable[[bytes], None],
        on_end: Callable[[UdpSocket], None],
    ) -> None:
        self._radio = radio
        self._ways = ways
        self._far_end = far_end
        self._on_data = on_data
        self._on_end = on_end
        self._port = 0
        self._last_out_s = 0.0
        self._unread_bytes = 0
        self._over = False
        self._is_dead = False
        self._tasks: set[asyncio.Task[None]] = set()

    async def send(self, data: bytes) -> None:
        """Send one datagram; returns when it has left. Whether it comes, nobody knows."""
        radio = self._radio
        arrives_s = await radio.datagram_up(len(data))
        now_s = radio.pace.now_s()
        if not self._port or now_s - self._last_out_s > self._ways.forgets_s:
            self._port += 1
        self._last_out_s = now_s
        for at_s in self._times(arrives_s):
            self._spawn(self._arrive_there(data, self._port, at_s))

    def consumed(self, count: int) -> None:
        """The modem's user read so many bytes."""
        self._unread_bytes -= count

    def forget(self) -> None:
        """The bearer carries nothing any more, in either direction."""
        self._is_dead = True

    def mute(self) -> None:
        """A box between answers nothing."""
        self._is_dead = True

    def close(self) -> None:
        """End it: nobody on the air hears of that."""
        if self._over:
            return
        self._over = True
        self._on_end(self)
        for task in list(self._tasks):
            task.cancel()
        if self._far_end is not None:
            self._far_end.close()

    def abort(self) -> None:
        """End it at once."""
        self.close()

    def break_now(self) -> None:
        """Connections are broken, sockets for datagrams know of none."""

    # inside

    def _times(self, arrives_s: float | None) -> list[float]:
        """When each copy of a datagram arrives; empty when it is lost."""
        ways, happens = self._ways, self._radio.happens
        if arrives_s is None or ways.blocked or self._is_dead or happens(ways.loss):
            return []
        copies = 2 if happens(ways.doubled) else 1
        return [arrives_s + (ways.late_s if happens(ways.late) else 0) for _ in range(copies)]

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _arrive_there(self, data: bytes, port: int, at_s: float) -> None:
        await self._radio.until(at_s)
        if self._far_end is not None:
            self._far_end.send(data, port, lambda answer: self._answered(answer, port))

    def _answered(self, data: bytes, port: int) -> None:
        if not self._over:
            self._spawn(self._come_back(data, port))

    async def _come_back(self, data: bytes, port: int) -> None:
        radio = self._radio
        is_known = port == self._port
        if not is_known or radio.pace.now_s() - self._last_out_s > self._ways.forgets_s:
            return  # the box knows nobody of that port any more: it never gets as far as the air
        times = self._times(await radio.datagram_down(len(data)))
        for at_s in times:
            self._spawn(self._arrive_here(data, at_s))

    async def _arrive_here(self, data: bytes, at_s: float) -> None:
        radio = self._radio
        await radio.until(at_s)
        await radio.wait_flowing()
        if self._over or self._unread_bytes + len(data) > UNREAD_LIMIT_BYTES:
            return
        self._unread_bytes += len(data)
        await radio.deliver(data, self._on_data)
