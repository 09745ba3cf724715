"""The parts of a terminal, each tested alone; `service.commands` loads this for the technician.

Each test returns a map of what was found; whether that is well, and what only a person can see, is
judged by `tools/technician/parts.py`. Selling has stopped before, until the next restart.
"""

import asyncio
from hashlib import sha256

from bootloader.shared.compat import ticks_diff, ticks_ms
from bootloader.shared.partitions import PAGE_BYTES, SECTOR_BYTES
from firmware.net.modem.advice import TEXTS
from firmware.net.modem.errors import ModemError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from bootloader.shared.board import Board
    from firmware.boot_info import BootInfo
    from firmware.service.serviced import Serviced

    Found = dict[str, Any]

_KEY_MS = 15000
_STILL_MS = 2000
_PARTS = ("battery", "RTC", "flash", "keypad", "LCD", "printer", "SIM", "modem")


async def run(
    board: "Board",
    boot: "BootInfo",
    terminal: "Serviced",
    part: str,
    arguments: tuple[str, ...],
) -> "Found":
    """Test `part`. Raises ValueError if there is no such part."""
    test = {
        "keypad": _keypad,
        "lcd": _lcd,
        "printer": _printer,
        "modem": _modem,
        "flash": _flash,
        "battery": _battery,
        "rtc": _rtc,
        "slip": _slip,
    }.get(part)
    if test is None:
        raise ValueError("no such part")
    return await test(board, boot, terminal, arguments)


async def _keypad(
    board: "Board", boot: "BootInfo", terminal: "Serviced", arguments: tuple[str, ...]
) -> "Found":
    # one key, so that the technician's screen can follow
    terminal.ui.tell("Keypad", "Press every key once")
    return {"key": await terminal.keypad.get(_KEY_MS)}


async def _lcd(
    board: "Board", boot: "BootInfo", terminal: "Serviced", arguments: tuple[str, ...]
) -> "Found":
    if arguments == ("dark",):
        terminal.ui.tell("Display", "")
        board.lcd.command(b"\xa5")  # SSD1306: every pixel on, whatever the memory holds
    else:
        board.lcd.command(b"\xa4")
        terminal.ui.tell("Display", "Is this text sharp and whole?")
    return {}


async def _printer(
    board: "Board", boot: "BootInfo", terminal: "Serviced", arguments: tuple[str, ...]
) -> "Found":
    return {"status": await terminal.printer.status()}


async def _slip(
    board: "Board", boot: "BootInfo", terminal: "Serviced", arguments: tuple[str, ...]
) -> "Found":
    # Anybody may be on the cable, and paper is money: words of ours only, for each part one mark.
    marks = arguments[0] if arguments else ""
    if len(marks) != len(_PARTS) or marks.strip("+-"):
        raise ValueError("a slip needs + or - for each of " + " ".join(_PARTS))
    now = board.rtc.datetime()
    lines = ["SELF-TEST, NO RECEIPT", "Terminal " + terminal.terminal_id]
    lines.append("%04d-%02d-%02d %02d:%02d" % (now[0], now[1], now[2], now[4], now[5]))
    for i, part in enumerate(_PARTS):
        lines.append(part + (": ok" if marks[i] == "+" else ": FAULT"))
    # ESC @ resets the head, so that no setting of an earlier job shows
    text = "\n".join(lines).encode()
    sent, status = await terminal.printer.print(b"\x1b@" + text + b"\n\n\n\n")
    return {"sent": sent, "status": status}


async def _modem(
    board: "Board", boot: "BootInfo", terminal: "Serviced", arguments: tuple[str, ...]
) -> "Found":
    modem = terminal.link.modem
    found: Found = {"fault": None}
    try:
        await modem.connect(terminal.config.apn, terminal.config.apn_login)
    except ModemError as error:
        found = {"fault": error.code, "text": TEXTS[error.code]}
    found["registered"] = modem.registered
    found["signal"] = modem.signal
    return found


async def _flash(
    board: "Board", boot: "BootInfo", terminal: "Serviced", arguments: tuple[str, ...]
) -> "Found":
    # The last payload sector of `download`: what it held is fetched again, its hash will not fit.
    partition = board.partitions["download"]
    at = partition.size_bytes - 2 * SECTOR_BYTES
    wrong = 0
    partition.erase_sector(at)
    if not partition.is_blank(at, SECTOR_BYTES):
        wrong += 1
    page = bytes(range(PAGE_BYTES))
    for pattern in (page, bytes(PAGE_BYTES)):
        partition.program(at, pattern)
        if partition.read(at, PAGE_BYTES) != pattern:
            wrong += 1
    partition.erase_sector(at)
    return {"wrong": wrong, "image": await is_whole(board, boot)}


async def is_whole(board: "Board", boot: "BootInfo") -> bool:
    """Whether the image that runs is in flash as it was verified."""
    slot = boot.control.state.slots[boot.slot]
    image = board.partitions["slot_" + boot.slot]
    digest = sha256()
    for offset in range(0, slot.image_size, SECTOR_BYTES):
        digest.update(image.read(offset, min(SECTOR_BYTES, slot.image_size - offset)))
        await asyncio.sleep_ms(0)
    found: bool = digest.digest() == slot.sha256
    return found


async def _battery(
    board: "Board", boot: "BootInfo", terminal: "Serviced", arguments: tuple[str, ...]
) -> "Found":
    return {"mv": board.battery_mv(), "charging": board.charging()}


async def _rtc(
    board: "Board", boot: "BootInfo", terminal: "Serviced", arguments: tuple[str, ...]
) -> "Found":
    # The middle one of three seconds: a busy moment at an edge says nothing of the quartz.
    edges = []
    for _ in range(4):
        second = board.rtc.datetime()[6]
        started = ticks_ms()
        while board.rtc.datetime()[6] == second:
            if ticks_diff(ticks_ms(), started) >= _STILL_MS:
                return {"second_ms": _STILL_MS}
            await asyncio.sleep_ms(10)
        edges.append(ticks_ms())
    return {"second_ms": sorted([ticks_diff(edges[i + 1], edges[i]) for i in range(3)])[1]}
