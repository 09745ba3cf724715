"""The technician's serial port: a pty whose path stays the same while CPUs come and go behind it.

Only the board makes one. Inside, each CPU has a terminal of its own; this joins the two.
Towards the CPU nothing is lost (as USB serial: the sender waits); from the CPU, what nobody reads
is dropped once the port's buffer is full, so that a chatty program never stalls.
"""

from __future__ import annotations

import asyncio
import os
import termios
import tty
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Final

LOG_LIMIT_BYTES: Final = 1024 * 1024
_CHUNK_BYTES: Final = 4096
_RAW_BANNER: Final = b"raw REPL; CTRL-B to exit"
_FRIENDLY_BANNER: Final = b"\nMicroPython "


class _Pty:
    """A pseudo-terminal in raw mode; both ends stay open until `close`."""

    def __init__(self) -> None:
        self.master, self.slave = os.openpty()
        tty.setraw(self.slave)
        os.set_blocking(self.master, False)
        self.path = os.ttyname(self.slave)

    def flush(self) -> None:
        termios.tcflush(self.slave, termios.TCIOFLUSH)
        termios.tcflush(self.master, termios.TCIOFLUSH)

    def close(self) -> None:
        os.close(self.master)
        os.close(self.slave)


class Console:
    """Joins the CPU to the port (`port_path`): `cpu_terminal` is the descriptor of its standard
    input, `cpu_output` where it prints.
    """

    def __init__(self, link: Path | None = None, *, piped: bool = False) -> None:
        """With `link`, a symbolic link of that name points to the port; an old link is replaced.
        With `piped`, what one side says the other has at that moment; a terminal of the host
        takes its time.

        Raises:
            FileExistsError: there is something else than a link of that name.
        """
        self._inner = _Pty()
        self._outer = _Pty()
        self._pipes = (os.pipe(), os.pipe()) if piped else ()
        self._printed, self._typed = self._inner.master, self._inner.master
        self.cpu_terminal = self.cpu_output = self._inner.slave
        if self._pipes:
            (self.cpu_terminal, self._typed), (self._printed, self.cpu_output) = self._pipes
            os.set_blocking(self._typed, False)
        os.set_blocking(self._printed, False)
        self.listener: Callable[[bytes], None] | None = None
        """Who hears in this process what is said on the port, instead of on the device."""
        self._link = link
        self._log: deque[bytes] = deque()
        self._log_bytes = 0
        self.said_bytes = 0
        """How much was printed in all; only rises."""
        self._to_cpu = bytearray()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._tail = b""
        self.held_for_cpu = bytearray()
        """What came in for a CPU that has no terminal, and was not taken."""
        self._holds = False
        self.in_raw_repl = False
        """Whether the interpreter last said that it is in its raw REPL."""
        self.dropped_bytes = 0
        self.arrived: Callable[[], None] | None = None
        """Called when there is more for the CPU to read."""
        if link is not None:
            if link.is_symlink():
                link.unlink()
            link.symlink_to(self._outer.path)

    @property
    def port_path(self) -> str:
        """The device a technician opens."""
        return self._outer.path

    def open(self) -> None:
        """Begin to carry bytes, on the running event loop."""
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._printed, self._from_cpu)
        self._loop.add_reader(self._outer.master, self._from_port)

    def close(self) -> None:
        """Remove the port."""
        if self._loop is not None:
            self._loop.remove_reader(self._printed)
            self._loop.remove_reader(self._outer.master)
            self._loop.remove_writer(self._typed)
            self._loop = None
        self._inner.close()
        self._outer.close()
        for ends in self._pipes:
            for end in ends:
                os.close(end)
        if self._link is not None and self._link.is_symlink():
            self._link.unlink()

    def drain(self) -> None:
        """Carry on what the CPU has printed and nobody took yet."""
        self._from_cpu()

    def cpu_was_reset(self) -> None:
        """What the CPU had not read is gone; what it had printed is carried on first."""
        self._from_cpu()
        self._inner.flush()
        if self._pipes:
            _empty(self.cpu_terminal)
        self._to_cpu.clear()
        self.held_for_cpu.clear()
        self.in_raw_repl = False
        self._tail = b""

    def write(self, data: bytes) -> None:
        """Type into the port, as a technician without opening it."""
        self._to_cpu += data
        self._push_to_cpu()

    def say(self, data: bytes) -> None:
        """Put bytes on the port as if the CPU's ROM had printed them."""
        self._keep(data)
        self._to_port(data)

    def hold_for_cpu(self, on: bool) -> None:
        """Whether what comes in is kept for `take`, for a CPU that has no terminal to read from."""
        self._holds = on
        self.held_for_cpu.clear()

    def take(self, most_bytes: int) -> bytes:
        """What came in, at most so much (all if negative)."""
        held = self.held_for_cpu
        data = bytes(held if most_bytes < 0 else held[:most_bytes])
        del held[: len(data)]
        if data and self._to_cpu:
            self._push_to_cpu()
        return data

    @property
    def log(self) -> bytes:
        """What the CPU printed since the board was made, the last `LOG_LIMIT_BYTES` of it."""
        return b"".join(self._log)

    def _from_cpu(self) -> None:
        while True:
            try:
                data = os.read(self._printed, _CHUNK_BYTES)
            except (BlockingIOError, OSError):
                return
            if not data:
                return
            self._keep(data)
            seen = self._tail + data
            raw, friendly = seen.rfind(_RAW_BANNER), seen.rfind(_FRIENDLY_BANNER)
            if raw != friendly:
                self.in_raw_repl = raw > friendly
            self._tail = seen[-(len(_RAW_BANNER) - 1) :]
            self._to_port(data)

    def _to_port(self, data: bytes) -> None:
        if self.listener is not None:
            self.listener(data)
            return
        try:
            written = os.write(self._outer.master, data)
        except BlockingIOError:
            written = 0
        self.dropped_bytes += len(data) - written

    def _from_port(self) -> None:
        try:
            data = os.read(self._outer.master, _CHUNK_BYTES)
        except (BlockingIOError, OSError):
            return
        self._to_cpu += data
        self._push_to_cpu()

    def _push_to_cpu(self) -> None:
        if self._to_cpu:
            written = self._give()
            del self._to_cpu[:written]
            if written and self.arrived is not None:
                self.arrived()
        if self._loop is None:
            return
        if self._to_cpu and self._holds:
            self._loop.remove_reader(self._outer.master)  # `take` goes on
        elif self._to_cpu:
            # Hold the sender back until the CPU has read: nothing more is taken from the port.
            self._loop.remove_reader(self._outer.master)
            self._loop.add_writer(self._typed, self._push_to_cpu)
        else:
            self._loop.remove_writer(self._typed)
            self._loop.add_reader(self._outer.master, self._from_port)

    def _give(self) -> int:
        held = self.held_for_cpu
        if self._holds:
            piece = self._to_cpu[: _CHUNK_BYTES - len(held)]
            held += piece
            return len(piece)
        try:
            return os.write(self._typed, self._to_cpu)
        except BlockingIOError:
            return 0

    def _keep(self, data: bytes) -> None:
        self._log.append(data)
        self._log_bytes += len(data)
        self.said_bytes += len(data)
        while self._log_bytes > LOG_LIMIT_BYTES:
            self._log_bytes -= len(self._log.popleft())


def _empty(end: int) -> None:
    """Read what is in a pipe, and throw it away."""
    os.set_blocking(end, False)
    try:
        while os.read(end, _CHUNK_BYTES):
            pass
    except BlockingIOError:
        pass
    finally:
        os.set_blocking(end, True)
