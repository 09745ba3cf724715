"""A visitor at the page: presses keys, reads what a screen reader would be told, waits."""

from __future__ import annotations

import time

from tests.panel.chromium import Chromium
from tools.play import making
from tools.play.bench import Play

_SOLD, _FROM_STOCK = "Sold", "Sell from the stock"
_SETTLES_S = 1.2
"""Animations of the page are over by then."""


class Hands:
    """At `browser`, before the panel of `play`."""

    def __init__(self, browser: Chromium, play: Play) -> None:
        self.browser = browser
        self._play = play

    def open(self) -> None:
        """Go to the page; return when the terminal asks for the PIN."""
        self.browser.open(self._play.panel.url)
        self.wait_shows("Your PIN")

    @property
    def shown(self) -> str:
        """What the display says, as the page tells those who do not see it."""
        label = self.browser.js(
            "document.querySelector('.device canvas')?.getAttribute('aria-label') ?? ''"
        )
        return str(label)

    def wait_shows(self, *texts: str, timeout_s: float = 90) -> None:
        """Return as soon as the display says one of them."""

        def check() -> bool:
            self._play.look()
            return any(text in self.shown for text in texts)

        try:
            self.browser.wait(check, f"{texts} on the display", timeout_s)
        except AssertionError as error:
            raise AssertionError(f"{error}: it says {self.shown!r}") from error

    def sign_in(self) -> None:
        """From the question for the PIN to the menu, on the computer's keyboard."""
        self.browser.type(making.MERCHANT_PIN)
        self.browser.key("Enter")
        self.wait_shows("Menu")

    def sell(self) -> None:
        """Sign in and sell a Savanna 50, with the pointer on the page's own keys; from the stock
        where a network that just was away is not there yet.
        """
        self.wait_shows("Online")
        self.sign_in()
        self.press("1")
        self.wait_shows("Sell what")
        self.press("2")
        self.wait_shows("Sell Savanna 50")
        self.press("#")
        self.wait_shows(_SOLD, _FROM_STOCK)
        if _FROM_STOCK in self.shown:
            self.press("#")
            self.wait_shows(_SOLD)

    def leave_sale(self) -> None:
        """From `Sold` back to the question for the PIN."""
        self.press("#")
        self.wait_shows("Menu")
        self.press("*")
        self.wait_shows("Your PIN")

    def press(self, key: str) -> None:
        """Click a key of the keypad."""
        label = {"#": "hash", "*": "star"}.get(key, key)
        self.browser.click(f'.key[aria-label^="{label}"]')

    def settle(self) -> None:
        """Let what moves on the page come to rest."""
        time.sleep(_SETTLES_S)
