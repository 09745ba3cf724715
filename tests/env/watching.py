"""What a person at the board sees while parts die: asked through the balancer each second, as an
open board does; its lights and alarms are read from the page itself.
"""

from __future__ import annotations

import base64
import http.client
import itertools
import re
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from html import unescape

EVERY_S = 1.0
GIVES_UP_S = 4.0
_LIGHT = re.compile(r'<div class="light off"[^>]*><i></i>([^<]*)</div>')
_ALARM = re.compile(r'<span class="tag bad">([^<]*)</span>')


@dataclass(frozen=True)
class Look:
    """One look at the board; `at` is monotonic seconds."""

    at: float
    trouble: str = ""
    """Why there was no page; "" if there was."""
    lights: frozenset[str] = frozenset()
    """Those that are off, by name."""
    alarms: frozenset[str] = frozenset()
    """The codes of the open ones that it shows."""


def read(html: str, at: float) -> Look:
    """The inside of a board, as a person reads it."""
    lights = (unescape(words).partition(":")[0] for words in _LIGHT.findall(html))
    return Look(at, "", frozenset(lights), frozenset(map(unescape, _ALARM.findall(html))))


@dataclass
class Board:
    """Every look at a board, oldest first."""

    port: int
    token: str
    looks: list[Look] = field(default_factory=list)

    def look(self) -> Look:
        """Ask for its inside once."""
        at = time.monotonic()
        word = base64.b64encode(f"wall:{self.token}".encode()).decode()
        try:
            asked = http.client.HTTPConnection("127.0.0.1", self.port, timeout=GIVES_UP_S)
            with closing(asked):
                asked.request("GET", "/board/live", headers={"Authorization": f"Basic {word}"})
                answer = asked.getresponse()
                html = answer.read().decode()
        except (OSError, http.client.HTTPException):
            return Look(at, "no answer")
        return read(html, at) if answer.status == 200 else Look(at, f"HTTP {answer.status}")

    def said(self, since: float, but: frozenset[str] = frozenset()) -> str:
        """What it showed from this moment on that it had not shown at that moment; alarms `but`
        these.
        """
        before = [look for look in self.looks if look.at < since and not look.trouble]
        looks = [look for look in self.looks if look.at >= since]
        usual = before[-1] if before else Look(since)
        found = []
        if dark_s := _longest_dark_s(looks):
            found.append(f"no page for {dark_s:.0f} s")
        lights = {one for look in looks for one in look.lights} - usual.lights
        alarms = {one for look in looks for one in look.alarms} - usual.alarms - but
        found += [f"light: {name}" for name in sorted(lights)]
        found += [f"alarm: {code}" for code in sorted(alarms)]
        return "; ".join(found) or "as before"

    def watch(self, over: threading.Event) -> None:
        """Look again and again."""
        while not over.wait(EVERY_S):
            self.looks.append(self.look())


def _longest_dark_s(looks: list[Look]) -> float:
    """From the first look without a page to the next with one."""
    longest = 0.0
    for is_dark, several in itertools.groupby(looks, lambda look: bool(look.trouble)):
        dark = list(several)
        if not is_dark:
            continue
        after = [look.at for look in looks if look.at > dark[-1].at]
        longest = max(longest, (after[0] if after else dark[-1].at + EVERY_S) - dark[0].at)
    return longest


@contextmanager
def watching(port: int, token: str) -> Iterator[Board]:
    """A board that is open while the body runs."""
    over = threading.Event()
    board = Board(port, token)
    board.looks.append(board.look())
    thread = threading.Thread(target=board.watch, args=(over,), daemon=True)
    thread.start()
    try:
        yield board
    finally:
        over.set()
        thread.join()
