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
from typing import Final, cast

from hw_sim.finger import KEY_HOLD_MS
from hw_sim.flash import CutMoment
from hw_sim.network.gsm import GsmNetwork
from hw_sim.printer import EscPosPrinter
from hw_sim.threaded import SimulatedBoard

HELP: Final = """\
press KEY [hold TIME]      press a key and let go       type KEYS           several, in turn
hold KEY / release KEY     a finger that stays
wait TIME                  wait console TEXT [TIME]     wait printed TEXT [TIME]
wait display [TIME]        until the display changes    wait reset CAUSE [TIME]
power on|off|cycle         power cut N before|torn|after    at flash operation N from now
reset                      the reset button
battery MV                 charger on|off
network on|off             network drop BYTES           signal 0..31        sim in|out
paper out|load             cover open|close             clock SECONDS       move the clock
lcd [FILE.png]             receipts                     console             events
send TEXT                  type a line on the console   flash               counters
TIME is 300ms, 2s or 1m. A text with blanks is quoted."""

DEFAULT_WAIT_S: Final = 10.0


class ScriptError(ValueError):
    """The script has a step that cannot be; nothing of it was done."""


class StepFailed(Exception):
    """A step did not come true; the text says which line, and shows the board."""


Action = Callable[["Runner"], None]


@dataclass(frozen=True)
class Step:
    """One line of a script, ready to run."""

    line: int
    text: str
    action: Action


class Runner:
    """Runs scripts on one board. `show` gets each line of output."""

    def __init__(
        self,
        board: SimulatedBoard,
        *,
        network: GsmNetwork | None = None,
        printer: EscPosPrinter | None = None,
        show: Callable[[str], None] = print,
    ) -> None:
        self.board = board
        self._network = network
        self._printer = printer
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


def _duration_s(text: str) -> float:
    found = re.fullmatch(r"(\d+(?:\.\d+)?)(ms|s|m)", text)
    if not found:
        raise ValueError(f"{text!r} is no time: write 300ms, 2s or 1m")
    return float(found[1]) * {"ms": 0.001, "s": 1.0, "m": 60.0}[found[2]]


def _count(arguments: list[str], least: int, most: int) -> None:
    if not least <= len(arguments) <= most:
        wanted = str(least) if least == most else f"{least} to {most}"
        raise ValueError(f"takes {wanted} arguments, not {len(arguments)}")


def _whole(text: str, least: int, most: int) -> int:
    number = int(text)
    if not least <= number <= most:
        raise ValueError(f"{number} is not within {least} to {most}")
    return number


def _choice(arguments: list[str], actions: dict[str, Action]) -> Action:
    if len(arguments) != 1 or arguments[0] not in actions:
        raise ValueError(f"say one of: {', '.join(actions)}")
    return actions[arguments[0]]


def _press(arguments: list[str]) -> Action:
    hold_ms = KEY_HOLD_MS
    if len(arguments) == 3 and arguments[1] == "hold":
        hold_ms = round(_duration_s(arguments[2]) * 1000)
    else:
        _count(arguments, 1, 1)
    key = arguments[0].upper()
    return lambda runner: runner.board.press(key, hold_ms)


def _type(arguments: list[str]) -> Action:
    _count(arguments, 1, 1)
    return lambda runner: runner.board.type(arguments[0].upper())


def _hold(arguments: list[str]) -> Action:
    _count(arguments, 1, 1)
    return lambda runner: runner.board.hold(arguments[0].upper())


def _release(arguments: list[str]) -> Action:
    _count(arguments, 1, 1)
    return lambda runner: runner.board.release(arguments[0].upper())


def _wait(arguments: list[str]) -> Action:
    _count(arguments, 1, 3)
    what = arguments[0]
    if what == "display":
        _count(arguments, 1, 2)
        limit_s = _duration_s(arguments[1]) if len(arguments) == 2 else DEFAULT_WAIT_S
        return lambda runner: _wait_display(runner, limit_s)
    if what not in ("console", "printed", "reset"):
        _count(arguments, 1, 1)
        seconds = _duration_s(what)
        return lambda runner: runner.board.pause(seconds)
    _count(arguments, 2, 3)
    text = arguments[1]
    limit_s = _duration_s(arguments[2]) if len(arguments) == 3 else DEFAULT_WAIT_S
    if what == "console":
        return lambda runner: runner.board.wait_for_console(text.encode(), limit_s)
    if what == "reset":
        return lambda runner: runner.board.wait_for(
            lambda: text in runner.board.resets, limit_s, what=f"a reset by {text}"
        )
    return lambda runner: runner.board.wait_for(
        lambda: text in runner.printed(), limit_s, what=f"{text!r} on paper"
    )


def _wait_display(runner: Runner, limit_s: float) -> None:
    before = runner.board.lcd_picture()
    runner.board.wait_for(
        lambda: runner.board.lcd_picture() != before, limit_s, what="a change of the display"
    )


def _power(arguments: list[str]) -> Action:
    if arguments[:1] == ["cut"]:
        _count(arguments, 3, 3)
        count, how = _whole(arguments[1], 1, 10**9), arguments[2]
        if how not in ("before", "torn", "after"):
            raise ValueError("a cut is before, torn or after")
        moment = cast(CutMoment, how)
        return lambda runner: runner.board.cut_power_at_flash_operation(
            runner.board.flash.operations + count, moment
        )
    return _choice(
        arguments,
        {
            "on": lambda runner: runner.board.power_on(),
            "off": lambda runner: runner.board.power_off(),
            "cycle": lambda runner: runner.board.power_cycle(),
        },
    )


def _battery(arguments: list[str]) -> Action:
    _count(arguments, 1, 1)
    mv = _whole(arguments[0], 0, 5000)
    return lambda runner: runner.board.battery.set_mv(mv)


def _network(arguments: list[str]) -> Action:
    if arguments[:1] == ["drop"]:
        _count(arguments, 2, 2)
        size = _whole(arguments[1], 0, 10**9)
        return lambda runner: runner.board.call(runner.network.drop_after_bytes, size)
    return _choice(
        arguments,
        {
            "on": lambda runner: runner.board.call(runner.network.set_coverage, True),
            "off": lambda runner: runner.board.call(runner.network.set_coverage, False),
        },
    )


def _signal(arguments: list[str]) -> Action:
    _count(arguments, 1, 1)
    level = _whole(arguments[0], 0, 31)
    return lambda runner: runner.board.call(runner.network.set_signal, level)


def _sim(arguments: list[str]) -> Action:
    return _choice(
        arguments,
        {
            "in": lambda runner: runner.board.call(runner.network.insert_sim),
            "out": lambda runner: _ignore(runner.board.call(runner.network.remove_sim)),
        },
    )


def _ignore(_: object) -> None:
    pass


def _paper(arguments: list[str]) -> Action:
    return _choice(
        arguments,
        {
            "out": lambda runner: runner.board.call(runner.printer.run_out_of_paper),
            "load": lambda runner: runner.board.call(runner.printer.load_paper),
        },
    )


def _cover(arguments: list[str]) -> Action:
    return _choice(
        arguments,
        {
            "open": lambda runner: runner.board.call(runner.printer.open_cover),
            "close": lambda runner: runner.board.call(runner.printer.close_cover),
        },
    )


def _charger(arguments: list[str]) -> Action:
    return _choice(
        arguments,
        {
            "on": lambda runner: runner.board.battery.set_charging(True),
            "off": lambda runner: runner.board.battery.set_charging(False),
        },
    )


def _clock(arguments: list[str]) -> Action:
    _count(arguments, 1, 1)
    seconds = float(arguments[0])
    return lambda runner: runner.board.call(runner.board.board.rtc.shift, seconds)


def _lcd(arguments: list[str]) -> Action:
    _count(arguments, 0, 1)
    if not arguments:
        return lambda runner: runner.show(runner.board.lcd_picture().braille())
    if not arguments[0].endswith(".png"):
        raise ValueError("the picture is a PNG: name it so")
    path = Path(arguments[0])
    return lambda runner: runner.board.lcd_picture().save_png(path)


def _send(arguments: list[str]) -> Action:
    _count(arguments, 1, 1)
    return lambda runner: runner.board.console_write(arguments[0].encode() + b"\r")


def _show(text: Callable[[Runner], str]) -> Callable[[list[str]], Action]:
    def step(arguments: list[str]) -> Action:
        _count(arguments, 0, 0)
        return lambda runner: runner.show(text(runner))

    return step


def _plain(action: Action) -> Callable[[list[str]], Action]:
    def step(arguments: list[str]) -> Action:
        _count(arguments, 0, 0)
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


_STEPS: Final[dict[str, Callable[[list[str]], Action]]] = {
    "battery": _battery,
    "charger": _charger,
    "clock": _clock,
    "console": _show(lambda runner: runner.board.console_log.decode(errors="replace")),
    "cover": _cover,
    "events": _show(_events_text),
    "flash": _show(_flash_text),
    "hold": _hold,
    "lcd": _lcd,
    "network": _network,
    "paper": _paper,
    "power": _power,
    "press": _press,
    "receipts": _show(Runner.printed),
    "release": _release,
    "reset": _plain(lambda runner: runner.board.reset_button()),
    "send": _send,
    "signal": _signal,
    "sim": _sim,
    "type": _type,
    "wait": _wait,
}
