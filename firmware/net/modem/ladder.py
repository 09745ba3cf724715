"""What every modem has in common: one owner at a time, and the ladder on failure.

What drives the ladder is what the product needs, a request answered (`outcome`), and not what the
modem says of itself. A dialect (`sim800.py`) extends `Ladder`; the rest of the firmware sees the
errors and the dialect's `Modem`.
"""

import asyncio

from bootloader.shared.compat import const, sleep_ms
from firmware import lent
from firmware.net.modem.errors import ModemError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

RETRY_FIRST_MS = const(5000)
_TURN_MS = const(30000)
_LOOK_MS = const(250)
RUNGS = ("as it is", "radio off and on", "power key")
_CLIMB = "firmware.net.modem.climb"
_NEEDED = ("firmware.net.modem.no_link", "firmware.net.modem.joining")


class Ladder:
    """The state that others may read, and `connect`.

    A dialect brings `poll()` (takes note of what came unasked) and the name of the module that can
    start it (`climb.Starter`): it lies in the heap only while a link is made; and `names`, that of
    the module whose `resolve(modem, host)` asks it for an address.

    `lock`: held by whoever talks to the modem. `attached`: data service is up, `open` may be
    called; `on_lost` hears when it was and is not any more. `connected`: a TCP connection is open.
    `trouble`: the code of the last `connect`'s error, "" if it went well. `retry_ms`: how long to
    leave it after a `connect` that failed;
    doubles from 5 s to 5 min, or to 15 where no network is heard. `first_rung`: with which of
    `RUNGS` the next attempt begins.
    """

    # What the dialect brings; bare names, as a method that only raises would cost heap.
    poll: "Callable[[], None]"
    starter: str
    names: str

    def __init__(self, log: "Callable[[str], object]") -> None:
        self.lock = asyncio.Lock()
        self.log = log
        self.attached = False
        self.connected = False
        self.on_lost: Callable[[], None] | None = None
        self.trouble = ""
        self.retry_ms = RETRY_FIRST_MS
        self.pause_ms = 1000
        self.first_rung = 0
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
        last = len(RUNGS) - 1
        rung = 0
        if count < last + 3:
            rung = count - 2
        elif not count & (count - 1):
            rung = last
        # One that is due and was not taken yet stays due: two may have asked at once.
        self.first_rung = max(self.first_rung, rung)
        self.log("modem: %d requests without an answer" % count)
        self.is_lost()

    def is_lost(self) -> None:
        """Data service is down, whoever noticed."""
        was_attached = self.attached
        self.connected = self.attached = False
        if was_attached and self.on_lost:
            self.on_lost()

    async def turn(self) -> None:
        """Return when the `lock` is free, or soon will be. Who brings data service up holds it for
        minutes where no network is heard: a customer does not wait for that.

        Raises:
            ModemError: it has taken long enough.
        """
        for _ in range(_TURN_MS // _LOOK_MS):
            if self.attached:
                return
            await sleep_ms(_LOOK_MS)  # who has waited for the lock has it by then
            if not self.lock.locked():
                return
        raise ModemError("no data service yet")

    async def connect(
        self, apn: str, login: tuple[str, str] = ("", ""), gently: bool = False
    ) -> None:
        """Bring data service up: as it is, then after radio off and on, then after the power key.
        No-op when it is up. `login`: user and password of the access point. `gently`: by the rung
        that is due alone, as each stronger one costs the registration for a while.

        Raises:
            ModemError: the last rung's reason.
        """
        async with self.lock:
            self.poll()
            if self.attached:
                return
            needed = _NEEDED + (self.starter,)
            try:
                await lent.load(_CLIMB, needed).climb(self, apn, login, gently)
            except MemoryError:
                raise ModemError("no room")
            finally:
                lent.give_back(needed + (_CLIMB,))
