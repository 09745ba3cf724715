"""The board in a text terminal: display, state and paper to see, the keyboard as its keypad.

`python -m hw_sim` shows it; nobody else needs it.
"""

from __future__ import annotations

import asyncio
import os
import select
import shutil
import sys
import termios
import tty
from typing import Final

from hw_sim.network.gsm import GsmNetwork
from hw_sim.printer import EscPosPrinter
from hw_sim.threaded import SimulatedBoard

_KEYS: Final = {"\r": "#", "\n": "#", "\x7f": "*", "\b": "*"}
_HELP: Final = (
    "keys 0-9 A-D * #, Enter is #, Backspace is *\n"
    "^P power  ^R reset  ^N network  ^O paper  ^B battery -100 mV  ^G charger  ^C leave"
)
_PAPER_LINES: Final = 14
_REDRAW_S: Final = 0.1


class Panel:
    """Draws one board until ^C. Input is read from stdin, which must be a terminal."""

    def __init__(self, board: SimulatedBoard, network: GsmNetwork, printer: EscPosPrinter) -> None:
        self._board = board
        self._network = network
        self._printer = printer

    def run(self) -> None:
        """Show the panel until the person leaves it; the terminal is as before afterwards."""
        terminal = sys.stdin.fileno()
        before = termios.tcgetattr(terminal)
        drawn = ""
        try:
            tty.setraw(terminal)
            sys.stdout.write("\x1b[?1049h\x1b[?25l")
            while True:
                picture = self._draw()
                if picture != drawn:
                    sys.stdout.write("\x1b[H" + picture.replace("\n", "\x1b[K\r\n") + "\x1b[J")
                    sys.stdout.flush()
                    drawn = picture
                if select.select([terminal], [], [], _REDRAW_S)[0]:
                    for key in os.read(terminal, 64).decode(errors="ignore"):
                        if key == "\x03":
                            return
                        self._key(key)
        finally:
            sys.stdout.write("\x1b[?25h\x1b[?1049l")
            sys.stdout.flush()
            termios.tcsetattr(terminal, termios.TCSADRAIN, before)

    def _key(self, key: str) -> None:
        board, inner = self._board, self._board.board
        key = _KEYS.get(key, key.upper())
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
        elif key == "\x07":
            board.battery.set_charging(not inner.battery.charging)

    def _draw(self) -> str:
        inner = self._board.board
        size = shutil.get_terminal_size()
        picture = self._board.lcd_picture()
        wide = size.columns >= picture.width_px + 2 and size.lines >= 50
        display = (picture.half_blocks() if wide else picture.braille()).split("\n")
        edge = "─" * len(display[0])
        lines = [f"┌{edge}┐", *(f"│{line}│" for line in display), f"└{edge}┘"]
        lines.append(
            f"power {'on' if inner.powered else 'off'}"
            f" · CPU {'runs' if inner.cpu_running else 'stopped'}"
            f" · battery {inner.battery.mv} mV{' charging' if inner.battery.charging else ''}"
            f" · network {'on' if self._network.coverage else 'off'}"
            f" · paper {'out' if self._printer.paper_out else 'in'}"
            f" · resets {len(inner.resets)}"
        )
        lines.append(f"serial port {self._board.serial_port}")
        lines += _HELP.split("\n")
        paper = self._board.call(self._printer.text).splitlines()[-_PAPER_LINES:]
        lines += ["", *(f"  ┊ {line:<32} ┊" for line in paper)]
        return "\n".join(line[: size.columns] for line in lines[: size.lines])
