"""A name, spelt with the digits: a key again gives its next letter, `B` goes on to the next one."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.flows.desk import Desk

LETTERS = (
    " 0",
    ".-'1",
    "ABC2ÀÇ",
    "DEF3ÉÈÊ",
    "GHI4",
    "JKL5",
    "MNO6",
    "PQRS7",
    "TUV8",
    "WXYZ9",
)


async def spell(desk: "Desk", title: str, most: int, typed: str = "") -> str | None:
    """Up to `most` letters; None: the person went back. `typed`: what is there to begin with."""
    words = desk.words
    hints = [(key, words(word)) for key, word in (("*", "back"), ("C", "clear"), ("#", "ok"))]
    turning = ""  # the key whose letters the last letter goes through
    while True:
        lines = [words("spell"), words("spell_on")]
        desk.ui.screen.page(title, lines, hints, big=typed + ("" if turning else "_") + " ")
        key = await desk.ui.key("0123456789BC*#")
        if key == "*":
            return None
        if key == "#":
            name = typed.strip()
            if name:
                return name
        elif key == "C":
            typed = typed[:-1]
            turning = ""
        elif key == "B":
            turning = ""
        else:
            letters = LETTERS[int(key)]
            if key == turning:
                at = letters.find(typed[-1]) + 1
                typed = typed[:-1] + letters[at % len(letters)]
            elif len(typed) < most:
                typed += letters[0]
                turning = key
