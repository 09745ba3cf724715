"""Draw the terminal's two fonts and write them as `firmware/ui/font.py`.

Run it by hand after changing a glyph: `python -m tools.lab.font`. A test holds the generated file
to this source.

A glyph is drawn as rows from the top, `#` for ink; eight rows at most, the baseline under row 6,
so that descenders have row 7. Widths differ from glyph to glyph. The big font is the small one
doubled, its steps smoothed by the rule of Scale2x (a corner pixel takes the colour of its two
neighbours when they agree and the other two do not).
"""

from __future__ import annotations

from pathlib import Path

TARGET = Path(__file__).resolve().parents[2] / "firmware" / "ui" / "font.py"
HEIGHT = 8
HEADER = '''"""The glyphs of the screen; made by `tools/lab/font.py`, used by `ui.canvas`.

`INDEX` has three bytes a glyph: offset into `SMALL` (little-endian) and width in pixels. Glyph n is
chr(32 + n) up to `~`, then those of `EXTRA` in order. `SMALL` has a byte a column (bit 0 on top);
`BIG` has the same glyphs at twice the size, four bytes for each of SMALL's: the upper page's
columns, then the lower page's. Those of `MARKS` are drawn over the letter before them.
"""

'''

ACCENTS = {
    "acute": ("...#.", "..#.."),
    "grave": (".#...", "..#.."),
    "circumflex": ("..#..", ".#.#."),
    "diaeresis": (".#.#.", "....."),
    "tilde": (".#..#", "#.##."),
}
MARKS = {"\u0300": "grave", "\u0301": "acute"}
"""For what Unicode has in two characters only: the tones of Yoruba's dotted vowels."""

GLYPHS = {
    " ": "...",
    "!": "#/#/#/#/#/./#",
    '"': "#.#/#.#",
    "#": ".#.#./.#.#./#####/.#.#./#####/.#.#./.#.#.",
    "$": "..#../.####/#.#../.###./..#.#/####./..#..",
    "%": "##..#/##..#/...#./..#../.#.../#..##/#..##",
    "&": ".##../#..#./#.#../.#.../#.#.#/#..#./.##.#",
    "'": "#/#",
    "(": "..#/.#./#../#../#../.#./..#",
    ")": "#../.#./..#/..#/..#/.#./#..",
    "*": "...../..#../#.#.#/.###./#.#.#/..#../.....",
    "+": "...../..#../..#../#####/..#../..#../.....",
    ",": "../../../../../.#/.#/#.",
    "-": "..../..../..../####",
    ".": "./././././#/#",
    "/": "....#/....#/...#./..#../.#.../#..../#....",
    "0": ".###./#...#/#..##/#.#.#/##..#/#...#/.###.",
    "1": "..#../.##../..#../..#../..#../..#../.###.",
    "2": ".###./#...#/....#/..##./.#.../#..../#####",
    "3": "#####/...#./..#../...#./....#/#...#/.###.",
    "4": "...#./..##./.#.#./#..#./#####/...#./...#.",
    "5": "#####/#..../####./....#/....#/#...#/.###.",
    "6": "..##./.#.../#..../####./#...#/#...#/.###.",
    "7": "#####/....#/...#./..#../.#.../.#.../.#...",
    "8": ".###./#...#/#...#/.###./#...#/#...#/.###.",
    "9": ".###./#...#/#...#/.####/....#/...#./.##..",
    ":": "././#/././#",
    ";": "../../.#/../../.#/#.",
    "<": "...#/..#./.#../#.../.#../..#./...#",
    "=": "..../..../####/..../####",
    ">": "#.../.#../..#./...#/..#./.#../#...",
    "?": ".###./#...#/....#/..##./..#../...../..#..",
    "@": ".###./#...#/#.###/#.#.#/#.###/#..../.###.",
    "A": ".###./#...#/#...#/#####/#...#/#...#/#...#",
    "B": "####./#...#/#...#/####./#...#/#...#/####.",
    "C": ".###./#...#/#..../#..../#..../#...#/.###.",
    "D": "####./#...#/#...#/#...#/#...#/#...#/####.",
    "E": "#####/#..../#..../####./#..../#..../#####",
    "F": "#####/#..../#..../####./#..../#..../#....",
    "G": ".###./#...#/#..../#.###/#...#/#...#/.####",
    "H": "#...#/#...#/#...#/#####/#...#/#...#/#...#",
    "I": "###/.#./.#./.#./.#./.#./###",
    "J": "..###/...#./...#./...#./...#./#..#./.##..",
    "K": "#...#/#..#./#.#../##.../#.#../#..#./#...#",
    "L": "#.../#.../#.../#.../#.../#.../####",
    "M": "#...#/##.##/#.#.#/#.#.#/#...#/#...#/#...#",
    "N": "#...#/##..#/##..#/#.#.#/#..##/#..##/#...#",
    "O": ".###./#...#/#...#/#...#/#...#/#...#/.###.",
    "P": "####./#...#/#...#/####./#..../#..../#....",
    "Q": ".###./#...#/#...#/#...#/#.#.#/#..#./.##.#",
    "R": "####./#...#/#...#/####./#.#../#..#./#...#",
    "S": ".####/#..../#..../.###./....#/....#/####.",
    "T": "#####/..#../..#../..#../..#../..#../..#..",
    "U": "#...#/#...#/#...#/#...#/#...#/#...#/.###.",
    "V": "#...#/#...#/#...#/#...#/#...#/.#.#./..#..",
    "W": "#...#/#...#/#...#/#.#.#/#.#.#/##.##/#...#",
    "X": "#...#/#...#/.#.#./..#../.#.#./#...#/#...#",
    "Y": "#...#/#...#/.#.#./..#../..#../..#../..#..",
    "Z": "#####/....#/...#./..#../.#.../#..../#####",
    "[": "##/#./#./#./#./#./##",
    "\\": "#..../#..../.#.../..#../...#./....#/....#",
    "]": "##/.#/.#/.#/.#/.#/##",
    "^": "..#../.#.#./#...#",
    "_": "...../...../...../...../...../...../#####",  # lower, large ones touch the line below
    "`": "#./.#",
    "a": "..../..../.##./...#/.###/#..#/.###",
    "b": "#.../#.../###./#..#/#..#/#..#/###.",
    "c": "..../..../.###/#.../#.../#.../.###",
    "d": "...#/...#/.###/#..#/#..#/#..#/.###",
    "e": "..../..../.##./#..#/####/#.../.###",
    "f": ".##/#../###/#../#../#../#..",
    "g": "..../..../.###/#..#/#..#/.###/...#/.##.",
    "h": "#.../#.../###./#..#/#..#/#..#/#..#",
    "i": "#/./#/#/#/#/#",
    "j": ".#/../.#/.#/.#/.#/.#/#.",
    "k": "#.../#.../#..#/#.#./##../#.#./#..#",
    "l": "#./#./#./#./#./#./.#",
    "m": "...../...../####./#.#.#/#.#.#/#.#.#/#.#.#",
    "n": "..../..../###./#..#/#..#/#..#/#..#",
    "o": "..../..../.##./#..#/#..#/#..#/.##.",
    "p": "..../..../###./#..#/#..#/###./#.../#...",
    "q": "..../..../.###/#..#/#..#/.###/...#/...#",
    "r": ".../.../#.#/##./#../#../#..",
    "s": "..../..../.###/#.../.##./...#/###.",
    "t": "#../#../###/#../#../#../.##",
    "u": "..../..../#..#/#..#/#..#/#..#/.###",
    "v": "...../...../#...#/#...#/#...#/.#.#./..#..",
    "w": "...../...../#...#/#.#.#/#.#.#/#.#.#/.#.#.",
    "x": "...../...../#...#/.#.#./..#../.#.#./#...#",
    "y": "..../..../#..#/#..#/#..#/.###/...#/.##.",
    "z": "..../..../####/...#/.##./#.../####",
    "{": "..#/.#./.#./#../.#./.#./..#",
    "|": "#/#/#/#/#/#/#",
    "}": "#../.#./.#./..#/.#./.#./#..",
    "~": "...../...../.#..#/#.##./.....",
    "°": ".#./#.#/.#.",
    "·": "./././#",
    "×": "...../...../#...#/.#.#./..#../.#.#./#...#",
    "ç": "..../..../.###/#.../#.../#.../.###/.##.",
    "Ç": ".###./#...#/#..../#..../#...#/.###./..#../.#...",
    "œ": "......./......./.##.##./#..#..#/#..####/#..#.../.##.###",
    "Œ": ".######/#..#.../#..#.../#..###./#..#.../#..#.../.######",
    # hooks of Hausa
    "ɓ": ".##./#.../###./#..#/#..#/#..#/###.",
    "ɗ": "...##/...#./.###./#..#./#..#./#..#./.###.",
    "ƙ": ".##./#.../#..#/#.#./##../#.#./#..#",
    "ƴ": "...../...##/#..#./#..#./#..#./.###./...#./.##..",
    "Ɓ": "#####./.#...#/.#...#/.####./.#...#/.#...#/.####.",
    "Ɗ": "#####./.#...#/.#...#/.#...#/.#...#/.#...#/.####.",
    "Ƙ": "#...##/#..#../#.#.../##..../#.#.../#..#../#...#.",
    "Ƴ": "#...##/#...#./.#.#../..#.../..#.../..#.../..#...",
    "ŋ": "..../..../###./#..#/#..#/#..#/#..#/..#.",
    "Ŋ": "#...#/##..#/#.#.#/#..##/#...#/#...#/#...#/...#.",
    # dots of Yoruba: the row above the dot is free, so bodies are a row lower than others'; of a
    # mark over a capital only the upper dot is free, at the left or at the right
    "ẹ": "..../..../.##./#.##/##../.###/..../.##.",
    "ọ": "..../..../.##./#..#/#..#/.##./..../.##.",
    "ṣ": "..../..../.###/##../..##/###./..../.##.",
    "Ẹ": "...../#####/#..../####./#..../#####/...../..#..",
    "Ọ": "...../.###./#...#/#...#/#...#/.###./...../..#..",
    "Ṣ": ".####/#..../.###./....#/....#/####./...../..#..",
    # arrows of the screens: kept in the private places the layout names
    "\x01": "..#../.###./#.#.#/..#../..#../..#../..#..",  # not synced yet
    "\x02": "...../..#../.###./#####/...../...../.....",  # more above
    "\x03": "...../...../...../#####/.###./..#../.....",  # more below
}

LOWER = {
    "acute": {"a": "á", "e": "é", "i": "í", "o": "ó", "u": "ú", "n": "ń"},
    "grave": {"a": "à", "e": "è", "i": "ì", "o": "ò", "u": "ù", "n": "ǹ"},
    "circumflex": {"a": "â", "e": "ê", "i": "î", "o": "ô", "u": "û"},
    "diaeresis": {"a": "ä", "e": "ë", "i": "ï", "o": "ö", "u": "ü"},
    "tilde": {"a": "ã", "o": "õ", "n": "ñ"},
}
LOWER_MARK = {
    "acute": ("..#.", ".#.."),
    "grave": (".#..", "..#."),
    "circumflex": (".##.", "#..#"),
    "diaeresis": ("#..#", "...."),
    "tilde": (".#.#", "#.#."),
}
NARROW_MARK = {
    "acute": (".#", "#."),
    "grave": ("#.", ".#"),
    "circumflex": (".#.", "#.#"),
    "diaeresis": ("#.#", "..."),
}
NARROW_STEM = {"acute": "#.", "grave": ".#", "circumflex": ".#.", "diaeresis": ".#."}
UPPER = {
    "acute": {"A": "Á", "E": "É", "I": "Í", "O": "Ó", "U": "Ú", "N": "Ń"},
    "grave": {"A": "À", "E": "È", "I": "Ì", "O": "Ò", "U": "Ù", "N": "Ǹ"},
    "circumflex": {"A": "Â", "E": "Ê", "I": "Î", "O": "Ô", "U": "Û"},
    "diaeresis": {"E": "Ë", "I": "Ï"},
    "tilde": {"A": "Ã", "O": "Õ", "N": "Ñ"},
}


def rows_of(drawing: str) -> list[str]:
    """Eight rows of one width, from a drawing that may stop early."""
    rows = drawing.split("/")
    width = max(len(row) for row in rows)
    rows = [row.ljust(width, ".") for row in rows]
    return rows + ["." * width] * (HEIGHT - len(rows))


def all_glyphs() -> dict[str, list[str]]:
    """Every character of the font with its rows, the accented ones composed."""
    glyphs = {name: rows_of(drawing) for name, drawing in GLYPHS.items()}
    for accent, letters in LOWER.items():
        for base, composed in letters.items():
            if base == "i":
                stem, mark = NARROW_STEM[accent], list(NARROW_MARK[accent])
                blank = "." * len(stem)
                if mark[1] != blank:  # right on its stem it would be an f
                    mark.append(blank)
                glyphs[composed] = [*mark, *[stem] * (7 - len(mark)), blank]
            else:
                glyphs[composed] = [*LOWER_MARK[accent], *glyphs[base][2:]]
    for accent, letters in UPPER.items():
        for base, composed in letters.items():
            upper = glyphs[base]
            # a capital gives up two rows of its legs for its accent
            body = [upper[0], upper[1], upper[3], upper[4], upper[6]]
            # `I` is three columns wide, and the middle ones of an accent are those of its stem
            mark = [row[1:4] if base == "I" else row for row in ACCENTS[accent]]
            glyphs[composed] = [*mark, *body, "." * len(body[0])]
    for mark_char, accent in MARKS.items():
        glyphs[mark_char] = rows_of("/".join(LOWER_MARK[accent]))
    return glyphs


def doubled(rows: list[str]) -> list[str]:
    """The glyph at twice the size, diagonals smoothed (Scale2x)."""
    height, width = len(rows), len(rows[0])

    def at(y: int, x: int) -> str:
        return rows[y][x] if 0 <= y < height and 0 <= x < width else "."

    out: list[str] = []
    for y in range(height):
        upper, lower = "", ""
        for x in range(width):
            up, down, left, right, here = (
                at(y - 1, x),
                at(y + 1, x),
                at(y, x - 1),
                at(y, x + 1),
                at(y, x),
            )
            smooth = up != down and left != right
            upper += left if smooth and up == left else here
            upper += right if smooth and up == right else here
            lower += left if smooth and down == left else here
            lower += right if smooth and down == right else here
        out += [upper, lower]
    return out


def columns(rows: list[str]) -> bytes:
    """The pixels as the display takes them: a byte is eight rows, bit 0 on top, page by page."""
    out = bytearray()
    for page in range(0, len(rows), 8):
        for x in range(len(rows[0])):
            out.append(sum(1 << y for y in range(8) if rows[page + y][x] == "#"))
    return bytes(out)


def literal(data: bytes) -> str:
    """Python source of a bytes constant in lines of at most 96 characters."""
    lines = []
    for at in range(0, len(data), 20):
        lines.append('    b"' + "".join(f"\\x{b:02x}" for b in data[at : at + 20]) + '"')
    return "\n".join(lines)


def source() -> str:
    """The text of `firmware/ui/font.py`."""
    glyphs = all_glyphs()
    names = sorted(glyphs)
    plain = [chr(c) for c in range(32, 127)]
    order = plain + [n for n in names if n not in plain]
    small = bytearray()
    index = bytearray()
    big = bytearray()
    for name in order:
        rows = glyphs[name]
        offset = len(small)
        index += bytes([offset & 0xFF, offset >> 8, len(rows[0])])
        small += columns(rows)
        big += columns(doubled(rows))
    extra = "".join(n for n in order if n not in plain)
    extra_lines = "\n".join(f"    {extra[at : at + 14]!a}" for at in range(0, len(extra), 14))
    parts = [("INDEX", bytes(index)), ("SMALL", bytes(small)), ("BIG", bytes(big))]
    return (
        HEADER
        + f"EXTRA = (\n{extra_lines}\n)\nMARKS = {''.join(MARKS)!a}\n"
        + "".join(f"{name} = (\n{literal(data)}\n)\n" for name, data in parts)
    )


if __name__ == "__main__":
    TARGET.write_text(source(), encoding="utf-8")
