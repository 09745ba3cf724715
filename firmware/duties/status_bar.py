"""The line at the top of the screen: looked after on each beat while anybody may read it."""

import asyncio

from firmware.bell import BEAT_MS, NOBODY_LOOKS_MS, to_beat_ms
from firmware.drivers.battery import LOW_PERCENT
from firmware.ui.money_and_dates import time_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.duties.parts import Parts

_SELDOM_MS = 60000
_WORDS = ("offline", "searching", "online")  # by `Link.state`


async def show(terminal: "Parts") -> None:
    """Show network, time, battery and what the server does not have yet, for ever."""
    while True:
        _, percent, charging = terminal.battery.read()
        link = terminal.link
        terminal.screen.status(
            link.signal if link.modem.registered else 99,
            terminal.words(_WORDS[link.state]),
            terminal.till.journal.unsent_sales(),
            percent,
            "+" if charging else "!" if percent <= LOW_PERCENT else "",
            time_text(terminal.now(), terminal.config.utc_offset_s),
            terminal.unread,
        )
        if terminal.ui.idle_ms() < NOBODY_LOOKS_MS:
            await asyncio.sleep_ms(to_beat_ms(BEAT_MS))
        else:
            await terminal.ui.touched_within(to_beat_ms(_SELDOM_MS))
