"""Questions and answers on screen and keypad: the words a flow speaks in; for `firmware.flows`.

Every dialogue ends: by a key, by its own deadline, or by `Idle` when nobody touched the terminal
for the sign-out time. The way back is always `*`.
"""

import asyncio

from bootloader.shared.breath import breathe
from bootloader.shared.compat import const, ticks_diff, ticks_ms
from firmware.bell import to_beat_ms, wait_at_most
from firmware.ui.canvas import WIDTH, shorten, text_width, wrap
from firmware.ui.screen import LINES, TITLE_PX

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from typing import Any

    from firmware.drivers.buzzer import Buzzer
    from firmware.drivers.keypad import Keypad
    from firmware.ui.screen import Hint, Line, Screen
    from firmware.ui.texts import Words

    Outcome = tuple[Any, Exception | None]

IDLE_MS = 90000
TICK_MS = (
    22500  # six beats: so often who waits for a key shows that he lives; the supervisor bears 30 s
)
_SECOND_MS = const(1000)
_BAR_MS = const(2000)


class Idle(Exception):
    """Nobody touched the terminal for the sign-out time. Flows let it pass up to the session."""


class Dialogs:
    """One merchant at one terminal."""

    def __init__(
        self, screen: "Screen", keypad: "Keypad", buzzer: "Buzzer", words: "Words"
    ) -> None:
        """`words`: `firmware.ui.texts.Words`, replaced when the merchant changes the language."""
        self.screen = screen
        self.words = words
        self._keypad = keypad
        self.buzzer = buzzer
        self._touched_ms = ticks_ms()
        self._touch = asyncio.Event()
        self.alive_ms = ticks_ms()

    def alive(self) -> None:
        """Tell the supervisor that the merchant's task goes on, in a flow that asks no key."""
        self.alive_ms = ticks_ms()

    def idle_ms(self) -> int:
        """How long ago the last key was pressed."""
        return ticks_diff(ticks_ms(), self._touched_ms)

    async def touched_within(self, ms: int) -> None:
        """Return at the next key, or after `ms`."""
        self._touch.clear()
        await wait_at_most(self._touch.wait(), ms)

    async def key(self, wanted: str, rest_ms: int = 0) -> str:
        """The next key that is in `wanted`.

        Raises:
            Idle: nobody pressed anything for `rest_ms` (`IDLE_MS` if 0), all of it here.
        """
        started = ticks_ms()
        while True:
            left_ms = (rest_ms or IDLE_MS) - min(self.idle_ms(), ticks_diff(ticks_ms(), started))
            if left_ms <= 0:
                raise Idle
            key = await self.key_within(wanted, min(left_ms, TICK_MS))
            if key is not None:
                return key

    async def key_within(self, wanted: str, timeout_ms: int) -> str | None:
        """The next key that is in `wanted`; None when `timeout_ms` passed without any key."""
        started = ticks_ms()
        while True:
            self.alive_ms = ticks_ms()
            key = await self._keypad.get(min(to_beat_ms(TICK_MS), timeout_ms))
            if key is None:
                if ticks_diff(ticks_ms(), started) >= timeout_ms:
                    return None
                continue
            self._touched_ms = ticks_ms()
            self._touch.set()
            breathe()  # after a long rest the watchdog may have little left
            if key in wanted:
                self.buzzer.key()
                return key

    def _hints(self, keys: "Sequence[Hint]") -> "list[Hint]":
        return [(key, self.words(word)) for key, word in keys]

    def tell(
        self, title: str, text: str, hints: "Sequence[Hint]" = (), big: str | None = None
    ) -> None:
        """Show a page and return at once. `title` and `text` are already in words."""
        lines = wrap(text, WIDTH - 2) if text else ()
        self.screen.page(title, lines, self._hints(hints), big)

    async def ask(
        self,
        title: str,
        text: "str | list[Line]",
        hints: "Sequence[Hint]",
        big: str | None = None,
        timeout_ms: int | None = None,
        sound: "Callable[[], None] | None" = None,
    ) -> str | None:
        """Show a page and wait for one of the hinted keys, which is returned.

        Text longer than the page is paged with A and B. Keys pressed before the page was there do
        not count. None when `timeout_ms` passed.
        """
        self._keypad.forget()
        if sound:
            sound()
        lines = _spread(text) if isinstance(text, list) else wrap(text, WIDTH - 2)
        room = LINES - (1 if title else 0) - (2 if big else 0)
        first = 0
        keys = "".join(key for key, _ in hints)
        while True:
            more = (2 if first else 0) | (1 if first + room < len(lines) else 0)
            self.screen.page(title, lines[first : first + room], self._hints(hints), big, more=more)
            wanted = keys + "AB" if len(lines) > room else keys
            if timeout_ms is None:
                key: str | None = await self.key(wanted)
            else:
                key = await self.key_within(wanted, timeout_ms)
            if key == "A" and "A" not in keys:
                first = max(0, first - room)
            elif key == "B" and "B" not in keys:
                first += room if first + room < len(lines) else 0
            else:
                return key

    def titled(self, text: str) -> "tuple[str, list[Line]]":
        """(title, lines): `text` as the title if it fits there whole, else as lines under none."""
        if text_width(text, False, True) <= TITLE_PX:
            return text, []
        return "", [text]

    async def bad(
        self,
        title: str,
        text: str,
        hints: "Sequence[Hint]" = (("#", "ok"),),
        timeout_ms: int | None = None,
    ) -> str | None:
        """`ask` with the sound of a refusal."""
        return await self.ask(title, text, hints, None, timeout_ms, self.buzzer.bad)

    def good(self) -> None:
        """The sound of something done."""
        self.buzzer.good()

    async def choose(
        self,
        title: str,
        items: "Sequence[Line]",
        back: str = "back",
        extra: "tuple[Hint, ...]" = (),
        by_number: bool = False,
        rest_ms: int = 0,
    ) -> int | str | None:
        """Let the merchant pick one of `items`, strings or pairs (left, right).

        Number keys pick at once; A and B move, # takes. With `by_number` those behind the ninth
        have numbers, too: one picks as soon as no longer one can be meant. Returns the index, None
        for `*` (unless `back` is ""), or the key when it is one of `extra` (hints as pairs).
        `rest_ms`: how long no key need be pressed, if that is not `IDLE_MS`.
        """
        self._keypad.forget()
        at = typed = 0
        room = LINES - 1
        keys = "".join(key for key, _ in extra)
        while True:
            first = min(max(0, at - room + 1), max(0, len(items) - room)) if at >= room else 0
            lines: list["Line"] = []
            for n in range(first, min(len(items), first + room)):
                item = items[n]
                number = str(n + 1) + " " if n < 9 or by_number else "  "
                if isinstance(item, tuple):
                    lines.append((number + item[0], item[1]))
                else:
                    lines.append(shorten(number + item, WIDTH - 2))
            more = (2 if first else 0) | (1 if first + room < len(items) else 0)
            ways = (("*", back),) if back else ()
            hints = self._hints(ways + extra + (("#", "ok"),))
            self.screen.page(title, lines, hints, marked=at - first, more=more)
            key = await self.key(("*" if back else "") + "0123456789AB#" + keys, rest_ms)
            if key == "*":
                return None
            if key == "#":
                return at
            if key in keys:
                return key
            if key in "AB":
                at = (at + (1 if key == "B" else -1)) % len(items)
                typed = 0
                continue
            typed = typed * 10 + int(key)
            if typed > len(items):
                typed = 0
            if typed:
                at = typed - 1
                if typed * 10 > len(items) or not by_number:
                    return at

    async def digits(
        self,
        title: str,
        text: "str | list[Line]",
        most: int,
        secret: bool = False,
        back: str | None = "back",
        shape: "Callable[[str], str] | None" = None,
        typed: str = "",
        rest_ms: int = 0,
    ) -> str | None:
        """Let the merchant type up to `most` digits; a string, or None for `*`.

        `shape`: how they are shown, as in groups. `typed`: what is there to begin with. `rest_ms`:
        how long nothing need be typed at all, if that is not `IDLE_MS`.
        """
        self._keypad.forget()
        lines = _spread(text) if isinstance(text, list) else wrap(text, WIDTH - 2)
        while True:
            shown = "*" * len(typed) if secret else shape(typed) if shape and typed else typed
            hints: tuple["Hint", ...] = (("C", "clear"), ("#", "ok"))
            if back:
                hints = (("*", back),) + hints
            self.screen.page(title, lines, self._hints(hints), big=(shown or "_") + " ")
            key = await self.key("0123456789*C#", 0 if typed else rest_ms)
            if key == "*" and back:
                return None
            if key in "*C":
                typed = typed[:-1]
            elif key == "#":
                if typed:
                    return typed
            elif len(typed) < most:
                typed += key

    async def busy(
        self,
        work: "Awaitable[Any]",
        title: str,
        text: str,
        deadline_ms: int,
        stop: "Hint | None" = None,
    ) -> "tuple[bool, Any]":
        """Show what is waited for, with the seconds left and from the third on a bar, until `work`
        (an awaitable) ends.

        Returns (True, its result), or (False, None) when the deadline passed or the merchant
        pressed the key of `stop` (a hint); the awaitable is then cancelled. What it raises is
        raised here.
        """
        self._keypad.forget()
        ended: list["Outcome"] = []
        task = asyncio.create_task(_outcome(work, ended))
        started = ticks_ms()
        lines = wrap(text, WIDTH - 2)
        hints = self._hints((stop,) if stop else ())
        try:
            while not ended:
                passed_ms = ticks_diff(ticks_ms(), started)
                left_ms = deadline_ms - passed_ms
                if left_ms <= 0:
                    return False, None
                bar = passed_ms * 1000 // deadline_ms if passed_ms >= _BAR_MS else 0
                clock = str((left_ms + 999) // 1000) + " s"
                self.screen.page(title, lines, hints + [("", clock)], bar=bar)
                if await self._pressed_or(ended, stop[0] if stop else ""):
                    return False, None
        finally:
            task.cancel()
        result, error = ended[0]
        if error:
            raise error
        return True, result

    async def _pressed_or(self, ended: "list[Outcome]", wanted: str) -> bool:
        for _ in range(_SECOND_MS // 20):
            if ended:
                break
            if await self.key_within(wanted, 20):
                return True
        return False


def _spread(lines: "list[Line]") -> "list[Line]":
    """`lines` with those that do not fit the screen on more than one, so that none is cut."""
    spread: list["Line"] = []
    for line in lines:
        left, right = line if isinstance(line, tuple) else (line, "")
        if right and left and text_width(left) + 5 + text_width(right) <= WIDTH - 2:
            spread.append((left, right))
            continue
        spread.extend(wrap(left, WIDTH - 2) if left else [])
        if right:
            fits = text_width(right) <= WIDTH - 2
            spread.extend([("", part) for part in ([right] if fits else wrap(right, WIDTH - 2))])
    return spread


async def _outcome(work: "Awaitable[Any]", ended: "list[Outcome]") -> None:
    # an error is kept for who waits: a task that fails unwatched only reaches the console
    try:
        ended.append((await work, None))
    except Exception as error:
        ended.append((None, error))
