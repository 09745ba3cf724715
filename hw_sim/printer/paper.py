"""The receipts that a person would tear off the printed paper.

Read by tests, scripts and the front panel. Paper once printed is never changed: no power cut and no
command takes it back.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from hw_sim.printer.line import PaperLine


@dataclass
class Receipt:
    """Paper between two tears. `torn_off` is False while the end of it has not come out yet."""

    lines: list[PaperLine]
    torn_off: bool

    @property
    def text(self) -> str:
        """The legible text, a line each, without layout; blank lines at both ends left out."""
        return _joined(line.text for line in self.lines if _shows(line))

    @property
    def layout(self) -> str:
        """The legible text laid out on 32 columns."""
        return _joined(line.columns for line in self.lines if _shows(line))

    @property
    def qr_codes(self) -> list[str]:
        """Contents of the QR codes, in order."""
        return [line.data for line in self.lines if line.kind == "qr" and line.legible]

    @property
    def barcodes(self) -> list[str]:
        """Contents of the bar codes, in order."""
        return [line.data for line in self.lines if line.kind == "barcode" and line.legible]

    def png(self, path: Path | str, *, scale: float = 1.5) -> Path:
        """Draw the receipt as thermal paper looks; returns the path. Needs Pillow and qrcode."""
        from hw_sim.printer.render import draw_paper  # Pillow is slow to load and seldom needed

        target = Path(path)
        draw_paper(self.lines, torn_off=self.torn_off, scale=scale).save(target)
        return target


def split_receipts(paper: Iterable[PaperLine], tear_feed_dots: int) -> list[Receipt]:
    """Receipts on this paper: torn at cuts, at new rolls, and at feeds of at least so many dots."""
    receipts: list[Receipt] = []
    lines: list[PaperLine] = []
    fed_dots = 0
    for line in paper:
        if line.kind == "roll":
            if lines:
                receipts.append(Receipt(lines, torn_off=True))
            lines, fed_dots = [], 0
            continue
        fed_dots = fed_dots + line.dots if line.kind == "feed" else 0
        if not lines and (line.kind in ("feed", "cut")):
            continue
        lines.append(line)
        if line.kind == "cut" or fed_dots >= tear_feed_dots:
            receipts.append(Receipt(lines, torn_off=True))
            lines, fed_dots = [], 0
    if lines:
        receipts.append(Receipt(lines, torn_off=False))
    return receipts


def _shows(line: PaperLine) -> bool:
    return line.kind not in ("feed", "cut", "roll") and line.legible


def _joined(texts: Iterable[str]) -> str:
    return "\n".join(texts).strip("\n")
