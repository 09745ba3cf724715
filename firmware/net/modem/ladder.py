"""What every modem has in common: one owner at a time, and the ladder on failure.

What drives the ladder is what the product needs, a request answered (`outcome`), and not what the
modem says of itself. A dialect (`sim800.py`) extends `Ladder`; the rest of the firmware sees the
errors and the dialect's `Modem`.
"""

import asyncio

from bootloader.shared.compat import const, sleep_ms, ticks_diff, ticks_ms
from firmware.net.modem.chat import ChatError
from firmware.net.modem.errors import ModemError, NoCoverage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

_RETRY_FIRST_MS = const(5000)
_CLIMB_MS = const(240000)


class Ladder:
    """The state that others may read, and `connect`.

    A dialect brings `poll()` (takes note of what came unasked), `bring_up(apn, login)` (from any
    state to data service), `radio_cycle()` and `power_cycle()` (off, until it is brought up); they
    raise ModemError or ChatError.

    `lock`: held by whoever talks to the modem. `attached`: data service is up, `open` may be
    called. `connected`: a TCP connection is open. `trouble`: the code of the last `connect`'s
    error, "" if it went well. `retry_ms`: how long to leave it after a `connect` that failed;
    doubles from 5 s to 5 min, or to 15 where no network is heard.
    """

    rungs = ("as it is", "radio off and on", "power key")

    # What the dialect brings; bare names, as a method that only raises would cost heap.
    poll: "Callable[[], None]"
    bring_up: "Callable[[str, tuple[str, str]], Coroutine[Any, Any, None]]"
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
        self._unanswered = 0

    def outcome(self, answered: bool) -> None:
        """How a request went that data service was used for. The first that fails may be its
        connection's fault. With each one more the next rung is due, however well the modem speaks
        of itself; above the last the power key comes at growing distances only.
        """
        if answered:
            self._unanswered = 0
            return
        self._unanswered = count = self._unanswered + 1
        if count < 2:
            return
        last = len(self.rungs) - 1
        rung = 0
        if count < last + 3:
            rung = count - 2
        elif not count & (count - 1):
            rung = last
        # One that is due and was not taken yet stays due: two may have asked at once.
        self._first_rung = max(self._first_rung, rung)
        self.log("modem: %d requests without an answer" % count)
        self.connected = self.attached = False

    async def connect(self, apn: str, login: tuple[str, str] = ("", "")) -> None:
        """Bring data service up: as it is, then after radio off and on, then after the power key.
        No-op when it is up. `login`: user and password of the access point.

        Raises:
            ModemError: the last rung's reason.
        """
        async with self.lock:
            self.poll()
            if self.attached:
                return
            start = ticks_ms()
            last = len(self.rungs) - 1
            rung = min(self._first_rung, last)
            while True:
                try:
                    await self._try(rung, apn, login)
                    break
                except ModemError as error:
                    self.log("modem: " + str(error))
                    self.trouble = error.code
                    self.attached = False
                    is_long = ticks_diff(ticks_ms(), start) >= _CLIMB_MS
                    if not error.climb or rung == last or is_long:
                        # A climb that took long goes on at the next call: the caller has others to
                        # care for.
                        self._first_rung = error.next_rung
                        if error.climb and rung < last:
                            self._first_rung = rung + 1
                        self.retry_ms = min(self.retry_ms * 2, error.longest_ms)
                        if isinstance(error, NoCoverage):
                            await self._switch_off()
                        raise
                await sleep_ms(self.pause_ms << rung)
                rung += 1
            self._first_rung = 0
            self.retry_ms = _RETRY_FIRST_MS
            self.trouble = ""

    async def _try(self, rung: int, apn: str, login: tuple[str, str]) -> None:
        try:
            if rung:
                self.log("modem: " + self.rungs[rung])
                await (self.radio_cycle if rung == 1 else self.power_cycle)()
            await self.bring_up(apn, login)
        except ChatError as error:
            raise ModemError(str(error))

    async def _switch_off(self) -> None:
        try:
            await self.power_cycle()
        except ChatError as error:
            self.log("modem: " + str(error))
