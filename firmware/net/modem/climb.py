"""One climb of the ladder, from data service that is down to one that is up, or to the reason why
not. In the heap only while it is climbed (`ladder`).
"""

import sys

from bootloader.shared.compat import const, sleep_ms, ticks_diff, ticks_ms
from firmware import counts
from firmware.net.modem.chat import ChatError
from firmware.net.modem.errors import ModemError
from firmware.net.modem.ladder import RETRY_FIRST_MS, RUNGS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Protocol

    class Starter(Protocol):
        """What starts a dialect's modem. Each raises ModemError or ChatError."""

        async def bring_up(self, modem: Any, apn: str, login: tuple[str, str]) -> None:
            """From any state to data service."""

        async def radio_cycle(self, modem: Any) -> None:
            """Radio off and on."""

        async def power_cycle(self, modem: Any) -> None:
            """Off, until it is brought up."""


_CLIMB_MS = const(240000)
_ATTACHES_TRIED = const(8)
_ATTACHES_FAILED = const(9)
_ATTACHES_DENIED = const(29)
_ATTACH = const(31)


async def climb(modem: "Any", apn: str, login: tuple[str, str], gently: bool) -> None:
    """Bring `modem` up, from its `first_rung` on, or by that alone (`gently`). Raises ModemError:
    the last rung's reason.
    """
    starter: Any = sys.modules[modem.starter]
    start = ticks_ms()
    last = len(RUNGS) - 1
    rung = min(modem.first_rung, last)
    if gently:
        last = rung
    while True:
        counts.add(_ATTACHES_TRIED)
        began = ticks_ms()
        try:
            await _try(modem, starter, rung, apn, login)
            counts.took(_ATTACH, ticks_diff(ticks_ms(), began))
            break
        except ModemError as error:
            counts.add(_ATTACHES_DENIED if error.code == "denied" else _ATTACHES_FAILED)
            modem.log("modem: " + str(error))
            modem.trouble = error.code
            modem.attached = False
            is_long = ticks_diff(ticks_ms(), start) >= _CLIMB_MS
            if not error.climb or rung == last or is_long:
                # A climb that took long goes on at the next call: the caller has others to
                # care for.
                modem.first_rung = error.next_rung
                if error.climb and rung < last:
                    modem.first_rung = rung + 1
                modem.retry_ms = min(modem.retry_ms * 2, error.longest_ms)
                if error.rests:
                    await _switch_off(modem, starter)
                raise
        await sleep_ms(modem.pause_ms << rung)
        rung += 1
    modem.first_rung = 0
    modem.retry_ms = RETRY_FIRST_MS
    modem.trouble = ""


async def _try(
    modem: "Any", starter: "Starter", rung: int, apn: str, login: tuple[str, str]
) -> None:
    try:
        if rung:
            modem.log("modem: " + RUNGS[rung])
            await (starter.radio_cycle if rung == 1 else starter.power_cycle)(modem)
        await starter.bring_up(modem, apn, login)
    except ChatError as error:
        raise ModemError(str(error))


async def _switch_off(modem: "Any", starter: "Starter") -> None:
    try:
        await starter.power_cycle(modem)
    except ChatError as error:
        modem.log("modem: " + str(error))
