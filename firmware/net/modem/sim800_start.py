"""How a SIM800 is switched on and off, and how its data service comes up. In the heap only while a
link is made (`ladder`). Source: as `sim800`.
"""

from bootloader.shared.compat import sleep_ms
from firmware.net.modem import joining
from firmware.net.modem.chat import OK, ChatAborted, ChatError
from firmware.net.modem.no_link import NoData, NoModem
from firmware.net.modem.sim800 import SEND_BYTES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.net.modem.sim800 import Modem


async def _press_power_key(modem: "Modem") -> None:
    modem.power_key.value(0)
    try:
        await sleep_ms(modem.key_ms)
    finally:
        modem.power_key.value(1)


async def _wake(modem: "Modem") -> None:
    """Answering, echo off. The key toggles, so a modem that hung is off after the first
    press.
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
    try:
        # Who rings this card takes its data away for as long as it rings.
        await modem.chat.command(b"AT+GSMBUSY=1")
    except ChatAborted:
        pass  # a part that does not know it is hung up on (`_hang_up`)


async def radio_cycle(modem: "Modem") -> None:
    """Radio off and on. Raises ChatError."""
    await joining.radio_cycle(modem.cell)


async def power_cycle(modem: "Modem") -> None:
    """Power off, if it answers; `bring_up` switches it on. Raises ChatError."""
    cell = modem.cell
    cell.registered = False
    if await cell.answers(cell.answer_ms):
        try:
            await modem.chat.command(b"AT+CPOWD=1", (b"NORMAL POWER DOWN",), 5000)
        except ChatError:
            await _press_power_key(modem)
        await sleep_ms(cell.step_ms)


async def bring_up(modem: "Modem", apn: str, login: tuple[str, str] = ("", "")) -> None:
    """From any state to data service. Raises ModemError or ChatError."""
    names = '"%s","%s","%s"' % ((apn,) + login) if login[0] else '"%s"' % apn
    if names.count('"') != (6 if login[0] else 2) or "\r" in names or len(names) > 150:
        raise NoData("access point")
    await _wake(modem)
    await joining.check_sim(modem.cell)
    await joining.register(modem.cell)
    try:
        await joining.attach(modem.cell)
        await modem.chat.script(
            (
                (b"AT+CIPSHUT", (b"SHUT OK",), 65000),
                (b"AT+CIPMUX=0", OK, 2000),
                (b"AT+CIPQSEND=1", OK, 2000),
                (b"AT+CIPRXGET=1", OK, 2000),
                (b"AT+CSTT=" + names.encode(), OK, 2000),
                (b"AT+CIICR", OK, 85000),
            )
        )
        await modem.chat.command(b"AT+CIFSR", (b"",), 5000)
    except ChatAborted as error:
        raise NoData(str(error))
    modem.connected = False
    modem.attached = True
