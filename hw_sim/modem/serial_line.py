"""The modem's end of the serial line: buffers both ways, the baud rate, and sleep.

It knows bytes and lines of text; what they mean is for the command interpreter.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from hw_sim.modem.settings import Settings
from hw_sim.pacing import Pace

INPUT_BUFFER_BYTES: Final = 4096
OUTPUT_BUFFER_BYTES: Final = 16384
_SLEEPS_AFTER_S: Final = 5
_WAKES_FOR_S: Final = 0.1
_LOOK_AGAIN_S: Final = 0.005


class SerialLine:
    """Bytes from the host until they are read, bytes to the host until they have left.

    `send` takes what leaves. `baud` None is no limit. `listening` and `talking` are the modem's
    state: what comes in or should go out meanwhile is lost. Lost bytes are counted.
    """

    def __init__(
        self, pace: Pace, settings: Settings, send: Callable[[bytes], None], baud: int | None
    ) -> None:
        self.baud = baud
        self.listening = False
        self.talking = False
        self.lost_input_bytes = 0
        self.lost_output_bytes = 0
        self.transcript: Callable[[str, bytes], None] | None = None
        """Called with ("host" | "modem", bytes) for people who want to watch the wire."""
        self._pace = pace
        # the CPU at the other end is no faster than the wall either
        self._wire_pace = pace.unscaled
        self._settings = settings
        self._send = send
        self._input = bytearray()
        self._input_arrived = asyncio.Event()
        self._output = bytearray()
        self._output_arrived = asyncio.Event()
        self._last_input_s = 0.0
        self._waking_until_s = 0.0
        self._swallowed: tuple[str, int] = ("", 0)

    def reset(self) -> None:
        """A start of the modem: empty, and wide awake."""
        self.clear()
        self._last_input_s = 0.0
        self._waking_until_s = 0.0

    def clear(self) -> None:
        """What waits in either direction is gone."""
        self._input.clear()
        self._output.clear()

    # from the host

    def take(self, data: bytes) -> None:
        """Bytes from the CPU: lost while the modem does not listen, kept while it is busy."""
        if not self.listening:
            self.lost_input_bytes += len(data)
            return
        if self.transcript is not None:
            self.transcript("host", data)
        data = self._wake_from_sleep(data)
        room = INPUT_BUFFER_BYTES - len(self._input)
        self.lost_input_bytes += max(0, len(data) - room)
        self._input += data[:room]
        self._input_arrived.set()

    async def byte(self) -> int:
        """The next byte from the host."""
        while not self._input:
            self._input_arrived.clear()
            await self._input_arrived.wait()
        self.now_awake()
        return self._input.pop(0)

    def prompt(self) -> None:
        """Ask for data. A line feed that came behind the command's end is no part of them."""
        if self._input[:1] == b"\n":
            del self._input[:1]
        self.write(b"\r\n> ")

    def now_awake(self) -> None:
        """Sleep is counted from now."""
        self._last_input_s = self._pace.now_s()

    # to the host

    def write(self, data: bytes) -> None:
        """Queue bytes for the host; a full output buffer loses them, as without flow control."""
        if not self.talking:
            return
        room = OUTPUT_BUFFER_BYTES - len(self._output)
        self.lost_output_bytes += max(0, len(data) - room)
        self._output += data[:room]
        self._output_arrived.set()

    def echo(self, byte: int) -> None:
        """What the host typed, back to it, if it wants that."""
        if self._settings.now.echo:
            self.write(bytes((byte,)))

    def swallow(self, start: str, count: int) -> None:
        """Lose the next line that begins so, and what follows it, `count` lines in all."""
        self._swallowed = start, count

    def line(self, text: str) -> None:
        """Queue a line, with the ends that AT lines have."""
        start, left = self._swallowed
        if left and text.startswith(start):
            self._swallowed = "", left - 1
            return
        self.write(f"\r\n{text}\r\n".encode())

    @property
    def idle(self) -> bool:
        """Whether everything has left."""
        return not self._output

    async def has_left(self) -> None:
        """Return when everything has left."""
        while self._output:
            await self._wire_pace.sleep(_LOOK_AGAIN_S)

    async def carry_out(self) -> None:
        """Send what is queued at the baud rate, for ever."""
        while True:
            if not self._output:
                self._output_arrived.clear()
                await self._output_arrived.wait()
            count = len(self._output)
            if self.baud is not None:
                # ten bits a byte; 5 ms at a time keeps the number of wake-ups low
                count = min(count, max(1, self.baud // 2000))
                await self._wire_pace.sleep(count * 10 / self.baud)
            piece = bytes(self._output[:count])
            del self._output[:count]
            if self.transcript is not None:
                self.transcript("modem", piece)
            self._send(piece)

    def _wake_from_sleep(self, data: bytes) -> bytes:
        # AT+CSCLK=2: idle for 5 s it sleeps, and what wakes it is lost with all of the next 100 ms
        now_s = self._pace.now_s()
        idle_s = now_s - self._last_input_s
        if self._settings.now.sleep == 2 and idle_s > _SLEEPS_AFTER_S and not self._input:
            self._waking_until_s = now_s + _WAKES_FOR_S
        self._last_input_s = now_s
        if now_s < self._waking_until_s:
            self.lost_input_bytes += len(data)
            return b""
        return data
