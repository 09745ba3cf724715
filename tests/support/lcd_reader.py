"""Does the display show this text? Looks for the text's own pixels anywhere on the glass.

The simulator knows pixels, not fonts; the font is the product's, so the looking is done here.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from firmware.ui.canvas import Canvas, text_width

Rows = Sequence[Sequence[bool]] | Sequence[Sequence[int]]


def shows(pixels: Rows, text: str) -> bool:
    """True when `text` stands on the display in any size or weight, dark on light or light on dark.

    `pixels` are 64 rows of 128 values, true where lit.
    """
    normal = [int("".join("1" if lit else "0" for lit in reversed(row)), 2) for row in pixels]
    full = (1 << 128) - 1
    inverse = [row ^ full for row in normal]
    for big, bold in ((False, False), (False, True), (True, False)):
        template, width = _template(text, big, bold)
        if width and (_found(normal, template, width) or _found(inverse, template, width)):
            return True
    return False


@lru_cache(maxsize=256)
def _template(text: str, big: bool, bold: bool) -> tuple[tuple[int, ...], int]:
    width = text_width(text, big)
    if bold:
        width += len(text)
    if width > 128:
        return (), 0
    canvas = Canvas()
    canvas.text(0, 0, text, big=big, bold=bold)
    rows = []
    for y in range(16 if big else 8):
        page, bit = divmod(y, 8)
        rows.append(sum(1 << x for x in range(width) if canvas.buffer[page * 128 + x] >> bit & 1))
    return tuple(rows), width


def _found(rows: list[int], template: tuple[int, ...], width: int) -> bool:
    full = (1 << 128) - 1
    for y in range(len(rows) - len(template) + 1):
        places = (1 << (128 - width + 1)) - 1  # bit x: the text may begin at column x
        for n, line in enumerate(template):
            row = rows[y + n]
            other = row ^ full
            for x in range(width):
                places &= (row if line >> x & 1 else other) >> x
                if not places:
                    break
            if not places:
                break
        if places:
            return True
    return False
