"""What wakes a task: an interrupt of the part that it waits for (where the board has none, a look
now and then), or the beat on which all periodic work falls, so that one wake-up does for all.
"""

import asyncio

from bootloader.shared.compat import sleep_ms, ticks_diff, ticks_ms

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable
    from typing import Any

_FIRST = ticks_ms()

# Each beat is so many of the one before: a wake-up for the longer does for the shorter.
BEAT_MS = 3750
"""While anybody works: half of what the watchdog bears (8 s), as work may lie between two feeds."""
REST_BEAT_MS = 2 * BEAT_MS
"""While all rest: half a second less than it bears."""
NOBODY_LOOKS_MS = 300000
"""So long after the last key the terminal is left alone: the display stands still, the signal is
looked at seldom, all may rest; what the network does is told.
"""


def to_beat_ms(every_ms: int) -> int:
    """Milliseconds to the next beat of that length."""
    return every_ms - ticks_diff(ticks_ms(), _FIRST) % every_ms


async def wait_at_most(happens: "Awaitable[Any]", ms: int) -> bool:
    """Return True once it has happened, False after `ms`."""
    try:
        await asyncio.wait_for_ms(happens, ms)
    except asyncio.TimeoutError:
        return False
    return True


class Bell:
    """Rung by interrupts of the `sources` (objects with MicroPython's `irq`), heard by one task.

    `poll_ms`: how often the waiting task looks by itself where the sources have no interrupt.
    """

    def __init__(self, sources: "Any", trigger: str, poll_ms: int) -> None:
        """`trigger` names the source's constant, such as "IRQ_FALLING"."""
        self._poll_ms = poll_ms
        self._flag: asyncio.ThreadSafeFlag | None = None
        flag = getattr(asyncio, "ThreadSafeFlag", None)  # CPython has none
        if flag and all(hasattr(source, trigger) for source in sources):
            self._flag = flag()
            for source in sources:
                source.irq(self._ring, getattr(source, trigger))

    @property
    def rings(self) -> bool:
        """Whether there are interrupts."""
        return self._flag is not None

    def _ring(self, _source: "Any") -> None:
        if self._flag:
            self._flag.set()

    async def wait(self, most_ms: int) -> bool:
        """Return True after a ring, False after `most_ms`; without interrupts, after `poll_ms`."""
        if self._flag:
            return await wait_at_most(self._flag.wait(), most_ms)
        await sleep_ms(min(most_ms, self._poll_ms))
        return False
