"""A box on the way that sees every datagram between a terminal and the server, as `tap` does for
HTTP: for what a hostile or a poor network does. The server behind it is the real one.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from dataclasses import dataclass, field

from hw_sim.loop_thread import LoopThread
from hw_sim.network.datagrams import Answer
from hw_sim.simulated import SimulatedThread

_PATIENCE_S = 10.0
"""Of the host's clock: the server answers every whole question, unless it hangs."""
_DATAGRAM_BYTES = 2048
_EMPTY_ACK = 0x60


@dataclass
class DatagramExchange:
    """One datagram of the terminal's, and all that the server said to it."""

    port: int
    asked: bytes
    answers: list[bytes] = field(default_factory=list)


class DatagramTap:
    """Passes everything on until told otherwise.

    `change` is called on the board's thread with each exchange, once the server has answered: what
    it returns goes to the terminal. `answer_last` sends to the terminal as the server would, at any
    time.
    """

    def __init__(
        self,
        loop: LoopThread,
        port: Callable[[], int],
        before_asking: Callable[[], None] = lambda: None,
    ) -> None:
        """`port`: where the server is now. `before_asking` is called before it is asked.

        On simulated time the clock stands still until the server has answered.
        """
        self._loop = loop
        self._port = port
        self._before_asking = before_asking
        self._asking = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()
        self._sockets: dict[tuple[int, int], socket.socket] = {}
        self.exchanges: list[DatagramExchange] = []
        self.change: Callable[[DatagramExchange], list[bytes]] = lambda exchange: exchange.answers
        self.answer_last: Answer = lambda data: None

    def close(self) -> None:
        """Give the sockets back."""
        for opened in self._sockets.values():
            opened.close()
        self._sockets.clear()

    def host(self, data: bytes, port: int, answer: Answer) -> None:
        """A datagram of the terminal's has come: `DatagramHost`."""
        self.answer_last = answer
        task = asyncio.get_running_loop().create_task(self._pass_on(data, port, answer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _pass_on(self, data: bytes, port: int, answer: Answer) -> None:
        async with self._asking:
            exchange = DatagramExchange(port, data)
            self._before_asking()
            if isinstance(self._loop, SimulatedThread):
                with self._loop.simulated.hold("the server"):
                    exchange.answers = await self._ask(data, port)
            else:
                exchange.answers = await self._ask(data, port)
            self.exchanges.append(exchange)
        for said in self.change(exchange):
            answer(said)

    async def _ask(self, data: bytes, port: int) -> list[bytes]:
        try:
            key = (self._port(), port)
        except OSError:
            return []  # nobody is there
        if key not in self._sockets:
            self._sockets[key] = opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            opened.settimeout(_PATIENCE_S)
            opened.connect(("127.0.0.1", key[0]))
        return await asyncio.get_running_loop().run_in_executor(
            None, _exchange, self._sockets[key], data
        )


def _exchange(opened: socket.socket, data: bytes) -> list[bytes]:
    """What the server says: one answer, or that it will come, and then the answer."""
    answers: list[bytes] = []
    try:
        opened.send(data)
        while not answers or (answers[-1][0] == _EMPTY_ACK and len(answers[-1]) == 4):
            answers.append(opened.recv(_DATAGRAM_BYTES))
    except OSError:
        pass  # nobody is there, or it does not answer
    return answers
