"""Reads what the bootloader shows, in the letters that MicroPython's `framebuf` has: 8 lines of 16
characters, each 8 dots square. `eyes` reads the product's pages.
"""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from functools import cache
from typing import Final

from hw_sim.lcd import Picture
from tools.release import image

_SQUARE_PX: Final = 8
_DRAW: Final = """
import framebuf
for code in range(32, 127):
    dots = bytearray(8)
    framebuf.FrameBuffer(dots, 8, 8, framebuf.MONO_VLSB).text(chr(code), 0, 0, 1)
    print(bytes(dots).hex())
"""


@cache
def _letters() -> Mapping[bytes, str]:
    """The dots of a letter, a byte a column, asked of the interpreter itself."""
    done = subprocess.run([image.interpreter(), "-c", _DRAW], capture_output=True, check=True)
    dots = done.stdout.decode().split()
    return {bytes.fromhex(each): chr(code) for code, each in enumerate(dots, 32)}


def read(picture: Picture) -> str:
    """What it says, a line for each line of text; empty when anything else is on the display."""
    letters = _letters()
    lines = []
    for top in range(0, picture.height_px, _SQUARE_PX):
        rows = picture.rows[top : top + _SQUARE_PX]
        columns = bytes(
            sum(row[x] << bit for bit, row in enumerate(rows)) for x in range(len(rows[0]))
        )
        cells = [columns[at : at + _SQUARE_PX] for at in range(0, len(columns), _SQUARE_PX)]
        if not all(cell in letters for cell in cells):
            return ""
        lines.append("".join(letters[cell] for cell in cells).rstrip())
    return "\n".join(lines).strip("\n")
