"""How a modem is switched on and off, which part it is, and how its data service comes up. In the
heap only while a link is made (`ladder`).

Source: SIM800 Hardware Design and M95 Hardware Design (PWRKEY); for the rest the part's module.
"""

from bootloader.shared.compat import sleep_ms
from firmware import lent
from firmware.net.modem import joining
from firmware.net.modem.chat import OK, ChatAborted, ChatError
from firmware.net.modem.driver import SEND_BYTES
from firmware.net.modem.no_link import NoData, NoModem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from firmware.net.modem.driver import Modem

_SIM800 = "firmware.net.modem.sim800"
# What each says to AT+CGMM. Whoever says something else is taken for a SIM800, as its kin is.
_PARTS = ((b"Quectel_M95", "firmware.net.modem.m95"),)


async def _press_power_key(modem: "Modem") -> None:
    modem.power_key.value(0)
    try:
        await sleep_ms(modem.key_ms)
    finally:
        modem.power_key.value(1)


async def _wake(modem: "Modem") -> "Any":
    """Answering, echo off; the module of the part that it is. The key toggles, so a modem that hung
    is off after the first press.
    """
    cell = modem.cell
    if not await cell.answers(cell.answer_ms):
        # A CPU that was reset in the middle of a send left the modem waiting for data, and it
        # takes everything for that: fill it up. Whoever gets the filling finds a broken seal. Where
        # it waits for a short message, the first byte gives that up.
        await modem.chat.write(b"\x1b" + b"\r" * SEND_BYTES)
        if not await cell.answers(cell.answer_ms):
            for _ in range(2):
                await _press_power_key(modem)
                if await cell.answers(modem.boot_ms):
                    break
            else:
                raise NoModem()
    await joining.settle(cell)
    part: Any = lent.at_hand(await _which(modem))
    modem.words = part.WORDS
    try:
        # Who rings this card takes its data away for as long as it rings.
        await modem.chat.command(part.REFUSE_CALLS)
    except ChatAborted:
        pass  # a part that does not know it is hung up on (`_hang_up`)
    return part


async def _which(modem: "Modem") -> str:
    """The name of the part's module. Raises ChatError."""
    modem.part = _SIM800
    models = tuple([model for model, _ in _PARTS])
    try:
        model = await modem.chat.command(b"AT+CGMM", models + OK)
        if model != b"OK":
            modem.part = dict(_PARTS)[model]
            await modem.chat.wait(OK)
    except ChatAborted:
        pass
    return modem.part


async def radio_cycle(modem: "Modem") -> None:
    """Radio off and on. Raises ChatError."""
    await joining.radio_cycle(modem.cell)


async def power_cycle(modem: "Modem") -> None:
    """Power off, if it answers; `bring_up` switches it on. Raises ChatError."""
    cell = modem.cell
    cell.registered = False
    if await cell.answers(cell.answer_ms):
        try:
            part: Any = lent.at_hand(modem.part)
            await modem.chat.command(part.POWER_DOWN, (b"NORMAL POWER DOWN",), 5000)
        except ChatError:
            await _press_power_key(modem)
        finally:
            lent.give_back((modem.part,))
        await sleep_ms(cell.step_ms)


async def bring_up(modem: "Modem", apn: str, login: tuple[str, str] = ("", "")) -> None:
    """From any state to data service. Raises ModemError or ChatError."""
    names = '"%s","%s","%s"' % ((apn,) + login) if login[0] else '"%s"' % apn
    if names.count('"') != (6 if login[0] else 2) or "\r" in names or len(names) > 150:
        raise NoData("access point")
    try:
        await _bring_up(modem, names.encode())
    finally:
        lent.give_back((_SIM800,) + tuple([module for _, module in _PARTS]))
    modem.connected = False
    modem.attached = True


async def _bring_up(modem: "Modem", names: bytes) -> None:
    part = await _wake(modem)
    await joining.check_sim(modem.cell)
    await joining.register(modem.cell)
    try:
        await joining.attach(modem.cell)
        await modem.chat.script(part.data_service(names), joining.GONE)
        await modem.chat.command(part.ADDRESS, (b"",), 5000)
    except ChatAborted as error:
        raise NoData(str(error))
