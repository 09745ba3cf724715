"""A TCP connection of the modem's, bridged to a real socket at the link's pace."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import Callable

from hw_sim.network.errors import LinkLostError
from hw_sim.network.link import MAXIMUM_SEGMENT_BYTES
from hw_sim.network.near import Connection, NearWriter, Writer
from hw_sim.network.radio import Radio


class TcpConnection:
    """A TCP connection from the modem to a real socket, slowed to the link's pace.

    Flow control: no more than the receive window is ever under way or unread, so a slow reader
    holds the sender back and nothing grows without bound.
    """

    def __init__(
        self,
        radio: Radio,
        far_end: Connection,
        *,
        gives_up_s: float,
        receive_window_bytes: int,
        on_data: Callable[[bytes], None],
        on_closed: Callable[[], None],
        on_end: Callable[[TcpConnection], None],
    ) -> None:
        self._radio = radio
        self._reader, self._writer = far_end
        self._gives_up_s = gives_up_s
        self._window_left = receive_window_bytes
        self._window_opened = asyncio.Event()
        self._on_data = on_data
        self._on_closed = on_closed
        self._on_end = on_end
        self._sending = asyncio.Lock()
        self._in_flight: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
        self._over = False
        self._is_forgotten = False
        self._is_mute = False
        self._acknowledge_next = False
        self._tasks = [
            asyncio.create_task(self._pump_downlink()),
            asyncio.create_task(self._deliver()),
        ]

    @property
    def open(self) -> bool:
        """Whether bytes can still be sent."""
        return not self._over

    def forget(self) -> None:
        """A box between knows it no more: nothing crosses, in either direction, without a word."""
        self._is_forgotten = True

    def mute(self) -> None:
        """What is sent is acknowledged by a box between, and gets no further; nothing comes."""
        self._is_mute = True

    def consumed(self, count: int) -> None:
        """The modem's user read so many bytes: the window opens again by as much."""
        self._window_left += count
        self._window_opened.set()

    async def send(self, data: bytes) -> None:
        """Send in order; returns when the far end's TCP acknowledged. Raises LinkLostError."""
        radio = self._radio
        try:
            async with radio.pace.limit(self._gives_up_s):
                if self._is_forgotten:
                    await radio.pace.sleep(2 * self._gives_up_s)
                async with self._sending:
                    arrives_s = radio.pace.now_s()
                    for start in range(0, len(data), MAXIMUM_SEGMENT_BYTES):
                        segment_bytes = min(MAXIMUM_SEGMENT_BYTES, len(data) - start)
                        arrives_s = max(arrives_s, await radio.cross_up(segment_bytes))
                    await radio.until(arrives_s)
                    await radio.wait_flowing()
                    if self._over:
                        raise LinkLostError("connection is over")
                    if not self._is_mute:
                        self._writer.write(data)
                        await self._writer.drain()
                radio.traffic.segments_down += 1
                await radio.pace.sleep(radio.profile.latency_ms / 1000)
                await radio.wait_flowing()
        except TimeoutError:
            raise LinkLostError("not acknowledged in time") from None
        except OSError as error:
            raise LinkLostError(str(error)) from None
        if self._over:
            raise LinkLostError("connection is over")

    def close(self) -> None:
        """End it from the modem's side, in order; `on_closed` is not called."""
        if self._finish():
            self._radio.traffic.segments_up += 1
            with contextlib.suppress(OSError, RuntimeError):
                self._writer.close()

    def abort(self) -> None:
        """End it at once, dropping what is under way; `on_closed` is not called."""
        if self._finish():
            reset(self._writer)

    def break_now(self) -> None:
        """The far end or a box between reset it: `on_closed` is called."""
        if self._finish():
            reset(self._writer)
            self._on_closed()

    def _finish(self) -> bool:
        if self._over:
            return False
        self._over = True
        self._on_end(self)
        current = asyncio.current_task()
        for task in self._tasks:
            if task is not current:
                task.cancel()
        return True

    async def _pump_downlink(self) -> None:
        while True:
            # a window smaller than a segment is not offered (RFC 1122 section 4.2.3.3): a host that
            # reads in small bites would else cost a header for each
            while self._window_left < MAXIMUM_SEGMENT_BYTES:
                self._window_opened.clear()
                await self._window_opened.wait()
            try:
                data = await self._reader.read(MAXIMUM_SEGMENT_BYTES)
            except OSError:
                data = b""
            self._window_left -= len(data)
            arrives_s = await self._radio.cross_down(len(data))
            await self._in_flight.put((arrives_s, data))
            if not data:
                return

    async def _deliver(self) -> None:
        radio = self._radio
        while True:
            arrives_s, data = await self._in_flight.get()
            await radio.until(arrives_s)
            await radio.wait_flowing()
            if self._is_forgotten or self._is_mute:
                continue
            if not data:
                if self._finish():
                    radio.traffic.segments_up += 1
                    self._writer.close()
                    self._on_closed()
                return
            # every second segment is acknowledged going up, which costs the merchant too
            self._acknowledge_next = not self._acknowledge_next
            radio.traffic.segments_up += not self._acknowledge_next
            if not await radio.deliver(data, self._on_data):
                return


def reset(writer: Writer) -> None:
    """End a socket with RST: a plain close would tell the server that the terminal had finished."""
    if isinstance(writer, NearWriter):
        writer.reset()
        return
    assert isinstance(writer, asyncio.StreamWriter)
    real = writer.get_extra_info("socket")
    with contextlib.suppress(OSError):
        real.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
