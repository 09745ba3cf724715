"""The air between the modem and the cell: one segment after the other, late, lost or not at all.

`hw_sim.network.gsm` owns one; the connections cross it.
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Callable

from hw_sim.network.link import (
    DATAGRAM_OVERHEAD_BYTES,
    SEGMENT_OVERHEAD_BYTES,
    LinkProfile,
    Traffic,
)
from hw_sim.pacing import Pace

_PIECE_GAP_S = 0.005
"""Between the pieces in which one segment reaches the modem."""


class _Direction:
    """Up or down: one segment at a time holds it."""

    def __init__(self) -> None:
        self.free_at_s = 0.0


class Radio:
    """Carries payload at the link's pace and counts it in `traffic`.

    `chance` draws jitter, losses and the size of pieces. `on_drop` is called when a queued drop
    strikes.
    """

    def __init__(
        self,
        pace: Pace,
        profile: LinkProfile,
        chance: random.Random,
        *,
        coverage: bool,
        on_drop: Callable[[], None],
    ) -> None:
        self.pace = pace
        self.profile = profile
        self.traffic = Traffic()
        self._chance = chance
        self._coverage = coverage
        self._on_drop = on_drop
        self._stalled = False
        self._suspended = False
        self._flow_changed: asyncio.Event | None = None
        self._up = _Direction()
        self._down = _Direction()
        self._drops_after_bytes: deque[int] = deque()

    # trouble

    @property
    def coverage(self) -> bool:
        """Whether the antenna hears a cell; nothing crosses while it does not."""
        return self._coverage

    def set_coverage(self, on: bool) -> None:
        """Enter or leave the cell."""
        self._coverage = on
        self._signal_flow()

    def stall(self, seconds: float) -> None:
        """Let nothing cross for that long, without any sign of it."""
        self._stalled = True
        self._signal_flow()
        self.pace.call_later(seconds, self._flow_again)

    def suspend(self, on: bool) -> None:
        """Let nothing cross until this is taken back."""
        self._suspended = on
        self._signal_flow()

    def drop_after_bytes(self, downlink_bytes: int) -> None:
        """Call `on_drop` once, after exactly so many more bytes reached the modem.

        Drops may be queued: the next one starts counting where the one before it struck.
        """
        if downlink_bytes < 0:
            raise ValueError("a drop comes after zero or more bytes")
        if downlink_bytes:
            self._drops_after_bytes.append(downlink_bytes)
        else:
            self._on_drop()

    # crossing

    async def wait_flowing(self) -> None:
        """Return as soon as the link carries anything."""
        while self._stalled or self._suspended or not self._coverage:
            self._flow_changed = self._flow_changed or asyncio.Event()
            self._flow_changed.clear()
            await self._flow_changed.wait()

    async def cross_up(self, payload_bytes: int) -> float:
        """Hold the uplink for one segment; return the device time at which it arrives."""
        await self.wait_flowing()
        self.traffic.segments_up += 1
        self.traffic.payload_up_bytes += payload_bytes
        return await self._cross(self._up, payload_bytes, self.profile.uplink_bytes_per_s)

    async def cross_down(self, payload_bytes: int) -> float:
        """Hold the downlink for one segment; return the device time at which it arrives."""
        await self.wait_flowing()
        self.traffic.segments_down += 1
        self.traffic.payload_down_bytes += payload_bytes
        return await self._cross(self._down, payload_bytes, self.profile.downlink_bytes_per_s)

    async def datagram_up(self, payload_bytes: int) -> float | None:
        """As `cross_up`; None when it is lost, as nobody sends a datagram again."""
        await self.wait_flowing()
        self.traffic.datagrams_up += 1
        self.traffic.payload_up_bytes += payload_bytes
        return await self._once(self._up, payload_bytes, self.profile.uplink_bytes_per_s)

    async def datagram_down(self, payload_bytes: int) -> float | None:
        """As `cross_down`; None when it is lost."""
        await self.wait_flowing()
        self.traffic.datagrams_down += 1
        self.traffic.payload_down_bytes += payload_bytes
        return await self._once(self._down, payload_bytes, self.profile.downlink_bytes_per_s)

    def happens(self, chance: float) -> bool:
        """Whether something of that chance happens now; nothing is drawn for what never does."""
        return chance > 0 and self._chance.random() < chance

    async def until(self, device_s: float) -> None:
        """Wait for that device time."""
        await self.pace.sleep(device_s - self.pace.now_s())

    async def deliver(self, data: bytes, on_data: Callable[[bytes], None]) -> bool:
        """Hand a segment to the modem in pieces; False when a drop struck within it."""
        while data:
            size = self._chance.randint(
                self.profile.smallest_chunk_bytes, self.profile.largest_chunk_bytes
            )
            if self._drops_after_bytes:
                size = min(size, self._drops_after_bytes[0])
            piece, data = data[:size], data[size:]
            on_data(piece)
            if self._drop_strikes(len(piece)):
                self._on_drop()
                return False
            await self.pace.sleep(_PIECE_GAP_S if data else 0)
        return True

    # inside

    async def _cross(self, way: _Direction, payload_bytes: int, bytes_per_s: float) -> float:
        free_at_s = await self._hold(way, payload_bytes + SEGMENT_OVERHEAD_BYTES, bytes_per_s)
        return free_at_s + self._delay_s(payload_bytes)

    async def _once(self, way: _Direction, payload_bytes: int, bytes_per_s: float) -> float | None:
        free_at_s = await self._hold(way, payload_bytes + DATAGRAM_OVERHEAD_BYTES, bytes_per_s)
        delay_ms = self.profile.latency_ms + self._chance.random() * self.profile.jitter_ms
        return None if self.happens(self.profile.loss) else free_at_s + delay_ms / 1000

    async def _hold(self, way: _Direction, size_bytes: int, bytes_per_s: float) -> float:
        """Wait till the way is free, and hold it; the device time at which all is on the air."""
        wire_s = size_bytes / bytes_per_s
        free_at_s = max(way.free_at_s, self.pace.now_s()) + wire_s
        way.free_at_s = free_at_s
        await self.until(free_at_s)
        return free_at_s

    def _delay_s(self, payload_bytes: int) -> float:
        """One-way time beyond the wire's own: latency, jitter, and retransmissions when lost."""
        link = self.profile
        delay_ms = link.latency_ms + self._chance.random() * link.jitter_ms
        while link.loss and self._chance.random() < link.loss:
            delay_ms += link.retransmission_ms
            self.traffic.retransmitted_bytes += payload_bytes + SEGMENT_OVERHEAD_BYTES
        return delay_ms / 1000

    def _drop_strikes(self, delivered_bytes: int) -> bool:
        if not self._drops_after_bytes:
            return False
        self._drops_after_bytes[0] -= delivered_bytes
        if self._drops_after_bytes[0] > 0:
            return False
        self._drops_after_bytes.popleft()
        return True

    def _flow_again(self) -> None:
        self._stalled = False
        self._signal_flow()

    def _signal_flow(self) -> None:
        if self._flow_changed is not None:
            self._flow_changed.set()
