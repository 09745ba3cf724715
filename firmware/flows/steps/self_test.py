"""Each part of the terminal tested by who stands before it; by `service.parts` as over a cable, but
that selling goes on afterwards: so nothing is erased that an update may be waiting in, and the
modem keeps its link. Loaded by name.
"""

import os

from firmware.drivers import printer
from firmware.drivers.keypad import KEYS
from firmware.lent import give_back, load
from firmware.net.modem.errors import ModemError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable
    from typing import Any

    from firmware.flows.desk import Desk
    from firmware.flows.steps.report import Rows

    Fault = str | None

_PARTS = "firmware.service.parts"
_LEAST_MV, _MOST_MV = 3300, 4300  # as tools/technician/parts.py judges the same figures
_LEAST_SECOND_MS, _MOST_SECOND_MS = 950, 1050
_SCRATCH = "/data/test.new"  # what ends so is removed at each start
_PATTERN = bytes(range(256)) * 4
_PATIENCE_MS = 15000
_LIT_MS = 3000
_ALL_LIT, _AS_HELD = b"\xa5", b"\xa4"  # SSD1306 datasheet, section 10.1.8


async def rows(desk: "Desk") -> "Rows | None":
    """Each part and how it is, under one that fails what to do; None: left before the end."""
    words = desk.words
    found: Rows = []
    for name, test in (
        ("battery", _battery),
        ("clock", _clock),
        ("memory", _memory),
        ("program", _program),
        ("keys", _keys),
        ("display", _display),
        ("printer_bad", _printer),
        ("sim", _sim),
        ("modem", _modem),
    ):
        fault = await test(desk)
        found.append((words(name), words("faulty" if fault else "ok")))
        if fault:
            found.append((fault, ""))
            key = await desk.ui.bad(words(name), fault, (("*", "stop"), ("#", "ok")))
            if key == "*":
                return None
    return found


async def _part(desk: "Desk", part: str) -> "Any":
    """What `service.parts` finds of a part; its module is there while it works."""
    module = load(_PARTS)
    try:
        return await module.run(desk.board, desk.boot_info, desk, part, ())
    finally:
        give_back((_PARTS,))


async def _shown(desk: "Desk", name: str, work: "Awaitable[Any]") -> "Any":
    """The result of `work`, while the screen says what is tested; None if it takes too long."""
    words = desk.words
    _, result = await desk.ui.busy(work, words("self_test"), words(name), _PATIENCE_MS)
    return result


async def _battery(desk: "Desk") -> "Fault":
    found = await _part(desk, "battery")
    mv = found["mv"]
    return None if _LEAST_MV <= mv <= _MOST_MV else desk.words("t_battery", mv)


async def _clock(desk: "Desk") -> "Fault":
    found = await _shown(desk, "clock", _part(desk, "rtc"))
    is_right = found and _LEAST_SECOND_MS <= found["second_ms"] <= _MOST_SECOND_MS
    return None if is_right else desk.words("t_clock")


async def _memory(desk: "Desk") -> "Fault":
    """Whether what is written reads back: in a file of its own, which is gone afterwards."""
    try:
        try:
            with open(_SCRATCH, "wb") as file:
                file.write(_PATTERN)
            with open(_SCRATCH, "rb") as file:
                is_kept = file.read(len(_PATTERN) + 1) == _PATTERN
        finally:
            os.remove(_SCRATCH)
    except OSError:
        is_kept = False
    return None if is_kept else desk.words("t_memory")


async def _program(desk: "Desk") -> "Fault":
    module = load(_PARTS)
    try:
        found = await _shown(desk, "program", module.is_whole(desk.board, desk.boot_info))
    finally:
        give_back((_PARTS,))
    return None if found else desk.words("t_program")


async def _keys(desk: "Desk") -> "Fault":
    """Every key once, in any order; done when no other is pressed for a while."""
    words = desk.words
    missing = KEYS
    while missing:
        desk.ui.tell(words("keys"), words("press_all", " ".join(missing)))
        key = await desk.ui.key_within(KEYS, _PATIENCE_MS)
        if key is None:
            return words("t_keys", " ".join(missing))
        missing = missing.replace(key, "")
    return None


async def _display(desk: "Desk") -> "Fault":
    words = desk.words
    await desk.ui.ask(words("display"), words("lcd_watch"), (("#", "ok"),))
    desk.board.lcd.command(_ALL_LIT)
    try:
        await desk.ui.key_within("#", _LIT_MS)
    finally:
        desk.board.lcd.command(_AS_HELD)
    answer = await desk.ui.ask(words("display"), words("lcd_q"), (("*", "no"), ("#", "yes")))
    return None if answer == "#" else words("t_lcd")


async def _printer(desk: "Desk") -> "Fault":
    status = await _shown(desk, "wait_printer", desk.printer.status())
    if status == printer.OK:
        return None
    words = desk.words
    return words(status) if status and status != printer.UNKNOWN else words("t_mute")


async def _sim(desk: "Desk") -> "Fault":
    """As the modem said when a link was last made."""
    trouble = desk.link.trouble
    is_its = trouble in ("no_sim", "sim_locked", "denied")
    return desk.words("n_" + trouble) if is_its else None


async def _modem(desk: "Desk") -> "Fault":
    words = desk.words
    return words("t_mute") if not await _shown(desk, "wait_modem", _answers(desk)) else None


async def _answers(desk: "Desk") -> bool:
    try:
        await desk.link.modem.refresh()
    except ModemError:
        return False
    return True
