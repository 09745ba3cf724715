"""The 4x4 matrix keypad: scanned, debounced, ghost keys refused; for `firmware.ui` and self-test.

A pressed key joins its row to its column. Rows are driven low one at a time; a column that reads
low names the key. Without diodes, three pressed keys at the corners of a rectangle make the fourth
appear: whatever first shows while three or more keys seem down is never reported.
"""

import asyncio

from firmware.bell import Bell, to_beat_ms, wait_at_most

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from bootloader.shared.board import Pin

KEYS = "123A456B789C*0#D"

SCAN_MS = 10
AWAKE_SCANS = 5
"""So often a touched keypad is scanned at least: the first look may meet a contact that bounces."""
_LONGEST_SLEEP_MS = 60000
STEADY_SCANS = 2
QUEUE_KEYS = 16


class Debouncer:
    """Turns scans into key presses; pure, so that recorded contact noise can be played to it."""

    def __init__(self) -> None:
        self._candidate = 0
        self._seen = 0
        self._held = 0

    @property
    def is_still(self) -> bool:
        """Whether no key was down at the last scans."""
        return not (self._candidate or self._held)

    def feed(self, levels: int) -> str | None:
        """Take one scan, bit n set when KEYS[n] reads pressed; return a key just pressed or None.

        A press counts after `STEADY_SCANS` equal scans. One press gives one key however long it is
        held. Two keys that land in the same scan, or anything that appears while more than two
        are down, is not a press at all.
        """
        if levels != self._candidate:
            self._candidate = levels
            self._seen = 1
            return None
        if self._seen < STEADY_SCANS:
            self._seen += 1
            if self._seen < STEADY_SCANS:
                return None
        pressed = levels & ~self._held
        self._held = levels
        if not pressed or pressed & (pressed - 1):
            return None
        one_less = levels & (levels - 1)
        if one_less & (one_less - 1):
            return None
        n = 0
        while pressed > 1:
            pressed >>= 1
            n += 1
        return KEYS[n]


class Keypad:
    """The keys of one board. `run()` is its task; `await get()` gives the next key."""

    def __init__(self, rows: "Sequence[Pin]", columns: "Sequence[Pin]") -> None:
        """`rows`: four output pins; `columns`: four input pins with pull-ups.

        Where those can interrupt, nothing is scanned until a key is touched.
        """
        self._rows = rows
        self._columns = columns
        self._debouncer = Debouncer()
        self._queue: list[str] = []
        self._awake = AWAKE_SCANS
        self._pressed = asyncio.Event()
        self._all_rows(0)
        self._touch = Bell(columns, "IRQ_FALLING", SCAN_MS)

    def _all_rows(self, level: int) -> None:
        for row in self._rows:
            row.value(level)

    def any_down(self) -> bool:
        """Whether any key is down: with every row low, one reading of the columns tells."""
        level = 1
        for column in self._columns:
            level &= column.value()
        return not level

    def scan(self) -> int:
        """The levels of all keys now, bit n for KEYS[n]; cheap while none is down."""
        if not self.any_down():
            return 0
        levels = 0
        bit = 1
        self._all_rows(1)
        for row in self._rows:
            row.value(0)
            for column in self._columns:
                if not column.value():
                    levels |= bit
                bit <<= 1
            row.value(1)
        self._all_rows(0)
        return levels

    async def run(self) -> None:
        """Scan for ever. A full queue drops new keys: a merchant leaning on it loses nothing."""
        while True:
            self.step()
            if self._touch.rings and not self._awake and self._debouncer.is_still:
                if await self._touch.wait(to_beat_ms(_LONGEST_SLEEP_MS)):
                    self._awake = AWAKE_SCANS
            else:
                self._awake = max(0, self._awake - 1)
                await asyncio.sleep_ms(SCAN_MS)

    def step(self) -> None:
        """One scan; what `run` does every `SCAN_MS`."""
        key = self._debouncer.feed(self.scan())
        if key and len(self._queue) < QUEUE_KEYS:
            self._queue.append(key)
            self._pressed.set()

    def take(self) -> str | None:
        """The next key, in the order pressed; None when there is none."""
        return self._queue.pop(0) if self._queue else None

    async def get(self, timeout_ms: int | None = None) -> str | None:
        """The next key; None when `timeout_ms` passed without one."""
        if not self._queue:
            self._pressed.clear()
            if timeout_ms is None:
                await self._pressed.wait()
            else:
                await wait_at_most(self._pressed.wait(), timeout_ms)
        return self.take()

    def forget(self) -> None:
        """Drop keys pressed before now, so that a double press never answers the next question."""
        self._queue.clear()
