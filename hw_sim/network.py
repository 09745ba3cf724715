"""The GSM network around one terminal: SIM card, coverage, registration, time, and a GPRS link.

Called by the modem (`hw_sim.modem`) for what the air interface would answer, and by tests, scripts
and the front panel to make trouble. TCP connections are bridged to real sockets, so a real server
is at the far end. Everything happens on the running asyncio loop; every random choice comes from
`seed`.

What is measured and what is modelled: payload bytes are counted as they cross the link. Headers,
handshakes, acknowledgements and retransmissions are *modelled* at 40 bytes a segment (20 IP + 20
TCP) and counted apart; DNS is not counted.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import random
import socket
import struct
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Protocol

from hw_sim.pacing import Pace

SEGMENT_OVERHEAD_BYTES = 40
"""IPv4 and TCP header without options: the modelled cost of each segment."""

MAXIMUM_SEGMENT_BYTES = 1360
"""TCP payload of a full segment over GPRS (1400-byte PDP context MTU)."""


class Registration(IntEnum):
    """`<stat>` of +CREG and +CGREG (3GPP TS 27.007 section 7.2)."""

    IDLE = 0
    HOME = 1
    SEARCHING = 2
    DENIED = 3
    ROAMING = 5


class PdpRefusedError(Exception):
    """The network will not give the terminal a data context; the text says why."""


class ConnectFailedError(Exception):
    """No TCP connection came about; the text says why. The modem answers CONNECT FAIL."""


class LinkLostError(Exception):
    """The connection or the data context under it is gone; bytes on their way are lost."""


@dataclass
class SimCard:
    """A SIM card. Its PIN counter lives on the card, so it outlasts power cuts.

    `pin` None is a card without PIN lock. Three wrong PINs lock the card until `puk` is given.
    """

    imsi: str = "639020000000017"
    iccid: str = "89254021000000000172"
    pin: str | None = None
    puk: str = "12345678"
    gprs_contract: bool = True
    pin_attempts_left: int = 3
    puk_attempts_left: int = 10


@dataclass(frozen=True)
class LinkProfile:
    """How the data link behaves. Rates in bytes a second, latency one way.

    `loss` is the chance that a segment is lost and comes `retransmission_ms` later (TCP hides the
    loss, not the delay). Downlink data reaches the modem in pieces of `smallest_chunk_bytes` to
    `largest_chunk_bytes`.
    """

    downlink_bytes_per_s: float = 4000.0
    uplink_bytes_per_s: float = 2500.0
    latency_ms: float = 350.0
    jitter_ms: float = 150.0
    loss: float = 0.0
    retransmission_ms: float = 1500.0
    smallest_chunk_bytes: int = 200
    largest_chunk_bytes: int = MAXIMUM_SEGMENT_BYTES

    def __post_init__(self) -> None:
        """Refuse a link that could never carry a byte (ValueError)."""
        if self.downlink_bytes_per_s <= 0 or self.uplink_bytes_per_s <= 0:
            raise ValueError("link rates must be above zero; use set_coverage(False) for no link")
        if not 0.0 <= self.loss < 1.0:
            raise ValueError("loss is a chance from 0 to below 1")
        if not 1 <= self.smallest_chunk_bytes <= self.largest_chunk_bytes <= MAXIMUM_SEGMENT_BYTES:
            raise ValueError(f"chunks go from 1 to {MAXIMUM_SEGMENT_BYTES} bytes")


GPRS = LinkProfile()
"""Four downlink slots in fair coverage."""

POOR_GPRS = LinkProfile(
    downlink_bytes_per_s=1200, uplink_bytes_per_s=800, latency_ms=900, jitter_ms=900, loss=0.05
)
"""The edge of a cell."""

WIRE = LinkProfile(
    downlink_bytes_per_s=1e9, uplink_bytes_per_s=1e9, latency_ms=0, jitter_ms=0, loss=0
)
"""No delay worth speaking of: for tests that look at something else."""


@dataclass
class Traffic:
    """Counters of one network since its construction. Payload is measured, the rest is modelled."""

    payload_up_bytes: int = 0
    payload_down_bytes: int = 0
    segments_up: int = 0
    segments_down: int = 0
    retransmitted_bytes: int = 0
    connections: int = 0

    @property
    def modelled_overhead_bytes(self) -> int:
        """Headers of all segments, and whole segments sent again: an estimate."""
        segments = self.segments_up + self.segments_down
        return segments * SEGMENT_OVERHEAD_BYTES + self.retransmitted_bytes

    @property
    def modelled_total_bytes(self) -> int:
        """Payload both ways plus the modelled overhead: what an operator would roughly bill."""
        return self.payload_up_bytes + self.payload_down_bytes + self.modelled_overhead_bytes


class NetworkListener(Protocol):
    """The modem's ear on the network; called on the event loop, must not block."""

    def on_network_change(self) -> None:
        """Coverage, admission or signal changed."""
        ...

    def on_sim_change(self) -> None:
        """A SIM card was put in or taken out."""
        ...

    def on_pdp_deactivated(self) -> None:
        """The network took the data context away; its connections are dead already."""
        ...


@dataclass
class _Drop:
    bytes_left: int


class GsmNetwork:
    """What one terminal's antenna meets.

    `resolve` maps "name:port" (as the terminal asks for it) to the real (host, port); without an
    entry only loopback addresses and `localhost` are reached, all else is CONNECT FAIL. `apn` None
    accepts any access point name. `clock` gives honest Unix seconds. All delays are in device
    seconds and run `time_scale` times faster than the wall.
    """

    def __init__(
        self,
        *,
        seed: int = 0,
        time_scale: float = 1.0,
        link: LinkProfile = GPRS,
        sim: SimCard | None = None,
        sim_inserted: bool = True,
        coverage: bool = True,
        signal: int = 20,
        registration_delay_s: float = 3.0,
        pdp_activation_s: float = 1.0,
        pdp_survives_outage_s: float = 20.0,
        tcp_gives_up_s: float = 150.0,
        apn: str | None = None,
        operator_name: str = "Savanna",
        operator_code: str = "63902",
        resolve: Mapping[str, tuple[str, int]] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.pace = Pace(time_scale)
        self.link = link
        self.apn = apn
        self.operator_name = operator_name
        self.operator_code = operator_code
        self.registration_delay_s = registration_delay_s
        self.pdp_activation_s = pdp_activation_s
        self.pdp_survives_outage_s = pdp_survives_outage_s
        self.tcp_gives_up_s = tcp_gives_up_s
        self.traffic = Traffic()
        self.sim: SimCard | None = (sim or SimCard()) if sim_inserted else None
        self.gives_time = True
        self._random = random.Random(seed)  # noqa: S311 - repeatable jitter, no secret
        self._clock = clock
        self._clock_offset_s = 0.0
        self._routes = dict(resolve or {})
        self._coverage = coverage
        self._admission = Registration.HOME
        self._signal = signal
        self._listeners: list[NetworkListener] = []
        self._contexts: list[PdpContext] = []
        self._drops: list[_Drop] = []
        self._refused_connects = 0
        self._stalled = False
        self._flow_changed: asyncio.Event | None = None
        self._outage_timer: asyncio.TimerHandle | None = None
        self._uplink_free_at_s = 0.0
        self._downlink_free_at_s = 0.0

    # -- trouble: for tests, scripts and the front panel ------------------------------------------

    def set_coverage(self, on: bool) -> None:
        """Enter or leave coverage. Traffic stops at once; the data context outlives a short outage.

        After `pdp_survives_outage_s` without coverage the context is deactivated.
        """
        self._coverage = on
        if self._outage_timer is not None:
            self._outage_timer.cancel()
            self._outage_timer = None
        if not on and self._contexts:
            self._outage_timer = self.pace.call_later(
                self.pdp_survives_outage_s, self.deactivate_pdp
            )
        self._tell_change()

    def set_admission(self, admission: Registration) -> None:
        """Admit the SIM as HOME or ROAMING, or answer DENIED."""
        if admission not in (Registration.HOME, Registration.ROAMING, Registration.DENIED):
            raise ValueError("a network admits as HOME or ROAMING, or it is DENIED")
        self._admission = admission
        if admission is Registration.DENIED:
            self.deactivate_pdp()
        self._tell_change()

    def set_signal(self, signal: int) -> None:
        """Signal as +CSQ says it: 0 to 31, or 99 for unknown."""
        if not (0 <= signal <= 31 or signal == 99):
            raise ValueError("signal is 0 to 31, or 99")
        self._signal = signal
        self._tell_change()

    def insert_sim(self, sim: SimCard | None = None) -> None:
        """Put a card into the holder (a default one when none is given)."""
        self.sim = sim or SimCard()
        for listener in list(self._listeners):
            listener.on_sim_change()

    def remove_sim(self) -> SimCard | None:
        """Take the card out and hand it back; its data context dies with it."""
        sim, self.sim = self.sim, None
        self.deactivate_pdp()
        for listener in list(self._listeners):
            listener.on_sim_change()
        return sim

    def forge_time(self, unix_s: float) -> None:
        """Let the cell claim this time from now on; it runs on from there. See `honest_time`."""
        self._clock_offset_s = unix_s - self._clock()

    def honest_time(self) -> None:
        """Let the cell tell the truth again."""
        self._clock_offset_s = 0.0

    def drop_after_bytes(self, downlink_bytes: int) -> None:
        """Deactivate the data context once, after exactly so many more bytes reached the modem.

        Drops may be queued: the next one starts counting where the one before it struck.
        """
        if downlink_bytes < 0:
            raise ValueError("a drop comes after zero or more bytes")
        self._drops.append(_Drop(downlink_bytes))
        if downlink_bytes == 0:
            self._drops.pop()
            self.deactivate_pdp()

    def deactivate_pdp(self) -> None:
        """Take the data context away now: the modem says +PDP: DEACT, bytes under way are lost."""
        for context in list(self._contexts):
            context.deactivate(by_network=True)

    def reset_connections(self) -> None:
        """Break every open TCP connection; the data context stays. The modem says CLOSED."""
        for context in list(self._contexts):
            for connection in list(context.connections):
                connection.break_now()

    def stall(self, seconds: float) -> None:
        """Let nothing cross the link for that long, without any sign of it."""
        self._stalled = True
        self._signal_flow()

        def flow_again() -> None:
            self._stalled = False
            self._signal_flow()

        self.pace.call_later(seconds, flow_again)

    def refuse_connects(self, count: int) -> None:
        """Let the next `count` TCP connections fail, whatever is at the far end."""
        self._refused_connects = count

    def route(self, name: str, port: int, to: tuple[str, int]) -> None:
        """Send connections to `name:port` to this real address."""
        self._routes[f"{name}:{port}"] = to

    # -- what the air interface answers: for the modem --------------------------------------------

    @property
    def coverage(self) -> bool:
        """Whether the antenna hears a cell."""
        return self._coverage

    @property
    def signal(self) -> int:
        """+CSQ value now: 99 outside coverage."""
        return self._signal if self._coverage else 99

    @property
    def connected_contexts(self) -> int:
        """How many data contexts are active."""
        return len(self._contexts)

    def attach_listener(self, listener: NetworkListener) -> None:
        """Tell this modem of changes from now on."""
        if listener not in self._listeners:
            self._listeners.append(listener)

    def detach_listener(self, listener: NetworkListener) -> None:
        """Stop telling; unknown listeners are fine."""
        if listener in self._listeners:
            self._listeners.remove(listener)

    def admission(self) -> Registration:
        """What a modem that listens now would end up as."""
        return self._admission if self._coverage else Registration.SEARCHING

    def time_unix_s(self) -> float:
        """The time the cell claims; see `forge_time`."""
        return self._clock() + self._clock_offset_s

    async def activate_pdp(self, apn: str, listener: NetworkListener) -> PdpContext:
        """Give a data context, after a while. Raises PdpRefusedError with the network's reason."""
        await self.pace.sleep(self.pdp_activation_s)
        if not self._coverage:
            raise PdpRefusedError("no coverage")
        if self._admission is Registration.DENIED:
            raise PdpRefusedError("registration denied")
        if self.sim is None or not self.sim.gprs_contract:
            raise PdpRefusedError("no contract for data")
        if self.apn is not None and apn != self.apn:
            raise PdpRefusedError(f"unknown access point {apn!r}")
        address = f"10.{self._random.randrange(256)}.{self._random.randrange(256)}.2"
        context = PdpContext(self, listener, address)
        self._contexts.append(context)
        return context

    # -- inside -----------------------------------------------------------------------------------

    def _tell_change(self) -> None:
        self._signal_flow()
        for listener in list(self._listeners):
            listener.on_network_change()

    def _signal_flow(self) -> None:
        if self._flow_changed is not None:
            self._flow_changed.set()

    @property
    def _flowing(self) -> bool:
        return self._coverage and not self._stalled

    async def _wait_flowing(self) -> None:
        while not self._flowing:
            self._flow_changed = self._flow_changed or asyncio.Event()
            self._flow_changed.clear()
            await self._flow_changed.wait()

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

    def _delay_s(self, payload_bytes: int) -> float:
        """One-way time beyond the wire's own: latency, jitter, and retransmissions when lost."""
        link = self.link
        delay_ms = link.latency_ms + self._random.random() * link.jitter_ms
        while link.loss and self._random.random() < link.loss:
            delay_ms += link.retransmission_ms
            self.traffic.retransmitted_bytes += payload_bytes + SEGMENT_OVERHEAD_BYTES
        return delay_ms / 1000

    async def _cross_uplink(self, payload_bytes: int) -> float:
        """Hold the uplink for one segment; return the device time at which it arrives."""
        await self._wait_flowing()
        wire_s = (payload_bytes + SEGMENT_OVERHEAD_BYTES) / self.link.uplink_bytes_per_s
        free_at_s = max(self._uplink_free_at_s, self.pace.now_s()) + wire_s
        self._uplink_free_at_s = free_at_s
        self.traffic.segments_up += 1
        self.traffic.payload_up_bytes += payload_bytes
        await self.pace.sleep(free_at_s - self.pace.now_s())
        return free_at_s + self._delay_s(payload_bytes)

    async def _cross_downlink(self, payload_bytes: int) -> float:
        await self._wait_flowing()
        wire_s = (payload_bytes + SEGMENT_OVERHEAD_BYTES) / self.link.downlink_bytes_per_s
        free_at_s = max(self._downlink_free_at_s, self.pace.now_s()) + wire_s
        self._downlink_free_at_s = free_at_s
        self.traffic.segments_down += 1
        self.traffic.payload_down_bytes += payload_bytes
        await self.pace.sleep(free_at_s - self.pace.now_s())
        return free_at_s + self._delay_s(payload_bytes)

    def _bytes_until_drop(self) -> int | None:
        return self._drops[0].bytes_left if self._drops else None

    def _count_delivered(self, count: int) -> bool:
        """Count bytes that reached the modem; True when a queued drop strikes now."""
        if not self._drops:
            return False
        self._drops[0].bytes_left -= count
        if self._drops[0].bytes_left > 0:
            return False
        self._drops.pop(0)
        return True

    def _take_refusal(self) -> bool:
        if self._refused_connects <= 0:
            return False
        self._refused_connects -= 1
        return True


@dataclass(eq=False)
class PdpContext:
    """One data context: an IP address and the TCP connections over it."""

    network: GsmNetwork
    listener: NetworkListener
    address: str
    connections: list[TcpConnection] = field(default_factory=list)
    active: bool = True

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
        network = self.network
        try:
            async with asyncio.timeout(network.tcp_gives_up_s / network.pace.time_scale):
                # the handshake crosses the link once each way before data can follow
                arrives_s = await network._cross_uplink(0)
                await network.pace.sleep(arrives_s - network.pace.now_s())
                if network._take_refusal():
                    raise ConnectFailedError("refused")
                host, real_port = network.address_of(name, port)
                reader, writer = await asyncio.open_connection(host, real_port, limit=4096)
                try:
                    arrives_s = await network._cross_downlink(0)
                    await network.pace.sleep(arrives_s - network.pace.now_s())
                except BaseException:
                    _reset(writer)
                    raise
        except TimeoutError:
            raise ConnectFailedError("no answer in time") from None
        except OSError as error:
            raise ConnectFailedError(str(error)) from None
        if not self.active:
            _reset(writer)
            raise ConnectFailedError("the data context went away")
        network.traffic.segments_up += 1
        network.traffic.connections += 1
        connection = TcpConnection(self, reader, writer, receive_window_bytes, on_data, on_closed)
        self.connections.append(connection)
        return connection

    def deactivate(self, *, by_network: bool = False) -> None:
        """End the context; its connections die without a word to the far end's application.

        The far end's socket is reset at once, where a real one would wait for its own time-out.
        """
        if not self.active:
            return
        self.active = False
        self.network._contexts.remove(self)
        for connection in list(self.connections):
            connection.abort()
        if by_network:
            self.listener.on_pdp_deactivated()


class TcpConnection:
    """A TCP connection from the modem to a real socket, slowed to the link's pace.

    Flow control: no more than the receive window is ever under way or unread, so a slow reader
    holds the sender back and nothing grows without bound.
    """

    def __init__(
        self,
        context: PdpContext,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        receive_window_bytes: int,
        on_data: Callable[[bytes], None],
        on_closed: Callable[[], None],
    ) -> None:
        self._context = context
        self._network = context.network
        self._reader = reader
        self._writer = writer
        self._window_left = receive_window_bytes
        self._window_opened = asyncio.Event()
        self._on_data = on_data
        self._on_closed = on_closed
        self._sending = asyncio.Lock()
        self._in_flight: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
        self._over = False
        self._acknowledge_next = False
        self._tasks = [
            asyncio.create_task(self._pump_downlink()),
            asyncio.create_task(self._deliver()),
        ]

    @property
    def open(self) -> bool:
        """Whether bytes can still be sent."""
        return not self._over

    def consumed(self, count: int) -> None:
        """The modem's user read so many bytes: the window opens again by as much."""
        self._window_left += count
        self._window_opened.set()

    async def send(self, data: bytes) -> None:
        """Send in order; returns when the far end's TCP acknowledged. Raises LinkLostError."""
        network = self._network
        try:
            async with asyncio.timeout(network.tcp_gives_up_s / network.pace.time_scale):
                async with self._sending:
                    arrives_s = network.pace.now_s()
                    for start in range(0, len(data), MAXIMUM_SEGMENT_BYTES):
                        segment_bytes = min(MAXIMUM_SEGMENT_BYTES, len(data) - start)
                        arrives_s = max(arrives_s, await network._cross_uplink(segment_bytes))
                    await network.pace.sleep(arrives_s - network.pace.now_s())
                    await network._wait_flowing()
                    if self._over:
                        raise LinkLostError("connection is over")
                    self._writer.write(data)
                    await self._writer.drain()
                network.traffic.segments_down += 1
                await network.pace.sleep(network.link.latency_ms / 1000)
                await network._wait_flowing()
        except TimeoutError:
            raise LinkLostError("not acknowledged in time") from None
        except OSError as error:
            raise LinkLostError(str(error)) from None
        if self._over:
            raise LinkLostError("connection is over")

    def close(self) -> None:
        """End it from the modem's side, in order; `on_closed` is not called."""
        if self._finish():
            self._network.traffic.segments_up += 1
            with contextlib.suppress(OSError, RuntimeError):
                self._writer.close()

    def abort(self) -> None:
        """End it at once, dropping what is under way; `on_closed` is not called."""
        if self._finish():
            _reset(self._writer)

    def break_now(self) -> None:
        """The far end or a box between reset it: `on_closed` is called."""
        if self._finish():
            _reset(self._writer)
            self._on_closed()

    def _finish(self) -> bool:
        if self._over:
            return False
        self._over = True
        if self in self._context.connections:
            self._context.connections.remove(self)
        current = asyncio.current_task()
        for task in self._tasks:
            if task is not current:
                task.cancel()
        return True

    async def _pump_downlink(self) -> None:
        network = self._network
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
            arrives_s = await network._cross_downlink(len(data))
            await self._in_flight.put((arrives_s, data))
            if not data:
                return

    async def _deliver(self) -> None:
        network = self._network
        while True:
            arrives_s, data = await self._in_flight.get()
            await network.pace.sleep(arrives_s - network.pace.now_s())
            await network._wait_flowing()
            if not data:
                if self._finish():
                    network.traffic.segments_up += 1
                    self._writer.close()
                    self._on_closed()
                return
            # every second segment is acknowledged going up, which costs the merchant too
            self._acknowledge_next = not self._acknowledge_next
            network.traffic.segments_up += not self._acknowledge_next
            link = network.link
            while data:
                size = network._random.randint(link.smallest_chunk_bytes, link.largest_chunk_bytes)
                size = min(size, network._bytes_until_drop() or size)
                piece, data = data[:size], data[size:]
                self._on_data(piece)
                if network._count_delivered(len(piece)):
                    network.deactivate_pdp()
                    return
                await network.pace.sleep(0.005 if data else 0)


def _reset(writer: asyncio.StreamWriter) -> None:
    """End a socket with RST: a plain close would tell the server that the terminal had finished."""
    real = writer.get_extra_info("socket")
    with contextlib.suppress(OSError):
        real.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
