"""One strip of printed paper, and how the text on it looks: the words that all printer parts share.

It knows no command and no picture; `hw_sim.printer.paper` makes receipts of lines,
`hw_sim.printer.render` draws them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal

PAPER_WIDTH_DOTS: Final = 384
DOTS_PER_MM: Final = 8
COLUMNS: Final = 32
PICTURE: Final = "\ufffc"
"""What stands for an image in the text of a line."""

Kind = Literal["text", "feed", "raster", "qr", "barcode", "cut", "roll"]
Align = Literal["left", "center", "right"]
Readable = Literal["none", "above", "below", "both"]
"""Where a bar code's content stands in letters."""


@dataclass(frozen=True)
class Style:
    """How a piece of text looks. `width` and `height` are multiples, 1 to 8; `font` "A" or "B"."""

    bold: bool = False
    width: int = 1
    height: int = 1
    underline: int = 0
    reverse: bool = False
    upside_down: bool = False
    font: Literal["A", "B"] = "A"
    spacing_dots: int = 0

    @property
    def cell_dots(self) -> tuple[int, int]:
        """Width and height of one character."""
        width, height = (12, 24) if self.font == "A" else (9, 17)
        return (width + self.spacing_dots) * self.width, height * self.height


@dataclass(frozen=True)
class Run:
    """Text of one style within a line, or an image of `dots`: columns of 24 dots, three bytes each,
    the top one first. Its `text` is then `PICTURE`.
    """

    text: str
    style: Style = Style()
    dots: tuple[bytes, ...] = ()

    @property
    def width_dots(self) -> int:
        """The room that it takes in the line."""
        return len(self.dots) or len(self.text) * self.style.cell_dots[0]

    @property
    def height_dots(self) -> int:
        """How high it is."""
        return 24 if self.dots else self.style.cell_dots[1]


@dataclass
class PaperLine:
    """One strip of paper: a text line, a feed, an image, a symbol, a cut, a new roll's start.

    Fields beyond `kind` and `dots` (its height) are set as the kind needs them: `rows` are an
    image's dot rows or a bar code's symbol values, `image` tells one image from the next. `burnt`
    is below 1.0 for the line that a power cut stopped: that share of its height is on paper.
    """

    kind: Kind
    dots: int
    runs: tuple[Run, ...] = ()
    align: Align = "left"
    left_margin_dots: int = 0
    data: str = ""
    symbology: str = ""
    module_dots: int = 0
    bar_height_dots: int = 0
    human_readable: Readable = "none"
    error_correction: str = ""
    rows: list[bytes] = field(default_factory=list)
    image: int = 0
    paper_dots: int = PAPER_WIDTH_DOTS
    burnt: float = 1.0

    @property
    def text(self) -> str:
        """What a person reads: the text as sent, or a symbol or image in brackets."""
        if self.kind == "text":
            return "".join(run.text for run in self.runs).rstrip()
        if self.kind == "qr":
            return f"[QR {self.data}]"
        if self.kind == "barcode":
            return f"[{self.symbology} {self.data}]"
        if self.kind == "raster":
            width = max((len(row) for row in self.rows), default=0) * 8
            return f"[image {width}x{len(self.rows)}]"
        return ""

    @property
    def legible(self) -> bool:
        """Whether enough of the line was burnt for a person to read it."""
        return self.burnt >= 0.6

    @property
    def columns(self) -> str:
        """The line laid out on the paper's columns, for showing a receipt on a terminal."""
        text = self.text
        width = sum(run.width_dots for run in self.runs)
        if self.kind != "text":
            width = len(text) * 12
        free = max(0, self.paper_dots - self.left_margin_dots - width)
        shift = {"left": 0, "center": free // 2, "right": free}[self.align]
        return " " * ((self.left_margin_dots + shift) // 12) + text
