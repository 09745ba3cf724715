"""A cheap 58 mm thermal printer on a UART: it decodes ESC/POS and burns lines on paper.

The board calls the `UartPeer` methods; tests, scripts and the front panel make trouble with the
fault methods and read the paper. 384 dots, 32 columns of Font A; an 80 mm head has 576 and 48, but
takes raster images of 384 here. Epson's public ESC/POS command reference says what commands do;
these choices are ours:

- A text line reaches the paper when its last dot row is burnt. A power cut in between leaves
  `PaperLine.burnt` of it; at 0.6 and more a person can read it.
- Received bytes wait in a buffer of `buffer_bytes`. There is no flow control on this board: while
  the printer is stopped and the buffer full, further bytes are lost and counted (`lost_bytes`);
  real-time status requests are answered even then. A power cut empties the buffer.
- No paper, open cover, overheated: printing stops after the line being burnt, and goes on by itself
  where it stopped once the cause is gone.
- DLE EOT is answered at once, GS r only when everything before it is on paper (so it proves
  printing); a stopped printer does not answer GS r.
- Known commands that this head does not do (page mode, kanji, ESC * but in 24-dot double density,
  downloaded images, symbologies other than CODE128, ...) and unknown bytes are listed in `unknown`,
  and print nothing. An image within a line is never bold, large or underlined.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from hw_sim.pacing import Pace
from hw_sim.printer.actions import Actions
from hw_sim.printer.commands import Command, Framer, NotDone
from hw_sim.printer.composer import Composer
from hw_sim.printer.head import Head
from hw_sim.printer.line import PAPER_WIDTH_DOTS, PaperLine
from hw_sim.printer.paper import Receipt, split_receipts
from hw_sim.printer.status import Status
from hw_sim.uart import unconnected

_UNKNOWN_KEPT: Final = 1000
_REAL_TIME_STATUS: Final = b"\x10\x04"
"""What DLE EOT begins with, for a full buffer that must find it without framing."""


@dataclass(frozen=True)
class UnknownSequence:
    """Bytes that did nothing on paper, where they stood in the stream since power-on, and why."""

    offset: int
    data: bytes
    reason: str


class EscPosPrinter:
    """The printer. `mm_per_s` None prints in no time and needs no event loop.

    `mute` is a cheap head that never replies; `dead` one that does nothing at all. Both may be set
    at any time. `paper` holds every line ever printed, oldest first; it survives power cuts. It
    waits on a clock that runs `time_scale` times faster than the wall, or on `pace` when given.
    """

    send: Callable[[bytes], None]

    def __init__(
        self,
        *,
        mm_per_s: float | None = 50.0,
        time_scale: float = 1.0,
        buffer_bytes: int = 4096,
        paper_mm: float = 30_000,
        paper_dots: int = PAPER_WIDTH_DOTS,
        near_end_mm: float = 1_500,
        tear_feed_dots: int = 90,
        mute: bool = False,
        dead: bool = False,
        pace: Pace | None = None,
    ) -> None:
        if mm_per_s is not None and not mm_per_s > 0:
            raise ValueError("mm_per_s must be above zero, or None for no wait")
        self.send = unconnected
        self.mute = mute
        self.dead = dead
        self.unknown: list[UnknownSequence] = []
        self.lost_bytes = 0
        self.on_paper: Callable[[PaperLine], None] | None = None
        """Called with each line (a raster row's whole image so far) as it reaches the paper."""
        self._head = Head(
            pace or Pace(time_scale),
            mm_per_s=mm_per_s,
            paper_mm=paper_mm,
            near_end_mm=near_end_mm,
            on_paper=self._came_out,
            on_free=self._go_on,
        )
        self.paper = self._head.paper
        self._status = Status(self._head, self._reply)
        self._actions = Actions(Composer(self._head.stage, paper_dots), self._status)
        self._buffer_bytes = buffer_bytes
        self._tear_feed_dots = tear_feed_dots
        self._power = False
        self._framer = Framer()
        self._overflow_tail = b""
        self._queue: deque[Command] = deque()
        self._queued_bytes = 0

    # -- trouble and paper: for tests, scripts and the front panel --------------------------------

    def run_out_of_paper(self) -> None:
        """The roll ends here: printing stops after the line being burnt."""
        self._head.set_left(0)
        self._status.may_have_changed()

    def load_paper(self, mm: float = 30_000) -> None:
        """Put in a new roll; what waits in the buffer goes on printing on it."""
        self._head.load(mm)
        self._status.may_have_changed()
        self._go_on()

    def set_paper_left(self, mm: float) -> None:
        """So much is left of the roll that is in: it may end in the middle of a receipt."""
        self._head.set_left(mm)
        self._status.may_have_changed()
        self._go_on()

    def open_cover(self) -> None:
        """Printing stops after the line being burnt."""
        self._head.cover_open = True
        self._status.may_have_changed()

    def close_cover(self) -> None:
        """Printing goes on."""
        self._head.cover_open = False
        self._status.may_have_changed()
        self._go_on()

    def overheat(self) -> None:
        """The head is too hot: printing stops till `cool_down`."""
        self._head.overheated = True
        self._status.may_have_changed()

    def cool_down(self) -> None:
        """The head is fit to print again."""
        self._head.overheated = False
        self._status.may_have_changed()
        self._go_on()

    @property
    def paper_left_mm(self) -> float:
        """What is left of the roll."""
        return self._head.left_mm

    @property
    def paper_out(self) -> bool:
        """Whether the paper sensor sees no paper (or too little for the line that is to come)."""
        return self._head.paper_out

    @property
    def paper_near_end(self) -> bool:
        """Whether the roll is nearly used up."""
        return self._head.paper_near_end

    @property
    def cover_open(self) -> bool:
        """Whether somebody opened it."""
        return self._head.cover_open

    @property
    def overheated(self) -> bool:
        """Whether the head is too hot to print."""
        return self._head.overheated

    @property
    def printing(self) -> bool:
        """Whether a line is being burnt or waits to be."""
        return self._head.busy or bool(self._queue)

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
        self._head.stop()
        self._framer = Framer()
        self._overflow_tail = b""
        self._queue.clear()
        self._queued_bytes = 0
        self._actions.reset()
        self._status.reset()

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
                    self._answer(command)
                else:
                    self._queue.append(command)
                    self._queued_bytes += command.size_bytes
            self._go_on()

    # -- inside -----------------------------------------------------------------------------------

    def _reply(self, data: bytes) -> None:
        if not self.mute and not self.dead and self._power:
            self.send(data)

    def _overflow(self, byte: bytes) -> None:
        self.lost_bytes += 1
        self._overflow_tail = (self._overflow_tail + byte)[-3:]
        if self._overflow_tail[:2] == _REAL_TIME_STATUS:
            self._answer(Command("DLE EOT", byte))

    def _answer(self, command: Command) -> None:
        try:
            self._status.answer(command.parameters[0])
        except NotDone as why:
            self._note(command, str(why))

    def _go_on(self) -> None:
        """Burn what is staged, then act on the next command, until stopped or done."""
        while self._power and not self.dead and not self._head.burning:
            if not self._head.online:
                self._status.may_have_changed()
                return
            if self._head.burn_next():
                continue
            if not self._queue:
                return
            command = self._queue.popleft()
            self._queued_bytes -= command.size_bytes
            try:
                self._actions.do(command)
            except NotDone as why:
                self._note(command, str(why))

    def _came_out(self, line: PaperLine) -> None:
        if self.on_paper is not None:
            self.on_paper(line)
        self._status.may_have_changed()

    def _note(self, command: Command, reason: str) -> None:
        if len(self.unknown) < _UNKNOWN_KEPT:
            data = command.name.encode() + b" " + command.parameters[:32]
            if command.name == "unknown":
                data = command.parameters
            self.unknown.append(UnknownSequence(command.offset, data, reason))
