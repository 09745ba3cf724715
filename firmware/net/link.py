"""Whether there is a network, as far as anybody here knows; who sells or speaks asks this.

Who speaks to the server says how that went (`reached`, `lost`); the modem says the rest.
"""

import asyncio

from bootloader.shared.compat import const, ticks_add, ticks_diff, ticks_ms
from firmware.bell import to_beat_ms, wait_at_most
from firmware.net.modem.errors import ModemError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.net.modem.driver import Modem

OFFLINE = const(0)
SEARCHING = const(1)
ONLINE = const(2)
_WATCH_MS = const(18000)
_ALONE_MS = const(120000)


class Link:
    """`state` is ONLINE (the server was reached), SEARCHING (nobody knows yet) or OFFLINE."""

    def __init__(self, modem: "Modem") -> None:
        self.modem = modem
        self.state = SEARCHING
        self._wake = asyncio.Event()
        self._watches = False
        modem.on_lost = self._on_lost

    @property
    def signal(self) -> int:
        """Signal strength, 0 to 31, 99 unknown."""
        return self.modem.signal

    @property
    def trouble(self) -> str:
        """Why the modem has no link: the code of its error, or ""."""
        return self.modem.trouble

    async def known(self) -> None:
        """Return once it is known whether there is a network."""
        while self.state == SEARCHING:
            await asyncio.sleep_ms(100)

    async def look(self) -> None:
        """Ask the modem whether the network is still there; sends nothing over the air."""
        try:
            await self.modem.refresh()
        except ModemError:
            pass
        if not self.modem.registered:
            self.state = OFFLINE

    def reached(self) -> None:
        """The server has answered."""
        self.state = ONLINE

    def lost(self) -> None:
        """No answer came: who sells next must not count on one."""
        self.state = OFFLINE

    def _on_lost(self) -> None:
        if self._watches:
            self._wake.set()

    def hurry(self) -> None:
        """End the pause of who waits in `rest`: there is something to do at once."""
        self._wake.set()

    async def rest(self, ms: int) -> bool:
        """Wait `ms`, or until somebody is in a hurry: True."""
        hurried = await wait_at_most(self._wake.wait(), ms)
        self._wake.clear()
        return hurried

    async def watch(self, ms: int, alone: bool = False, texts: bool = False) -> None:
        """As `rest`, or until a short message has come (where `texts`), or the modem has no network
        any more or has restarted without a word: it is asked every 18 s, every two minutes where
        the terminal is left `alone`, as who signs in has it asked at once. Whoever else notices
        that data service is gone ends it as well. Nothing goes over the air.
        """
        self._watches = True
        try:
            await self._watch(ms, alone, texts)
        finally:
            self._watches = False
            self._wake.clear()

    async def _watch(self, ms: int, alone: bool, texts: bool) -> None:
        modem = self.modem
        until = ticks_add(ticks_ms(), ms)
        while modem.attached and modem.registered:
            left_ms = ticks_diff(until, ticks_ms())
            ask_ms = to_beat_ms(_ALONE_MS) if alone else _WATCH_MS
            has_come = texts and modem.sms_waiting
            if has_come or left_ms <= 0 or await self.rest(min(left_ms, ask_ms)):
                return
            try:
                await modem.refresh(False)
            except ModemError:
                pass
