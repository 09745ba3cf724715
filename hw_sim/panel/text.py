"""The board in a text terminal: display, state and paper to see, the keyboard as its keypad.

`python -m hw_sim` shows it; nobody else needs it.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import re
import select
import shutil
import sys
import termios
import tty
from typing import Final

from hw_sim.network.gsm import GsmNetwork
from hw_sim.printer import EscPosPrinter
from hw_sim.threaded import SimulatedBoard

_KEYS: Final = {
    "\r": "#", "\n": "#", "\x7f": "*", "\b": "*", "\x1b": "*",
    "\x1b[A": "A", "\x1b[B": "B", "\x1bOA": "A", "\x1bOB": "B", "\x1b[3~": "C",
}  # fmt: skip
"""What a terminal sends → the key of the board. An arrow begins with ESC and ends with a letter
that is a key of its own: it must be read as a whole."""
_TYPED: Final = re.compile(r"\x1b\[[0-9;]*[A-Za-z~]|\x1bO.|.", flags=re.DOTALL)
_HELP: Final = (
    "^P power", "^R reset", "^N network", "^O paper", "^B -100 mV", "^G charger", "^U turn slip",
    "^C leave", "Enter# Bksp*", "arrows A B",
)  # fmt: skip
_BEGUN: Final = re.compile(r"\x1b(\[[0-9;]*|O)?$")
"""A sequence whose end has not come yet: over ssh it may come in pieces."""
_PAPER_COLUMNS: Final = 36
_REDRAW_S: Final = 0.1
_ALONE_S: Final = 0.5
"""An Escape that nothing follows for so long is the key of that name."""


def typed(text: str) -> tuple[list[str], str]:
    """The keys in what a terminal sent, arrows whole, each other character by itself; and the
    beginning of one whose end must still come.
    """
    begun = _BEGUN.search(text)
    rest = begun[0] if begun else ""
    return _TYPED.findall(text[: len(text) - len(rest)]), rest


def laid_out(
    display: list[str],
    beside: list[str],
    paper: list[str],
    columns: int,
    rows: int,
    turned: int = 0,
) -> list[str]:
    """Lines for a text terminal of `columns` x `rows`: the display with a few words beside it, and
    under it the last of the paper, in as many columns as there is room for, the newest at the end;
    `turned` so often, what stands before that, and after the beginning the end again.
    """
    edge = "─" * len(display[0])
    box = [f"┌{edge}┐", *(f"│{line}│" for line in display), f"└{edge}┘"]
    lines = [
        f"{left:<{len(box[0])}} {right}".rstrip()
        for left, right in itertools.zip_longest(box, beside, fillvalue="")
    ]
    free = max(0, rows - len(lines))
    across = max(1, columns // _PAPER_COLUMNS)
    shown = [line for line in paper if line.strip()]
    room = max(1, free * across)
    end = len(shown) - turned % max(1, -(-len(shown) // room)) * room
    shown = shown[max(0, end - room) : end]
    for row in range(min(free, len(shown))):
        cells = shown[row::free]
        lines.append("  ".join(f"┊{cell:<32}┊" for cell in cells))
    return [line[:columns] for line in lines[:rows]]


class Panel:
    """Draws one board until ^C. Input is read from stdin, which must be a terminal."""

    def __init__(self, board: SimulatedBoard, network: GsmNetwork, printer: EscPosPrinter) -> None:
        self._board = board
        self._network = network
        self._printer = printer
        self._receipts = self._turned = 0

    def run(self) -> None:
        """Show the panel until the person leaves it; the terminal is as before afterwards."""
        terminal = sys.stdin.fileno()
        before = termios.tcgetattr(terminal)
        drawn = rest = ""
        try:
            tty.setraw(terminal)
            sys.stdout.write("\x1b[?1049h\x1b[?25l")
            while True:
                picture = self._draw()
                if picture != drawn:
                    sys.stdout.write("\x1b[H" + picture.replace("\n", "\x1b[K\r\n") + "\x1b[J")
                    sys.stdout.flush()
                    drawn = picture
                keys: list[str] = []
                if select.select([terminal], [], [], _ALONE_S if rest else _REDRAW_S)[0]:
                    keys, rest = typed(rest + os.read(terminal, 64).decode(errors="ignore"))
                elif rest:
                    keys, rest = [rest], ""
                for key in keys:
                    if key == "\x03":
                        return
                    self._key(key)
        finally:
            sys.stdout.write("\x1b[?25h\x1b[?1049l")
            sys.stdout.flush()
            termios.tcsetattr(terminal, termios.TCSADRAIN, before)

    def _key(self, key: str) -> None:
        board, inner = self._board, self._board.board
        key = _KEYS.get(key, key.upper())  # any other sequence is no key of the board
        if key in inner.keypad.keys:
            # Not waited for: the finger is patient, the panel is not.
            asyncio.run_coroutine_threadsafe(inner.finger.press(key), board.loop)
        elif key == "\x10":
            board.call(inner.power_off if inner.powered else inner.power_on)
        elif key == "\x12":
            board.reset_button()
        elif key == "\x0e":
            board.call(self._network.set_coverage, not self._network.coverage)
        elif key == "\x0f":
            out = self._printer.paper_out
            board.call(self._printer.load_paper if out else self._printer.run_out_of_paper)
        elif key == "\x02":
            board.battery.set_mv(max(0, inner.battery.mv - 100))
        elif key == "\x15":
            self._turned += 1
        elif key == "\x07":
            board.battery.set_charging(not inner.battery.charging)

    def _draw(self) -> str:
        inner = self._board.board
        size = shutil.get_terminal_size()
        picture = self._board.lcd_picture()
        wide = size.columns >= picture.width_px + 2 and size.lines >= 50
        display = (picture.half_blocks() if wide else picture.braille()).split("\n")
        beside = [
            f"power  {'on' if inner.powered else 'off'}",
            f"CPU    {'runs' if inner.cpu_running else 'stopped'}",
            f"cell   {inner.battery.mv}",
            f"mains  {'on' if inner.battery.charging else 'off'}",
            f"air    {'on' if self._network.coverage else 'off'}",
            f"paper  {'out' if self._printer.paper_out else 'in'}",
            f"resets {len(inner.resets)}",
            self._board.serial_port,
            *_HELP,
        ]
        paper = self._board.call(self._printer.receipts)
        if len(paper) != self._receipts:
            self._receipts, self._turned = len(paper), 0
        last = paper[-1].layout.splitlines() if paper else []
        return "\n".join(laid_out(display, beside, last, size.columns, size.lines, self._turned))
