"""Sets lines: takes text and feeds as commands bring them, gives lines ready to be burnt.

It knows the modes of ESC/POS and no byte of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from hw_sim.printer.line import PAPER_WIDTH_DOTS, PICTURE, Align, PaperLine, Run, Style

DEFAULT_LINE_SPACING_DOTS: Final = 30
SMALLEST_AREA_DOTS: Final = 12


@dataclass
class Modes:
    """What ESC @ and a power cut set back."""

    style: Style = field(default_factory=Style)
    align: Align = "left"
    code_page: int = 0
    line_spacing_dots: int = DEFAULT_LINE_SPACING_DOTS
    left_margin_dots: int = 0
    area_width_dots: int = 0xFFFF
    tab_stops: tuple[int, ...] = tuple(range(8, 256, 8))


class Composer:
    """The line that is being built, under the `modes` in force. `out` takes each finished one."""

    def __init__(
        self, out: Callable[[PaperLine], None], paper_dots: int = PAPER_WIDTH_DOTS
    ) -> None:
        self._out = out
        self.paper_dots = paper_dots
        self.reset()

    def reset(self) -> None:
        """As after power-on: modes of the part's own, nothing in the line."""
        self.modes = Modes()
        self.cancel()

    def cancel(self) -> None:
        """What is in the line is forgotten."""
        self._runs: list[Run] = []
        self._width_dots = 0

    @property
    def empty(self) -> bool:
        """Whether nothing is in the line: some modes may change only then."""
        return not self._runs

    @property
    def area_dots(self) -> int:
        """The width that may be printed on."""
        room = self.paper_dots - self.modes.left_margin_dots
        return max(SMALLEST_AREA_DOTS, min(room, self.modes.area_width_dots))

    def add_text(self, text: str) -> None:
        """Put characters into the line; it prints by itself when it is full."""
        style = self.modes.style
        cell = style.cell_dots[0]
        for character in text:
            if self._width_dots + cell > self.area_dots and self._runs:
                self.print_line()
            if self._runs and self._runs[-1].style == style and not self._runs[-1].dots:
                self._runs[-1] = Run(self._runs[-1].text + character, style)
            else:
                self._runs.append(Run(character, style))
            self._width_dots += cell

    def add_dots(self, columns: tuple[bytes, ...]) -> None:
        """Put an image into the line, 24 dots high; what is right of the area falls off."""
        columns = columns[: self.area_dots - self._width_dots]
        if columns:
            self._runs.append(Run(PICTURE, self.modes.style, columns))
            self._width_dots += len(columns)

    def tab(self) -> None:
        """Go on at the next tab stop, if the line has one."""
        cell = self.modes.style.cell_dots[0]
        column = self._width_dots // cell
        stop = next((stop for stop in self.modes.tab_stops if stop > column), None)
        if stop is not None and stop * cell <= self.area_dots:
            self.add_text(" " * (stop - column))

    def print_line(self) -> None:
        """The line is done, be it empty."""
        runs = self._take()
        height = max((run.height_dots for run in runs), default=0)
        self.place(PaperLine("text", max(height, self.modes.line_spacing_dots), runs=runs))

    def finish_line(self) -> None:
        """The line is done, unless it is empty."""
        if self._runs:
            self.print_line()

    def feed(self, dots: int) -> None:
        """Move the paper by `dots`, of which a line in the making takes its height."""
        if self._runs:
            runs = self._take()
            height = max(run.height_dots for run in runs)
            self.place(PaperLine("text", height, runs=runs))
            dots -= height
        if dots > 0:
            self.place(PaperLine("feed", dots))

    def cut(self) -> None:
        """Cut the paper under the line."""
        self.finish_line()
        self.place(PaperLine("cut", 0))

    def place(self, line: PaperLine) -> None:
        """Put a finished line where the modes want it, and let it go."""
        line.align = self.modes.align
        line.paper_dots = self.paper_dots
        line.left_margin_dots = self.modes.left_margin_dots
        self._out(line)

    def _take(self) -> tuple[Run, ...]:
        runs = tuple(self._runs)
        self.cancel()
        return runs
