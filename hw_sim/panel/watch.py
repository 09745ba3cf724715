"""Eyes on one terminal: what changes on it goes into the feed, some twenty times a second."""

from __future__ import annotations

import base64
import io
import threading
from typing import Any, Final

from hw_sim.lcd import Picture
from hw_sim.panel.bench import Bench
from hw_sim.printer import PaperLine, Receipt

_LOOK_S: Final = 0.04
_METER_LOOKS: Final = 6
"""Figures are for reading: one look in so many is enough for them."""
_STEADY_LOOKS: Final = 3
"""A picture that nobody draws on for so many looks is whole, and read."""
_CONSOLE_TAIL_BYTES: Final = 8192
PACKED = bytes.maketrans(b"\0\1", b"01")


def packed(picture: Picture) -> str:
    """The dots, row by row, a bit each, in base64."""
    bits = b"".join(picture.rows).translate(PACKED)
    return base64.b64encode(int(bits, 2).to_bytes(len(bits) // 8, "big")).decode()


class Watcher:
    """Watches `bench` in a thread of its own from `start` to `close`."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name="panel eyes", daemon=True)
        self._generation = -1
        self._unread = 0
        self._strips: list[int] = []
        self._events = 0
        self._heard_s = 0.0
        self._console = 0
        self._looks = 0

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def close(self) -> None:
        """Look no more."""
        self._end.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._end.wait(_LOOK_S):
            self.look()

    def look(self) -> None:
        """Tell the feed what is new since the last look."""
        bench = self._bench
        board = bench.parts.board
        self._looks += 1
        generation, state, noted, said, tones = board.call(self._glance)
        bench.feed.value("state", bench.at, **state)
        if self._looks % _METER_LOOKS == 1:
            bench.feed.value("meter", bench.at, **board.call(self._look_at_meters))
        self._display(generation)
        self._paper()
        if noted != self._events:
            self._happened(noted)
        if said != self._console:
            self._console = said
            text = board.console_log[-_CONSOLE_TAIL_BYTES:].decode(errors="replace")
            bench.feed.value("console", bench.at, text=text)
        for hz in tones:
            bench.feed.flash("tone", bench.at, hz=hz)

    def _glance(self) -> tuple[int, dict[str, Any], int, int, list[int]]:
        """On the board's thread, and short: it holds the board up."""
        board = self._bench.parts.board.board
        tones = [tone for tone in board.buzzer.tones if tone.time_s > self._heard_s]
        if tones:
            self._heard_s = tones[-1].time_s
        return (
            board.lcd.generation,
            self._look_at_parts(),
            board.events.noted,
            board.console.said_bytes,
            [tone.frequency_hz for tone in tones],
        )

    def _display(self, generation: int) -> None:
        board, feed, at = self._bench.parts.board, self._bench.feed, self._bench.at
        if generation != self._generation:
            self._generation = generation
            self._unread = _STEADY_LOOKS
            picture = board.lcd_picture()
            lcd = board.board.lcd
            feed.value("display", at, dots=packed(picture), contrast=lcd.contrast, lit=lcd.powered)
        elif self._unread:
            self._unread -= 1
            if not self._unread:
                feed.value("reading", at, text=self._bench.read(board.lcd_picture()))

    def _look_at_parts(self) -> dict[str, Any]:
        parts = self._bench.parts
        board, network, printer = parts.board.board, parts.network, parts.printer
        return {
            "power": board.powered,
            "cpu": board.cpu_running,
            "faulted": board.cpu_faulted,
            "mv": board.battery.mv,
            "charging": board.battery.charging,
            "coverage": network.coverage,
            "signal": network.signal,
            "sim": network.sim is not None,
            "data": network.connected_contexts > 0,
            "paper": not printer.paper_out,
            "cover": not printer.cover_open,
            "hot": printer.overheated,
            "nearEnd": printer.paper_near_end,
            "printing": printer.printing,
            "keys": "".join(sorted(board.keypad.pressed)),
            "resets": len(board.resets),
            "cause": board.resets[-1].name.lower() if board.resets else "",
            "port": parts.board.serial_port,
            "cut": parts.board.flash.cut_pending,
        }

    def _look_at_meters(self) -> dict[str, Any]:
        parts = self._bench.parts
        traffic, flash = parts.network.traffic, parts.board.flash
        return {
            "up": traffic.payload_up_bytes,
            "down": traffic.payload_down_bytes,
            "billed": traffic.on_air_bytes,
            "connections": traffic.connections,
            "operations": flash.operations,
            "violations": flash.violations,
            "clock": parts.board.board.rtc.now().strftime("%Y-%m-%d %H:%M"),
        }

    def _paper(self) -> None:
        """New strips, those that grew, and how many receipts could be torn off."""
        bench = self._bench
        paper, receipts = bench.parts.board.call(self._look_at_paper)
        if paper is None:
            return
        receipt_of = {
            id(line): number for number, each in enumerate(receipts) for line in each.lines
        }
        first = max(0, len(self._strips) - 1)  # the last one may have grown
        for number, line in enumerate(paper[first:], first):
            if number < len(self._strips) and self._strips[number] == line.dots:
                continue
            self._strips[number:] = [line.dots]
            told = strip(line, receipt_of.get(id(line), -1))
            bench.feed.value("strip", bench.at, number, **told)
        torn = sum(receipt.torn_off for receipt in receipts)
        bench.feed.value("receipts", bench.at, torn=torn, all=len(receipts))

    def _look_at_paper(self) -> tuple[list[PaperLine] | None, list[Receipt]]:
        """What is on paper; None when nothing came since the last look."""
        printer = self._bench.parts.printer
        paper = printer.paper
        if len(paper) == len(self._strips) and (not paper or paper[-1].dots == self._strips[-1]):
            return None, []
        return list(paper), printer.receipts()

    def _happened(self, noted: int) -> None:
        bench = self._bench
        for event in bench.parts.board.events[self._events - noted :]:
            bench.feed.line("event", bench.at, what=event.kind, text=event.detail)
        self._events = noted


def strip(line: PaperLine, receipt: int) -> dict[str, Any]:
    """A strip of paper for the feed: a picture of its dots, how high it is, and what it says.

    `receipt` is the number of the receipt that it is part of, -1 for none.
    """
    found: dict[str, Any] = {
        "what": line.kind,
        "receipt": receipt,
        "dots": round(line.dots * line.burnt),
        "text": line.text if line.legible else "",
        "picture": "",
    }
    if line.kind not in ("feed", "cut", "roll") and line.dots:
        from hw_sim.printer.render import draw_dots  # Pillow is slow to load

        content = io.BytesIO()
        draw_dots([line]).convert("1").save(content, format="PNG", optimize=True)
        found["picture"] = base64.b64encode(content.getvalue()).decode()
    return found
