"""Letters on paper: by the head's code page, and as small pictures in the line where it has none.

Code page 1252 (ESC t 16) has every letter of English, French, Portuguese and Swahili. What Hausa
and Yoruba have besides is sent as a bit image of one character's size (ESC *, 24-dot double
density: 12 columns of 24 dots, Epson ESC/POS reference), made of the screen's own glyph. It stands
in the line like a letter, but always plain: heads make no image bold or large.
"""

from firmware.ui.canvas import glyph
from firmware.ui.font import INDEX, MARKS, SMALL

# Windows-1252 from 0x80 on; NUL where it has nothing
_PAGE = "€\0‚ƒ„…†‡ˆ‰Š‹Œ\0Ž\0\0‘’“”•–—˜™š›œ\0žŸ"
_IMAGE = b"\x1b*\x21\x0c\x00"
_CELL = 12
# how far from the top of the cell each row of a glyph begins, so that its foot is the head's own
_ROWS = (0, 2, 5, 8, 11, 14, 16, 19, 22)
_NONE = 63
_DOTTED, _PLAIN = "ẹọṣẸỌṢ", "eosEOS"
_CAPITALS, _GRAVE, _ACUTE = "EO", "ÈÒ", "ÉÓ"
_DOT = 0b111  # the last three rows


def columns_of(text: str) -> int:
    """How many columns `text` takes: a mark stands over the letter before it."""
    count = len(text)
    for char in text:
        if char in MARKS:
            count -= 1
    return count


def is_plain(text: str) -> bool:
    """Whether the head has every letter of `text`: then it can be bold and large."""
    return all(_code(char) for char in text)


def encode(text: str) -> bytes:
    """`text` as the head takes it; what neither it nor our font has becomes `?`, never another."""
    out = bytearray()
    held = ""  # the letter that a mark may follow
    for char in text:
        if char in MARKS and held:
            held += char
            continue
        if held:
            out += _one(held)
        held = char
    if held:
        out += _one(held)
    return bytes(out)


def _code(char: str) -> int:
    """The byte of a letter in the code page, 0 if it has none."""
    code = ord(char)
    if 32 <= code < 127 or 160 <= code < 256:
        return code
    return 128 + _PAGE.find(char) if code > 255 and char in _PAGE else 0


def _one(letter: str) -> bytes:
    code = _code(letter[0])
    if len(letter) == 1 and code:
        return bytes((code,))
    if letter[0] in MARKS or glyph(letter[0]) == glyph("?"):
        return bytes((_NONE,))
    return image(letter)


def image(letter: str) -> bytes:
    """The command that draws `letter`, which may have a mark, in a cell of its own.

    Paper has more rows than the screen: what has a dot below is the plain letter, whole, over it.
    """
    base = letter[0]
    marks = letter[1:]
    dotted = _DOTTED.find(base)
    if dotted >= 0:
        base = _PLAIN[dotted]
    capital = _CAPITALS.find(base) if marks else -1
    if capital >= 0:
        base = (_GRAVE if marks[0] == MARKS[0] else _ACUTE)[capital]
        marks = ""
    columns = _columns(base)
    for mark in marks:
        over = _columns(mark)
        for n in range(1, min(len(over), len(columns)) + 1):
            columns[-n] |= over[-n]
    out = bytearray(_IMAGE)
    left = (_CELL - 2 * len(columns)) // 2
    for x in range(_CELL):
        n = (x - left) // 2
        bits = columns[n] if x >= left and n < len(columns) else 0
        dots = _DOT if dotted >= 0 and 4 < x < 8 else 0
        for row in range(8):
            if bits >> row & 1:
                dots |= (1 << 24 - _ROWS[row]) - (1 << 24 - _ROWS[row + 1])
        out += dots.to_bytes(3, "big")
    return bytes(out)


def _columns(char: str) -> bytearray:
    at = glyph(char)
    start = INDEX[at] | INDEX[at + 1] << 8
    return bytearray(SMALL[start : start + INDEX[at + 2]])
