"""Every word the merchant or the customer reads; for screens and paper.

Each language is a file of `firmware.ui.languages`: one text, so that on the board its letters stay
in flash and cost no heap until a word is shown. A line is `key|words`; `{}` is filled in order.
A test measures every text against the screen it appears on.
"""

from firmware.lent import at_hand, give_back

LANGUAGES = ("en", "fr", "pt", "sw", "ha", "yo")

_ROOM = "firmware.ui.languages."


def table(language: str) -> str:
    """All texts of one of the `LANGUAGES`, a line each; only these stay of its file."""
    name = _ROOM + language
    found: str = at_hand(name).TABLE
    give_back((name, "firmware.ui.languages"))
    return found


class Words:
    """The texts in one language: `words(key, *filling)`."""

    def __init__(self, language: str) -> None:
        """An unknown `language` gives English: a terminal that speaks beats one that stops."""
        self.language = language if language in LANGUAGES else LANGUAGES[0]
        self._table = table(self.language)

    def __call__(self, key: str, *filling: object) -> str:
        """The text of `key`; the key itself when there is none."""
        at = self._table.find("\n" + key + "|")
        if at < 0:
            return key
        at += len(key) + 2
        text = self._table[at : self._table.find("\n", at)]
        return text.format(*filling) if filling else text

    def either(self, key: str, other: str, *filling: object) -> str:
        """The text of `key`, or that of `other` when there is none."""
        text = self(key, *filling)
        return self(other, *filling) if text == key else text


def keys(language: str = LANGUAGES[0]) -> list[str]:
    """Every key of a language, for tests."""
    return [line.split("|")[0] for line in table(language).split("\n") if line]
