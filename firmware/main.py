"""The terminal's program: `run(board, boot_info)` is what the bootloader jumps to.

First a sign of life on the screen, then settings, then everything else (`firmware.terminal`). An
error nobody expected leaves `run`: the bootloader counts it as a crash, and rolls back a release on
trial that crashes.
"""

import asyncio
import gc

from bootloader.shared import tidy
from firmware import lent, log
from firmware.drivers.lcd import Lcd
from firmware.kept import config
from firmware.kept.files import Kept
from firmware.kept.memory import Memory
from firmware.ui.screen import Screen
from firmware.ui.texts import Words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from bootloader.shared.board import Board
    from firmware.boot_info import BootInfo

# How much may be allocated before the heap is swept. What lives long is allocated at the start and
# should lie low, so that the rest is in one piece for inflating and verifying an update; later a
# sweep costs more than it mends.
START_SWEEP_BYTES = 4096
SWEEP_BYTES = 16384
_CONTRAST = "firmware.drivers.contrast"


def run(board: "Board", boot_info: "Any") -> None:
    """Run the terminal. Returns only when a reset is wanted; an error that leaves is a crash."""
    gc.threshold(START_SWEEP_BYTES)
    log.start(board.console)
    screen = Screen(Lcd(board.lcd))
    words = Words("en")
    screen.page("Duka", [words("starting")], ())
    log.log("main", "release {} slot {}".format(boot_info.release, boot_info.slot))
    from firmware.terminal import Terminal

    files = Kept(not boot_info.trial)
    try:
        board.data_vfs()
        tidy.at_start()
        settings = files.load(config.load, "/data/config.json")
    except (config.ConfigError, OSError) as error:
        log.log("main", str(error))
        _out_of_service(board, boot_info, screen, words, "s_config")
        return
    memory = Memory()
    words = Words(memory.get("language", settings.language))
    contrast = memory.get("contrast", 0)
    if contrast:
        lent.load(_CONTRAST).put(board.lcd, contrast)
        lent.give_back((_CONTRAST,))
    gc.collect()
    from firmware.sales.ring import JournalDamaged

    try:
        terminal = Terminal(board, boot_info, settings, memory, words, screen, files)
    except JournalDamaged as error:
        log.log("main", "journal: " + str(error))
        helpline: str = settings.shop.get("helpline", "")
        _out_of_service(board, boot_info, screen, words, "s_journal", helpline)
        return
    gc.threshold(SWEEP_BYTES)
    asyncio.run(terminal.run())


def _out_of_service(
    board: "Board",
    boot_info: "BootInfo",
    screen: Screen,
    words: Words,
    key: str,
    helpline: str = "",
) -> None:
    from firmware.duties.out_of_service import out_of_service

    asyncio.run(out_of_service(board, boot_info, screen, words, key, helpline))
