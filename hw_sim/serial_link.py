"""One UART of the CPU: its receive FIFO, and the wire to the device on it.

The board makes one for each UART.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable
from typing import Final

from hw_sim.uart import UartPeer

_TOLERANCE: Final = 0.04
"""A UART samples mid-bit; past some 4 % the last bits of a frame are read wrong."""


class SerialLink:
    """The CPU's side of a UART, with a receive FIFO of `fifo_bytes` that overflows like hardware's.

    Bytes that arrive while the CPU has not opened the UART are lost. When `line_baud` is given, a
    CPU that opened with another rate sends and receives noise. Counters: `received_bytes`,
    `sent_bytes`, `overflowed_bytes` (no room), `unheard_bytes` (UART not open).
    """

    def __init__(
        self, peer: UartPeer | None, *, fifo_bytes: int, line_baud: int | None, rng: random.Random
    ) -> None:
        self.peer = peer
        self.fifo_bytes = fifo_bytes
        self.line_baud = line_baud
        self.baud = 0
        self.received_bytes = 0
        self.sent_bytes = 0
        self.overflowed_bytes = 0
        self.unheard_bytes = 0
        self.trace: deque[tuple[str, bytes]] = deque(maxlen=2000)
        """The last chunks that crossed: ("tx" | "rx", bytes), as seen from the CPU."""
        self.arrived: Callable[[], None] | None = None
        """Called when bytes came into the FIFO, for a CPU with a wire of its own."""
        self._rng = rng
        self._fifo = bytearray()
        self._drops = self._garbles = 0
        if peer is not None:
            peer.send = self.receive

    def drop(self, size_bytes: int) -> None:
        """Lose the next so many bytes, whichever way they go: a contact that is loose."""
        self._drops = size_bytes

    def garble(self, size_bytes: int) -> None:
        """Turn the next so many bytes into others, whichever way they go: noise on the wire."""
        self._garbles = size_bytes

    def reset(self) -> None:
        """The CPU was reset: FIFO empty, UART closed."""
        self._fifo.clear()
        self.baud = 0

    def open(self, baud: int) -> None:
        """ValueError for a rate that the chip's divider cannot make."""
        if not 50 <= baud <= 3_000_000:
            raise ValueError(f"a UART here runs at 50 to 3000000 baud, not {baud}")
        self.baud = baud
        self._fifo.clear()

    @property
    def waiting_bytes(self) -> int:
        """How many bytes are in the FIFO."""
        return len(self._fifo)

    def receive(self, data: bytes) -> None:
        """Bytes from the device arrive."""
        if not self.baud:
            self.unheard_bytes += len(data)
            return
        room = self.fifo_bytes - len(self._fifo)
        fits = data[:room]
        taken = self._on_the_line(fits)
        self.overflowed_bytes += len(data) - len(fits)
        self.received_bytes += len(taken)
        if taken:
            self._fifo += taken
            self.trace.append(("rx", bytes(taken)))
            if self.arrived is not None:
                self.arrived()

    def peek(self) -> bytes:
        """What is in the FIFO."""
        return bytes(self._fifo)

    def read(self, most_bytes: int) -> bytes:
        """Take up to so many bytes out of the FIFO."""
        data = bytes(self._fifo[:most_bytes])
        del self._fifo[:most_bytes]
        return data

    def transmit(self, data: bytes) -> None:
        """The CPU sends. ValueError when it has not opened the UART."""
        if not self.baud:
            raise ValueError("this UART is not open")
        self.sent_bytes += len(data)
        self.trace.append(("tx", data))
        if data and self.peer is not None and (heard := self._on_the_line(data)):
            self.peer.on_host_bytes(heard)

    def seconds_for(self, size_bytes: int) -> float:
        """How long so many bytes take on the wire: 8N1 is ten bits a byte."""
        return size_bytes * 10 / self.baud if self.baud else 0.0

    def _on_the_line(self, data: bytes) -> bytes:
        if self._drops or self._garbles:
            data = self._spoilt(data)
        line = self.line_baud
        if line is None or abs(self.baud - line) <= line * _TOLERANCE:
            return data
        return self._rng.randbytes(len(data))

    def _spoilt(self, data: bytes) -> bytes:
        lost = min(self._drops, len(data))
        self._drops -= lost
        data = data[lost:]
        spoilt = min(self._garbles, len(data))
        self._garbles -= spoilt
        flipped = bytes(byte ^ 1 << self._rng.randrange(8) for byte in data[:spoilt])
        return flipped + data[spoilt:]
