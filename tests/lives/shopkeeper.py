"""A shopkeeper's hands: whatever the display shows, they find the way to the menu and to a sale, as
people do who have read nothing but the display.
"""

from __future__ import annotations

import random

from firmware.ui.texts import LANGUAGES, Words
from hw_sim.printer import Receipt
from tests.support.lcd_reader import shows
from tests.support.world import MERCHANT_PIN, Terminal

_KEYS = (
    ("Your PIN, then #", MERCHANT_PIN + "#"),
    ("Sales to finish", MERCHANT_PIN + "#"),
    ("Sell what?", "*"),
    ("Sell Savanna", "*"),
    ("Wrong PIN", ""),
    ("Please wait", ""),
    ("Sale was cut", "#"),
    ("Not sold", "#"),
    ("No answer yet", "*"),
    ("Sold", "#"),
    ("No paper", "#"),
    ("Not printed", "#"),
    ("Sell from the stock in", "*"),
    ("Menu", ""),
)
"""What a display may show, and the keys that lead on."""
_KEY_OF = {
    "Your PIN, then #": "your_pin",
    "Sales to finish": "waiting",
    "Sell what?": "sell_what",
    "Sell Savanna": "sell_q",
    "Wrong PIN": "wrong_pin",
    "Please wait": "locked",
    "Sale was cut": "cut",
    "Not sold": "not_sold",
    "No answer yet": "no_answer",
    "Sold": "sold",
    "No paper": "no_paper",
    "Not printed": "not_printed",
    "Sell from the stock in": "stock_q",
    "Menu": "menu",
    "Today": "rp_today",
    "Yesterday": "rp_yesterday",
    "Commission": "commission",
    "Unfinished sale": "m_unfinished",
    "Language": "m_language",
}
"""What is looked for, by its English words, and under which name the terminal keeps it."""
_FIRST_WORDS = 3
"""Of a long text, so many stand in its first line."""
_LANGUAGE_KEY = "6"
_LONG_S = 180.0
_MOST_SCREENS = 40


class Lost(AssertionError):
    """There is no way on: the text says what the display shows."""


def _in_words(words: Words, text: str) -> str:
    """The beginning of what is named in English, in another language: as much as is in one line."""
    said = words(_KEY_OF[text]).replace("{}", "Savanna")
    return " ".join(said.split(":")[0].rstrip("? #").split()[:_FIRST_WORDS])


class Shopkeeper:
    """Sells at one terminal. `longest_wait_s`: the longest that anything took from its key on."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self._words = Words("en")
        self.longest_wait_s = 0.0

    def _shown(self, *texts: str) -> str:
        """Which of the texts, named in English, is there in the shopkeeper's language.

        Raises:
            Lost: none, for a long time.
        """
        begun_s = self._terminal.now_s()
        read = {_in_words(self._words, text): text for text in texts}
        try:
            found = read[self._terminal.wait_shows(*read, timeout_s=_LONG_S)]
        except TimeoutError as error:
            raise Lost(f"nothing that who speaks {self._words.language} knows: {error}") from error
        self.longest_wait_s = max(self.longest_wait_s, self._terminal.now_s() - begun_s)
        return found

    def _press(self, keys: str) -> None:
        self._terminal.board.type(keys)

    def go_to_the_menu(self) -> None:
        """From wherever the terminal is; unfinished sales are finished on the way.

        Raises:
            Lost: that cannot be done.
        """
        for _ in range(_MOST_SCREENS):
            shown = self._shown(*(text for text, _ in _KEYS))
            if shown == "Menu":
                return
            if shown in ("No paper", "Not printed"):
                self._terminal.board.call(self._terminal.printer.load_paper)
            keys = dict(_KEYS)[shown]
            if not keys:
                self._terminal.board.pause(5)
                continue
            self._press(keys)
            self._terminal.board.pause(1)
        raise Lost(self._terminal.board.summary())

    def choose_a_language(self, language: str) -> str:
        """By the menu; from now on the shopkeeper reads nothing else."""
        self.go_to_the_menu()
        self._press(_LANGUAGE_KEY)
        self._shown("Language")
        self._press(str(LANGUAGES.index(language) + 1))
        self._words = Words(language)
        self.go_to_the_menu()
        return language

    def sell(self, product: int) -> str:
        """One sale; what came of it: "sold", "from stock", or the words of the refusal."""
        name = self._begin(product)
        if name:
            return name
        how = "sold"
        while True:
            shown = self._shown(
                "Sold", "Not sold", "Sell from the stock in", "No answer yet", "No paper"
            )
            if shown == "Sell from the stock in":
                how = "from stock"
                self._press("#")
            elif shown == "No answer yet":
                self._press("*")
                return "no answer"
            elif shown == "No paper":
                self._terminal.board.call(self._terminal.printer.load_paper)
                self._press("#")
                self._shown("Sell Savanna")
                self._press("#")
            else:
                break
            self._terminal.board.pause(1)
        self._press("#")
        self._terminal.board.pause(1)
        return how if shown == "Sold" else "refused"

    def _begin(self, product: int) -> str:
        self.go_to_the_menu()
        self._press("1")
        if self._shown("Sell what?", "Sale was cut") == "Sale was cut":
            self.go_to_the_menu()
            return "an older sale comes first"
        self._press(str(product))
        shown = self._shown("Sell Savanna", "No paper", "Not sold")
        if shown == "No paper":
            self._terminal.board.call(self._terminal.printer.load_paper)
            self._press("#")
            shown = self._shown("Sell Savanna", "Not sold")
        if shown != "Not sold":
            self._press("#")
        return ""

    def sell_and_pull(self, product: int, after_ms: int, rest: random.Random) -> str:
        """Begin a sale, and lose the battery so many milliseconds later, for a while."""
        begun = self._begin(product)
        self._terminal.board.pause(after_ms / 1000)
        self.lose_power(rest.randint(1, 300))
        return begun or f"cut after {after_ms} ms"

    def change_ones_mind(self) -> str:
        """As far as the question, and back."""
        self.go_to_the_menu()
        self._press("1")
        self._shown("Sell what?", "Sale was cut")
        self._press("*")
        self.go_to_the_menu()
        return "nothing sold"

    def mistype_the_pin(self) -> str:
        """Sign out, a wrong PIN, then the right one."""
        self.go_to_the_menu()
        self._press("*")
        if self._shown("Your PIN, then #", "Sales to finish"):
            self._press("1111#")
        self._terminal.board.pause(15)
        self.go_to_the_menu()
        return "signed in at last"

    def end_the_paper(self, product: int) -> str:
        """The roll is at its end; the next sale says so."""
        self._terminal.board.call(self._terminal.printer.run_out_of_paper)
        return self.sell(product)

    def look_at_the_new_day(self) -> str:
        """The report of a day on which nothing was sold yet: its total."""
        self.go_to_the_menu()
        self._press("4")
        self._shown("Today")
        self._press("1")
        self._shown("Commission")
        nothing = shows(self._terminal.board.lcd_picture().rows, "KES 0.00")
        self._press("*")
        self._shown("Yesterday")
        self._press("*")
        self.go_to_the_menu()
        return "nothing sold yet" if nothing else "the new day has sales"

    def lose_power(self, seconds: float) -> str:
        """The battery falls out, and is put back."""
        self._terminal.board.power_off()
        self._terminal.board.pause(seconds)
        self._terminal.board.power_on()
        return f"back after {seconds:.0f} s"

    def finish_the_day(self) -> list[Receipt]:
        """All that is open is finished; what is on paper."""
        self.go_to_the_menu()
        while self._terminal.shows(_in_words(self._words, "Unfinished sale")):
            self._press("1")
            self._terminal.board.pause(2)
            self.go_to_the_menu()
        return self._terminal.receipts()
