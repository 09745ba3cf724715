"""The technician's tools on simulated time: their serial port is the board's console in this
process, and while they wait for it, or look whether something came, the board's time passes.

So what a tool does with a terminal is a function of what goes in. The tools are the real ones, with
the libraries that they use; only the port that they open and their clock are others.
"""

from __future__ import annotations

import asyncio
import functools
import itertools
import selectors
import types
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from unittest import mock

import mpremote.transport_serial
import serial
import smp.message
import smpclient.transport.serial.common

from hw_sim.simulated_loop import RESOLUTION_S
from hw_sim.threaded import SimulatedBoard
from tools.technician import console_link, custody, ports, recovery_link

_LOOK_S = 0.005
"""A look at an empty port takes so long."""
_FOR_EVER_S = 600.0
_CLOCKS = (mpremote.transport_serial, console_link, custody, ports, recovery_link)


class SimulatedPort:
    """What these tools use of `serial.Serial`, on a board's console."""

    def __init__(self, board: SimulatedBoard, timeout: float | None) -> None:
        self._board = board
        self._heard = bytearray()
        self.timeout = timeout
        self.port = board.serial_port
        self.out_waiting = 0
        self.rts = self.dtr = True
        self.is_open = False

    def open(self) -> None:
        """Hear what the board says from now on."""
        self.is_open = True
        self._listen(self._heard.extend)

    def _listen(self, listener: Callable[[bytes], None] | None) -> None:
        self._board.call(setattr, self._board.board.console, "listener", listener)

    def __enter__(self) -> SimulatedPort:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def reset_input_buffer(self) -> None:
        """Forget what was heard."""
        self._heard.clear()

    def isOpen(self) -> bool:
        """Whether it was not closed."""
        return self.is_open

    def close(self) -> None:
        """The device is again where the board speaks."""
        self.is_open = False
        self._listen(None)

    @property
    def in_waiting(self) -> int:
        """Bytes to read."""
        if not self._count():
            self._board.pause(_LOOK_S)
        return self._count()

    def _count(self) -> int:
        # on the board's thread, so once the terminal has computed what it was computing
        return self._board.call(len, self._heard)

    def inWaiting(self) -> int:
        """Bytes to read."""
        return self.in_waiting

    def read(self, size: int = 1) -> bytes:
        """`size` bytes, or what came until the time was over."""
        now_s = self._board.board.pace.now_s
        until_s = now_s() + (_FOR_EVER_S if self.timeout is None else self.timeout)
        while self._count() < size and now_s() < until_s:
            self._board.pause(_LOOK_S)
        return self._take(size)

    def read_all(self) -> bytes:
        """What is there."""
        return self._take(self.in_waiting)

    def _take(self, size: int) -> bytes:
        def take() -> bytes:
            taken = bytes(self._heard[:size])
            del self._heard[:size]
            return taken

        return self._board.call(take)

    def write(self, data: bytes) -> int:
        """Type."""
        self._board.console_write(bytes(data))
        return len(data)

    def flush(self) -> None:
        """It is there at once."""


class _Selector(selectors.SelectSelector):
    """Waits on the board's time."""

    def __init__(self, board: SimulatedBoard) -> None:
        super().__init__()
        self._board = board

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """What is ready when so much of the board's time has passed."""
        if timeout:
            self._board.pause(timeout)
        return super().select(timeout and 0)


class _Loop(asyncio.SelectorEventLoop):
    """An event loop on the board's time: a time-out is the terminal's fault and not the host's."""

    def __init__(self, board: SimulatedBoard) -> None:
        self._pace = board.board.pace
        super().__init__(_Selector(board))
        self._clock_resolution = RESOLUTION_S

    def time(self) -> float:
        """Seconds of the board's world."""
        return self._pace.now_s()


@contextmanager
def cable(board: SimulatedBoard) -> Iterator[None]:
    """Within, who opens a serial port in this process has that of `board`, on the board's time."""

    def make(*_port: object, timeout: float | None = None, **_line: object) -> SimulatedPort:
        return SimulatedPort(board, timeout)

    def make_open(*port: object, timeout: float | None = None, **line: object) -> SimulatedPort:
        made = make(*port, timeout=timeout, **line)
        made.open()
        return made

    pace = board.board.pace
    clock = types.SimpleNamespace(monotonic=pace.now_s, sleep=board.pause, time=pace.unix_s)
    with ExitStack() as stack:
        stack.enter_context(mock.patch.object(serial, "Serial", make_open))
        stack.enter_context(mock.patch.object(serial, "serial_for_url", make))
        connections = smpclient.transport.serial.common
        stack.enter_context(mock.patch.object(connections, "Serial", make))
        # requests are numbered from the process's first one on
        stack.enter_context(mock.patch.object(smp.message, "_counter", itertools.count()))
        runner = functools.partial(asyncio.Runner, loop_factory=lambda: _Loop(board))
        loops = types.SimpleNamespace(Runner=runner)
        stack.enter_context(mock.patch.object(recovery_link, "asyncio", loops))
        for module in _CLOCKS:
            stack.enter_context(mock.patch.object(module, "time", clock))
        yield
