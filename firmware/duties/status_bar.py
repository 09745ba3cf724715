"""The line at the top of the screen, drawn anew every four seconds."""

import asyncio

from firmware.bell import to_beat_ms

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.duties.parts import Parts

_STATUS_MS = 4000
_WORDS = ("offline", "searching", "online")  # by `Link.state`


async def show(terminal: "Parts") -> None:
    """Show network, battery and what the server does not have yet, for ever."""
    while True:
        _, percent, charging = terminal.battery.read()
        link = terminal.link
        terminal.screen.status(
            link.signal if link.modem.registered else 99,
            terminal.words(_WORDS[link.state]),
            terminal.till.unsynced_count,
            percent,
            charging,
        )
        terminal.now()  # the clock is to be asked now and then
        await asyncio.sleep_ms(to_beat_ms(_STATUS_MS))
