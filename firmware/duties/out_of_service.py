"""A terminal that cannot work says why and stays awake for the technician; loaded only then."""

import asyncio

from firmware.service.console import serve
from firmware.ui.canvas import wrap

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bootloader.shared.board import Board
    from firmware.boot_info import BootInfo
    from firmware.ui.screen import Screen
    from firmware.ui.texts import Words

_FEED_MS = 500


async def out_of_service(
    board: "Board",
    boot_info: "BootInfo",
    screen: "Screen",
    words: "Words",
    key: str,
    helpline: str = "",
) -> None:
    """Show the text of `key` and the number to call, and answer the technician's cable; ends when
    the cable's task does.
    """
    lines = wrap(words(key), 126) + (["Tel. " + helpline] if helpline else [])
    screen.page(words("service"), lines, ())
    console = asyncio.create_task(serve(board, boot_info))
    while not console.done():
        boot_info.watchdog.feed()
        await asyncio.sleep_ms(_FEED_MS)
