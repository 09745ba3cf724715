"""What stands on a stage in the place of sockets and threads: connections between an adapter and a
simulated supplier, the supplier's courier, and who works on a line.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode, urlsplit

from hw_sim.suppliers.callbacks import Courier
from hw_sim.suppliers.faults import Faults
from hw_sim.suppliers.place import Listening, Place
from hw_sim.suppliers.tcp import Cut, Wire
from tests.suppliers.stage import Actor, Stage
from updater_server.sales.suppliers.lines import Queue, Threads, Waiting
from updater_server.sales.suppliers.net import Net

NEAR_S = 0.002
FAR_S = 0.03
"""A way there or back takes from `NEAR_S` to `FAR_S`."""
SUPPLIER = "supplier"


class _Socket:
    """The supplier's end, as `Wire` uses a socket: bytes that are here are read, more never come
    while it looks.
    """

    def __init__(self) -> None:
        self.came = b""
        self.said: list[bytes] = []
        self.is_starved = False

    def settimeout(self, seconds: float) -> None:
        """It never waits."""

    def recv(self, most: int) -> bytes:
        """What is here."""
        data, self.came = self.came[:most], self.came[most:]
        self.is_starved = not data
        return data

    def sendall(self, data: bytes) -> None:
        """On its way."""
        self.said.append(bytes(data))

    def shutdown(self, _how: int) -> None:
        """Its end is told by `Line`."""

    def setsockopt(self, *_option: object) -> None:
        """A reset."""


class _Connection:
    """The adapter's end (`net.Connection`). The supplier reads what was sent when the adapter waits
    for an answer; its answer is here when its time has passed.
    """

    def __init__(
        self, place: StagedPlace, port: _Port, cuts: tuple[int | None, int | None]
    ) -> None:
        self._place = place
        self._stage = place.stage
        self._serve = port.serve
        self._socket = _Socket()
        self._wire = Wire(self._socket, *cuts)  # type: ignore[arg-type]
        self._answer = b""
        self._here_at = 0.0
        self._is_over = self._is_reset = self._is_asked = False
        self._timeout_s = 60.0

    def settimeout(self, seconds: float | None) -> None:
        """For the next `recv`."""
        self._timeout_s = 60.0 if seconds is None else seconds

    def sendall(self, data: bytes) -> None:
        """On its way."""
        self._socket.came += data
        self._is_asked = True

    def close(self) -> None:
        """What was sent arrives; what comes is lost."""
        if self._is_asked:
            self._served()

    def recv(self, most: int) -> bytes:
        """What came, once it is here."""
        until = self._stage.now + self._timeout_s
        if not self._answer and self._is_asked:
            self._served()
        at = max(self._stage.now, self._here_at)
        is_open = not self._answer and not self._is_over
        if is_open or at > until:
            self._stage.sleep(max(0.0, until - self._stage.now))
            raise TimeoutError("timed out")
        self._stage.sleep(at - self._stage.now)
        if self._is_reset:
            raise ConnectionResetError("reset")
        data, self._answer = self._answer[:most], self._answer[most:]
        return data

    def _served(self) -> None:
        """Let the supplier read and answer; how long it takes, it says by `StagedPlace.sleep`."""
        self._is_asked = False
        if self._is_over:
            return
        before_s, self._place.took_s = self._place.took_s, 0.0
        try:
            self._serve(self._wire)
            self._is_over = not self._socket.is_starved
        except Cut:
            self._is_over, self._is_reset = True, self._wire.cut_out is None
        took_s, self._place.took_s = self._place.took_s, before_s
        self._answer += b"".join(self._socket.said)
        self._socket.said.clear()
        self._here_at = self._stage.now + took_s + self._place.way_s()


class _Port:
    """`place.Listening`."""

    def __init__(self, place: StagedPlace, serve: Callable[[Wire], None], port: int) -> None:
        self.serve = serve
        self.port = port
        self._place = place
        self._cuts: list[tuple[int | None, int | None]] = []
        place.ports[port] = self

    def cut_next(self, cut_in: int | None = None, cut_out: int | None = None) -> None:
        """Lose the next connection after so many bytes received, or sent."""
        self._cuts.append((cut_in, cut_out))

    def forget_cuts(self) -> None:
        """Let every connection be."""
        self._cuts.clear()

    def connected(self) -> _Connection:
        """One more."""
        return _Connection(self._place, self, self._cuts.pop(0) if self._cuts else (None, None))

    def close(self) -> None:
        """Nobody listens any more."""
        self._place.ports.pop(self.port, None)


class StagedPlace(Place):
    """Where simulated suppliers live on a stage."""

    def __init__(self, stage: Stage, report: Callable[[str, bytes], int]) -> None:
        self.stage = stage
        self.ports: dict[int, _Port] = {}
        self.took_s = 0.0
        self._report = report

    def way_s(self) -> float:
        """How long a way takes now."""
        return self.stage.random.uniform(NEAR_S, FAR_S)

    def listen(self, serve: Callable[[Wire], None], port: int) -> Listening:
        """`Place.listen`."""
        return _Port(self, serve, port or 1000 + len(self.ports))

    def sleep(self, seconds: float) -> None:
        """`Place.sleep`: the answer comes so much later."""
        self.took_s += seconds

    def courier(self, faults: Faults, pause_s: float = 0.0) -> Courier:
        """`Place.courier`."""
        return StagedCourier(self.stage, faults, self._report)


class StagedCourier(Courier):
    """Carries call-backs on a stage."""

    def __init__(self, stage: Stage, faults: Faults, report: Callable[[str, bytes], int]) -> None:
        self._stage = stage
        self._faults = faults
        self._report = report
        self.answered: list[int] = []

    def later(self, delay_s: float, call: Callable[[], object]) -> None:
        """`Courier.later`; at once is still after what is going on."""
        self._stage.spawn(call, SUPPLIER, delay_s + 0.001)

    def _carry(self, url: str, content: dict[str, str]) -> None:
        self.answered.append(self._report(urlsplit(url).path, urlencode(content).encode()))

    def rest(self, patience_s: float = 10.0) -> None:
        """`Courier.rest`."""
        self._stage.rest(SUPPLIER)

    def close(self) -> None:
        """Nothing more is begun: the stage ends."""


class StagedNet(Net):
    """The network of an adapter on a stage, in the process `group`."""

    def __init__(self, place: StagedPlace, unix_s: int) -> None:
        self._place = place
        self._unix_s = unix_s

    def connect(self, host: str, port: int, timeout_s: float) -> Any:
        """`Net.connect`."""
        way_s = self._place.way_s()
        self._place.stage.sleep(min(way_s, timeout_s))
        if way_s > timeout_s:
            raise TimeoutError("timed out")
        there = self._place.ports.get(port)
        if there is None:
            raise ConnectionRefusedError("refused")
        return there.connected()

    def now(self) -> float:
        """`Net.now`."""
        return self._place.stage.now

    def unix(self) -> float:
        """`Net.unix`."""
        return self._unix_s + self._place.stage.now


class _Queue:
    """`lines.Queue`."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._items: list[Waiting] = []
        self._waiting: list[Actor] = []

    def put(self, item: Waiting) -> None:
        """Wakes one who waits."""
        heapq.heappush(self._items, item)
        while self._waiting:
            actor = self._waiting.pop(0)
            if not actor.is_ended:
                self._stage.wake(actor)
                return

    def get(self) -> Waiting:
        """Waits for one."""
        while not self._items:
            self._waiting.append(self._stage.actor)
            self._stage.wait()
        return heapq.heappop(self._items)

    def qsize(self) -> int:
        """How many there are."""
        return len(self._items)


class StagedThreads(Threads):
    """Who works on the lines of the process `group`."""

    def __init__(self, stage: Stage, group: str) -> None:
        self._stage = stage
        self._group = group

    def queue(self) -> Queue:
        """`Threads.queue`."""
        return _Queue(self._stage)

    def start(self, name: str, work: Callable[[], None]) -> Any:
        """`Threads.start`."""
        self._stage.spawn(work, self._group)
        return _Worker()


class _Worker:
    def join(self, _timeout: float) -> None:
        """Who closes a line on a stage does not wait."""
