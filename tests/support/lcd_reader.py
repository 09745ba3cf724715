"""Does the display show this text? Looks for the text's own pixels anywhere on the glass.

The simulator knows pixels, not fonts; the font is the product's, so the looking is done here. A
picture is one number, bit 128 y + x for the pixel at (x, y): so one shift and one "and" look at one
pixel of the text in all places at once, and few pixels leave no place.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from firmware.ui.canvas import Canvas, text_width

Rows = Sequence[Sequence[bool]] | Sequence[Sequence[int]]

_WIDTH, _HEIGHT = 128, 64
_ALL = (1 << _WIDTH * _HEIGHT) - 1


def shows(pixels: Rows, text: str) -> bool:
    """True when `text` stands on the display in any size or weight, dark on light or light on dark.

    `pixels` are 64 rows of 128 values, true where lit.
    """
    rows = (row if isinstance(row, bytes) else bytes(map(bool, row)) for row in pixels)
    lit = _number(b"".join(rows))
    return _shown(lit, text)


@lru_cache(maxsize=4096)
def _shown(lit: int, text: str) -> bool:
    for big, bold in ((False, False), (False, True), (True, False)):
        places, ink, paper = _template(text, big, bold)
        if _found(places, ink, paper, lit) or _found(places, ink, paper, lit ^ _ALL):
            return True
    return False


@lru_cache(maxsize=8)
def _number(pixels: bytes) -> int:
    return int(pixels[::-1].translate(bytes.maketrans(b"\0\1", b"01")), 2)


@lru_cache(maxsize=256)
def _template(text: str, big: bool, bold: bool) -> tuple[int, tuple[int, ...], tuple[int, ...]]:
    """(Places at which the text may begin, offsets of its pixels, offsets of what is blank)."""
    width = text_width(text, big) + bold * len(text)
    height = 16 if big else 8
    if width > _WIDTH or not width:
        return 0, (), ()
    canvas = Canvas()
    canvas.text(0, 0, text, big=big, bold=bold)
    offsets: tuple[list[int], list[int]] = [], []
    for y in range(height):
        page, bit = divmod(y, 8)
        for x in range(width):
            offsets[canvas.buffer[page * _WIDTH + x] >> bit & 1].append(y * _WIDTH + x)
    row = (1 << (_WIDTH - width + 1)) - 1
    places = sum(row << y * _WIDTH for y in range(_HEIGHT - height + 1))
    blank, inked = offsets
    return places, tuple(inked), tuple(blank)


def _found(places: int, ink: tuple[int, ...], paper: tuple[int, ...], lit: int) -> bool:
    for offset in ink:
        places &= lit >> offset
        if not places:
            return False
    dark = lit ^ _ALL
    for offset in paper:
        places &= dark >> offset
        if not places:
            return False
    return bool(places)
