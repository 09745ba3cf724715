"""A statement on paper: A4, as many pages as it needs, the balance carried over. For the command
line and the office's pages. The same statement gives the same bytes.
"""

from __future__ import annotations

from datetime import UTC, datetime
from importlib import resources

from fpdf import FPDF

from updater_server.parties import statements
from updater_server.parties.statements import Statement

_FACE = "mono"
_MARGIN_MM = 15.0
_LINE_MM = 5.0
_COLUMNS_MM = (34.0, 24.0, 62.0, 30.0, 30.0)
_HEADINGS = ("time", "what", "reference", "amount", "balance")
_GREY, _BLACK = 110, 0


class _Pages(FPDF):
    """Pages with the statement's name above and their number below."""

    def __init__(self, title: str) -> None:
        super().__init__(format="A4", unit="mm")
        self.set_margin(_MARGIN_MM)
        self.set_auto_page_break(True, 20)
        face = resources.files("barcode") / "fonts" / "DejaVuSansMono.ttf"  # has every letter
        with resources.as_file(face) as path:
            self.add_font(_FACE, "", path)
        self.set_title(title)
        self.set_creation_date(datetime(2000, 1, 1, tzinfo=UTC))

    def header(self) -> None:
        """The columns, on each page but the first, which has its own head before them."""
        if self.page_no() > 1:
            self.columns()

    def footer(self) -> None:
        """Which page this is."""
        self.set_y(-15)
        self.set_font(_FACE, size=7)
        self.set_text_color(_GREY)
        self.cell(0, 5, f"{self.title} · page {self.page_no()} of {{nb}}", align="C")

    def columns(self) -> None:
        """The headings of the table."""
        self.set_font(_FACE, size=8)
        self.set_text_color(_GREY)
        self.row(_HEADINGS)
        y = self.get_y()
        self.line(_MARGIN_MM, y, 210 - _MARGIN_MM, y)
        self.ln(1)
        self.set_text_color(_BLACK)

    def row(self, cells: tuple[str, ...]) -> None:
        """One line of the table; a reference that is too long is broken, nothing is cut."""
        letters = 38
        reference = cells[2]
        parts = [reference[at : at + letters] for at in range(0, len(reference), letters)] or [""]
        for n, part in enumerate(parts):
            for text, width in zip(cells, _COLUMNS_MM, strict=True):
                shown = part if text is reference else text if n == 0 else ""
                align = "R" if width == _COLUMNS_MM[3] else "L"
                self.cell(width, _LINE_MM, shown, align=align)
            self.ln(_LINE_MM)


def as_pdf(statement: Statement) -> bytes:
    """The statement as a PDF file."""
    money = statement.money
    span = f"{statement.first_day} to {statement.last_day}"
    pages = _Pages(f"Statement of {statement.holder}, {span}")
    pages.add_page()
    pages.set_font(_FACE, size=16)
    pages.cell(0, 10, f"Statement of {statement.holder}", new_x="LMARGIN", new_y="NEXT")
    pages.set_font(_FACE, size=9)
    pages.set_text_color(_GREY)
    where = f"{span}, days and times of {statement.zone.key}"
    pages.cell(0, 6, where, new_x="LMARGIN", new_y="NEXT")
    pages.set_text_color(_BLACK)
    pages.ln(3)
    for name, minor in (
        ("balance before", statement.opening_minor),
        ("came in", statement.came_minor),
        ("went out", statement.went_minor),
        ("balance after", statement.closing_minor),
    ):
        pages.cell(45, 6, name)
        pages.cell(45, 6, money.show(minor), align="R", new_x="LMARGIN", new_y="NEXT")
    pages.ln(4)
    pages.columns()
    pages.set_font(_FACE, size=7.5)
    for cells in statements.rows(statement):
        pages.row(cells)
    if not statement.lines:
        pages.cell(0, 6, "nothing moved", new_x="LMARGIN", new_y="NEXT")
    return bytes(pages.output())
