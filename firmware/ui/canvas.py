"""A 128x64 picture to draw text on; pure. `firmware.ui.screen` draws, `drivers.lcd` shows it."""

from bootloader.shared.compat import const
from firmware.ui.font import BIG, EXTRA, INDEX, MARKS, SMALL

WIDTH = 128
HEIGHT = 64
_EXTRAS = const(95 * 3)
_OUTWARDS = "MWmw"  # bold letters that grow to both sides: two strokes of three grow into a third


def glyph(char: str) -> int:
    """Where `char` stands in `font.INDEX`."""
    n = ord(char)
    if 32 <= n < 127:
        return (n - 32) * 3
    n = EXTRA.find(char)
    # a character the font does not have is seen, not swallowed
    return ((95 + n) if n >= 0 else 31) * 3


def text_width(text: str, big: bool = False, bold: bool = False) -> int:
    """How many pixels wide `text` is, without space after it."""
    width = 0
    for char in text:
        at = glyph(char)
        if at < _EXTRAS or char not in MARKS:
            width += INDEX[at + 2] + 1
            if bold:
                width += 2 if char in _OUTWARDS else 1
    width -= 1 if width else 0
    return width * 2 if big else width


def wrap(text: str, width_px: int = WIDTH) -> list[str]:
    """Lines of `text` broken at spaces so that each fits `width_px`; a newline always breaks.

    A word wider than the line is broken inside.
    """
    lines = []
    for paragraph in text.split("\n"):
        line = ""
        for word in paragraph.split(" "):
            longer = line + " " + word if line else word
            if text_width(longer) <= width_px:
                line = longer
                continue
            if line:
                lines.append(line)
            while text_width(word) > width_px:
                fits = len(word) - 1
                while text_width(word[:fits]) > width_px:
                    fits -= 1
                lines.append(word[:fits])
                word = word[fits:]
            line = word
        lines.append(line)
    return lines


def shorten(text: str, width_px: int, bold: bool = False) -> str:
    """`text`, or as much of it as fits with two dots after it."""
    if not text or text_width(text, False, bold) <= width_px:
        return text
    while text and text_width(text + "..", False, bold) > width_px:
        text = text[:-1]
    return text + ".."


class Canvas:
    """The picture: `buffer` is 1024 bytes as the display takes them."""

    def __init__(self) -> None:
        self.buffer = bytearray(WIDTH * HEIGHT // 8)

    def clear(self, top: int = 0, bottom: int = HEIGHT) -> None:
        """Darken the rows from `top` up to `bottom`; both multiples of eight."""
        for n in range(top * 16, bottom * 16):
            self.buffer[n] = 0

    def _column(self, x: int, y: int, bits: int) -> None:
        if 0 <= x < WIDTH:
            at = (y >> 3) * WIDTH + x
            bits <<= y & 7
            size = len(self.buffer)
            if at < size:
                self.buffer[at] |= bits & 0xFF
            if bits > 0xFF and at + WIDTH < size:
                self.buffer[at + WIDTH] |= bits >> 8

    def text(self, x: int, y: int, text: str, big: bool = False, bold: bool = False) -> int:
        """Draw `text` with its top left at (x, y); returns the x after it."""
        for char in text:
            at = glyph(char)
            width = INDEX[at + 2]
            if at >= _EXTRAS and char in MARKS:  # over the letter before it
                x -= width * 2 + 2 if big else width + (2 if bold else 1)
            at = INDEX[at] | INDEX[at + 1] << 8
            if big:
                at *= 4
                width *= 2
                for n in range(width):
                    self._column(x + n, y, BIG[at + n])
                    self._column(x + n, y + 8, BIG[at + width + n])
                x += width + 2
            else:
                outwards = bold and char in _OUTWARDS
                if outwards:
                    self._column(x, y, SMALL[at])
                    x += 1
                for n in range(width):
                    bits = SMALL[at + n]
                    self._column(x + n, y, bits)
                    if bold and (not outwards or n == width - 1):
                        # a stroke is not widened into a gap of one column: N stays open
                        over = SMALL[at + n + 2] if n + 2 < width else 0
                        self._column(x + n + 1, y, bits & ~over)
                x += width + (2 if bold else 1)
        return x

    def fill(self, x: int, y: int, width: int, height: int) -> None:
        """Light a rectangle."""
        while height > 0:
            rows = min(height, 8 - (y & 7))
            for n in range(x, x + width):
                self._column(n, y, (1 << rows) - 1)
            y += rows
            height -= rows

    def invert(self, x: int, y: int, width: int, height: int) -> None:
        """Turn light to dark and back in a rectangle."""
        while height > 0:
            rows = min(height, 8 - (y & 7))
            mask = ((1 << rows) - 1) << (y & 7)
            at = (y >> 3) * WIDTH
            for n in range(at + x, at + x + width):
                self.buffer[n] ^= mask
            y += rows
            height -= rows
