"""A display that keeps what was sent to it, to look at and to measure; for the merchant tests.

It understands the few commands that page addressing needs (SSD1306 datasheet, section 9).
"""

from __future__ import annotations

from PIL import Image

from firmware.drivers.lcd import Lcd
from firmware.ui.screen import Screen


class Glass:
    """Takes `.command` and `.data` as `board.lcd` does."""

    def __init__(self) -> None:
        self.memory = bytearray(1024)
        self.pages_sent = 0
        self.on = False
        self._page = 0
        self._column = 0

    def command(self, command: bytes) -> None:
        if len(command) == 3 and command[0] & 0xF8 == 0xB0:
            self._page = command[0] & 7
            self._column = command[1] & 15 | (command[2] & 15) << 4
        elif command == b"\xaf":
            self.on = True

    def data(self, data: bytes) -> None:
        at = self._page * 128 + self._column
        self.memory[at : at + len(data)] = data
        self.pages_sent += 1

    def lit(self, x: int, y: int) -> bool:
        return bool(self.memory[(y >> 3) * 128 + x] >> (y & 7) & 1)

    def picture(self, zoom: int = 4) -> Image.Image:
        image = Image.new("L", (128, 64))
        for y in range(64):
            for x in range(128):
                if self.lit(x, y):
                    image.putpixel((x, y), 255)
        return image.resize((128 * zoom, 64 * zoom), Image.Resampling.NEAREST)


def new_screen() -> tuple[Glass, Screen]:
    glass = Glass()
    return glass, Screen(Lcd(glass))
