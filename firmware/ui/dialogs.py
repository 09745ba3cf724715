"""Questions and answers on screen and keypad: the words a flow speaks in; for `firmware.flows`.

Every dialogue ends: by a key, by its own deadline, or by `Idle` when nobody touched the terminal
for the sign-out time. The way back is always `*`.
"""

import asyncio

from bootloader.shared.compat import ticks_diff, ticks_ms
from firmware.ui.canvas import WIDTH, wrap
from firmware.ui.screen import LINES

IDLE_MS = 90000
TICK_MS = 200


class Idle(Exception):
    """Nobody touched the terminal for the sign-out time. Flows let it pass up to `main`."""


class Dialogs:
    """One merchant at one terminal."""

    def __init__(self, screen, keypad, buzzer, words):
        """`words`: `firmware.texts.Words`, replaced when the merchant changes the language."""
        self.screen = screen
        self.words = words
        self._keypad = keypad
        self._buzzer = buzzer
        self._touched_ms = ticks_ms()
        self.alive_ms = ticks_ms()

    def alive(self):
        """Tell the supervisor that the merchant's task goes on, in a flow that asks no key."""
        self.alive_ms = ticks_ms()

    def idle_ms(self):
        """How long ago the last key was pressed."""
        return ticks_diff(ticks_ms(), self._touched_ms)

    async def key(self, wanted, timeout_ms=None):
        """The next key that is in `wanted`; None when `timeout_ms` passed without one.

        Raises:
            Idle: nobody pressed anything for `IDLE_MS`, all of it here (only without a timeout).
        """
        started = ticks_ms()
        while True:
            self.alive_ms = ticks_ms()
            key = await self._keypad.get(
                TICK_MS if timeout_ms is None else min(TICK_MS, timeout_ms)
            )
            if key is None:
                here_ms = ticks_diff(ticks_ms(), started)
                if timeout_ms is None:
                    if min(self.idle_ms(), here_ms) >= IDLE_MS:
                        raise Idle
                elif here_ms >= timeout_ms:
                    return None
                continue
            self._touched_ms = ticks_ms()
            if key in wanted:
                self._buzzer.key()
                return key

    def _hints(self, keys):
        return [(key, self.words(word)) for key, word in keys]

    def tell(self, title, text, hints=(), big=None):
        """Show a page and return at once. `title` and `text` are already in words."""
        lines = wrap(text, WIDTH - 2) if text else ()
        self.screen.page(title, lines, self._hints(hints), big)

    async def ask(self, title, text, hints, big=None, timeout_ms=None, sound=None):
        """Show a page and wait for one of the hinted keys, which is returned.

        Text longer than the page is paged with A and B. Keys pressed before the page was there do
        not count. None when `timeout_ms` passed.
        """
        self._keypad.forget()
        if sound:
            sound()
        lines = text if isinstance(text, list) else wrap(text, WIDTH - 2)
        room = LINES - (1 if title else 0) - (2 if big else 0)
        first = 0
        keys = "".join(key for key, _ in hints)
        while True:
            more = (2 if first else 0) | (1 if first + room < len(lines) else 0)
            self.screen.page(title, lines[first : first + room], self._hints(hints), big, more=more)
            key = await self.key(keys + "AB" if len(lines) > room else keys, timeout_ms)
            if key == "A" and "A" not in keys:
                first = max(0, first - room)
            elif key == "B" and "B" not in keys:
                first += room if first + room < len(lines) else 0
            else:
                return key

    async def bad(self, title, text, hints=(("#", "ok"),), timeout_ms=None):
        """`ask` with the sound of a refusal."""
        return await self.ask(title, text, hints, None, timeout_ms, self._buzzer.bad)

    def good(self):
        """The sound of something done."""
        self._buzzer.good()

    async def choose(self, title, items, back="back", extra=()):
        """Let the merchant pick one of `items`, strings or pairs (left, right).

        Number keys pick at once; A and B move, # takes. Returns the index, None for `*`, or the
        key when it is one of `extra` (hints as pairs).
        """
        self._keypad.forget()
        at = 0
        room = LINES - 1
        keys = "".join(key for key, _ in extra)
        while True:
            first = min(max(0, at - room + 1), max(0, len(items) - room)) if at >= room else 0
            lines = []
            for n in range(first, min(len(items), first + room)):
                item = items[n]
                number = str(n + 1) + " " if n < 9 else "  "
                if isinstance(item, tuple):
                    lines.append((number + item[0], item[1]))
                else:
                    lines.append(number + item)
            more = (2 if first else 0) | (1 if first + room < len(items) else 0)
            hints = self._hints((("*", back),) + extra + (("#", "ok"),))
            self.screen.page(title, lines, hints, marked=at - first, more=more)
            key = await self.key("0123456789AB#*" + keys)
            if key == "*":
                return None
            if key == "#":
                return at
            if key in keys:
                return key
            if key == "A":
                at = (at - 1) % len(items)
            elif key == "B":
                at = (at + 1) % len(items)
            elif 0 < int(key) <= len(items):
                return int(key) - 1

    async def digits(self, title, text, most, secret=False, back="back"):
        """Let the merchant type up to `most` digits; a string, or None for `*`."""
        self._keypad.forget()
        typed = ""
        while True:
            shown = "*" * len(typed) if secret else typed
            hints = (("C", "clear"), ("#", "ok"))
            if back:
                hints = (("*", back),) + hints
            self.screen.page(
                title, wrap(text, WIDTH - 2), self._hints(hints), big=(shown or "_") + " "
            )
            key = await self.key("0123456789*C#")
            if key == "*" and back:
                return None
            if key in "*C":
                typed = typed[:-1]
            elif key == "#":
                if typed:
                    return typed
            elif len(typed) < most:
                typed += key

    async def busy(self, work, title, text, deadline_ms, stop=None):
        """Show what is waited for, with the seconds left, until `work` (an awaitable) ends.

        Returns (True, its result), or (False, None) when the deadline passed or the merchant
        pressed the key of `stop` (a hint); the awaitable is then cancelled. What it raises is
        raised here.
        """
        self._keypad.forget()
        ended = []
        task = asyncio.create_task(_outcome(work, ended))
        started = ticks_ms()
        lines = wrap(text, WIDTH - 2)
        hints = self._hints((stop,) if stop else ())
        try:
            while not ended:
                left_ms = deadline_ms - ticks_diff(ticks_ms(), started)
                if left_ms <= 0:
                    return False, None
                clock = str((left_ms + 999) // 1000) + " s"
                self.screen.page(title, lines, hints + [("", clock)])
                if await self._pressed_or(ended, stop[0] if stop else ""):
                    return False, None
        finally:
            task.cancel()
        result, error = ended[0]
        if error:
            raise error
        return True, result

    async def _pressed_or(self, ended, wanted):
        for _ in range(TICK_MS // 20):
            if ended:
                break
            if await self.key(wanted, 20):
                return True
        return False


async def _outcome(work, ended):
    # an error is kept for who waits: a task that fails unwatched only reaches the console
    try:
        ended.append((await work, None))
    except Exception as error:
        ended.append((None, error))
