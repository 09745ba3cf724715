"""Reads what stands on the display, from its dots and the product's own letters.

For people who do not see the panel's picture, and for scripts that wait for a word. Nothing asks
the terminal what it drew.
"""

from __future__ import annotations

import string
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

from firmware.ui.canvas import EXTRA, MARKS, Canvas
from hw_sim.lcd import Picture
from tools.play import plain

_WIDTH: Final = 128
_LETTERS: Final = string.digits + string.ascii_letters
_TONED: Final = "ẹọẸỌ"
"""What has a mark over it that is a character of its own."""
_SPACE_PX: Final = 2
"""A gap that is so much wider than between two letters is a blank."""
_BREAK_PX: Final = 22
"""So wide a gap parts two texts that stand side by side."""
_LEAST_INK_PX: Final = 8
_LEAST_SIGNS: Final = 3
"""Without a letter or digit, so many signs in a row are a text."""


@dataclass(frozen=True)
class _Weight:
    """One way in which letters are drawn."""

    height_px: int
    gap_px: int
    glyphs: dict[bytes, tuple[str, int, int]]
    """Dots, without blank columns at the sides → the letter, and how many were left out there."""
    widest_px: int


@cache
def _weights() -> Sequence[_Weight]:
    return [_weight(True, False), _weight(False, True), _weight(False, False)]


def _weight(big: bool, bold: bool) -> _Weight:
    glyphs: dict[bytes, tuple[str, int, int]] = {}
    others = "".join(chr(code) for code in range(33, 127) if chr(code) not in _LETTERS)
    shown = [each for each in EXTRA if each.isprintable() and each not in MARKS]
    shown += [letter + mark for letter in _TONED for mark in MARKS]
    # of two that look alike the likelier comes first
    for character in [*_LETTERS, *others, *shown]:
        canvas = Canvas()
        behind = 2 if big else 1
        width = canvas.text(0, 0, character, big=big, bold=bold) - behind
        upper, lower = canvas.buffer[:width], canvas.buffer[_WIDTH : _WIDTH + width]
        columns = zip(upper, lower, strict=True)
        key = b"".join(bytes((a, b)) if big else bytes((a,)) for a, b in columns)
        size = 2 if big else 1
        left = next(n for n in range(width) if any(key[n * size : (n + 1) * size]))
        right = next(n for n in range(width) if any(key[(width - n - 1) * size :]))
        trimmed = key[left * size : (width - right) * size]
        glyphs.setdefault(trimmed, (character, left, right))
    widest = max(len(key) for key in glyphs) // (2 if big else 1)
    return _Weight(16 if big else 8, 2 if big or bold else 1, glyphs, widest)


@dataclass(frozen=True)
class _Text:
    """Something read: where it begins, how high it is, and how many dots it explains."""

    y: int
    x: int
    end: int
    height_px: int
    ink_px: int
    text: str


def read(picture: Picture) -> str:
    """What the display says, a line for each row of text, from the top.

    Texts that stand apart in one row are parted by three blanks.
    """
    if picture.blank:
        return ""
    if bootloader := plain.read(picture):
        return bootloader
    dark = Picture(tuple(row.translate(_OPPOSITE) for row in picture.rows))
    found = sorted(
        (each for seen in (picture, dark) for each in _texts(seen)),
        key=lambda each: (-each.ink_px, each.y, each.x),
    )
    kept: list[_Text] = []
    for each in found:
        if not any(_overlap(each, other) for other in kept):
            kept.append(each)
    if not any(len(each.text) >= _LEAST_SIGNS for each in kept):
        return ""  # a drawing
    rows: dict[int, list[_Text]] = {}
    for each in sorted(kept, key=lambda each: (each.y, each.x)):
        top = next((y for y in rows if abs(y - each.y) < 4), each.y)
        rows.setdefault(top, []).append(each)
    return "\n".join(
        "   ".join(each.text for each in sorted(row, key=lambda each: each.x))
        for row in rows.values()
    )


_OPPOSITE: Final = bytes((1, 0)) + bytes(254)


def _overlap(one: _Text, other: _Text) -> bool:
    return (
        one.x < other.end
        and other.x < one.end
        and one.y < other.y + other.height_px
        and other.y < one.y + one.height_px
    )


def _texts(picture: Picture) -> Iterator[_Text]:
    tall = [sum(picture.rows[y][x] << y for y in range(picture.height_px)) for x in range(_WIDTH)]
    for weight in _weights():
        size = weight.height_px // 8
        mask = (1 << weight.height_px) - 1
        for y in range(picture.height_px - weight.height_px + 1):
            columns = b"".join((column >> y & mask).to_bytes(size, "little") for column in tall)
            yield from _row(columns, size, weight, y)


def _row(columns: bytes, size: int, weight: _Weight, y: int) -> Iterator[_Text]:
    """The texts whose tops are at `y`, each as long as it can be."""
    x, start, end, text, pad = 0, 0, -1, "", 0
    blank = bytes(size)
    while x < _WIDTH:
        if columns[x * size : (x + 1) * size] == blank:
            x += 1
            continue
        clear_before = x == 0 or columns[(x - 1) * size : x * size] == blank
        glyph = _glyph_at(columns, x, size, weight) if clear_before else None
        if glyph is None:
            yield from _whole(columns, size, y, weight, start, end, text)
            text = ""
            while x < _WIDTH and columns[x * size : (x + 1) * size] != blank:
                x += 1
            continue
        wide, (character, left, right) = glyph
        gap = x - end
        if text and gap > _BREAK_PX:
            yield from _whole(columns, size, y, weight, start, end, text)
            text = ""
        if not text:
            start = x
        elif gap >= _SPACE_PX + pad + weight.gap_px + left:
            text += " "
        text += character
        x += wide
        end, pad = x, right
    yield from _whole(columns, size, y, weight, start, end, text)


def _glyph_at(
    columns: bytes, x: int, size: int, weight: _Weight
) -> tuple[int, tuple[str, int, int]] | None:
    for wide in range(min(weight.widest_px, _WIDTH - x), 0, -1):
        glyph = weight.glyphs.get(columns[x * size : (x + wide) * size])
        after = columns[(x + wide) * size : (x + wide + 1) * size]
        if glyph and not any(after):
            return wide, glyph
    return None


def _whole(
    columns: bytes, size: int, y: int, weight: _Weight, start: int, end: int, text: str
) -> Iterator[_Text]:
    ink = sum(byte.bit_count() for byte in columns[start * size : max(0, end) * size])
    is_text = len(text) >= _LEAST_SIGNS or any(each in _LETTERS for each in text)
    if is_text and ink >= _LEAST_INK_PX:
        yield _Text(y, start, end, weight.height_px, ink, text)
