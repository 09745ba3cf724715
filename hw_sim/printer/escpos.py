"""A cheap 58 mm thermal printer on a UART: it decodes ESC/POS and burns lines on paper.

The board calls the `UartPeer` methods; tests, scripts and the front panel make trouble with the
fault methods and read the paper. 384 dots, 32 columns of Font A. Epson's public ESC/POS command
reference says what commands do; these choices are ours:

- A text line reaches the paper when its last dot row is burnt. A power cut in between leaves
  `PaperLine.burnt` of it; at 0.6 and more a person can read it.
- Received bytes wait in a buffer of `buffer_bytes`. There is no flow control on this board: while
  the printer is stopped and the buffer full, further bytes are lost and counted (`lost_bytes`);
  real-time status requests are answered even then. A power cut empties the buffer.
- No paper, open cover, overheated: printing stops after the line being burnt, and goes on by itself
  where it stopped once the cause is gone.
- DLE EOT is answered at once, GS r only when everything before it is on paper (so it proves
  printing); a stopped printer does not answer GS r.
- Known commands that this head does not do (page mode, kanji, ESC *, downloaded images, symbologies
  other than CODE128, ...) and unknown bytes are listed in `unknown`, and print nothing.
"""

from __future__ import annotations

import asyncio
import codecs
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from hw_sim.pacing import Pace
from hw_sim.printer import code128
from hw_sim.printer.commands import Command, Framer
from hw_sim.printer.paper import (
    DOTS_PER_MM,
    PAPER_WIDTH_DOTS,
    Align,
    PaperLine,
    Receipt,
    Run,
    Style,
    split_receipts,
)
from hw_sim.uart import unconnected

DEFAULT_LINE_SPACING_DOTS: Final = 30
_UNKNOWN_KEPT: Final = 1000
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
_ALIGNS: Final[dict[int, Align]] = {0: "left", 1: "center", 2: "right"}
_QR_LEVELS: Final = {48: "L", 49: "M", 50: "Q", 51: "H"}


@dataclass(frozen=True)
class UnknownSequence:
    """Bytes that did nothing on paper, where they stood in the stream since power-on, and why."""

    offset: int
    data: bytes
    reason: str


@dataclass
class _Modes:
    """What ESC @ and a power cut set back."""

    style: Style = field(default_factory=Style)
    align: Align = "left"
    code_page: int = 0
    line_spacing_dots: int = DEFAULT_LINE_SPACING_DOTS
    left_margin_dots: int = 0
    area_width_dots: int = PAPER_WIDTH_DOTS
    tab_stops: tuple[int, ...] = tuple(range(8, 256, 8))
    bar_height_dots: int = 162
    bar_module_dots: int = 3
    human_readable: int = 0
    qr_module_dots: int = 3
    qr_level: int = 48
    qr_data: bytes = b""
    line: list[Run] = field(default_factory=list)
    line_width_dots: int = 0


class EscPosPrinter:
    """The printer. `mm_per_s` None prints in no time and needs no event loop.

    `mute` is a cheap head that never replies; `dead` one that does nothing at all. Both may be set
    at any time. `paper` holds every line ever printed, oldest first; it survives power cuts.
    """

    send: Callable[[bytes], None]

    def __init__(
        self,
        *,
        mm_per_s: float | None = 50.0,
        time_scale: float = 1.0,
        buffer_bytes: int = 4096,
        paper_mm: float = 30_000,
        near_end_mm: float = 1_500,
        tear_feed_dots: int = 90,
        mute: bool = False,
        dead: bool = False,
    ) -> None:
        if mm_per_s is not None and not mm_per_s > 0:
            raise ValueError("mm_per_s must be above zero, or None for no wait")
        self.send = unconnected
        self.mute = mute
        self.dead = dead
        self.paper: list[PaperLine] = []
        self.unknown: list[UnknownSequence] = []
        self.lost_bytes = 0
        self.on_paper: Callable[[PaperLine], None] | None = None
        """Called with each line (a raster row's whole image so far) as it reaches the paper."""
        self._mm_per_s = mm_per_s
        self._pace = Pace(time_scale)
        self._buffer_bytes = buffer_bytes
        self._near_end_dots = round(near_end_mm * DOTS_PER_MM)
        self._paper_left_dots = round(paper_mm * DOTS_PER_MM)
        self._tear_feed_dots = tear_feed_dots
        self._power = False
        self._cover_open = False
        self._overheated = False
        self._auto_status = 0
        self._last_status = b""
        self._framer = Framer()
        self._overflow_tail = b""
        self._queue: deque[Command] = deque()
        self._queued_bytes = 0
        self._staged: deque[PaperLine] = deque()
        self._burning: PaperLine | None = None
        self._burn_timer: asyncio.TimerHandle | None = None
        self._burn_from_s = 0.0
        self._burn_s = 0.0
        self._image = 0
        self._modes = _Modes()

    # -- trouble and paper: for tests, scripts and the front panel --------------------------------

    def run_out_of_paper(self) -> None:
        """The roll ends here: printing stops after the line being burnt."""
        self._paper_left_dots = 0
        self._status_may_have_changed()

    def load_paper(self, mm: float = 30_000) -> None:
        """Put in a new roll; what waits in the buffer goes on printing on it."""
        self._paper_left_dots = round(mm * DOTS_PER_MM)
        if self.paper:
            self.paper.append(PaperLine("roll", 0))
        self._status_may_have_changed()
        self._go_on()

    def set_paper_left(self, mm: float) -> None:
        """So much is left of the roll that is in: it may end in the middle of a receipt."""
        self._paper_left_dots = round(mm * DOTS_PER_MM)
        self._status_may_have_changed()
        self._go_on()

    def open_cover(self) -> None:
        """Printing stops after the line being burnt."""
        self._cover_open = True
        self._status_may_have_changed()

    def close_cover(self) -> None:
        """Printing goes on."""
        self._cover_open = False
        self._status_may_have_changed()
        self._go_on()

    def overheat(self) -> None:
        """The head is too hot: printing stops till `cool_down`."""
        self._overheated = True
        self._status_may_have_changed()

    def cool_down(self) -> None:
        """The head is fit to print again."""
        self._overheated = False
        self._status_may_have_changed()
        self._go_on()

    @property
    def paper_left_mm(self) -> float:
        """What is left of the roll."""
        return self._paper_left_dots / DOTS_PER_MM

    @property
    def paper_out(self) -> bool:
        """Whether the paper sensor sees no paper (or too little for the line that is to come)."""
        need = self._staged[0].dots if self._staged else 1
        return self._paper_left_dots < max(1, need)

    @property
    def paper_near_end(self) -> bool:
        """Whether the roll is nearly used up."""
        return self._paper_left_dots < self._near_end_dots

    @property
    def printing(self) -> bool:
        """Whether a line is being burnt or waits to be."""
        return self._burning is not None or bool(self._staged or self._queue)

    @property
    def buffered_bytes(self) -> int:
        """Received and not yet acted on; lost if the power goes."""
        return self._queued_bytes + self._framer.pending_bytes

    def receipts(self) -> list[Receipt]:
        """Paper split as a person tears it: at cuts, new rolls and feeds of `tear_feed_dots`."""
        return split_receipts(self.paper, self._tear_feed_dots)

    def text(self) -> str:
        """All legible text ever printed, for searching; receipts parted by a blank line."""
        return "\n\n".join(receipt.text for receipt in self.receipts())

    # -- the board's side -------------------------------------------------------------------------

    def on_power(self, on: bool) -> None:
        """Supply came or went. Going, it takes the buffer and the half-built line with it."""
        if on == self._power:
            return
        self._power = on
        self._stop_burning()
        self._framer = Framer()
        self._overflow_tail = b""
        self._queue.clear()
        self._queued_bytes = 0
        self._staged.clear()
        self._modes = _Modes()
        self._auto_status = 0
        self._last_status = b""

    def on_host_bytes(self, data: bytes) -> None:
        """Take bytes, cut anywhere."""
        if not self._power or self.dead:
            self.lost_bytes += len(data)
            return
        for index in range(len(data)):
            byte = data[index : index + 1]
            if self.buffered_bytes >= self._buffer_bytes:
                self._overflow(byte)
                continue
            for command in self._framer.feed(byte):
                if command.name == "DLE EOT":
                    self._real_time_status(command)
                else:
                    self._queue.append(command)
                    self._queued_bytes += command.size_bytes
            self._go_on()

    # -- status -----------------------------------------------------------------------------------

    @property
    def _online(self) -> bool:
        return not (self._cover_open or self._overheated or self.paper_out)

    def _reply(self, data: bytes) -> None:
        if not self.mute and not self.dead and self._power:
            self.send(data)

    def _overflow(self, byte: bytes) -> None:
        self.lost_bytes += 1
        self._overflow_tail = (self._overflow_tail + byte)[-3:]
        if self._overflow_tail[:2] == b"\x10\x04":
            self._real_time_status(Command("DLE EOT", byte))

    def _real_time_status(self, command: Command) -> None:
        which = command.parameters[0]
        status = 0x12
        if which == 1:
            status |= 0x08 * (not self._online)
        elif which == 2:
            status |= 0x04 * self._cover_open | 0x20 * self.paper_out | 0x40 * self._overheated
        elif which == 3:
            status |= 0x40 * self._overheated
        elif which == 4:
            status |= 0x0C * self.paper_near_end | 0x60 * self.paper_out
        else:
            self._note(command, f"no real-time status {which}")
            return
        self._reply(bytes((status,)))

    def _automatic_status(self) -> bytes:
        return bytes(
            (
                0x10 | 0x08 * (not self._online) | 0x20 * self._cover_open,
                0x40 * self._overheated,
                0x03 * self.paper_near_end | 0x0C * self.paper_out,
                0x00,
            )
        )

    def _status_may_have_changed(self) -> None:
        if not self._auto_status:
            return
        status = self._automatic_status()
        if status != self._last_status:
            self._last_status = status
            self._reply(status)

    # -- the print engine -------------------------------------------------------------------------

    def _go_on(self) -> None:
        """Burn what is staged, then act on the next command, until stopped or done."""
        while self._power and not self.dead and self._burning is None:
            if not self._online:
                self._status_may_have_changed()
                return
            if self._staged:
                self._burn(self._staged.popleft())
            elif self._queue:
                command = self._queue.popleft()
                self._queued_bytes -= command.size_bytes
                self._act(command)
            else:
                return

    def _burn(self, line: PaperLine) -> None:
        self._paper_left_dots -= line.dots
        if self._mm_per_s is None:
            self._on_paper(line)
            return
        self._burning = line
        self._burn_s = line.dots / DOTS_PER_MM / self._mm_per_s
        self._burn_from_s = self._pace.now_s()
        self._burn_timer = self._pace.call_later(self._burn_s, self._burnt)

    def _burnt(self) -> None:
        line, self._burning, self._burn_timer = self._burning, None, None
        if line is not None:
            self._on_paper(line)
        self._go_on()

    def _stop_burning(self) -> None:
        line, self._burning = self._burning, None
        if self._burn_timer is not None:
            self._burn_timer.cancel()
            self._burn_timer = None
        if line is None or self._burn_s <= 0:
            return
        share = min(1.0, (self._pace.now_s() - self._burn_from_s) / self._burn_s)
        self._paper_left_dots += line.dots - round(line.dots * share)
        if line.kind != "cut" and share > 0.02:
            self._on_paper(replace(line, burnt=share))

    def _on_paper(self, line: PaperLine) -> None:
        last = self.paper[-1] if self.paper else None
        if line.kind == "raster" and last is not None and last.image == line.image:
            last.rows.extend(line.rows)  # an image grows row by row
            last.dots += line.dots
            line = last
        else:
            self.paper.append(line)
        if self.on_paper is not None:
            self.on_paper(line)
        self._status_may_have_changed()

    # -- commands ---------------------------------------------------------------------------------

    def _note(self, command: Command, reason: str) -> None:
        if len(self.unknown) < _UNKNOWN_KEPT:
            data = command.name.encode() + b" " + command.parameters[:32]
            if command.name == "unknown":
                data = command.parameters
            self.unknown.append(UnknownSequence(command.offset, data, reason))

    def _act(self, command: Command) -> None:
        name, parameters = command.name, command.parameters
        modes = self._modes
        n = parameters[0] if parameters else 0
        style = modes.style
        match name:
            case "text":
                self._add_text(codecs.decode(parameters, _CODE_PAGES[modes.code_page], "replace"))
            case "LF":
                self._print_line(modes.line_spacing_dots)
            case "CR" | "NUL":
                pass
            case "HT":
                self._tab()
            case "CAN":
                modes.line, modes.line_width_dots = [], 0
            case "ESC @":
                self._modes = _Modes()
            case "ESC !":
                modes.style = replace(
                    style,
                    font="B" if n & 1 else "A",
                    bold=bool(n & 8),
                    height=2 if n & 0x10 else 1,
                    width=2 if n & 0x20 else 1,
                    underline=1 if n & 0x80 else 0,
                )
            case "GS !" if n & 0x88 == 0:
                modes.style = replace(style, width=(n >> 4) + 1, height=(n & 7) + 1)
            case "ESC E" | "ESC G":
                modes.style = replace(style, bold=bool(n & 1))
            case "ESC -" if n in (0, 1, 2, 48, 49, 50):
                modes.style = replace(style, underline=n % 48)
            case "ESC M" if n in (0, 1, 48, 49):
                modes.style = replace(style, font="B" if n & 1 else "A")
            case "ESC {":
                modes.style = replace(style, upside_down=bool(n & 1))
            case "GS B":
                modes.style = replace(style, reverse=bool(n & 1))
            case "ESC  ":
                modes.style = replace(style, spacing_dots=n)
            case "ESC a" if n % 48 in _ALIGNS and n in (0, 1, 2, 48, 49, 50):
                if not modes.line:
                    modes.align = _ALIGNS[n % 48]
            case "ESC t" if n in _CODE_PAGES:
                modes.code_page = n
            case "ESC R" if n == 0:
                pass
            case "ESC 2":
                modes.line_spacing_dots = DEFAULT_LINE_SPACING_DOTS
            case "ESC 3":
                modes.line_spacing_dots = n
            case "ESC D":
                modes.tab_stops = tuple(stop for stop in parameters if stop)
            case "ESC d":
                self._feed(n * modes.line_spacing_dots)
            case "ESC J":
                self._feed(n)
            case "GS L":
                if not modes.line:
                    modes.left_margin_dots = min(n | parameters[1] << 8, PAPER_WIDTH_DOTS - 12)
            case "GS W":
                if not modes.line:
                    modes.area_width_dots = n | parameters[1] << 8
            case "ESC i" | "ESC m":
                self._cut()
            case "GS V" if n in (0, 1, 48, 49, 65, 66):
                self._feed(parameters[1])
                self._cut()
            case "GS v 0":
                self._start_raster(command)
            case "raster row":
                self._raster_row(parameters)
            case "GS ( k":
                self._symbol(command)
            case "GS k":
                self._barcode(command)
            case "GS h" if n > 0:
                modes.bar_height_dots = n
            case "GS w" if 2 <= n <= 6:
                modes.bar_module_dots = n
            case "GS H" if n % 48 <= 3:
                modes.human_readable = n % 48
            case "GS f":
                pass
            case "GS r" if n in (1, 49):
                self._reply(bytes((0x03 * self.paper_near_end | 0x0C * self.paper_out,)))
            case "GS r" if n in (2, 50):
                self._reply(b"\x00")
            case "GS a":
                self._auto_status = n
                self._last_status = b""
                self._status_may_have_changed()
            case "GS I" if n in (1, 49):
                self._reply(b"\x20")
            case "GS I" if n in (2, 50):
                self._reply(b"\x00")
            case "GS I" if n in (66, 67):
                self._reply(b"_Thermal 58\x00" if n == 67 else b"_Simulated\x00")
            case "ESC =" if n == 1:
                pass
            case "unknown":
                self._note(command, "unknown command")
            case _:
                self._note(command, "not done by this printer, or a parameter out of range")

    def _add_text(self, text: str) -> None:
        modes = self._modes
        cell = modes.style.cell_dots[0]
        for character in text:
            if modes.line_width_dots + cell > self._area_dots and modes.line:
                self._print_line(modes.line_spacing_dots)
            if modes.line and modes.line[-1].style == modes.style:
                modes.line[-1] = Run(modes.line[-1].text + character, modes.style)
            else:
                modes.line.append(Run(character, modes.style))
            modes.line_width_dots += cell

    @property
    def _area_dots(self) -> int:
        room = PAPER_WIDTH_DOTS - self._modes.left_margin_dots
        return max(12, min(room, self._modes.area_width_dots))

    def _tab(self) -> None:
        modes = self._modes
        cell = modes.style.cell_dots[0]
        column = modes.line_width_dots // cell
        stop = next((stop for stop in modes.tab_stops if stop > column), None)
        if stop is not None and stop * cell <= self._area_dots:
            self._add_text(" " * (stop - column))

    def _print_line(self, spacing_dots: int) -> None:
        modes = self._modes
        runs, modes.line, modes.line_width_dots = tuple(modes.line), [], 0
        height = max((run.style.cell_dots[1] for run in runs), default=0)
        self._stage("text", max(height, spacing_dots), runs=runs)

    def _stage(
        self,
        kind: Literal["text", "feed", "raster", "qr", "barcode", "cut"],
        dots: int,
        *,
        runs: tuple[Run, ...] = (),
    ) -> PaperLine:
        modes = self._modes
        line = PaperLine(
            kind,
            dots,
            runs=runs,
            align=modes.align,
            left_margin_dots=modes.left_margin_dots,
        )
        self._staged.append(line)
        return line

    def _finish_line(self) -> None:
        if self._modes.line:
            self._print_line(self._modes.line_spacing_dots)

    def _feed(self, dots: int) -> None:
        modes = self._modes
        if modes.line:
            runs, modes.line, modes.line_width_dots = tuple(modes.line), [], 0
            height = max(run.style.cell_dots[1] for run in runs)
            self._stage("text", height, runs=runs)
            dots -= height
        if dots > 0:
            self._stage("feed", dots)

    def _cut(self) -> None:
        self._finish_line()
        self._stage("cut", 0)

    def _start_raster(self, command: Command) -> None:
        mode, x_low, x_high, y_low, y_high = command.parameters
        self._finish_line()
        if mode % 48 > 3 or not (x_low or x_high) or not (y_low or y_high):
            self._note(command, "raster without size, or of an unknown mode")
        self._image += 1

    def _raster_row(self, parameters: bytes) -> None:
        mode, row = parameters[0] % 48, parameters[1:]
        if mode > 3:
            return
        if mode & 1:
            row = bytes(byte for pair in (_double(value) for value in row) for byte in pair)[
                : PAPER_WIDTH_DOTS // 8
            ]
        copies = 2 if mode & 2 else 1
        line = self._stage("raster", copies)
        line.rows, line.image = [row] * copies, self._image

    def _symbol(self, command: Command) -> None:
        modes = self._modes
        data = command.parameters
        if len(data) < 3 or data[0] != 49:
            self._note(command, "not a QR code command")
            return
        function, value = data[1], data[2]
        match function:
            case 65 if value in (49, 50):
                pass
            case 67 if 1 <= value <= 16:
                modes.qr_module_dots = value
            case 69 if value in _QR_LEVELS:
                modes.qr_level = value
            case 80:
                modes.qr_data = data[3:]
            case 81 if modes.qr_data:
                self._print_qr(command)
            case _:
                self._note(command, "QR function or parameter unknown, or no data to print")

    def _print_qr(self, command: Command) -> None:
        from hw_sim.printer.render import qr_matrix  # loads only when a code is printed

        modes = self._modes
        text = modes.qr_data.decode("utf-8", "replace")
        level = _QR_LEVELS[modes.qr_level]
        matrix = qr_matrix(modes.qr_data, level)
        if matrix is None or len(matrix) * modes.qr_module_dots > self._area_dots:
            self._note(command, "QR code too large for the paper")
            return
        self._finish_line()
        line = self._stage("qr", len(matrix) * modes.qr_module_dots)
        line.data, line.module_dots, line.error_correction = text, modes.qr_module_dots, level

    def _barcode(self, command: Command) -> None:
        modes = self._modes
        if command.parameters[0] != 73:
            self._note(command, f"symbology {command.parameters[0]} is not modelled")
            return
        try:
            text, values = code128.decode(command.parameters[1:])
        except code128.BadBarcodeError as error:
            self._note(command, str(error))
            return
        width = sum(map(int, code128.bars(values))) * modes.bar_module_dots
        if width > self._area_dots:
            self._note(command, "bar code wider than the paper")
            return
        self._finish_line()
        text_lines = (0, 1, 1, 2)[modes.human_readable]
        line = self._stage("barcode", modes.bar_height_dots + text_lines * 26)
        line.data, line.symbology = text, "CODE128"
        line.rows = [bytes(values)]
        line.module_dots, line.bar_height_dots = modes.bar_module_dots, modes.bar_height_dots
        names: tuple[Literal["none", "above", "below", "both"], ...]
        names = ("none", "above", "below", "both")
        line.human_readable = names[modes.human_readable]


def _double(value: int) -> tuple[int, int]:
    """A byte of dots made twice as wide."""
    wide = 0
    for bit in range(8):
        if value >> bit & 1:
            wide |= 0b11 << (2 * bit)
    return wide >> 8, wide & 0xFF
