"""What is no text: QR codes, bar codes and raster images, from their commands to lines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from hw_sim.printer import code128
from hw_sim.printer.commands import NotDone
from hw_sim.printer.composer import Composer
from hw_sim.printer.line import PAPER_WIDTH_DOTS, PaperLine, Readable

_QR: Final = 49
_QR_MODEL, _QR_MODULE, _QR_LEVEL, _QR_STORE, _QR_PRINT = 65, 67, 69, 80, 81
_QR_LEVELS: Final = {48: "L", 49: "M", 50: "Q", 51: "H"}
_CODE128: Final = 73
_READABLE: Final[tuple[Readable, ...]] = ("none", "above", "below", "both")
_READABLE_LINES: Final = {"none": 0, "above": 1, "below": 1, "both": 2}
_READABLE_DOTS: Final = 26
_ROW_BYTES: Final = PAPER_WIDTH_DOTS // 8


@dataclass
class _Modes:
    """What ESC @ and a power cut set back."""

    bar_height_dots: int = 162
    bar_module_dots: int = 3
    human_readable: Readable = "none"
    qr_module_dots: int = 3
    qr_level: str = _QR_LEVELS[48]
    qr_data: bytes = b""


class Symbols:
    """QR codes and bar codes under the modes that were set for them."""

    def __init__(self, composer: Composer) -> None:
        self._composer = composer
        self.reset()

    def reset(self) -> None:
        """As after power-on."""
        self._modes = _Modes()

    def set_bar_height(self, dots: int) -> None:
        """GS h."""
        self._modes.bar_height_dots = dots

    def set_bar_module(self, dots: int) -> None:
        """GS w: how wide the thinnest bar is."""
        self._modes.bar_module_dots = dots

    def set_readable(self, where: int) -> None:
        """GS H: where the content stands in letters; 0 to 3."""
        self._modes.human_readable = _READABLE[where]

    def qr(self, data: bytes) -> None:
        """GS ( k: set, store or print a QR code. Raises NotDone."""
        if len(data) < 3 or data[0] != _QR:
            raise NotDone("not a QR code command")
        function, value = data[1], data[2]
        modes = self._modes
        if function == _QR_MODEL and value in (49, 50):
            pass
        elif function == _QR_MODULE and 1 <= value <= 16:
            modes.qr_module_dots = value
        elif function == _QR_LEVEL and value in _QR_LEVELS:
            modes.qr_level = _QR_LEVELS[value]
        elif function == _QR_STORE:
            modes.qr_data = data[3:]
        elif function == _QR_PRINT and modes.qr_data:
            self._print_qr()
        else:
            raise NotDone("QR function or parameter unknown, or no data to print")

    def barcode(self, kind: int, data: bytes) -> None:
        """GS k: print a bar code. Raises NotDone."""
        modes = self._modes
        if kind != _CODE128:
            raise NotDone(f"symbology {kind} is not modelled")
        try:
            text, values = code128.decode(data)
        except code128.BadBarcodeError as error:
            raise NotDone(str(error)) from error
        width = sum(map(int, code128.bars(values))) * modes.bar_module_dots
        if width > self._composer.area_dots:
            raise NotDone("bar code wider than the paper")
        self._composer.finish_line()
        text_dots = _READABLE_LINES[modes.human_readable] * _READABLE_DOTS
        self._composer.place(
            PaperLine(
                "barcode",
                modes.bar_height_dots + text_dots,
                data=text,
                symbology="CODE128",
                rows=[bytes(values)],
                module_dots=modes.bar_module_dots,
                bar_height_dots=modes.bar_height_dots,
                human_readable=modes.human_readable,
            )
        )

    def _print_qr(self) -> None:
        from hw_sim.printer.qr import qr_matrix  # loads only when a code is printed

        modes = self._modes
        matrix = qr_matrix(modes.qr_data, modes.qr_level)
        if matrix is None or len(matrix) * modes.qr_module_dots > self._composer.area_dots:
            raise NotDone("QR code too large for the paper")
        self._composer.finish_line()
        self._composer.place(
            PaperLine(
                "qr",
                len(matrix) * modes.qr_module_dots,
                data=modes.qr_data.decode("utf-8", "replace"),
                module_dots=modes.qr_module_dots,
                error_correction=modes.qr_level,
            )
        )


class Raster:
    """Images, which come row by row."""

    def __init__(self, composer: Composer) -> None:
        self._composer = composer
        self._image = 0

    def start(self, head: bytes) -> None:
        """GS v 0: an image begins. Raises NotDone; its rows may come all the same."""
        mode, x_low, x_high, y_low, y_high = head
        self._composer.finish_line()
        self._image += 1
        if mode % 48 > 3 or not (x_low or x_high) or not (y_low or y_high):
            raise NotDone("raster without size, or of an unknown mode")

    def row(self, mode: int, row: bytes) -> None:
        """One row of it; nothing in a mode that is unknown."""
        mode %= 48
        if mode > 3:
            return
        if mode & 1:
            row = bytes(byte for value in row for byte in _double(value))[:_ROW_BYTES]
        copies = 2 if mode & 2 else 1
        self._composer.place(PaperLine("raster", copies, rows=[row] * copies, image=self._image))


def _double(value: int) -> tuple[int, int]:
    """A byte of dots made twice as wide."""
    wide = 0
    for bit in range(8):
        if value >> bit & 1:
            wide |= 0b11 << (2 * bit)
    return wide >> 8, wide & 0xFF
