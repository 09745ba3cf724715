"""The simulated thermal printer: `EscPosPrinter`, a 58 mm ESC/POS head on a UART, and its paper.

The board wires it to a UART; tests and the front panel read `paper` and `receipts()`.
"""

from hw_sim.printer.escpos import EscPosPrinter, UnknownSequence
from hw_sim.printer.line import PaperLine, Run, Style
from hw_sim.printer.paper import Receipt

__all__ = ["EscPosPrinter", "PaperLine", "Receipt", "Run", "Style", "UnknownSequence"]
