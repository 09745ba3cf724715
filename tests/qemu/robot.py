"""A merchant who never thinks: looks at the display and presses the key that goes on selling."""

from __future__ import annotations

import threading
import time

from tests.support.lcd_reader import shows
from tests.support.world import MERCHANT_PIN, Terminal

_SIGN_IN = MERCHANT_PIN + "#"
ANSWERS = (
    ("Your PIN, then #", _SIGN_IN),
    ("Sales to finish", _SIGN_IN),
    ("Wrong PIN", "#"),
    ("Sale was cut", "#"),  # print a DUPLICATE, or ask the server now
    ("No answer yet", "#"),
    ("Sell what?", "1"),
    ("Sell Savanna 50?", "#"),
    ("Sell from the stock in", "#"),
    ("Not printed", "#"),
    ("Not sold", "#"),
    ("Sold", "#"),
    ("Menu", "1"),
)
"""What may be on show, and the keys that answer it. The first that is found counts."""
LOST_S = 3.0
"""After so long with nothing known on show the robot goes back, as anybody would."""


class Robot:
    """Works one terminal."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal

    def work(self, stop: threading.Event, *, until: str = "") -> bool:
        """Answer whatever is asked until `stop` is set (False) or `until` is on show (True)."""
        known_s = time.monotonic()
        while not stop.is_set():
            pixels = self._terminal.board.lcd_picture().rows
            if until and shows(pixels, until):
                return True
            for text, keys in ANSWERS:
                if shows(pixels, text):
                    self._type(keys, stop)
                    known_s = time.monotonic()
                    break
            if time.monotonic() - known_s > LOST_S:
                self._type("*", stop)
                known_s = time.monotonic()
            stop.wait(0.03)
        return False

    def _type(self, keys: str, stop: threading.Event) -> None:
        for key in keys:
            if not stop.is_set():
                self._terminal.board.press(key)
