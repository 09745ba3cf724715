"""What each command does: a table from its name to an action and the parameters that it takes.

The framing is in `hw_sim.printer.commands`; what the head cannot do raises `NotDone`.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable, Container
from dataclasses import dataclass, replace
from typing import Final

from hw_sim.printer.commands import Command, NotDone
from hw_sim.printer.composer import DEFAULT_LINE_SPACING_DOTS, SMALLEST_AREA_DOTS, Composer
from hw_sim.printer.line import Align, Style
from hw_sim.printer.status import Status
from hw_sim.printer.symbols import Raster, Symbols

_CODE_PAGES: Final = {
    0: "cp437",
    2: "cp850",
    3: "cp860",
    4: "cp863",
    5: "cp865",
    16: "cp1252",
    17: "cp866",
    18: "cp852",
    19: "cp858",
}
_ALIGNS: Final[tuple[Align, ...]] = ("left", "center", "right")
_ANY: Final = range(256)
_IDENTITY: Final = {
    1: b"\x20",
    49: b"\x20",
    2: b"\x00",
    50: b"\x00",
    66: b"_Simulated\x00",
    67: b"_Thermal 58\x00",
}
_PAPER_SENSOR: Final = (1, 49)
_DRAWER: Final = (2, 50)


def _digits(highest: int) -> frozenset[int]:
    """0 to `highest`, as numbers or as the digits' characters."""
    return frozenset(range(highest + 1)) | frozenset(range(48, 48 + highest + 1))


@dataclass(frozen=True)
class _Action:
    """`do(n, parameters)`, where n is the first parameter, or 0, and must be in `takes`."""

    do: Callable[[int, bytes], None]
    takes: Container[int] = _ANY


@dataclass(frozen=True)
class _StyleChange:
    """Makes another style of the one in force."""

    change: Callable[[Style, int], Style]
    takes: Container[int] = _ANY


_STYLES: Final = {
    "ESC !": _StyleChange(
        lambda style, n: replace(
            style,
            font="B" if n & 1 else "A",
            bold=bool(n & 8),
            height=2 if n & 0x10 else 1,
            width=2 if n & 0x20 else 1,
            underline=1 if n & 0x80 else 0,
        )
    ),
    "GS !": _StyleChange(
        lambda style, n: replace(style, width=(n >> 4) + 1, height=(n & 7) + 1),
        takes=frozenset(n for n in _ANY if n & 0x88 == 0),
    ),
    "ESC E": _StyleChange(lambda style, n: replace(style, bold=bool(n & 1))),
    "ESC G": _StyleChange(lambda style, n: replace(style, bold=bool(n & 1))),
    "ESC -": _StyleChange(lambda style, n: replace(style, underline=n % 48), takes=_digits(2)),
    "ESC M": _StyleChange(
        lambda style, n: replace(style, font="B" if n & 1 else "A"), takes=_digits(1)
    ),
    "ESC {": _StyleChange(lambda style, n: replace(style, upside_down=bool(n & 1))),
    "GS B": _StyleChange(lambda style, n: replace(style, reverse=bool(n & 1))),
    "ESC  ": _StyleChange(lambda style, n: replace(style, spacing_dots=n)),
}


class Actions:
    """Does the commands of one printer."""

    def __init__(self, composer: Composer, status: Status) -> None:
        self._composer = composer
        self._status = status
        self._symbols = Symbols(composer)
        self._raster = Raster(composer)
        self._table = {**self._style_actions(), **self._text_actions(), **self._other_actions()}

    def reset(self) -> None:
        """ESC @, or a power cut: all modes as after power-on, the line forgotten."""
        self._composer.reset()
        self._symbols.reset()

    def do(self, command: Command) -> None:
        """Do it. Raises NotDone with why not."""
        if command.name == "unknown":
            raise NotDone("unknown command")
        action = self._table.get(command.name)
        n = command.parameters[0] if command.parameters else 0
        if action is None or n not in action.takes:
            raise NotDone("not done by this printer, or a parameter out of range")
        action.do(n, command.parameters)

    # -- tables -----------------------------------------------------------------------------------

    def _style_actions(self) -> dict[str, _Action]:
        def action(new: _StyleChange) -> _Action:
            return _Action(lambda n, p: self._change_style(new, n), new.takes)

        return {name: action(new) for name, new in _STYLES.items()}

    def _text_actions(self) -> dict[str, _Action]:
        composer = self._composer
        return {
            "text": _Action(lambda n, text: self._add_text(text)),
            "LF": _Action(lambda n, p: composer.print_line()),
            "CR": _Action(_nothing),
            "NUL": _Action(_nothing),
            "ESC *": _Action(lambda n, p: composer.add_dots(_columns(p[3:])), takes=(33,)),
            "HT": _Action(lambda n, p: composer.tab()),
            "CAN": _Action(lambda n, p: composer.cancel()),
            "ESC @": _Action(lambda n, p: self.reset()),
            "ESC a": _Action(lambda n, p: self._set_align(n), takes=_digits(2)),
            "ESC t": _Action(lambda n, p: self._set_code_page(n), takes=_CODE_PAGES),
            "ESC R": _Action(_nothing, takes=(0,)),
            "ESC 2": _Action(lambda n, p: self._set_line_spacing(DEFAULT_LINE_SPACING_DOTS)),
            "ESC 3": _Action(lambda n, p: self._set_line_spacing(n)),
            "ESC D": _Action(lambda n, stops: self._set_tab_stops(stops)),
            "ESC d": _Action(lambda n, p: composer.feed(n * composer.modes.line_spacing_dots)),
            "ESC J": _Action(lambda n, p: composer.feed(n)),
            "GS L": _Action(lambda n, p: self._set_left_margin(n | p[1] << 8)),
            "GS W": _Action(lambda n, p: self._set_area_width(n | p[1] << 8)),
            "ESC i": _Action(lambda n, p: composer.cut()),
            "ESC m": _Action(lambda n, p: composer.cut()),
            "GS V": _Action(lambda n, p: self._feed_and_cut(p[1]), takes=(0, 1, 48, 49, 65, 66)),
        }

    def _other_actions(self) -> dict[str, _Action]:
        symbols, raster, status = self._symbols, self._raster, self._status
        return {
            "GS v 0": _Action(lambda n, head: raster.start(head)),
            "raster row": _Action(lambda n, p: raster.row(n, p[1:])),
            "GS ( k": _Action(lambda n, data: symbols.qr(data)),
            "GS k": _Action(lambda n, p: symbols.barcode(n, p[1:])),
            "GS h": _Action(lambda n, p: symbols.set_bar_height(n), takes=range(1, 256)),
            "GS w": _Action(lambda n, p: symbols.set_bar_module(n), takes=range(2, 7)),
            "GS H": _Action(
                lambda n, p: symbols.set_readable(n % 48),
                takes=frozenset(n for n in _ANY if n % 48 <= 3),
            ),
            "GS f": _Action(_nothing),
            "GS r": _Action(
                lambda n, p: status.reply(status.paper if n in _PAPER_SENSOR else b"\x00"),
                takes=_PAPER_SENSOR + _DRAWER,
            ),
            "GS a": _Action(lambda n, p: status.tell_by_itself(n)),
            "GS I": _Action(lambda n, p: status.reply(_IDENTITY[n]), takes=_IDENTITY),
            "ESC =": _Action(_nothing, takes=(1,)),
        }

    # -- modes ------------------------------------------------------------------------------------

    def _add_text(self, text: bytes) -> None:
        page = _CODE_PAGES[self._composer.modes.code_page]
        self._composer.add_text(codecs.decode(text, page, "replace"))

    def _change_style(self, new: _StyleChange, n: int) -> None:
        modes = self._composer.modes
        modes.style = new.change(modes.style, n)

    def _set_align(self, n: int) -> None:
        if self._composer.empty:
            self._composer.modes.align = _ALIGNS[n % 48]

    def _set_code_page(self, n: int) -> None:
        self._composer.modes.code_page = n

    def _set_line_spacing(self, dots: int) -> None:
        self._composer.modes.line_spacing_dots = dots

    def _set_tab_stops(self, stops: bytes) -> None:
        self._composer.modes.tab_stops = tuple(stop for stop in stops if stop)

    def _set_left_margin(self, dots: int) -> None:
        if self._composer.empty:
            most = self._composer.paper_dots - SMALLEST_AREA_DOTS
            self._composer.modes.left_margin_dots = min(dots, most)

    def _set_area_width(self, dots: int) -> None:
        if self._composer.empty:
            self._composer.modes.area_width_dots = dots

    def _feed_and_cut(self, dots: int) -> None:
        self._composer.feed(dots)
        self._composer.cut()


def _columns(data: bytes) -> tuple[bytes, ...]:
    return tuple(data[at : at + 3] for at in range(0, len(data), 3))


def _nothing(n: int, parameters: bytes) -> None:
    """Taken, and without effect on this head."""
