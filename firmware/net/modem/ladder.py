"""What every modem has in common: one owner at a time, and the ladder on failure.

A dialect (`sim800.py`) extends `Ladder`; the rest of the firmware sees the errors and the dialect's
`Modem`.
"""

import asyncio

from bootloader.shared.compat import const, sleep_ms, ticks_diff, ticks_ms
from firmware.net.modem.chat import ChatError
from firmware.net.modem.errors import ModemError, NoSim

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

_RETRY_FIRST_MS = const(5000)
_RETRY_MOST_MS = const(300000)
_CLIMB_MS = const(240000)


class Ladder:
    """The state that others may read, and `connect`.

    A dialect brings `poll()` (takes note of what came unasked), `bring_up(apn)` (from any state to
    data service), `radio_cycle()` and `power_cycle()`; they raise ModemError or ChatError.

    `lock`: held by whoever talks to the modem. `attached`: data service is up, `open` may be
    called. `connected`: a TCP connection is open. `trouble`: the code of the last `connect`'s
    error, "" if it went well. `retry_ms`: how long to leave it after a `connect` that failed;
    doubles from 5 s to 5 min.
    """

    rungs = ("as it is", "radio off and on", "power key")

    # What the dialect brings; bare names, as a method that only raises would cost heap.
    poll: "Callable[[], None]"
    bring_up: "Callable[[str], Coroutine[Any, Any, None]]"
    radio_cycle: "Callable[[], Coroutine[Any, Any, None]]"
    power_cycle: "Callable[[], Coroutine[Any, Any, None]]"

    def __init__(self, log: "Callable[[str], object]") -> None:
        self.lock = asyncio.Lock()
        self.log = log
        self.attached = False
        self.connected = False
        self.trouble = ""
        self.retry_ms = _RETRY_FIRST_MS
        self.pause_ms = 1000
        self._first_rung = 0

    async def connect(self, apn: str) -> None:
        """Bring data service up: as it is, then after radio off and on, then after the power key.
        No-op when it is up.

        Raises:
            ModemError: the last rung's reason.
        """
        async with self.lock:
            self.poll()
            if self.attached:
                return
            start = ticks_ms()
            last = len(self.rungs) - 1
            for rung in range(self._first_rung, last + 1):
                try:
                    await self._try(rung, apn)
                except ModemError as error:
                    self.log("modem: " + str(error))
                    self.trouble = error.code
                    self.attached = False
                    is_long = ticks_diff(ticks_ms(), start) >= _CLIMB_MS
                    if not error.climb or rung == last or is_long:
                        # A card put in later is read only after a power cycle. A climb that took
                        # long goes on at the next call: the caller has others to care for.
                        self._first_rung = 0
                        if isinstance(error, NoSim):
                            self._first_rung = last
                        elif error.climb and rung < last:
                            self._first_rung = rung + 1
                        self.retry_ms = min(self.retry_ms * 2, _RETRY_MOST_MS)
                        raise
                    await sleep_ms(self.pause_ms << rung)
                else:
                    self._first_rung = 0
                    self.retry_ms = _RETRY_FIRST_MS
                    self.trouble = ""
                    return

    async def _try(self, rung: int, apn: str) -> None:
        try:
            if rung:
                self.log("modem: " + self.rungs[rung])
                await (self.radio_cycle if rung == 1 else self.power_cycle)()
            await self.bring_up(apn)
        except ChatError as error:
            raise ModemError(str(error))
