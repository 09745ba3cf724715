"""Does the display show this text? Looks for the text's own pixels anywhere on the glass.

The simulator knows pixels, not fonts; the font is the product's, so the looking is done here. A
picture is one number, bit 128 y + x for the pixel at (x, y): so one shift and one "and" look at one
pixel of the text in all places at once, and few pixels leave no place.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import chain, zip_longest

from firmware.ui.canvas import Canvas

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
    dark = lit ^ _ALL
    for big, bold in ((False, False), (False, True), (True, False)):
        places, pixels = _template(text, big, bold)
        if _found(places, pixels, (dark, lit)) or _found(places, pixels, (lit, dark)):
            return True
    return False


@lru_cache(maxsize=8)
def _number(pixels: bytes) -> int:
    return int(pixels[::-1].translate(bytes.maketrans(b"\0\1", b"01")), 2)


@lru_cache(maxsize=256)
def _template(text: str, big: bool, bold: bool) -> tuple[int, tuple[tuple[int, int], ...]]:
    """(Places at which the text may begin, its pixels: offset, and 1 where there is ink).

    Blank and inked ones come in turn: on a glass that is nearly all of one kind, a run of that kind
    would leave every place.
    """
    canvas = Canvas()
    width = canvas.text(0, 0, text, big=big, bold=bold) - (2 if big else 1)  # the gap behind it
    height = 16 if big else 8
    if width > _WIDTH or not text:
        return 0, ()
    offsets: tuple[list[tuple[int, int]], list[tuple[int, int]]] = [], []
    for y in range(height):
        page, bit = divmod(y, 8)
        for x in range(width):
            ink = canvas.buffer[page * _WIDTH + x] >> bit & 1
            offsets[ink].append((y * _WIDTH + x, ink))
    row = (1 << (_WIDTH - width + 1)) - 1
    places = sum(row << y * _WIDTH for y in range(_HEIGHT - height + 1))
    in_turn = chain.from_iterable(zip_longest(*offsets))
    return places, tuple(pixel for pixel in in_turn if pixel)


def _found(places: int, pixels: tuple[tuple[int, int], ...], glass: tuple[int, int]) -> bool:
    """`glass`: where a blank pixel may be, and where an inked one."""
    for offset, ink in pixels:
        places &= glass[ink] >> offset
        if not places:
            return False
    return bool(places)
