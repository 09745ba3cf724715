"""SSD1306 display controller with a 128x64 panel: bytes in, pixels out.

The board feeds it what the CPU sends over SPI. After the Solomon Systech SSD1306 datasheet rev 1.1
(commands: section 9 and 10; reset state: 8.9). Scrolling (26h-2Fh) is taken and not animated.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path
from typing import Final

WIDTH_PX: Final = 128
HEIGHT_PX: Final = 64
PAGES: Final = HEIGHT_PX // 8

_OPERANDS: Final = {
    0x20: 1, 0x21: 2, 0x22: 2, 0x26: 6, 0x27: 6, 0x29: 5, 0x2A: 5, 0x81: 1, 0x8D: 1, 0xA3: 2,
    0xA8: 1, 0xD3: 1, 0xD5: 1, 0xD9: 1, 0xDA: 1, 0xDB: 1,
}  # fmt: skip
"""Commands followed by operand bytes, and how many."""

_HALF_BLOCKS: Final = " ▀▄█"
_BRAILLE_DOTS: Final = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))


@dataclass(frozen=True)
class Picture:
    """What an eye sees on the panel: `rows[y][x]` is 1 where a pixel is dark on light."""

    rows: tuple[bytes, ...]

    @property
    def width_px(self) -> int:
        """Dots in a row."""
        return len(self.rows[0])

    @property
    def height_px(self) -> int:
        """Rows of dots."""
        return len(self.rows)

    @property
    def blank(self) -> bool:
        """Whether no pixel is set."""
        return not any(any(row) for row in self.rows)

    def half_blocks(self) -> str:
        """Text of one character for two pixels above each other: 128 x 32 characters."""
        lines = []
        for y in range(0, self.height_px, 2):
            upper, lower = self.rows[y], self.rows[y + 1]
            lines.append(
                "".join(_HALF_BLOCKS[a + 2 * b] for a, b in zip(upper, lower, strict=True))
            )
        return "\n".join(lines)

    def braille(self) -> str:
        """Text of one braille character for 2x4 pixels: 64 x 16 characters."""
        lines = []
        for y in range(0, self.height_px, 4):
            line = []
            for x in range(0, self.width_px, 2):
                dots = 0
                for dy, pair in enumerate(_BRAILLE_DOTS):
                    for dx, dot in enumerate(pair):
                        if self.rows[y + dy][x + dx]:
                            dots |= dot
                line.append(chr(0x2800 + dots))
            lines.append("".join(line))
        return "\n".join(lines)

    def save_png(self, path: Path | str, *, pixel_px: int = 5, backlight: bool = True) -> None:
        """Write a picture as the panel looks: dark dots with gaps on a lit, tinted ground."""
        from PIL import Image, ImageDraw

        ground = (176, 205, 96) if backlight else (150, 160, 130)
        off, dot = tuple(max(0, part - 9) for part in ground), (28, 38, 24)
        margin = 4 * pixel_px
        size = (self.width_px * pixel_px + 2 * margin, self.height_px * pixel_px + 2 * margin)
        image = Image.new("RGB", size, ground)
        draw = ImageDraw.Draw(image)
        for y, row in enumerate(self.rows):
            for x, pixel in enumerate(row):
                left, top = margin + x * pixel_px, margin + y * pixel_px
                corner = (left, top, left + pixel_px - 2, top + pixel_px - 2)
                draw.rectangle(corner, fill=dot if pixel else off)
        image.save(Path(path), format="PNG")


_DARK = Picture((bytes(WIDTH_PX),) * HEIGHT_PX)
_PIXELS = [bytes(byte >> bit & 1 for byte in range(256)) for bit in range(8)]
"""By bit: what that pixel of a column's byte is."""
_OPPOSITE = bytes((1, 0)) + bytes(254)


class Lcd:
    """The controller's registers and its display memory (GDDRAM).

    Counters: `command_bytes`, `data_bytes`, `unknown_commands`.
    """

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self.command_bytes = 0
        self.data_bytes = 0
        self.unknown_commands = 0
        self.generation = 0
        """Rises with everything that may change the picture."""
        self._seen = -1, _DARK
        self._memory = bytearray(WIDTH_PX * PAGES)
        self.powered = False
        self.reset()

    def power(self, on: bool) -> None:
        """The supply came or went. Display memory comes up as noise, as on the part."""
        self.powered = on
        if on:
            self._memory[:] = self._rng.randbytes(len(self._memory))
        self.reset()

    def reset(self) -> None:
        """The RES# line was low: registers as in datasheet 8.9; display memory is kept."""
        self.generation += 1
        self._pending = bytearray()
        self.display_on = False
        self.inverted = False
        self.contrast = 0x7F
        self.charge_pump = False
        self._all_on = False
        self._mode = 2
        self._column_first, self._column_last = 0, WIDTH_PX - 1
        self._page_first, self._page_last = 0, PAGES - 1
        self._column = 0
        self._page = 0
        self._start_line = 0
        self._offset = 0
        self._multiplex = HEIGHT_PX
        self._segments_reversed = False
        self._rows_reversed = False

    def write(self, data: bytes, *, is_data: bool) -> None:
        """Take bytes from the bus; `is_data` is the level of the D/C# line."""
        if not self.powered or not data:
            return
        self.generation += 1
        if is_data:
            self.data_bytes += len(data)
            self._write_memory(data)
        else:
            self.command_bytes += len(data)
            for byte in data:
                self._pending.append(byte)
                if len(self._pending) > _OPERANDS.get(self._pending[0], 0):
                    command = bytes(self._pending)
                    self._pending.clear()
                    self._execute(command[0], command[1:])

    def picture(self) -> Picture:
        """What is to be seen now: nothing when off, or without the charge pump that drives the
        panel."""
        if self._seen[0] != self.generation:
            self._seen = self.generation, self._draw()
        return self._seen[1]

    def _draw(self) -> Picture:
        if not (self.powered and self.display_on and self.charge_pump):
            return _DARK
        memory = self._memory
        rows = []
        for y in range(HEIGHT_PX):
            # A module is mounted so that segment remap on and reversed COM scan give an upright
            # picture.
            com = (HEIGHT_PX - 1 - y) if not self._rows_reversed else y
            if com >= self._multiplex:
                rows.append(bytes(WIDTH_PX))
                continue
            line = (com + self._start_line + self._offset) % HEIGHT_PX
            base, bit = (line >> 3) * WIDTH_PX, line & 7
            if self._all_on:
                row = b"\x01" * WIDTH_PX
            else:
                row = bytes(memory[base : base + WIDTH_PX]).translate(_PIXELS[bit])
                if self.inverted:
                    row = row.translate(_OPPOSITE)
            rows.append(row if self._segments_reversed else row[::-1])
        return Picture(tuple(rows))

    def _write_memory(self, data: bytes) -> None:
        end = self._column + len(data)
        if self._mode == 2 and end <= WIDTH_PX:  # as below, at once
            base = self._page * WIDTH_PX
            self._memory[base + self._column : base + end] = data
            self._column = end % WIDTH_PX
            return
        for byte in data:
            self._memory[self._page * WIDTH_PX + self._column] = byte
            if self._mode == 2:  # page addressing: the column wraps, the page stays (10.1.3)
                self._column = (self._column + 1) % WIDTH_PX
            elif self._mode == 0:  # horizontal
                if self._column == self._column_last:
                    self._column = self._column_first
                    self._page = self._next_page()
                else:
                    self._column = (self._column + 1) % WIDTH_PX
            elif self._page == self._page_last:  # vertical
                self._page = self._page_first
                last = self._column == self._column_last
                self._column = self._column_first if last else (self._column + 1) % WIDTH_PX
            else:
                self._page = (self._page + 1) % PAGES

    def _next_page(self) -> int:
        return self._page_first if self._page == self._page_last else (self._page + 1) % PAGES

    def _execute(self, command: int, operands: bytes) -> None:
        if command <= 0x0F:
            self._column = (self._column & 0x70) | command
        elif command <= 0x1F:
            self._column = (self._column & 0x0F) | (command & 0x07) << 4
        elif command == 0x20:
            self._mode = min(operands[0] & 3, 2)
        elif command == 0x21:
            self._column_first, self._column_last = operands[0] & 0x7F, operands[1] & 0x7F
            self._column = self._column_first
        elif command == 0x22:
            self._page_first, self._page_last = operands[0] & 7, operands[1] & 7
            self._page = self._page_first
        elif 0x40 <= command <= 0x7F:
            self._start_line = command & 0x3F
        elif command == 0x81:
            self.contrast = operands[0]
        elif command == 0x8D:
            self.charge_pump = bool(operands[0] & 0x04)
        elif command in (0xA0, 0xA1):
            self._segments_reversed = command == 0xA1
        elif command in (0xA4, 0xA5):
            self._all_on = command == 0xA5
        elif command in (0xA6, 0xA7):
            self.inverted = command == 0xA7
        elif command == 0xA8:
            # Values under 15 are invalid (10.1.11); the part keeps what it had.
            if operands[0] & 0x3F >= 15:
                self._multiplex = (operands[0] & 0x3F) + 1
        elif command in (0xAE, 0xAF):
            self.display_on = command == 0xAF
        elif 0xB0 <= command <= 0xB7:
            self._page = command & 7
        elif command in (0xC0, 0xC8):
            self._rows_reversed = command == 0xC8
        elif command == 0xD3:
            self._offset = operands[0] & 0x3F
        elif command not in _OPERANDS and command not in (0x2E, 0x2F, 0xE3):
            self.unknown_commands += 1
