"""Text scripts that drive a board, one step a line; the same by hand, in the panel and in CI.

    power on
    wait console "ready" 10s
    type 1234#          # a comment
    network off
    press 5 hold 300ms
    wait printed "TOTAL" 30s
    lcd screen.png

A script is read as a whole first: a mistake anywhere is refused before anything is done. `HELP`
lists the steps. `python -m hw_sim` and tests use `Runner`.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from hw_sim import trouble
from hw_sim.finger import KEY_HOLD_MS
from hw_sim.lcd import Picture
from hw_sim.network.gsm import GsmNetwork
from hw_sim.printer import EscPosPrinter
from hw_sim.threaded import SimulatedBoard
from hw_sim.trouble import Action, arity, duration_s

HELP: Final = """\
press KEY [hold TIME]      press a key and let go       type KEYS           several, in turn
hold KEY / release KEY     a finger that stays
wait TIME                  wait console TEXT [TIME]     wait printed TEXT [TIME]
wait display [TIME]        until the display changes    wait reset CAUSE [TIME]
wait shows TEXT [TIME]     where somebody can read the display
power on|off|cycle         power cut N before|torn|after    at flash operation N from now
reset                      the reset button
battery MV                 charger on|off               head hot|cool
network on|off|break       network drop BYTES           signal 0..31        sim in|out
network gprs|poor|wire     network stall TIME           celltime SECONDS|honest    the cell's lie
paper out|load             paper left MM                cover open|close
clock SECONDS              wire modem|printer drop|garble BYTES
lcd [FILE.png]             receipts                     console             events
send TEXT                  type a line on the console   flash               counters
TIME is 300ms, 2s or 1m. A text with blanks is quoted."""

DEFAULT_WAIT_S: Final = 10.0


class ScriptError(ValueError):
    """The script has a step that cannot be; nothing of it was done."""


class StepFailed(Exception):
    """A step did not come true; the text says which line, and shows the board."""


@dataclass(frozen=True)
class Step:
    """One line of a script, ready to run."""

    line: int
    text: str
    action: Action


class Runner:
    """Runs scripts on one board. `show` gets each line of output.

    `read` says what stands on a picture of the display: a board knows dots, not letters.
    """

    def __init__(
        self,
        board: SimulatedBoard,
        *,
        network: GsmNetwork | None = None,
        printer: EscPosPrinter | None = None,
        show: Callable[[str], None] = print,
        read: Callable[[Picture], str] | None = None,
    ) -> None:
        self.board = board
        self._network = network
        self._printer = printer
        self._read = read
        self._last_read: tuple[Picture | None, str] = None, ""
        self.show = show

    @property
    def network(self) -> GsmNetwork:
        """The board's network. StepFailed when it has none."""
        if self._network is None:
            raise StepFailed("this board has no network")
        return self._network

    @property
    def printer(self) -> EscPosPrinter:
        """The board's printer. StepFailed when it has none."""
        if self._printer is None:
            raise StepFailed("this board has no printer")
        return self._printer

    def run(self, script: str) -> None:
        """Do what `script` says, line by line.

        Raises:
            ScriptError: a step cannot be read; nothing was done.
            StepFailed: a step did not come true; what came before it was done.
        """
        for step in parse(script):
            try:
                step.action(self)
            except (StepFailed, TimeoutError, ValueError, OSError) as error:
                raise StepFailed(f"line {step.line}: {step.text}: {error}") from error

    def displayed(self) -> str:
        """What the display says. StepFailed when nobody can read it."""
        if self._read is None:
            raise StepFailed("nobody here can read the display")
        picture = self.board.lcd_picture()
        if picture is not self._last_read[0]:  # reading is work: not twice the same picture
            self._last_read = picture, self._read(picture)
        return self._last_read[1]

    def printed(self) -> str:
        """All text on the paper."""
        return self.board.call(self.printer.text)


def parse(script: str) -> list[Step]:
    """Read a whole script. Raises `ScriptError`, naming the line, for a step that cannot be."""
    steps = []
    for number, line in enumerate(script.splitlines(), 1):
        try:
            words = _words(line)
            if words:
                steps.append(Step(number, line.strip(), _action(words)))
        except ValueError as error:
            raise ScriptError(f"line {number}: {line.strip()}: {error}") from error
    return steps


def _words(line: str) -> list[str]:
    # '#' is a key too: only one with blanks around it, and not where a key is named, is a comment.
    head = re.match(r"\s*(?:(?:press|hold|release|type)\s+\S+)?", line)
    at = head.end() if head else 0
    text = line[:at] + re.sub(r"(^|\s)#(\s.*)?$", "", line[at:])
    lexer = shlex.shlex(text, posix=True)
    lexer.whitespace_split = True
    lexer.commenters = ""
    return list(lexer)


def _action(words: list[str]) -> Action:
    command, arguments = words[0], words[1:]
    if command not in _STEPS:
        raise ValueError(f"no such step; there are {', '.join(sorted(_STEPS))}")
    return _STEPS[command](arguments)


def _press(arguments: list[str]) -> Action:
    hold_ms = KEY_HOLD_MS
    if len(arguments) == 3 and arguments[1] == "hold":
        hold_ms = round(duration_s(arguments[2]) * 1000)
    else:
        arity(arguments, 1, 1)
    key = arguments[0].upper()
    return lambda runner: runner.board.press(key, hold_ms)


def _type(arguments: list[str]) -> Action:
    arity(arguments, 1, 1)
    return lambda runner: runner.board.type(arguments[0].upper())


def _hold(arguments: list[str]) -> Action:
    arity(arguments, 1, 1)
    return lambda runner: runner.board.hold(arguments[0].upper())


def _release(arguments: list[str]) -> Action:
    arity(arguments, 1, 1)
    return lambda runner: runner.board.release(arguments[0].upper())


def _wait(arguments: list[str]) -> Action:
    arity(arguments, 1, 3)
    what = arguments[0]
    if what == "display":
        arity(arguments, 1, 2)
        limit_s = duration_s(arguments[1]) if len(arguments) == 2 else DEFAULT_WAIT_S
        return lambda runner: _wait_display(runner, limit_s)
    if what not in ("console", "printed", "reset", "shows"):
        arity(arguments, 1, 1)
        seconds = duration_s(what)
        return lambda runner: runner.board.pause(seconds)
    arity(arguments, 2, 3)
    text = arguments[1]
    limit_s = duration_s(arguments[2]) if len(arguments) == 3 else DEFAULT_WAIT_S
    if what == "console":
        return lambda runner: runner.board.wait_for_console(text.encode(), limit_s)
    if what == "reset":
        return lambda runner: runner.board.wait_for(
            lambda: text in runner.board.resets, limit_s, what=f"a reset by {text}"
        )
    if what == "shows":
        return lambda runner: runner.board.wait_for(
            lambda: text in runner.displayed(), limit_s, what=f"{text!r} on the display"
        )
    return lambda runner: runner.board.wait_for(
        lambda: text in runner.printed(), limit_s, what=f"{text!r} on paper"
    )


def _wait_display(runner: Runner, limit_s: float) -> None:
    before = runner.board.lcd_picture()
    runner.board.wait_for(
        lambda: runner.board.lcd_picture() != before, limit_s, what="a change of the display"
    )


def _lcd(arguments: list[str]) -> Action:
    arity(arguments, 0, 1)
    if not arguments:
        return lambda runner: runner.show(runner.board.lcd_picture().braille())
    if not arguments[0].endswith(".png"):
        raise ValueError("the picture is a PNG: name it so")
    path = Path(arguments[0])
    return lambda runner: runner.board.lcd_picture().save_png(path)


def _send(arguments: list[str]) -> Action:
    arity(arguments, 1, 1)
    return lambda runner: runner.board.console_write(arguments[0].encode() + b"\r")


def _show(text: Callable[[Runner], str]) -> Callable[[list[str]], Action]:
    def step(arguments: list[str]) -> Action:
        arity(arguments, 0, 0)
        return lambda runner: runner.show(text(runner))

    return step


def _plain(action: Action) -> Callable[[list[str]], Action]:
    def step(arguments: list[str]) -> Action:
        arity(arguments, 0, 0)
        return action

    return step


def _events_text(runner: Runner) -> str:
    return "\n".join(f"{e.time_s:.3f} {e.kind} {e.detail}" for e in runner.board.events)


def _flash_text(runner: Runner) -> str:
    flash = runner.board.flash
    return (
        f"operations {flash.operations}, bytes programmed {flash.bytes_programmed},"
        f" erases {sum(flash.erases)} (most on one sector {max(flash.erases)}),"
        f" violations {flash.violations}"
    )


_STEPS: Final[dict[str, Callable[[list[str]], Action]]] = trouble.STEPS | {
    "console": _show(lambda runner: runner.board.console_log.decode(errors="replace")),
    "events": _show(_events_text),
    "flash": _show(_flash_text),
    "hold": _hold,
    "lcd": _lcd,
    "press": _press,
    "receipts": _show(Runner.printed),
    "release": _release,
    "reset": _plain(lambda runner: runner.board.reset_button()),
    "send": _send,
    "type": _type,
    "wait": _wait,
}
