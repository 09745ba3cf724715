"""`framebuf.FrameBuffer`, as far as a recovery screen needs it: one colour, 8x8 letters.

The letters are the interpreter's own: it is asked for them once, when the first text is drawn.
"""

from __future__ import annotations

import subprocess
import sys
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from hw_sim.cpu import find_interpreter

MONO_VLSB: Final = 0
_FIRST, _LAST = 32, 127
_CELL = 8
_ASK = """
import framebuf, binascii
row = bytearray(8)
frame = framebuf.FrameBuffer(row, 8, 8, framebuf.MONO_VLSB)
for code in range(32, 128):
    frame.fill(0)
    frame.text(chr(code), 0, 0, 1)
    print(binascii.hexlify(row).decode(), end="")
"""


@lru_cache(maxsize=1)
def _letters() -> bytes:
    """The columns of the letters from space on, 8 bytes each."""
    interpreter = find_interpreter()
    command = [interpreter, "-c", _ASK]
    if Path(interpreter).suffix == ".so":
        run = "import sys, micropython_run as m; sys.exit(m.run_main(['', '-c', sys.argv[1]]))"
        command = [sys.executable, "-c", run, _ASK]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return bytes.fromhex(done.stdout.strip())


class FrameBuffer:
    """Pixels in `buffer`: a byte is eight below each other, the lowest bit on top."""

    def __init__(self, buffer: Any, width: int, height: int, format: int) -> None:
        if format != MONO_VLSB:
            raise ValueError("format")
        self._buffer = memoryview(buffer)
        self._width, self._height = width, height

    def fill(self, colour: int) -> None:
        """All of one colour."""
        for at in range(len(self._buffer)):
            self._buffer[at] = 0xFF if colour else 0

    def pixel(self, x: int, y: int, colour: int) -> None:
        """One pixel; outside is nothing."""
        if 0 <= x < self._width and 0 <= y < self._height:
            at, bit = y // 8 * self._width + x, 1 << y % 8
            self._buffer[at] = self._buffer[at] | bit if colour else self._buffer[at] & ~bit

    def text(self, text: str, x: int, y: int, colour: int = 1) -> None:
        """Letters from (x, y) on, the ground left as it is."""
        letters = _letters()
        for character in text:
            code = ord(character)
            if not _FIRST <= code <= _LAST:
                code = _LAST
            for column in range(_CELL):
                bits = letters[(code - _FIRST) * _CELL + column]
                for row in range(_CELL):
                    if bits >> row & 1:
                        self.pixel(x + column, y + row, colour)
            x += _CELL
