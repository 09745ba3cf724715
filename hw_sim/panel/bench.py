"""One terminal on the bench: hands for its keys, its script, and the record of what was done.

Everything a person does is a step of `hw_sim.script`, so what was played can be played again.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass, field
from typing import Final

from hw_sim import script
from hw_sim.lcd import Picture
from hw_sim.network.gsm import GsmNetwork
from hw_sim.panel.feed import Feed
from hw_sim.printer import EscPosPrinter
from hw_sim.threaded import SimulatedBoard

_LONG_PRESS_S: Final = 0.4
_PAUSE_S: Final = 0.3
"""A shorter pause between two steps is not recorded: the finger is patient anyway."""
_WAIT_SHOWS: Final = "60s"
FORBIDDEN: Final = ("lcd",)
"""Steps that write files of the host: not from a browser."""


@dataclass
class Parts:
    """What is on the bench: the board and what stands around it. `name` is for people, and so are
    `legends`: what is printed on keys beside their letter.
    """

    name: str
    board: SimulatedBoard
    network: GsmNetwork
    printer: EscPosPrinter
    legends: Mapping[str, str] = field(default_factory=dict)


class Bench:
    """`at` is its number in the feed. `read` says what stands on a picture of the display."""

    def __init__(self, at: int, parts: Parts, feed: Feed, read: Callable[[Picture], str]) -> None:
        self.at = at
        self.parts = parts
        self.feed = feed
        self.read = read
        self._fingers: dict[str, tuple[asyncio.Event, float]] = {}
        self._presses: set[Future[None]] = set()
        self._doing, self._playing = threading.Lock(), threading.Lock()
        self._session: list[str] = []
        self._last_s = time.monotonic()
        self._stop = threading.Event()
        self._runner = script.Runner(
            parts.board,
            network=parts.network,
            printer=parts.printer,
            show=lambda text: feed.line("said", at, text=text),
            read=read,
        )

    # hands

    def key_down(self, key: str) -> None:
        """Put a finger on a key. ValueError when there is no such key."""
        board = self.parts.board
        if key not in board.board.keypad.keys:
            raise ValueError(f"no key {key!r} on this keypad")
        if key in self._fingers:
            return
        self._wait_recorded()
        lifted = board.call(asyncio.Event)
        self._fingers[key] = lifted, time.monotonic()
        press = asyncio.run_coroutine_threadsafe(
            board.board.finger.press_until(key, lifted), board.loop
        )
        self._presses.add(press)
        press.add_done_callback(self._presses.discard)

    def key_up(self, key: str) -> None:
        """Lift it again; nothing happens when it was not there."""
        found = self._fingers.pop(key, None)
        if found is None:
            return
        lifted, since_s = found
        self.parts.board.call(lifted.set)
        held_s = time.monotonic() - since_s
        self._record(f"press {key}" + f" hold {held_s:.1f}s" * (held_s > _LONG_PRESS_S))

    # the script

    def do(self, line: str) -> None:
        """Do one step, and record it.

        Raises:
            ScriptError: it is no step, or none for a browser.
            StepFailed: it did not come true.
        """
        self.check(line)
        self._wait_recorded()
        with self._doing:
            self._runner.run(line)
        self._record(line.strip())

    def play(self, text: str) -> None:
        """Begin to play a whole script, line by line, until it ends, fails or is stopped; the feed
        is told of each line.

        Raises:
            ScriptError: a line cannot be read, or is none for a browser; nothing was done.
            StepFailed: another script plays.
        """
        self.check(text)
        steps = script.parse(text)
        if not self._playing.acquire(blocking=False):
            raise script.StepFailed("another script plays: stop it first")
        self._stop.clear()
        threading.Thread(target=self._play, args=(steps,), name="script", daemon=True).start()

    def _play(self, steps: list[script.Step]) -> None:
        try:
            for step in steps:
                if self._stop.is_set():
                    self._tell_playing("stopped")
                    return
                self._tell_playing(step.text, step.line)
                with self._doing:
                    self._runner.run(step.text)
            self._tell_playing("played to its end")
        except (script.StepFailed, TimeoutError) as error:
            said = str(error).splitlines()[0].removeprefix("line 1: ")
            self._tell_playing(said, step.line, failed=True)
        except (CancelledError, RuntimeError):
            if not self._stop.is_set():
                raise
            self._tell_playing("stopped")  # within a step: the board was closed
        finally:
            self._playing.release()

    def _tell_playing(self, text: str, line: int = 0, *, failed: bool = False) -> None:
        self.feed.value("playing", self.at, line=line, text=text, failed=failed)

    def stop(self) -> None:
        """Let a script that plays end after the step it is at."""
        self._stop.set()

    @property
    def session(self) -> str:
        """What was done so far, as a script."""
        return "\n".join((f"# {self.parts.name}: recorded by hand", *self._session, ""))

    def forget_session(self) -> None:
        """Record anew from here."""
        self._session.clear()
        self._last_s = time.monotonic()
        self.feed.forget("recorded", self.at)

    def check(self, text: str) -> None:
        """ScriptError when a step of it cannot be read, or would write a file of this computer."""
        for step in script.parse(text):
            words = step.text.split()
            if words[0] in FORBIDDEN and len(words) > 1:
                raise script.ScriptError(f"line {step.line}: {step.text}: not from a browser")

    def _wait_recorded(self) -> None:
        """Note the pause before a step: what the display said then, or how long it was."""
        pause_s = time.monotonic() - self._last_s
        if pause_s < _PAUSE_S or not self._session:
            return
        seen = self.read(self.parts.board.lcd_picture()).splitlines()
        title = seen[1].replace('"', "") if len(seen) > 1 else ""
        self._note(f'wait shows "{title}" {_WAIT_SHOWS}' if title else f"wait {pause_s:.1f}s")

    def _record(self, step: str) -> None:
        self._last_s = time.monotonic()
        self._note(step)

    def _note(self, step: str) -> None:
        self._session.append(step)
        self.feed.line("recorded", self.at, text=step)
